"""Copies within the hub, without a download: a whole repo, or large files from one repo to another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dulwich.object_store import MissingObjectFinder
from dulwich.objects import ObjectID
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action, checked_creation, may
from hubpub.hub.errors import bad_request
from hubpub.hub.naming import RepoId, RepoKind, repo_id
from hubpub.hub.routes.repos import already_exists, is_private, repo_url
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.repos import RepoRecord
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import repo_route

_MOST_FILES = 1000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COPIED_REFS = ("refs/heads/", "refs/tags/", "refs/convert/")


def duplicate(call: Call) -> Response:
    """`POST /api/{kind}/{id}/duplicate`: a new repo with the same history, branches and tags."""
    document = call.json()
    who = call.signed_in()
    source = call.repo(Action.READ)
    new = _target(source.id.kind, document.get("repository"))
    existing = call.state.repos.get(new)
    if existing is not None and may(call.state.accounts, who, Action.SEE, existing):
        raise already_exists(call, new)
    wanted = is_private(document)
    private = checked_creation(call.state.accounts, who, new, source.private if wanted is None else wanted)
    with call.state.repos.git(source) as git, call.state.repos.lock(new):
        # Before the notes on large files: what a commit names has been noted before it.
        refs = {prefix + name: commit for prefix in _COPIED_REFS for name, commit in git.refs(prefix).items()}
        created = call.state.repos.create(
            new,
            who.user.name,
            private=private,
            first_commit=lambda fresh: _copy(git, fresh, refs),
            large_files=call.state.large_files.all_in(source.id),
        )
    if created is None:
        raise already_exists(call, new)
    return JSONResponse({"url": repo_url(call, new), "filesCopyPending": False})


def duplicate_large_files(call: Call) -> Response:
    """`POST /api/{kind}/{id}/lfs-files/duplicate`: another repo may name large files of this one in a commit."""
    document = call.json()
    files, target = document.get("files"), document.get("target")
    if not isinstance(files, list) or len(files) > _MOST_FILES or not isinstance(target, dict):
        raise bad_request(f"target is no repo, or files is not a list of at most {_MOST_FILES}")
    kind = target.get("type", RepoKind.MODEL.value)
    if kind not in list(RepoKind):
        raise bad_request(f"This hub does not hold repos of type {kind}")
    source = call.repo(Action.READ)
    destination = call.allowed(call.state.repos.get(_target(RepoKind(kind), target.get("name"))), Action.PROPOSE)
    failed = []
    for file in files:
        sha256 = file.get("sha256") if isinstance(file, dict) else None
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise bad_request("A file has no sha256")
        if error := _share(call, source, destination, sha256):
            failed.append({"sha256": sha256, "error": error})
    return JSONResponse({"success": not failed, "failed": failed})


def _share(call: Call, source: RepoRecord, destination: RepoRecord, sha256: str) -> str | None:
    """Let `destination` have a large file of `source`; why not, if not."""
    large_files = call.state.large_files
    if not large_files.is_in(source.id, sha256):
        return f"{source.id} has no such file"
    if not large_files.is_in(destination.id, sha256):
        large_files.note(destination.id, sha256)
    return None


def _target(kind: RepoKind, text: Any) -> RepoId:
    namespace, _, name = text.partition("/") if isinstance(text, str) else ("", "", "")
    found = repo_id(kind, namespace, name)
    if found is None:
        raise bad_request(f"Invalid repo name: {text}")
    return found


def _copy(source: GitRepo, fresh: GitRepo, refs: Mapping[str, str]) -> None:
    tips = [ObjectID(commit.encode()) for commit in dict.fromkeys(refs.values())]
    needed = [oid for oid, _ in MissingObjectFinder(source.objects, [], tips)]
    fresh.add((source.objects[oid] for oid in needed), len(needed))
    for name, commit in refs.items():
        fresh.set_ref(name, commit)


ROUTES: list[BaseRoute] = [
    repo_route("POST", "duplicate", duplicate),
    repo_route("POST", "lfs-files/duplicate", duplicate_large_files),
]
