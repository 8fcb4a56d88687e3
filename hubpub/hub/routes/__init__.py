"""The routes: one module per part of the Hub's API, each answering from the store as the accounts allow."""

from __future__ import annotations

from starlette.routing import BaseRoute

from hubpub.hub.pages import discussions as discussion_pages
from hubpub.hub.pages import site
from hubpub.hub.routes import (
    access,
    admin,
    commit,
    copies,
    discussions,
    git,
    history,
    identity,
    info,
    lfs,
    oauth,
    read,
    refs,
    repos,
    xet,
)
from hubpub.hub.web.routing import route, web_routes

_FALLBACKS: list[BaseRoute] = [
    *(
        route(method, f"/api/{kind}/{{rest*}}", repos.unknown_repo)
        for kind in ("models", "datasets", "spaces", "kernels")
        for method in ("GET", "POST", "PUT", "DELETE")
    ),
    *web_routes("POST", "{rest*}", repos.unknown_repo, suffix=".git"),
    route("GET", "/{name}/resolve/{rest*}", repos.unknown_repo),
    route("GET", "/{kind}/{ns}/{name}/resolve/{rest*}", repos.unknown_repo),
]

ROUTES: list[BaseRoute] = [
    *identity.ROUTES,
    *oauth.ROUTES,
    *access.ROUTES,
    *repos.ROUTES,
    *info.ROUTES,
    *commit.ROUTES,
    *copies.ROUTES,
    *discussions.ROUTES,
    *history.ROUTES,
    *read.ROUTES,
    *refs.ROUTES,
    *lfs.ROUTES,
    *git.ROUTES,
    *xet.ROUTES,
    *site.ROUTES,
    *discussion_pages.ROUTES,
    *admin.ROUTES,
    *_FALLBACKS,
]
