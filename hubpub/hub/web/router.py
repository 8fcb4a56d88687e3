"""Finding the route of a request: the first that matches, in their order."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from hubpub.hub.errors import ApiError
from hubpub.hub.state import HubState
from hubpub.hub.web.routing import RawRoute, error_response, segments

_TELLING = (0, 4)
"""Positions in a path whose words tell most routes apart: `api`, and what follows `api/models/ns/name`."""


class Router:
    """The innermost application: hands a request to its route, with the hub's services.

    Routes match on their own terms; here they are only sorted by how long their paths are and by the words at two
    positions, so that a request is not tried on all of them.
    """

    def __init__(self, routes: Iterable[BaseRoute], state: HubState) -> None:
        self._routes = [route for route in routes if isinstance(route, RawRoute)]
        self._state = state
        self._words = [frozenset(filter(None, (route.word(at) for route in self._routes))) for at in _TELLING]
        self._longest = 1 + max((len(route.pattern) for route in self._routes), default=0)
        self._candidates: dict[tuple[int, tuple[str | None, ...]], tuple[RawRoute, ...]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["hubpub.state"] = self._state
        partial: tuple[RawRoute, Scope] | None = None
        for route in self._for(segments(scope)):
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                await route.handle(scope, receive, send)
                return
            if match is Match.PARTIAL and partial is None:
                partial = route, found
        if partial is None:
            await error_response(ApiError(404, "Not found"))(scope, receive, send)
            return
        # Another method than the route's: it says which ones there are.
        scope.update(partial[1])
        await partial[0].handle(scope, receive, send)

    def _for(self, path: tuple[str, ...]) -> tuple[RawRoute, ...]:
        """The routes that may match a path. What is remembered is bounded by the lengths and words that routes have."""
        length = min(len(path), self._longest)
        words = tuple(
            path[at] if at < length and path[at] in words else None
            for at, words in zip(_TELLING, self._words, strict=True)
        )
        found = self._candidates.get((length, words))
        if found is None:
            found = tuple(
                route
                for route in self._routes
                if route.takes(length)
                and all(route.word(at) in (None, word) for at, word in zip(_TELLING, words, strict=True))
            )
            self._candidates[length, words] = found
        return found
