"""Xet: the tokens that the Hub hands out, and the CAS that they are for.

CAS API: https://huggingface.co/docs/xet/api. The CAS address holds the store's name (see `DataRoot.store`).
"""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import ApiError, bad_request, forbidden, revision_not_found
from hubpub.hub.routes.commit import writable
from hubpub.hub.store.content import FileContent
from hubpub.hub.store.repos import RepoRecord
from hubpub.hub.store.xet import FilePart, XetFile
from hubpub.hub.store.xet_format import XetFormatError, XorbReader, is_hash, read_shard
from hubpub.hub.store.xet_hashing import Node, chunk_node
from hubpub.hub.web.call import Call
from hubpub.hub.web.holding import LOST, Holding
from hubpub.hub.web.routing import repo_route, route
from hubpub.hub.web.serving import content_response, requested_range

_READ, _WRITE = "cas-read", "cas-write"


def write_token(call: Call) -> Response:
    """`GET /api/{kind}/{id}/xet-write-token/{rev}`. The revision does not matter; a new pull request has `None`."""
    return _token(call, _WRITE, writable(call, call.params["rev"]))


def read_token(call: Call) -> Response:
    """`GET /api/{kind}/{id}/xet-read-token/{rev}`."""
    record = call.repo(Action.READ)
    with call.state.repos.git(record) as git:
        if git.resolve(call.params["rev"]) is None:
            raise revision_not_found(call.params["rev"])
    return _token(call, _READ, record)


def no_dedup(_: Call) -> Response:
    """`GET /v1/chunks/..` and `POST /v1/xorb-grants/..`: nothing is known, which clients take for an answer."""
    raise ApiError(404, "Not found")


async def put_xorb(call: Call) -> Response:
    """`POST /v1/xorbs/default/{hash}`."""
    _claims(call, _WRITE)
    store, xorb = call.state.large_files.xet, _hash(call)
    with call.state.root.scratch_file() as (file, path):
        nodes: list[Node] = []
        reader = XorbReader(lambda chunk: nodes.append(chunk_node(chunk)))
        try:
            await call.spool(file, call.state.limits.xorb, reader)
            if await run_in_threadpool(store.has_xorb, xorb):
                return JSONResponse({"was_inserted": False})
            await run_in_threadpool(store.keep_xorb, file, path, xorb, reader.table(), nodes)
        except XetFormatError as error:
            raise bad_request(f"The body is not xorb {xorb}: {error}") from None
    return JSONResponse({"was_inserted": True})


async def put_shard_v1(call: Call) -> Response:
    """`POST /v1/shards`."""
    await _register(call)
    return JSONResponse({"result": 1})


async def put_shard(call: Call) -> Response:
    """`POST /v2/shards`."""
    await _register(call)
    return Response(json.dumps({"type": "result", "result": 1}) + "\n", media_type="application/x-ndjson")


def reconstruction(call: Call) -> Response:
    """`GET /v2/reconstructions/{hash}`: which chunks of which xorbs make up a file, or the requested range of it."""
    holding = _claims(call, _READ)
    part = _part(call, holding)
    xorbs = {
        xorb: [{"url": url, "ranges": [{"chunks": chunks, "bytes": span}]} for url, chunks, span in fetches]
        for xorb, fetches in _fetches(call, holding, part)
    }
    return JSONResponse({"offset_into_first_range": part.skip, "terms": _terms(part), "xorbs": xorbs})


def reconstruction_v1(call: Call) -> Response:
    """`GET /v1/reconstructions/{hash}`: the same in the older form."""
    holding = _claims(call, _READ)
    part = _part(call, holding)
    info = {
        xorb: [{"range": chunks, "url": url, "url_range": span} for url, chunks, span in fetches]
        for xorb, fetches in _fetches(call, holding, part)
    }
    return JSONResponse({"offset_into_first_range": part.skip, "terms": _terms(part), "fetch_info": info})


def get_xorb(call: Call) -> Response:
    """`GET /xorb/{capability}`: bytes of a xorb. The address is the right to read them."""
    claims = call.state.signer.claims(call.params["capability"], "xorb")
    if claims is None:
        raise ApiError(403, "This address is not valid or has expired")
    if not Holding.in_claims(claims).still_allows(call.state, Action.READ):
        raise forbidden(LOST)
    content = FileContent.of(call.state.large_files.xet.xorb_path(claims["xorb"]))
    if content is None:
        raise ApiError(404, "There is no such xorb")
    return content_response(call.request, content, {})


def telemetry(_: Call) -> Response:
    """`POST /v1/telemetry`: taken, and dropped."""
    return JSONResponse({})


def reconstruction_url(call: Call, file_hash: str) -> str:
    """Where the reconstruction of a file is."""
    return f"{_cas_url(call)}/v1/reconstructions/{file_hash}"


def _cas_url(call: Call) -> str:
    return f"{call.endpoint}/cas/{call.state.root.store}"


def write_headers(call: Call, record: RepoRecord) -> dict[str, str]:
    """A token to upload to the repo, as headers; the caller has checked that it may be given."""
    return _headers(call, _WRITE, record)


def _token(call: Call, purpose: str, record: RepoRecord) -> Response:
    headers = _headers(call, purpose, record)
    body = {
        "accessToken": headers["X-Xet-Access-Token"],
        "exp": int(headers["X-Xet-Token-Expiration"]),
        "casUrl": headers["X-Xet-Cas-Url"],
    }
    return JSONResponse(body, headers={**headers, "Cache-Control": "no-store"})


def _headers(call: Call, purpose: str, record: RepoRecord) -> dict[str, str]:
    expires = int(time.time()) + call.state.limits.cas_ttl
    claims = Holding.of(call.who, record.id).claims
    return {
        "X-Xet-Cas-Url": _cas_url(call),
        "X-Xet-Access-Token": call.state.signer.issue(purpose, expires, **claims),
        "X-Xet-Token-Expiration": str(expires),
    }


def _claims(call: Call, purpose: str) -> Holding:
    """Whose CAS call it is, and about which repo. With a token to write one may read too, if one may.

    Raises:
        ApiError: 404 on the address of another store; 401 without a valid token.
    """
    if call.params["store"] != call.state.root.store:
        raise ApiError(404, "There is no such store")
    purposes = {_READ: (_READ, _WRITE), _WRITE: (_WRITE,)}[purpose]
    for candidate in purposes:
        claims = call.state.signer.claims(call.bearer or "", candidate)
        if claims is not None:
            holding = Holding.in_claims(claims)
            _check_allowed(call, holding, purpose)
            return holding
    raise ApiError(401, "The CAS token is not valid for this or has expired")


def _check_allowed(call: Call, holding: Holding, purpose: str) -> None:
    if not holding.still_allows(call.state, Action.READ if purpose == _READ else Action.PROPOSE):
        raise ApiError(401, LOST)


async def _register(call: Call) -> None:
    """Check and remember the files of a shard, as files of the repo that the token is for."""
    holding = _claims(call, _WRITE)
    data = await call.read_body(call.state.limits.shard)
    large_files = call.state.large_files

    def run() -> None:
        # Again, because a large body takes long.
        _check_allowed(call, holding, _WRITE)
        files = read_shard(data)
        # Files side by side: hashing leaves the interpreter to others.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for sha256 in pool.map(large_files.xet.register, files):
                large_files.note(holding.repo, sha256)

    try:
        await run_in_threadpool(run)
    except XetFormatError as error:
        raise bad_request(f"The shard is refused: {error}") from None


def _part(call: Call, holding: Holding) -> FilePart:
    large_files = call.state.large_files
    file: XetFile | None = large_files.xet.file(_hash(call))
    if file is None or not large_files.is_in(holding.repo, file.sha256):
        raise ApiError(404, "There is no such file")
    start, stop = requested_range(call.request.headers.get("range"), file.size) or (0, file.size)
    return file.part(start, stop)


def _terms(part: FilePart) -> list[dict[str, Any]]:
    return [
        {"hash": term.xorb, "unpacked_length": term.length, "range": {"start": term.first, "end": term.end}}
        for term in part.terms
    ]


_Fetch = tuple[str, dict[str, int], dict[str, int]]


def _fetches(call: Call, holding: Holding, part: FilePart) -> list[tuple[str, list[_Fetch]]]:
    """For each xorb, what to fetch: the address, the chunks (end exclusive), and their bytes (end inclusive)."""
    expires = int(time.time()) + call.state.limits.transfer_ttl
    fetches = []
    for xorb, ranges in part.chunk_ranges().items():
        table = call.state.large_files.xet.xorb(xorb)
        capability = call.state.signer.issue("xorb", expires, **holding.claims, xorb=xorb)
        address = f"{_cas_url(call)}/xorb/{capability}"
        fetches.append(
            (
                xorb,
                [
                    (
                        address,
                        {"start": first, "end": end},
                        {"start": table.starts[first], "end": table.starts[end] - 1},
                    )
                    for first, end in ranges
                ],
            )
        )
    return fetches


def _hash(call: Call) -> str:
    text = call.params["hash"]
    if not is_hash(text):
        raise bad_request("The hash is not 64 hex digits")
    return text


ROUTES: list[BaseRoute] = [
    repo_route("GET", "xet-write-token/{rev}", write_token),
    repo_route("GET", "xet-read-token/{rev}", read_token),
    route("GET", "/cas/{store}/v1/chunks/{prefix}/{hash}", no_dedup),
    route("POST", "/cas/{store}/v1/xorb-grants/{prefix}/{hash}", no_dedup),
    route("POST", "/cas/{store}/v1/xorbs/{prefix}/{hash}", put_xorb),
    route("POST", "/cas/{store}/v1/shards", put_shard_v1),
    route("POST", "/cas/{store}/v2/shards", put_shard),
    route("GET", "/cas/{store}/v1/reconstructions/{hash}", reconstruction_v1),
    route("GET", "/cas/{store}/v2/reconstructions/{hash}", reconstruction),
    route("GET", "/cas/{store}/xorb/{capability}", get_xorb),
    route("POST", "/cas/{store}/v1/telemetry", telemetry),
]
