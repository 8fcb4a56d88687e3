"""Reading: info, listings, and the files themselves."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.call import Call
from hubpub.hub.content import BytesContent
from hubpub.hub.errors import bad_request, entry_not_found, revision_not_found, too_large
from hubpub.hub.git import GitRepo
from hubpub.hub.listing import Lister, commit_item
from hubpub.hub.naming import is_path
from hubpub.hub.permissions import Action
from hubpub.hub.repos import RepoRecord, iso_time
from hubpub.hub.routes_repos import summary
from hubpub.hub.routes_xet import reconstruction_url
from hubpub.hub.routing import repo_route, web_routes
from hubpub.hub.serving import content_response

_MOST_PATHS = 1000
_EXPANDED_PAGE = 100
_TEXT_TYPES = {".json", ".jsonl", ".md", ".txt", ".py", ".yaml", ".yml", ".toml", ".csv", ".jinja"}


@contextmanager
def _at_revision(call: Call, action: Action) -> Iterator[tuple[RepoRecord, GitRepo, str]]:
    """The repo of the path, its git data, and the commit that the path's revision names (`main` if none).

    Raises:
        ApiError: the caller may not, or 404 RevisionNotFound.
    """
    record = call.repo(action)
    revision = call.params.get("rev", "main")
    with call.state.repos.git(record) as git:
        commit = git.resolve(revision)
        if commit is None:
            raise revision_not_found(revision)
        yield record, git, commit


def info(call: Call) -> Response:
    """`GET /api/{kind}/{id}` and `.../revision/{rev}`, with `blobs` or `expand`."""
    with _at_revision(call, Action.SEE) as (record, git, head):
        lister = Lister(git, record, call.state.large_files)
        blobs = call.flag("blobs")
        files = [entry for entry in git.walk(git.root_tree(head), recursive=True) if not entry.is_folder]
        siblings = [lister.sibling(entry, blobs=blobs) for entry in files]
        found = {
            **summary(record),
            "sha": head,
            "lastModified": iso_time(git.commit(head).commit_time),
            "siblings": siblings,
            "usedStorage": sum(item.get("size", 0) for item in siblings) if blobs else 0,
        }
    wanted = call.request.query_params.getlist("expand") + call.request.query_params.getlist("expand[]")
    if wanted:
        found = {key: value for key, value in found.items() if key in {"_id", "id", "modelId", *wanted}}
    return JSONResponse(found)


def tree(call: Call) -> Response:
    """`GET /api/{kind}/{id}/tree/{rev}/{path}`, in pages; the next page's address names the commit, not the branch."""
    recursive, expand = call.flag("recursive"), call.flag("expand")
    most = _EXPANDED_PAGE if expand else call.state.limits.page
    limit = max(call.number("limit", most, most), 1)
    start = call.number("cursor", 0, 1 << 40)
    path = call.params["path"].strip("/")
    with _at_revision(call, Action.READ) as (record, git, head):
        folder = git.entry(git.root_tree(head), path)
        if folder is None or not folder.is_folder:
            raise entry_not_found(path, head)
        entries = list(islice(git.walk(folder.oid, path, recursive=recursive), start, start + limit + 1))
        lister = Lister(git, record, call.state.large_files)
        last = lister.last_commits(head, entries[:limit]) if expand else {}
        items = [lister.entry(entry, last.get(entry.path)) for entry in entries[:limit]]
    headers = {}
    if len(entries) > limit:
        address = f"{call.endpoint}/api/{record.id.kind.plural}/{record.id}/tree/{head}"
        address += f"/{quote(path, safe='')}" if path else ""
        options = {"recursive": recursive, "expand": expand, "limit": limit, "cursor": start + limit}
        headers["Link"] = (
            f'<{address}?{urlencode({key: str(value).lower() for key, value in options.items()})}>; rel="next"'
        )
    return JSONResponse(items, headers=headers)


def paths_info(call: Call) -> Response:
    """`POST /api/{kind}/{id}/paths-info/{rev}`: those of the paths that exist."""
    form = call.form_or_json()
    paths, expand = form.get("paths", []), form.get("expand", False)
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise bad_request("paths is not a list of strings")
    if len(paths) > _MOST_PATHS:
        raise too_large(f"At most {_MOST_PATHS} paths at once")
    with _at_revision(call, Action.READ) as (record, git, head):
        root = git.root_tree(head)
        entries = [entry for path in paths if (entry := git.entry(root, path.strip("/"))) and entry.path]
        lister = Lister(git, record, call.state.large_files)
        wanted = expand is True or expand in (["true"], ["True"])
        last = lister.last_commits(head, entries) if wanted else {}
        return JSONResponse([lister.entry(entry, last.get(entry.path)) for entry in entries])


def commits(call: Call) -> Response:
    """`GET /api/{kind}/{id}/commits/{rev}`, newest first, in pages."""
    limit = max(call.number("limit", 50, call.state.limits.page), 1)
    page = call.number("p", 0, 1 << 20)
    with _at_revision(call, Action.READ) as (record, git, head):
        found = list(islice(git.history(head), page * limit, (page + 1) * limit + 1))
        items = [commit_item(oid, commit) for oid, commit in found[:limit]]
    headers = {}
    if len(found) > limit:
        address = f"{call.endpoint}/api/{record.id.kind.plural}/{record.id}/commits/{head}"
        headers["Link"] = f'<{address}?limit={limit}&p={page + 1}>; rel="next"'
    return JSONResponse(items, headers=headers)


def resolve(call: Call) -> Response:
    """`GET` and `HEAD /{id}/resolve/{rev}/{path}`: a file. Large ones are served here too, without a redirect."""
    path = call.params["path"]
    with _at_revision(call, Action.READ) as (record, git, head):
        entry = git.entry(git.root_tree(head), path) if is_path(path) else None
        if entry is None or entry.is_folder:
            raise entry_not_found(path, head)
        large = Lister(git, record, call.state.large_files).large(entry.oid)
        data = b"" if large else git.blob(entry.oid)
    headers = {"X-Repo-Commit": head, "Content-Disposition": _disposition(path)}
    if large is None:
        headers["ETag"] = f'"{entry.oid}"'
        return content_response(call.request, BytesContent(data), headers, _media_type(path))
    content = call.state.large_files.open(large.sha256)
    if content is None:
        raise OSError(f"large file {large.sha256} is not in the store")
    headers |= {
        "ETag": f'"{large.sha256}"',
        "X-Linked-Etag": f'"{large.sha256}"',
        "X-Linked-Size": str(large.size),
    }
    if file_hash := call.state.large_files.xet.file_hash(large.sha256):
        token_url = f"{call.endpoint}/api/{record.id.kind.plural}/{record.id}/xet-read-token/{head}"
        headers["X-Xet-Hash"] = file_hash
        headers["Link"] = (
            f'<{token_url}>; rel="xet-auth", <{reconstruction_url(call, file_hash)}>; rel="xet-reconstruction-info"'
        )
    return content_response(call.request, content, headers)


def _disposition(path: str) -> str:
    name = quote(path.rpartition("/")[2], safe="")
    return f"inline; filename*=UTF-8''{name}"


def _media_type(path: str) -> str:
    dot = path.rfind(".")
    if path[dot:] in _TEXT_TYPES:
        return "text/plain; charset=utf-8"
    guessed = mimetypes.guess_type(path)[0] or ""
    return guessed if guessed.startswith("image/") and "svg" not in guessed else "application/octet-stream"


ROUTES: list[BaseRoute] = [
    repo_route("GET", "", info),
    repo_route("GET", "revision/{rev}", info),
    repo_route("GET", "tree/{rev}/{path*}", tree),
    repo_route("POST", "paths-info/{rev}", paths_info),
    repo_route("GET", "commits/{rev}", commits),
    *web_routes("GET", "resolve/{rev}/{path*}", resolve),
]
