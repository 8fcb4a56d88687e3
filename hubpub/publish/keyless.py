"""Keyless: a CI job's id token, exchanged for a short-lived token of one repo.

The exchange is RFC 8693, and what it means on the Hub is in https://huggingface.co/docs/hub/trusted-publishers. The id
token is the job's own, or `HF_OIDC_ID_TOKEN`; PyPI's `id` asks GitHub Actions, GitLab, CircleCI, Buildkite and Google
Cloud for it. Its audience is the hub's address, so it is worth nothing anywhere else, and is sent nowhere else.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from hubpub.core.errors import AuthError, HubError
from hubpub.publish.http import Http, Patience
from hubpub.publish.refusals import NoAnswerError, one_line
from hubpub.publish.target import Target

RESOURCE_VARIABLE = "HF_OIDC_RESOURCE"
ID_TOKEN_VARIABLE = "HF_OIDC_ID_TOKEN"  # noqa: S105 -- a name
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 -- names a kind of token
_LIFETIME = 3600.0
_MARGIN = 300.0  # seconds before the end at which a new token is fetched
_DOCS = "see docs/keyless.md"
_SERVICES = {
    "GITHUB_ACTIONS": "GitHub Actions",
    "GITLAB_CI": "GitLab CI",
    "CIRCLECI": "CircleCI",
    "BUILDKITE": "Buildkite",
}


class KeylessToken:
    """A token for one repo that is fetched when it is needed, and again before it expires."""

    def __init__(
        self,
        endpoint: str,
        resource: str,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: `resource` is the repo, `namespace/name`."""
        self.resource = resource
        self.source = f"keyless exchange ({service(environ)})"
        self._endpoint, self._environ, self._clock = endpoint, environ, clock
        self._lock = threading.Lock()
        self._text, self._until, self._since = "", 0.0, 0.0

    def current(self) -> str:
        """The token.

        Raises:
            AuthError: there is no id token, or the hub does not take it.
            HubError: the hub does not answer.
        """
        with self._lock:
            if not self._text or self._clock() >= self._until:
                self._fetch()
            return self._text

    def renewed(self, refused: str) -> bool:
        """Whether there is a newer token than the one just refused; at most one is fetched a minute."""
        with self._lock:
            if self._text == refused and self._clock() - self._since < 60:
                return False
            if self._text == refused:
                self._fetch()
            return True

    def _fetch(self) -> None:
        answer = exchange(self._endpoint, self.resource, id_token(self._endpoint, self._environ))
        self._text, self._since = answer[0], self._clock()
        # A token that lives shorter than the margin is used for half its life.
        self._until = self._since + max(answer[1] - _MARGIN, answer[1] / 2)


def service(environ: Mapping[str, str]) -> str:
    """Who signs the id token, in words."""
    if environ.get(ID_TOKEN_VARIABLE):
        return ID_TOKEN_VARIABLE
    return next((name for variable, name in _SERVICES.items() if environ.get(variable)), "Google Cloud")


def offers_id_token(environ: Mapping[str, str]) -> bool:
    """Whether this looks like a job that could publish without a stored token."""
    return bool(environ.get(ID_TOKEN_VARIABLE)) or any(environ.get(variable) for variable in _SERVICES)


def id_token(endpoint: str, environ: Mapping[str, str]) -> str:
    """An id token of this job for that hub.

    Raises:
        AuthError: `id` is not installed, this is no such job, or it may not have one.
    """
    given = environ.get(ID_TOKEN_VARIABLE, "").strip()
    if given:
        if endpoint not in _audiences(given):
            raise _refused(
                f"{ID_TOKEN_VARIABLE} is not an id token for {endpoint}",
                f"let the job make one with audience {endpoint}",
            )
        return given
    try:
        import id as identity
    except ImportError:
        raise _refused("keyless publishing needs the package `id`", "pip install 'hubpub[keyless]'") from None
    try:
        found = identity.detect_credential(endpoint)
    except identity.IdentityError as error:
        # Some repeat the answer of the service.
        said = re.sub(r",? *body=.*", ")", str(error), flags=re.DOTALL)
        raise _refused(f"the job has no id token: {one_line(said)}", _help(endpoint, environ)) from None
    except Exception as error:  # what its HTTP library raises, and what parsing an answer does
        raise _refused(f"the job has no id token: {type(error).__name__}", _help(endpoint, environ)) from None
    if not found:
        raise _refused("no id token: this is not a job of a CI service that signs one", _help(endpoint, environ))
    return str(found)


def exchange(endpoint: str, resource: str, subject: str) -> tuple[str, float]:
    """(token for the repo, seconds that it is valid).

    Raises:
        AuthError: the hub does not take the id token, or exchanges none.
        HubError: it does not answer.
    """
    anonymous = Target(endpoint=endpoint, token=None, token_source="nowhere")  # noqa: S106 -- in words
    http = Http(anonymous, Patience(), lambda _message: None)
    document = {
        "grant_type": _EXCHANGE,
        "subject_token_type": _ID_TOKEN,
        "subject_token": subject,
        "resource": resource,
    }
    doing = f"exchange the job's id token for a token of {resource}"
    try:
        answer = http.post("/oauth/token", doing=doing, document=document)
    except NoAnswerError:
        raise
    except (AuthError, HubError) as error:
        raise _refused(f"{one_line(error.message.replace(subject, '***'))}", _why(error, resource)) from None
    text, seconds = (answer or {}).get("access_token"), (answer or {}).get("expires_in")
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not text:
        raise _refused(f"cannot {doing}: the hub's answer has no token", _DOCS)
    return text, float(seconds) if isinstance(seconds, int | float) and seconds > 0 else _LIFETIME


def _why(error: AuthError | HubError, resource: str) -> str:
    response = getattr(error.__cause__, "response", None)
    if response is not None and response.status_code in (404, 405, 501):
        return "this hub exchanges no id tokens: set HF_TOKEN instead"
    return (
        f"compare the publisher that is configured in the settings of {resource} with this job: issuer, repository, "
        f"branch, workflow; {_DOCS}"
    )


def _help(endpoint: str, environ: Mapping[str, str]) -> str:
    if environ.get("GITHUB_ACTIONS"):
        return f"give the job `permissions: id-token: write`; {_DOCS}"
    if environ.get("GITLAB_CI"):
        # As `id` names it: https://github.com/di/id
        name = re.sub(r"[^A-Z0-9_]|^[^A-Z_]", "_", endpoint.upper())
        return f"add `id_tokens: {name}_ID_TOKEN: aud: {endpoint}` to the job; {_DOCS}"
    return f"run it on GitHub Actions, GitLab, CircleCI, Buildkite or Google Cloud, or set HF_TOKEN; {_DOCS}"


def _audiences(token: str) -> list[Any]:
    """What an id token says that it is for; the hub checks its signature."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        audience = claims.get("aud")
    except (ValueError, IndexError, AttributeError, RecursionError):
        return []
    return audience if isinstance(audience, list) else [audience]


def _refused(message: str, next_step: str) -> AuthError:
    return AuthError(message, next_step, layer="token")
