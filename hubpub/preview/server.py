"""Serving a preview on loopback: the page, its two files, pictures of the folder, and word of changes.

A page on the web can make a browser call a server on this machine, also under a host name of its own (DNS
rebinding). Such requests are refused, and what is answered cannot be read, framed or run by another page.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubpub.core.errors import UsageError
from hubpub.preview.files import shown_file
from hubpub.preview.live import LivePreview
from hubpub.preview.page import FILES, SCRIPT, STYLE, asset

ADDRESS = "127.0.0.1"
_NAMES = (ADDRESS, "localhost")
_LOOK_SECONDS = 0.25
_BEAT_LOOKS = 40
_BACKLOG = 128
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@contextlib.contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """A socket on loopback that accepts connections; port 0 is any free one.

    Raises:
        UsageError: the port is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            next_step = "choose another port with --port, or leave it out for any free one"
            raise UsageError(f"cannot listen on {ADDRESS} port {port}: {error.strerror}", next_step) from error
        yield listener


def serve(preview: LivePreview, listener: socket.socket, *, remote_images: bool) -> None:
    """Answer until SIGINT or SIGTERM."""
    server: uvicorn.Server

    def is_stopping() -> bool:
        return server.should_exit

    app = build_app(preview, listener.getsockname()[1], is_stopping, remote_images=remote_images)
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again when it is done
        server.run(sockets=[listener])


def build_app(
    preview: LivePreview, port: int, is_stopping: Callable[[], bool], *, remote_images: bool = False
) -> ASGIApp:
    """The application that serves a preview on a port."""

    async def page(request: Request) -> Response:
        host = request.headers["host"]
        images = f"http://{host}{FILES}" + (" https: http:" if remote_images else "")
        policy = (
            f"default-src 'none'; script-src http://{host}/-/{SCRIPT}; style-src http://{host}/-/{STYLE}; "
            f"img-src {images}; connect-src http://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(preview.page(), headers={**_HEADERS, "Content-Security-Policy": policy})

    async def own_file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in (STYLE, SCRIPT):
            return _refused(404, "There is nothing here.")
        kind = "text/css" if name == STYLE else "text/javascript"
        return Response(asset(name), media_type=kind, headers=_HEADERS)

    async def file(request: Request) -> Response:
        found = shown_file(preview.root, request.path_params["path"])
        if found is None:
            return _refused(404, "There is no such file in the folder, or it is none to be shown.")
        headers = {**_HEADERS, "Content-Security-Policy": _FILE_POLICY, "Content-Type": found.content_type}
        return Response(found.content, headers=headers)

    async def changes(request: Request) -> Response:
        return StreamingResponse(_changes(preview, is_stopping), media_type="text/event-stream", headers=_HEADERS)

    async def no_icon(request: Request) -> Response:
        return Response(status_code=204, headers=_HEADERS)

    routes = [
        Route("/", page),
        Route("/-/changes", changes),
        Route("/-/{name}", own_file),
        Route("/favicon.ico", no_icon),
        Route(FILES + "{path:path}", file),
    ]
    return _Edge(Starlette(routes=routes), frozenset(f"{name}:{port}" for name in _NAMES))


async def _changes(preview: LivePreview, is_stopping: Callable[[], bool]) -> AsyncIterator[str]:
    """Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): each new version."""
    yield "retry: 500\n\n"
    known, looks = "", 0
    while not is_stopping():
        version = preview.version()
        looks += 1
        if version != known:
            known = version
            yield f"data: {version}\n\n"
        elif looks % _BEAT_LOOKS == 0:
            yield ": still here\n\n"
        await asyncio.sleep(_LOOK_SECONDS)


class _Edge:
    """Refuses requests that were made for another host, or by another site's page."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value.lower() for name, value in headers if name == b"host"]
        sites = {value for name, value in headers if name == b"sec-fetch-site"}
        modes = {value for name, value in headers if name == b"sec-fetch-mode"}
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            await _refused(421, "This preview is not the host that the request is for.")(scope, receive, send)
        elif sites & {"cross-site", "same-site"} and (scope["path"] != "/" or modes - {"navigate"}):
            # a link may lead here; pictures and scripts of another page would only make the card be linted again
            await _refused(403, "Only the preview's own page may ask for this.")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _refused(status: int, message: str) -> Response:
    return PlainTextResponse(message, status, headers={**_HEADERS, "Content-Security-Policy": "default-src 'none'"})
