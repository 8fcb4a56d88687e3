"""The token exchange of trusted publishers: an id token of a CI job for a short-lived token of one repo.

RFC 8693; client side: `huggingface_hub._oidc`. Errors have the form of RFC 6749 (5.2), which the client shows.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hubpub.hub.access.tokens import Token, new_token_text
from hubpub.hub.access.trusted_publishers import LIFETIME, IdTokenError, check_publisher, verified_claims
from hubpub.hub.errors import ApiError
from hubpub.hub.naming import repo_at
from hubpub.hub.web.call import Call
from hubpub.hub.web.routing import route

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 -- names a kind of token
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
_PREFIX = "hf_jwt_"


def exchange(call: Call) -> Response:
    """`POST /oauth/token`: the token may write to the one repo, create none, and expires."""
    document = call.form_or_json()
    if _text(document, "grant_type") != _EXCHANGE:
        raise _refusal("unsupported_grant_type", "only the token exchange of RFC 8693 is supported")
    if _text(document, "subject_token_type") != _ID_TOKEN:
        raise _refusal("invalid_request", f"subject_token_type is not {_ID_TOKEN}")
    repo = repo_at(_text(document, "resource"))
    if repo is None:
        raise _refusal("invalid_target", "resource is not a repo such as namespace/name or datasets/namespace/name")
    accounts = call.state.accounts
    try:
        claims = verified_claims(_text(document, "subject_token"), accounts.issuers, _audiences(call))
        check_publisher(repo, claims, accounts.publishers)
    except IdTokenError as error:
        raise _refusal("invalid_grant", str(error)) from None
    if call.state.repos.get(repo) is None:
        raise _refusal("invalid_grant", f"there is no repo {repo.web_path}: create it before a job can publish to it")
    text = new_token_text(_PREFIX)
    name = f"trusted publisher of {repo.web_path}"
    accounts.add_short_lived(Token.of(text, repo.namespace, "write", name, repo=repo, expires=time.time() + LIFETIME))
    return JSONResponse(
        {
            "access_token": text,
            "token_type": "bearer",
            "expires_in": LIFETIME,
            "issued_token_type": _ACCESS_TOKEN,
        },
        headers={"Cache-Control": "no-store"},
    )


def _audiences(call: Call) -> list[str]:
    """The addresses of this hub. Not what the Host header says: an id token for another hub must not do here."""
    config = call.state.config
    port = (call.request.scope.get("server") or ("", None))[1]
    names = {config.host, "127.0.0.1", "localhost", "::1"}
    found = [f"http://{f'[{name}]' if ':' in name else name}:{port}" for name in sorted(names)]
    if config.public_url:
        parts = urlsplit(config.public_url)
        found += [f"{parts.scheme}://{parts.netloc}", f"{parts.scheme}://{parts.netloc}/"]
    return found


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise _refusal("invalid_request", f"{key} is not there or not a text")
    return value


def _refusal(error: str, description: str) -> ApiError:
    return ApiError(400, description, body={"error": error, "error_description": description})


ROUTES: list[BaseRoute] = [route("POST", "/oauth/token", exchange)]
