"""Reading: listings of files and commits, and the files themselves."""

from __future__ import annotations

import mimetypes
from itertools import islice
from urllib.parse import quote, urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import bad_request, entry_not_found, too_large
from hubpub.hub.naming import is_path
from hubpub.hub.routes.xet import reconstruction_url
from hubpub.hub.store.content import BytesContent
from hubpub.hub.store.revisions import at_revision
from hubpub.hub.web.call import Call
from hubpub.hub.web.listing import Lister, commit_item
from hubpub.hub.web.routing import repo_route, web_routes
from hubpub.hub.web.serving import content_response

_MOST_PATHS = 1000
_XET_INFO = "application/vnd.xet-fileinfo+json"
_TEXT_TYPES = {".json", ".jsonl", ".md", ".txt", ".py", ".yaml", ".yml", ".toml", ".csv", ".jinja"}


def tree(call: Call) -> Response:
    """`GET /api/{kind}/{id}/tree/{rev}/{path}`, in pages; the next page's address names the commit, not the branch."""
    recursive, expand = call.flag("recursive"), call.flag("expand")
    limit = max(call.number("limit", call.state.limits.page, call.state.limits.page), 1)
    path = call.params["path"].strip("/")
    with at_revision(call, Action.READ) as (record, git, head):
        folder = git.entry(git.root_tree(head), path)
        if folder is None or not folder.is_folder:
            raise entry_not_found(path, head)
        below = git.walk(folder.oid, path, recursive=recursive, after=call.query("cursor"))
        entries = list(islice(below, limit + 1))
        lister = Lister(git, record, call.state.large_files)
        last = call.state.last_commits.at(git, head) if expand else {}
        items = [lister.entry(entry, last.get(entry.path)) for entry in entries[:limit]]
    headers = {}
    if len(entries) > limit:
        address = f"{call.endpoint}/api/{record.id.kind.plural}/{record.id}/tree/{head}"
        address += f"/{quote(path, safe='')}" if path else ""
        options = {"recursive": str(recursive).lower(), "expand": str(expand).lower(), "limit": limit}
        options["cursor"] = entries[limit - 1].path.removeprefix(f"{path}/" if path else "")
        headers["Link"] = f'<{address}?{urlencode(options)}>; rel="next"'
    return JSONResponse(items, headers=headers)


def paths_info(call: Call) -> Response:
    """`POST /api/{kind}/{id}/paths-info/{rev}`: those of the paths that exist."""
    form = call.form_or_json()
    paths, expand = form.get("paths", []), form.get("expand", False)
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise bad_request("paths is not a list of strings")
    if len(paths) > _MOST_PATHS:
        raise too_large(f"At most {_MOST_PATHS} paths at once")
    with at_revision(call, Action.READ) as (record, git, head):
        root = git.root_tree(head)
        entries = [entry for path in paths if (entry := git.entry(root, path.strip("/"))) and entry.path]
        lister = Lister(git, record, call.state.large_files)
        wanted = expand is True or expand in (["true"], ["True"])
        last = call.state.last_commits.at(git, head) if wanted else {}
        return JSONResponse([lister.entry(entry, last.get(entry.path)) for entry in entries])


def commits(call: Call) -> Response:
    """`GET /api/{kind}/{id}/commits/{rev}`, newest first, in pages."""
    limit = max(call.number("limit", 50, call.state.limits.page), 1)
    page = call.number("p", 0, 1 << 20)
    formatted = "formatted" in call.request.query_params.getlist("expand[]")
    with at_revision(call, Action.READ) as (record, git, head):
        found = list(islice(git.history(head), page * limit, (page + 1) * limit + 1))
        items = [commit_item(oid, commit, formatted=formatted) for oid, commit in found[:limit]]
        total = sum(1 for _ in git.history(head))
    headers = {"X-Total-Count": str(total)}
    if len(found) > limit:
        address = f"{call.endpoint}/api/{record.id.kind.plural}/{record.id}/commits/{head}"
        extra = "&expand[]=formatted" if formatted else ""
        headers["Link"] = f'<{address}?limit={limit}&p={page + 1}{extra}>; rel="next"'
    return JSONResponse(items, headers=headers)


def resolve(call: Call) -> Response:
    """`GET` and `HEAD /{id}/resolve/{rev}/{path}`: a file. Large ones are served here too, without a redirect."""
    path = call.params["path"]
    with at_revision(call, Action.READ) as (record, git, head):
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
        if _XET_INFO in call.request.headers.get("accept", ""):
            return JSONResponse({"hash": file_hash, "size": large.size}, headers=headers, media_type=_XET_INFO)
    return content_response(call.request, content, headers)


def raw(call: Call) -> Response:
    """`GET /{id}/raw/{rev}/{path}`: a file as git has it; of a large one, its pointer."""
    path = call.params["path"]
    with at_revision(call, Action.READ) as (_, git, head):
        entry = git.entry(git.root_tree(head), path) if is_path(path) else None
        if entry is None or entry.is_folder:
            raise entry_not_found(path, head)
        data = git.blob(entry.oid)
    headers = {"X-Repo-Commit": head, "ETag": f'"{entry.oid}"', "Content-Disposition": _disposition(path)}
    return content_response(call.request, BytesContent(data), headers, _media_type(path))


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
    repo_route("GET", "tree/{rev}/{path*}", tree),
    repo_route("POST", "paths-info/{rev}", paths_info),
    repo_route("GET", "commits/{rev}", commits),
    *web_routes("GET", "resolve/{rev}/{path*}", resolve),
    *web_routes("GET", "raw/{rev}/{path*}", raw),
]
