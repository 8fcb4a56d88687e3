"""Pages for people: what is on this hub, and what is in one repo. Plain HTML, no scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from hubpub.card.html import LARGEST_CARD, card_html
from hubpub.card.metadata.schema import card_body
from hubpub.hub.access.permissions import Action, may
from hubpub.hub.errors import ApiError
from hubpub.hub.naming import RepoKind
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.repo_facts import RepoFacts
from hubpub.hub.store.repos import RepoRecord, iso_time
from hubpub.hub.web.call import Call
from hubpub.hub.web.listing import Lister, author_of, title
from hubpub.hub.web.routing import route, web_routes

_MOST_REPOS = 500
_MOST_FILES = 1000
_MOST_REFS = 100
_COMMITS = 20
_MOST_CHIPS = 20
_MOST_ALIKE = 3
_LONGEST_CHIP = 80


def home(call: Call) -> Response:
    """`GET /`: the repos that anybody may see, and how clients use this hub."""
    kinds = []
    for kind in RepoKind:
        seen = (r for r in call.state.repos.every(kind) if may(call.state.accounts, None, Action.SEE, r))
        listed = list(islice(seen, _MOST_REPOS + 1))
        repos = [
            {"path": r.id.web_path, "name": str(r.id), "gated": r.gated, "created_at": r.created_at}
            for r in listed[:_MOST_REPOS]
        ]
        kinds.append({"title": kind.plural.capitalize(), "repos": repos, "more": len(listed) > _MOST_REPOS})
    return html_page("home.html", 200, title="hubpub hub", endpoint=call.endpoint, kinds=kinds)


def repo(call: Call) -> Response:
    """`GET /{id}`, `/{id}/tree/{rev}` and `/{id}/commit/{oid}`: card, files, refs and last commits."""
    try:
        record = call.repo(Action.READ)
        revision = call.params.get("rev", "main")
        with call.state.repos.git(record) as git:
            head = git.resolve(revision)
            if head is None:
                raise ApiError(404, "There is no such branch, tag or commit here.", code="RevisionNotFound")
            facts = call.state.facts.at(git, record, head)
            return html_page("repo.html", 200, **_shown(call, record, git, head, facts), revision=_short(revision))
    except ApiError as error:
        return refusal_page(error)


def refusal_page(error: ApiError) -> Response:
    """What people see instead of a page.

    Raises:
        ApiError: it is a redirect.
    """
    if error.status == 307:
        raise error
    # To somebody who is not signed in, a private repo looks like one that is not there.
    hidden = error.code == "RepoNotFound"
    message = "There is no such repo here, or it is private." if hidden else error.message
    status = 404 if hidden else error.status
    return html_page("missing.html", status, title="Not found" if hidden else "Not to be shown", message=message)


def _shown(call: Call, record: RepoRecord, git: GitRepo, head: str, facts: RepoFacts) -> dict[str, Any]:
    root = git.root_tree(head)
    lister = Lister(git, record, call.state.large_files)
    base = f"/{record.id.web_path}/resolve/{head}/"
    readme = git.entry(root, "README.md")
    card, is_cut = None, False
    if readme is not None and not readme.is_folder and lister.large(readme.oid) is None:
        body = card_body(git.blob(readme.oid)[: 2 * LARGEST_CARD].decode("utf-8", "replace"))
        card, is_cut = Markup(card_html(body[:LARGEST_CARD], base)), len(body) > LARGEST_CARD  # noqa: S704 -- cleaned
    entries = list(islice((entry for entry in git.walk(root, recursive=True) if not entry.is_folder), _MOST_FILES + 1))
    files = []
    for entry in entries[:_MOST_FILES]:
        size = lister.size(entry.oid)
        address = base + quote(entry.path)
        files.append({"path": entry.path, "address": address, "size": readable_size(size), "bytes": f"{size:,}"})
    return {
        "title": str(record.id),
        "kind": record.id.kind.web_prefix,
        "namespace": record.id.namespace,
        "name": record.id.name,
        "chips": list(_chips(record, facts)),
        "card": card,
        "card_is_cut": is_cut,
        "base": base,
        "files": files,
        "more_files": len(entries) > _MOST_FILES,
        "refs": list(islice(_refs(record, git), _MOST_REFS)),
        "commits": [
            {
                "address": f"/{record.id.web_path}/commit/{oid}",
                "oid": oid,
                "title": title(commit) or "(no title)",
                "author": author_of(commit),
                "date": iso_time(commit.commit_time),
            }
            for oid, commit in islice(git.history(head), _COMMITS)
        ],
    }


def _chips(record: RepoRecord, facts: RepoFacts) -> Iterator[tuple[str, str]]:
    """What the metadata says in short: pairs of a key, perhaps empty, and a value."""
    if record.private:
        yield "", "private"
    if record.gated:
        yield "", "gated"
    if facts.parameters:
        yield "parameters", readable_number(sum(facts.parameters.values()))
    if facts.pipeline_tag:
        yield "", facts.pipeline_tag[:_LONGEST_CHIP]
    groups: dict[str, list[str]] = {}
    for tag in facts.tags:
        key, _, value = tag.partition(":")
        if tag != facts.pipeline_tag:
            groups.setdefault(key if value else "", []).append(value or key)
    for key, values in groups.items():
        most = _MOST_CHIPS if not key else _MOST_ALIKE
        yield from ((key, value[:_LONGEST_CHIP]) for value in values[:most])
        if len(values) > most:
            yield key, f"and {len(values) - most} more"


def _refs(record: RepoRecord, git: GitRepo) -> Iterator[dict[str, str]]:
    for prefix, kind in (("refs/heads/", "branch"), ("refs/tags/", "tag")):
        for name in git.refs(prefix):
            yield {"name": name, "kind": kind, "address": f"/{record.id.web_path}/tree/{quote(name, safe='')}"}


def _short(revision: str) -> str:
    return revision[:7] if len(revision) == 40 else revision


def readable_size(size: int) -> str:
    """Bytes in decimal units, as the Hub shows them: `91 MB`."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}" if unit != "B" else f"{size} B"
        amount /= 1000
    return f"{amount:.3g} TB" if amount < 1000 else f"{amount:,.0f} TB"


def readable_number(number: int) -> str:
    """A count in short: `22.7M`."""
    amount = float(number)
    for unit in ("", "K", "M", "B"):
        if amount < 1000:
            return f"{amount:.3g}{unit}"
        amount /= 1000
    return f"{amount:,.3g}T"


@lru_cache(maxsize=1)
def _templates() -> tuple[Environment, Markup, str]:
    """The templates, the style, and the policy that allows this style and nothing else but the hub's own images."""
    loader = PackageLoader("hubpub.hub.pages", "html")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    style = loader.get_source(environment, "style.css")[0].strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return environment, Markup(style), policy  # noqa: S704 -- the package's own file


def html_page(template: str, status: int, **values: Any) -> Response:
    """A page, with the headers that keep a browser from running anything on it."""
    environment, style, policy = _templates()
    text = environment.get_template(template).render(style=style, **values)
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    # A name in a repo may hold what is no valid Unicode.
    return HTMLResponse(text.encode("utf-8", "replace"), status, headers)


def favicon(_: Call) -> Response:
    """`GET /favicon.ico`, which browsers ask for unasked: there is none."""
    return Response(status_code=204)


ROUTES: list[BaseRoute] = [
    route("GET", "/", home),
    route("GET", "/favicon.ico", favicon),
    *web_routes("GET", "", repo),
    *web_routes("GET", "tree/{rev}", repo),
    *web_routes("GET", "commit/{rev}", repo),
]
