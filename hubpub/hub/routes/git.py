"""git's smart HTTP protocol, to clone and to fetch: https://git-scm.com/docs/gitprotocol-http.

Everything is written through the Hub's API, so a push is refused. Files kept outside git arrive as LFS pointers;
git-lfs fetches their content through the batch call (see `hubpub.hub.routes.lfs`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import bad_request, too_large
from hubpub.hub.store.repos import RepoRecord
from hubpub.hub.web.call import Call
from hubpub.hub.web.pkt_line import Mark, packets
from hubpub.hub.web.routing import web_routes
from hubpub.hub.web.upload_pack import Answer, advertisement, answer, answer_stream, list_refs, read_v0, read_v2

_NO_PUSH = (
    "This hub takes no pushes over git. Commit through the Hub's API: hf upload, huggingface_hub or hubpub push.\n"
)
_NO_CACHE = {"Cache-Control": "no-cache"}
_RESULT = "application/x-git-upload-pack-result"


def info_refs(call: Call) -> Response:
    """`GET /{id}.git/info/refs?service=git-upload-pack`: the refs, or what version 2 offers."""
    record = call.repo_for_git(Action.READ)
    if call.query("service") != "git-upload-pack":
        return _refused(call)
    with call.state.repos.git(record) as git:
        body = advertisement(git.advertised(), _version(call))
    return Response(body, 200, _NO_CACHE, "application/x-git-upload-pack-advertisement")


def upload_pack(call: Call) -> Response:
    """`POST /{id}.git/git-upload-pack`: one command of version 2, or one round of version 0."""
    record = call.repo_for_git(Action.READ)
    lines = packets(_unpacked_body(call))
    with call.state.repos.git(record) as git:
        if _version(call) == 0:
            return _stream(call, record, answer(git, read_v0(lines)))
        command, arguments = _command(list(lines))
        if command == b"ls-refs":
            return Response(list_refs(git.advertised(), arguments), 200, _NO_CACHE, _RESULT)
        return _stream(call, record, answer(git, read_v2(arguments)))


def receive_pack(call: Call) -> Response:
    """`POST /{id}.git/git-receive-pack`: refused."""
    call.repo_for_git(Action.READ)
    return _refused(call)


def _refused(call: Call) -> Response:
    """Git prints a refusal in plain text; without a service, the request is that of a client from before 2010."""
    pushes = call.query("service") in ("", "git-receive-pack")
    message = _NO_PUSH if pushes else "This hub serves git-upload-pack alone.\n"
    return Response(message, 403, _NO_CACHE, "text/plain; charset=utf-8")


def _version(call: Call) -> int:
    """The protocol's version that is spoken: 2 if the client asks for it, else 0."""
    return 2 if "version=2" in call.request.headers.get("git-protocol", "").split(":") else 0


def _unpacked_body(call: Call) -> bytes:
    """The body, of which git compresses all but the shortest.

    Raises:
        ApiError: 400 if it is not compressed as it says; 413 if it is too large once unpacked.
    """
    encoding = call.request.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return call.body
    if encoding not in ("gzip", "x-gzip"):
        raise bad_request("The body's Content-Encoding is not gzip")
    limit = call.state.limits.json_body
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        data = decoder.decompress(call.body, limit + 1)
    except zlib.error:
        raise bad_request("The body is not gzip") from None
    if len(data) > limit:
        raise too_large(f"The body is larger than {limit} bytes")
    if not decoder.eof:
        raise bad_request("The body ends early")
    return data


def _command(lines: list[bytes | Mark]) -> tuple[bytes, list[bytes]]:
    """The command of a request in version 2, and its arguments.

    Raises:
        ApiError: 400 if there is none that was offered.
    """
    first = lines[0] if lines else b""
    if first not in (b"command=ls-refs", b"command=fetch"):
        raise bad_request("The request is not command=ls-refs or command=fetch")
    start = lines.index(Mark.DELIM) + 1 if Mark.DELIM in lines else len(lines)
    arguments = [line for line in lines[start:] if isinstance(line, bytes)]
    return first.removeprefix(b"command="), arguments


def _stream(call: Call, record: RepoRecord, found: Answer) -> Response:
    def body() -> Iterator[bytes]:
        with call.state.repos.git(record) as git:
            yield from answer_stream(git, found)

    return StreamingResponse(body(), 200, _NO_CACHE, _RESULT)


ROUTES: list[BaseRoute] = [
    *(
        route
        for suffix in (".git", "")
        for route in (
            *web_routes("GET", "info/refs", info_refs, suffix=suffix),
            *web_routes("POST", "git-upload-pack", upload_pack, suffix=suffix),
            *web_routes("POST", "git-receive-pack", receive_pack, suffix=suffix),
        )
    ),
]
