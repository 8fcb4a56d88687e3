"""LFS: the batch call, and uploads whose addresses carry the right to make them.

API: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md. Clients send no Authorization with the
upload itself.
"""

from __future__ import annotations

import hashlib
import re
import time
from math import ceil
from typing import Any

from blake3 import blake3
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import ApiError, bad_request, entry_not_found, forbidden
from hubpub.hub.naming import RepoId
from hubpub.hub.routes.xet import write_headers
from hubpub.hub.state import HubState
from hubpub.hub.store.content import BLOCK
from hubpub.hub.store.repos import RepoRecord
from hubpub.hub.web.call import Call
from hubpub.hub.web.holding import LOST, Holding
from hubpub.hub.web.routing import route, web_routes
from hubpub.hub.web.serving import content_response

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_OBJECTS = 1000
_MOST_PARTS = 10_000
_MEDIA_TYPE = "application/vnd.git-lfs+json"


def batch(call: Call) -> Response:
    """`POST /{id}.git/info/lfs/objects/batch`: where to upload to or download from."""
    document = call.json()
    operation, objects = document.get("operation"), document.get("objects")
    if operation not in ("upload", "download") or not isinstance(objects, list) or len(objects) > _MOST_OBJECTS:
        raise bad_request(f"operation is not upload or download, or objects is not a list of at most {_MOST_OBJECTS}")
    # @huggingface/hub of npm spells it with an underscore.
    if document.get("hash_algo", "sha256") not in ("sha256", "sha_256"):
        raise ApiError(409, "Only sha256 is supported")
    # Whoever may open a pull request may upload what it needs.
    record = call.repo_for_git(Action.PROPOSE if operation == "upload" else Action.READ)
    transfers = document.get("transfers") or ["basic"]
    multipart = isinstance(transfers, list) and "multipart" in transfers
    xet = operation == "upload" and isinstance(transfers, list) and "xet" in transfers
    xet_upload = {"href": _write_token_url(call, record), "header": write_headers(call, record)} if xet else {}
    answers = []
    parts = False
    for item in objects:
        oid, size = _object(item)
        answer: dict[str, Any] = {"oid": oid, "size": size}
        if operation == "download":
            answer |= _download(call, record.id, oid)
        elif size > call.state.limits.large_file:
            answer["error"] = {"code": 422, "message": f"larger than {call.state.limits.large_file} bytes"}
        elif _is_here(call, record.id, oid, size):
            call.state.large_files.note(record.id, oid)
        elif xet:
            answer["actions"] = {"upload": xet_upload}
        else:
            in_parts = multipart and size >= call.state.limits.multipart_from
            parts = parts or in_parts
            answer["actions"] = _upload(call, record.id, oid, size, in_parts=in_parts)
        answers.append(answer)
    transfer = "xet" if xet else "multipart" if parts else "basic"
    body = {"transfer": transfer, "objects": answers}
    return JSONResponse(body, media_type=_MEDIA_TYPE)


async def put(call: Call) -> Response:
    """`PUT /lfs/object/{capability}`: a whole file. Kept only if it is what was announced."""
    claims = _claims(call, "lfs-put")
    state = call.state
    with state.root.scratch_file() as (file, path):
        digest = hashlib.sha256()
        await call.spool(file, claims["size"], digest)
        sha256 = digest.hexdigest()
        if sha256 != claims["oid"]:
            raise bad_request("The upload does not have the announced sha256")

        def keep() -> None:
            # Again, because a large upload takes long.
            _check_allowed(state, claims, "lfs-put")
            # Uploaded again to another repo, it is proof that the uploader has it, and need not be kept twice.
            if state.large_files.open(sha256) is None:
                state.large_files.lfs.keep(file, path, sha256)
            state.large_files.note(Holding.in_claims(claims).repo, sha256)

        await run_in_threadpool(keep)
    return Response(status_code=200)


async def put_part(call: Call) -> Response:
    """`PUT /lfs/part/{capability}/{number}`: one part, written at its place."""
    claims = _claims(call, "lfs-parts")
    size, part = claims["size"], claims["part"]
    position = (_part_number(call.params["number"], ceil(size / part)) - 1) * part
    lfs = call.state.large_files.lfs
    digest = blake3()
    try:
        with await run_in_threadpool(lfs.open_parts, claims["upload"]) as file:
            file.seek(position)
            await call.spool(file, min(part, size - position), digest)
            await run_in_threadpool(file.flush)
    except OSError:
        # The disk is full, say: what has arrived so far is of no use, and takes the room that others need.
        await run_in_threadpool(lfs.give_up_parts, claims["upload"])
        raise
    return Response(status_code=200, headers={"ETag": f'"{digest.hexdigest()}"'})


def complete(call: Call) -> Response:
    """`POST /lfs/complete/{capability}`: all parts are there."""
    claims = _claims(call, "lfs-parts")
    large_files, repo = call.state.large_files, Holding.in_claims(claims).repo
    # Asked again, because the answer was lost, it is done already.
    if not _is_here(call, repo, claims["oid"], claims["size"]):
        large_files.lfs.finish_parts(claims["upload"], claims["oid"])
    large_files.note(repo, claims["oid"])
    return JSONResponse({})


def verify(call: Call) -> Response:
    """`POST /lfs/verify/{capability}`: did the upload arrive?"""
    claims = _claims(call, "lfs-verify")
    if not _is_here(call, Holding.in_claims(claims).repo, claims["oid"], claims["size"]):
        raise entry_not_found(claims["oid"])
    return JSONResponse({})


def get(call: Call) -> Response:
    """`GET /lfs/object/{capability}`: download a file."""
    claims = _claims(call, "lfs-get")
    content = call.state.large_files.open(claims["oid"])
    if content is None:
        raise entry_not_found(claims["oid"])
    return content_response(call.request, content, {"ETag": f'"{claims["oid"]}"'})


def _object(item: Any) -> tuple[str, int]:
    oid, size = (item.get("oid"), item.get("size")) if isinstance(item, dict) else (None, None)
    if not isinstance(oid, str) or not _SHA256.fullmatch(oid) or type(size) is not int or size < 0:
        raise bad_request("An object has no sha256 or no size")
    return oid, size


def _part_number(text: str, most: int) -> int:
    # At first by its length: a number of thousands of digits is an error to Python.
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text) or int(text) > most:
        raise bad_request("There is no such part")
    return int(text)


def _is_here(call: Call, repo: RepoId, oid: str, size: int) -> bool:
    large_files = call.state.large_files
    return large_files.is_in(repo, oid) and large_files.size(oid) == size


def _download(call: Call, repo: RepoId, oid: str) -> dict[str, Any]:
    if not call.state.large_files.is_in(repo, oid):
        return {"error": {"code": 404, "message": "Object does not exist"}}
    address = f"{call.endpoint}/lfs/object/{_capability(call, 'lfs-get', repo, oid, 0)}"
    return {"actions": {"download": {"href": address}}}


def _write_token_url(call: Call, record: RepoRecord) -> str:
    """Where a client gets another token to upload with; as for any upload, proposing is enough."""
    return f"{call.endpoint}/api/{record.id.kind.plural}/{record.id}/xet-write-token/main?create_pr=1"


def _upload(call: Call, repo: RepoId, oid: str, size: int, *, in_parts: bool) -> dict[str, Any]:
    verify_url = f"{call.endpoint}/lfs/verify/{_capability(call, 'lfs-verify', repo, oid, size)}"
    actions: dict[str, Any] = {"verify": {"href": verify_url}}
    if not in_parts:
        actions["upload"] = {"href": f"{call.endpoint}/lfs/object/{_capability(call, 'lfs-put', repo, oid, size)}"}
        return actions
    part = max(call.state.limits.part, ceil(size / _MOST_PARTS / BLOCK) * BLOCK)
    upload = call.state.large_files.lfs.start_parts(size)
    capability = _capability(call, "lfs-parts", repo, oid, size, part=part, upload=upload)
    header = {"chunk_size": str(part)}
    for number in range(1, ceil(size / part) + 1):
        header[str(number)] = f"{call.endpoint}/lfs/part/{capability}/{number}"
    actions["upload"] = {"href": f"{call.endpoint}/lfs/complete/{capability}", "header": header}
    return actions


def _capability(call: Call, purpose: str, repo: RepoId, oid: str, size: int, **more: Any) -> str:
    expires = int(time.time()) + call.state.limits.transfer_ttl
    return call.state.signer.issue(purpose, expires, **Holding.of(call.who, repo).claims, oid=oid, size=size, **more)


def _claims(call: Call, purpose: str) -> dict[str, Any]:
    claims = call.state.signer.claims(call.params["capability"], purpose)
    if claims is None:
        raise ApiError(403, "This address is not valid or has expired")
    _check_allowed(call.state, claims, purpose)
    return claims


def _check_allowed(state: HubState, claims: dict[str, Any], purpose: str) -> None:
    action = Action.READ if purpose == "lfs-get" else Action.PROPOSE
    if not Holding.in_claims(claims).still_allows(state, action):
        raise forbidden(LOST)


ROUTES: list[BaseRoute] = [
    *web_routes("POST", "info/lfs/objects/batch", batch, suffix=".git"),
    route("PUT", "/lfs/object/{capability}", put),
    route("GET", "/lfs/object/{capability}", get),
    route("PUT", "/lfs/part/{capability}/{number}", put_part),
    route("POST", "/lfs/complete/{capability}", complete),
    route("POST", "/lfs/verify/{capability}", verify),
]
