"""The way to a commit: what goes how, and then all of it at once."""

from __future__ import annotations

import base64
import binascii
import codecs
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import bad_request, revision_not_found
from hubpub.hub.naming import checked_path
from hubpub.hub.store.attributes import UploadRules
from hubpub.hub.store.commits import commit
from hubpub.hub.store.repos import RepoRecord
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import repo_route

_MOST_FILES = 1000
_MATCHING_SECONDS = 10
_SAMPLE = 512
_MOST_DIGITS = 10


def preupload(call: Call) -> Response:
    """`POST /api/{kind}/{id}/preupload/{rev}`: for each file, through git or through LFS or xet, or not at all."""
    record = writable(call, call.params["rev"])
    document = call.json()
    files = document.get("files")
    if not isinstance(files, list) or len(files) > _MOST_FILES:
        raise bad_request(f"files is not a list of at most {_MOST_FILES}")
    ignore = document.get("gitIgnore")
    with call.state.repos.git(record) as git:
        head = git.resolve(call.params["rev"])
        if head is None:
            raise revision_not_found(call.params["rev"])
        rules = UploadRules.at(git, head, ignore if isinstance(ignore, str) else None)
        answers = []
        deadline = time.monotonic() + _MATCHING_SECONDS
        for file in files:
            if time.monotonic() > deadline:
                raise bad_request("The patterns of .gitattributes and .gitignore take too long to match")
            path, size, sample = _announced(call, file)
            large = size > call.state.limits.regular_file or rules.is_lfs(path) or _is_binary(sample)
            answers.append(
                {
                    "path": path,
                    "uploadMode": "lfs" if large else "regular",
                    "shouldIgnore": rules.is_ignored(path),
                    "oid": rules.remote_oid(path),
                }
            )
    return JSONResponse({"files": answers, "commitOid": head})


async def make_commit(call: Call) -> Response:
    """`POST /api/{kind}/{id}/commit/{rev}`: one commit, or with `create_pr` one new pull request."""
    opens = call.flag("create_pr")
    record = await run_in_threadpool(writable, call, call.params["rev"])
    state, author = call.state, call.signed_in().user
    with state.root.scratch_file() as (spool, _):
        await call.spool(spool, state.limits.commit_body)

        def run() -> Response:
            made = commit(
                state.repos,
                state.large_files,
                record,
                call.params["rev"],
                spool,
                author,
                state.limits,
                propose_to=state.discussions if opens else None,
            )
            page = f"{call.endpoint}/{record.id.web_path}"
            answer: dict[str, Any] = {
                "success": True,
                "commitOid": made.oid,
                "commitUrl": f"{page}/commit/{made.oid}",
                "hookOutput": "",
            }
            if made.pull_request is not None:
                answer["pullRequestUrl"] = f"{page}/discussions/{made.pull_request}"
            return JSONResponse(answer)

        # Not abandoned when the client goes away: what was begun is finished while the spool is there.
        return await run_in_threadpool(run)


def writable(call: Call, revision: str) -> RepoRecord:
    """The repo, if the caller may commit to `revision`; with `create_pr`, if they may open a pull request.

    Whoever opened a pull request may add to it, write to the repo or not.

    Raises:
        ApiError: as `Call.repo`.
    """
    if call.flag("create_pr"):
        return call.repo(Action.PROPOSE)
    number = revision.removeprefix("refs/pr/")
    if number != revision and number.isascii() and number.isdecimal() and len(number) < _MOST_DIGITS:
        record = call.repo(Action.PROPOSE)
        with call.state.repos.git(record) as git:
            found = call.state.discussions.get(record, git, int(number))
        if found is not None and found.author == call.signed_in().user.name:
            return record
    return call.repo(Action.WRITE)


def _announced(call: Call, file: Any) -> tuple[str, int, bytes]:
    if not isinstance(file, dict) or type(file.get("size")) is not int:
        raise bad_request("A file has no path or no size")
    try:
        sample = base64.b64decode(call.text(file, "sample", ""), validate=True)
    except (ValueError, binascii.Error):
        raise bad_request("The sample of a file is not base64") from None
    return checked_path(call.text(file, "path")), file["size"], sample[:_SAMPLE]


def _is_binary(sample: bytes) -> bool:
    """Whether the start of a file is not text. It may end within a character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return True
    return b"\0" in sample


ROUTES: list[BaseRoute] = [
    repo_route("POST", "preupload/{rev}", preupload),
    repo_route("POST", "commit/{rev}", make_commit),
]
