"""Pages for people: what is on this hub, and what is in one repo. Plain HTML, no scripts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import islice
from urllib.parse import quote

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.call import Call
from hubpub.hub.errors import ApiError
from hubpub.hub.git import GitRepo
from hubpub.hub.listing import Lister, title
from hubpub.hub.naming import RepoKind
from hubpub.hub.permissions import Action, may
from hubpub.hub.repos import RepoRecord, iso_time
from hubpub.hub.routing import route, web_routes

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre{white-space:pre-wrap;background:#8881;padding:1rem}td{padding-right:2rem}"
)
_MOST_FILES = 1000
_COMMITS = 10


def home(call: Call) -> Response:
    """`GET /`: the repos that anybody may see."""
    parts = []
    for kind in RepoKind:
        seen = [r for r in call.state.repos.every(kind) if may(call.state.accounts, None, Action.SEE, r)]
        links = [f'<li><a href="/{escape(record.id.web_path)}">{escape(str(record.id))}</a></li>' for record in seen]
        parts.append(f"<h2>{kind.plural.capitalize()}</h2><ul>{''.join(links) or '<li>none yet</li>'}</ul>")
    return _page("hubpub hub", "".join(parts))


def repo(call: Call) -> Response:
    """`GET /{id}`, `/{id}/tree/{rev}` and `/{id}/commit/{oid}`: card, files and last commits."""
    record = call.state.repos.get(call.repo_id)
    revision = call.params.get("rev", "main")
    if record is None or not may(call.state.accounts, call.who, Action.READ, record):
        raise ApiError(404, "There is no such repo here, or it is private", code="RepoNotFound")
    with call.state.repos.git(record) as git:
        head = git.resolve(revision)
        if head is None:
            raise ApiError(404, "There is no such revision", code="RevisionNotFound")
        return _page(str(record.id), _repo_parts(call, record, git, head))


def healthz(_: Call) -> Response:
    """`GET /healthz`."""
    return JSONResponse({"status": "ok"})


def _repo_parts(call: Call, record: RepoRecord, git: GitRepo, head: str) -> str:
    root = git.root_tree(head)
    lister = Lister(git, record, call.state.large_files)
    card = git.entry(root, "README.md")
    parts = [f"<p>commit <code>{head}</code></p>"]
    if card is not None and not card.is_folder:
        parts.append(f"<h2>Card</h2><pre>{escape(git.blob(card.oid).decode('utf-8', 'replace'))}</pre>")
    files = (entry for entry in git.walk(root, recursive=True) if not entry.is_folder)
    rows = []
    for entry in islice(files, _MOST_FILES):
        address = f"/{record.id.web_path}/resolve/{head}/{quote(entry.path)}"
        size = lister.entry(entry)["size"]
        rows.append((f'<a href="{escape(address)}">{escape(entry.path)}</a>', f"{size:,}"))
    parts.append(f"<h2>Files</h2>{_table(rows)}")
    history = [
        (f"<code>{oid[:7]}</code>", escape(title(commit)), iso_time(commit.commit_time))
        for oid, commit in islice(git.history(head), _COMMITS)
    ]
    parts.append(f"<h2>Commits</h2>{_table(history)}")
    return "".join(parts)


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return f"<table>{''.join('<tr>' + ''.join(f'<td>{cell}</td>' for cell in row) + '</tr>' for row in rows)}</table>"


def _page(heading: str, body: str) -> Response:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(heading)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(heading)}</h1>{body}</html>"
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"})


ROUTES: list[BaseRoute] = [
    route("GET", "/", home),
    route("GET", "/healthz", healthz),
    *web_routes("GET", "", repo),
    *web_routes("GET", "tree/{rev}", repo),
    *web_routes("GET", "commit/{rev}", repo),
]
