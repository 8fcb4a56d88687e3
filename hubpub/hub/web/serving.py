"""Answering with content: ranges, and headers that keep a browser from running what a repo holds."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hubpub.hub.errors import ApiError
from hubpub.hub.store.content import Content
from hubpub.hub.web.http_protocol import connection_of

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of the one range that a Range header asks for; None for the whole.

    Headers that are malformed or ask for several ranges count as absent, as RFC 9110 (14.2) allows.

    Raises:
        ApiError: 416 if nothing of the range exists.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= stop:
        raise ApiError(416, "Range not satisfiable", headers={"Content-Range": f"bytes */{size}"})
    return start, stop


def content_response(
    request: Request, content: Content, headers: dict[str, str], media_type: str = "application/octet-stream"
) -> Response:
    """The content, or the range of it that the request asks for; for HEAD, the headers alone."""
    part = requested_range(request.headers.get("range"), content.size)
    start, stop = part or (0, content.size)
    headers = {**headers, **_INERT, "Accept-Ranges": "bytes", "Content-Length": str(stop - start)}
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(None, status, headers, media_type)
    return ContentResponse(content, start, stop, status, headers, media_type)


class ContentResponse(StreamingResponse):
    """Part of a content, sent by a thread if it is large and one is free, else through the event loop."""

    def __init__(
        self, content: Content, start: int, stop: int, status: int, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(content.read(start, stop), status, headers, media_type)
        self._part = content, start, stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        transfers = scope["hubpub.state"].transfers
        connection = connection_of(scope)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if not await connection.send_content(transfers, *self._part):
            async for block in self.body_iterator:
                await send({"type": "http.response.body", "body": block, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
