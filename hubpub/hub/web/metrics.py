"""What `/metrics` says: how many requests of which kind, how long they took, how many bytes came and went.

A request is counted under the handler that answered it, never under its path: paths hold names of private repos,
and addresses that are capabilities.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubpub.hub.web.http_protocol import connection_of

_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


class Metrics:
    """Counters since the hub was started. Safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS) + 1))
        self._seconds_sum: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._active = 0

    def began(self) -> None:
        """A request has come."""
        with self._lock:
            self._active += 1

    def ended(self, route: str, method: str, status: int, seconds: float, received: int, sent: int) -> None:
        """A request was answered; status 0 if it was not, since the connection ended."""
        with self._lock:
            self._active -= 1
            self._requests[route, method, status] += 1
            self._seconds[route][bisect_left(_BOUNDS, seconds)] += 1
            self._seconds_sum[route] += seconds  # type: ignore[assignment]
            self._bytes["in"] += received
            self._bytes["out"] += sent

    def text(self) -> str:
        """The figures in Prometheus's text format."""
        with self._lock:
            lines = [
                *_head("hubpub_requests_total", "counter", "Requests answered; code 0: the connection ended before"),
                *(
                    f'hubpub_requests_total{{route="{route}",method="{method}",code="{status}"}} {count}'
                    for (route, method, status), count in sorted(self._requests.items())
                ),
                *_head("hubpub_request_seconds", "histogram", "Time from a request's head to the end of its answer"),
            ]
            for route, counts in sorted(self._seconds.items()):
                for bound, count in zip((*map(str, _BOUNDS), "+Inf"), accumulate(counts), strict=True):
                    lines.append(f'hubpub_request_seconds_bucket{{route="{route}",le="{bound}"}} {count}')
                lines.append(f'hubpub_request_seconds_sum{{route="{route}"}} {self._seconds_sum[route]:.6f}')
                lines.append(f'hubpub_request_seconds_count{{route="{route}"}} {sum(counts)}')
            lines += _head("hubpub_body_bytes_total", "counter", "Bytes of request bodies (in) and of answers (out)")
            lines += [f'hubpub_body_bytes_total{{direction="{way}"}} {self._bytes[way]}' for way in ("in", "out")]
            lines += _head("hubpub_requests_active", "gauge", "Requests that are being answered")
            lines.append(f"hubpub_requests_active {self._active}")
        return "\n".join(lines) + "\n"


class Measured:
    """Counts what goes through `app`."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = received = sent = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def counted_send(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        self._metrics.began()
        started = time.perf_counter()
        try:
            await self._app(scope, counted_receive, counted_send)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in _METHODS else "other"
            past = connection_of(scope)
            self._metrics.ended(_route(scope), method, status, seconds, received + past.received, sent + past.sent)


def _route(scope: Scope) -> str:
    """The name of the handler that a request was for."""
    handler = scope.get("endpoint")
    module = getattr(handler, "__module__", "").rpartition(".")[2]
    return f"{module}.{handler.__name__}" if handler is not None and module else "none"


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}.", f"# TYPE {name} {kind}"]
