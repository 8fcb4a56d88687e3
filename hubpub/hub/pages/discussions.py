"""Pages for people: the discussions of a repo, and one of them. Clients print their addresses."""

from __future__ import annotations

from itertools import islice

from starlette.responses import Response
from starlette.routing import BaseRoute

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import ApiError
from hubpub.hub.pages.site import html_page, refusal_page
from hubpub.hub.routes.discussions import found_discussion
from hubpub.hub.store.pull_requests import all_events, conflicts, diff, settled
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import web_routes

_MOST_DISCUSSIONS = 200
_LONGEST_DIFF = 1 << 20


def discussions(call: Call) -> Response:
    """`GET /{id}/discussions`: the newest."""
    try:
        record = call.repo(Action.READ)
    except ApiError as error:
        return refusal_page(error)
    with call.state.repos.git(record) as git:
        every = (settled(git, found) for found in call.state.discussions.every(record, git))
        newest = list(islice(every, _MOST_DISCUSSIONS + 1))
    return html_page(
        "discussions.html",
        200,
        title=f"Discussions of {record.id}",
        path=record.id.web_path,
        discussions=newest[:_MOST_DISCUSSIONS],
        more=len(newest) > _MOST_DISCUSSIONS,
    )


def discussion(call: Call) -> Response:
    """`GET /{id}/discussions/{num}`: what was said, and what a pull request changes."""
    try:
        record = call.repo(Action.READ)
        with call.state.repos.git(record) as git:
            found = found_discussion(call, record, git)
            return html_page(
                "discussion.html",
                200,
                title=f"{found.title} · {record.id}",
                path=record.id.web_path,
                found=found,
                events=all_events(git, found),
                conflicts=conflicts(git, found),
                diff=diff(git, found, _LONGEST_DIFF),
            )
    except ApiError as error:
        return refusal_page(error)


ROUTES: list[BaseRoute] = [
    *web_routes("GET", "discussions", discussions),
    *web_routes("GET", "discussions/{num}", discussion),
]
