"""For whoever runs the hub: its health, its figures, and the faults that it is to show."""

from __future__ import annotations

import hmac

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.core.errors import UsageError
from hubpub.hub.errors import ApiError, bad_request
from hubpub.hub.web.call import Call
from hubpub.hub.web.fault_injection import ADMIN_PATH
from hubpub.hub.web.faults import parse_faults
from hubpub.hub.web.routing import route


def healthz(_: Call) -> Response:
    """`GET /healthz`."""
    return JSONResponse({"status": "ok"})


def metrics(call: Call) -> Response:
    """`GET /metrics`, in the text format of https://prometheus.io/docs/instrumenting/exposition_formats/."""
    return Response(call.state.metrics.text(), media_type="text/plain; version=0.0.4")


def faults(call: Call) -> Response:
    """`GET /api/hubpub-admin/faults`: the rules, each with the requests that it spoke of and those that it hit."""
    _check_admin(call)
    rules = [{"rule": fault.text, "seen": seen, "hit": hit} for fault, seen, hit in call.state.faults]
    return JSONResponse({"rules": rules})


def set_faults(call: Call) -> Response:
    """`PUT /api/hubpub-admin/faults` with `{"rules": [...]}`: replace the rules, and count from the start."""
    _check_admin(call)
    rules = call.json().get("rules")
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
        raise bad_request("rules is not a list of strings")
    try:
        call.state.faults.set(parse_faults("\n".join(rules)))
    except UsageError as error:
        raise bad_request(f"{error.message}; {error.next_step}") from None
    return faults(call)


def _check_admin(call: Call) -> None:
    expected = call.state.config.admin_token
    if expected is None:
        raise ApiError(404, "Not found")
    given = call.bearer or ""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
        raise ApiError(401, "Invalid credentials in Authorization header")


ROUTES: list[BaseRoute] = [
    route("GET", "/healthz", healthz),
    route("GET", "/metrics", metrics),
    route("GET", f"{ADMIN_PATH}/faults", faults),
    route("PUT", f"{ADMIN_PATH}/faults", set_faults),
]
