"""What repos are: the info of one, and the lists that they are found in."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.accounts import Role
from hubpub.hub.access.permissions import Action, may
from hubpub.hub.errors import bad_request, forbidden
from hubpub.hub.naming import RepoKind, repo_id
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.repo_view import PROPERTIES, RepoView
from hubpub.hub.store.repos import MAIN, RepoRecord
from hubpub.hub.store.revisions import at_revision
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import kind_route, repo_route, route

_ONLY_WHEN_ASKED = {"downloadsAllTime", "trendingScore"}
_IN_LISTS = (
    "author",
    "private",
    "gated",
    "createdAt",
    "lastModified",
    "sha",
    "downloads",
    "likes",
    "tags",
    "pipeline_tag",
    "library_name",
    "sdk",
)
_SORTS = ("createdAt", "lastModified", "downloads", "likes", "trendingScore")
_NOT_HERE = ("apps", "inference", "inference_provider")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([KMBT]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}

_Key = tuple[Any, str]


def info(call: Call) -> Response:
    """`GET /api/{kind}/{id}` and `.../revision/{rev}`, with `blobs` or `expand`."""
    with at_revision(call, Action.SEE) as (record, git, head):
        view = _view(call, git, record, head)
        wanted = _expand(call)
        found = view.describe(wanted or [name for name in PROPERTIES[record.id.kind] if name not in _ONLY_WHEN_ASKED])
        if call.flag("blobs") and "siblings" in found:
            found["siblings"] = view.siblings(blobs=True)
    return JSONResponse(found)


def listing(call: Call) -> Response:
    """`GET /api/models?author=&search=&filter=&sort=&limit=..`: the repos that the caller may see, in pages."""
    kind = RepoKind(call.params["kind"].removesuffix("s"))
    limit = max(call.number("limit", call.state.limits.page, call.state.limits.page), 1)
    wanted = _expand(call) or [*_IN_LISTS, *_asked_for(call)]
    after = _cursor(call)
    tests = list(_tests(call))
    found: list[dict[str, Any]] = []
    last: _Key | None = None
    more = False
    for key, record in _ordered(call, kind):
        if after is not None and not _is_after(key, after):
            continue
        with call.state.repos.git(record) as git:
            head = git.ref(MAIN)
            view = _view(call, git, record, head) if head else None
            if view is None or not all(test(view) for test in tests):
                continue
            if len(found) == limit:
                more = True
                break
            found.append(view.describe(wanted))
        last = key
    headers = {}
    if more and last is not None:
        query = [(name, value) for name, value in call.request.query_params.multi_items() if name != "cursor"]
        cursor = base64.urlsafe_b64encode(json.dumps(last).encode()).decode()
        address = f"{call.endpoint}/api/{kind.plural}?{urlencode([*query, ('cursor', cursor)])}"
        headers["Link"] = f'<{address}>; rel="next"'
    return JSONResponse(found, headers=headers)


def storage(call: Call) -> Response:
    """`GET /api/settings/repositories` and `/api/organizations/{ns}/settings/repositories`: what takes how much."""
    who = call.signed_in()
    namespace = call.params.get("ns", who.user.name)
    if call.state.accounts.role_of(who.user, namespace) < Role.READ:
        raise forbidden(f"You are not a member of {namespace}")
    found: list[dict[str, Any]] = []
    for kind in RepoKind:
        for record in call.state.repos.every(kind, namespace):
            if not may(call.state.accounts, who, Action.SEE, record):
                continue
            with call.state.repos.git(record) as git:
                head = git.ref(MAIN)
                if head is None:
                    continue
                view = _view(call, git, record, head)
                found.append(
                    {
                        "id": str(record.id),
                        "type": kind.value,
                        "updatedAt": view.last_modified,
                        "visibility": "private" if record.private else "public",
                        "storage": view.storage,
                    }
                )
    total = sum(item["storage"] for item in found)
    return JSONResponse([{**item, "storagePercent": 100 * item["storage"] / total if total else 0} for item in found])


def _view(call: Call, git: GitRepo, record: RepoRecord, head: str) -> RepoView:
    return RepoView(git, record, head, call.state.large_files, call.state.facts)


def _expand(call: Call) -> list[str]:
    params = call.request.query_params
    return [*params.getlist("expand"), *params.getlist("expand[]")]


def _asked_for(call: Call) -> Iterator[str]:
    if call.flag("full"):
        yield from ("siblings", "cardData", "models", "datasets")
    if call.flag("cardData"):
        yield from ("cardData", "model-index")
    if call.flag("config"):
        yield "config"


# Which, and in what order


def _ordered(call: Call, kind: RepoKind) -> Iterator[tuple[_Key, RepoRecord]]:
    """The repos that the caller may see, by name, or by what `sort` says, the largest first; each with its place."""
    params = call.request.query_params
    author, gated = call.query("author") or None, call.query("gated").lower()
    searches = [text.lower() for text in params.getlist("search")]
    if any(params.getlist(name) for name in _NOT_HERE) or (author and repo_id(kind, author, "x") is None):
        return
    sort = call.query("sort") or "name"
    if sort not in ("name", *_SORTS):
        raise bad_request(f"sort is not {', '.join(_SORTS)}")
    records = (
        record
        for record in call.state.repos.every(kind, author)
        if all(text in str(record.id).lower() for text in searches)
        and (not gated or (gated == "true") is bool(record.gated))
        and may(call.state.accounts, call.who, Action.SEE, record)
    )
    keyed = [((_sort_value(call, record, sort), str(record.id)), record) for record in records]
    keyed.sort(key=lambda item: item[0][1])
    keyed.sort(key=lambda item: item[0][0], reverse=True)
    yield from keyed


def _sort_value(call: Call, record: RepoRecord, sort: str) -> str:
    if sort == "createdAt":
        return record.created_at
    if sort != "lastModified":
        # Nothing is downloaded or liked often enough here to be counted.
        return ""
    with call.state.repos.git(record) as git:
        head = git.ref(MAIN)
        return _view(call, git, record, head).last_modified if head else ""


def _is_after(key: _Key, cursor: _Key) -> bool:
    return bool(key[0] < cursor[0] or (key[0] == cursor[0] and key[1] > cursor[1]))


def _cursor(call: Call) -> _Key | None:
    text = call.query("cursor")
    if not text:
        return None
    try:
        value, name = json.loads(base64.urlsafe_b64decode(text))
    except (ValueError, TypeError, RecursionError):
        raise bad_request("cursor is not one of this hub's") from None
    if not isinstance(value, str) or not isinstance(name, str):
        raise bad_request("cursor is not one of this hub's")
    return value, name


def _tests(call: Call) -> Iterator[Callable[[RepoView], bool]]:
    params = call.request.query_params
    tags = {tag for text in (*params.getlist("filter"), *params.getlist("tags")) for tag in text.split(",") if tag}
    if tags:
        yield lambda view: tags <= {*view.facts.tags, view.facts.pipeline_tag, view.facts.library}
    if task := call.query("pipeline_tag"):
        yield lambda view: view.facts.pipeline_tag == task
    if size := call.query("num_parameters"):
        least, most = _bounds(size)
        yield lambda view: least <= sum((view.facts.parameters or {"": -1}).values()) <= most
    for key in ("models", "datasets"):
        for wanted in params.getlist(key):
            yield partial(_uses, key, wanted)
    if call.flag("linked"):
        yield lambda view: bool(view.facts.card.get("models") or view.facts.card.get("datasets"))


def _uses(key: str, wanted: str, view: RepoView) -> bool:
    named = view.facts.card.get(key)
    return isinstance(named, list) and wanted in named


def _bounds(text: str) -> tuple[float, float]:
    """The range in `min:6B,max:128B`, either part of which may be missing."""
    bounds = {"min": 0.0, "max": float("inf")}
    for part in text.split(","):
        name, _, value = part.partition(":")
        match = _NUMBER.fullmatch(value)
        if name not in bounds or match is None:
            raise bad_request("num_parameters is not such as min:6B,max:128B")
        bounds[name] = float(match[1]) * _UNITS[match[2].upper()]
    return bounds["min"], bounds["max"]


ROUTES: list[BaseRoute] = [
    kind_route("GET", listing),
    repo_route("GET", "", info),
    repo_route("GET", "revision/{rev}", info),
    route("GET", "/api/settings/repositories", storage),
    route("GET", "/api/organizations/{ns}/settings/repositories", storage),
]
