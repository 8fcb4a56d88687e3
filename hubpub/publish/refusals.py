"""What a hub's refusals and silences mean, as hubpub's errors."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from typing import Any

from hubpub.core.errors import AuthError, ConflictError, FindingsError, HubError, HubpubError
from hubpub.publish.layers import layer_of

RETRY_HINT = "run the same command again; what was sent already is not sent twice"
WRITE_HINT = "use a token with write permission, of a member of that organisation who may write; see `hubpub whoami`"

_MISSING_HINT = "check the repo id; a private repo looks absent to a token that may not read it"
_MISSING_HINTS = {"gated": "ask for access on the page of the repo, and have one of its owners grant it"}
_ENDS = {"expired": "expired", "revoked": "been revoked"}
# What a later attempt may not be answered with: https://huggingface.co/docs/huggingface_hub, utils.http_backoff
_OF_THE_MOMENT = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})
_TOO_MANY = 429
_PROXY_SIGN_IN = 407
# https://huggingface.co/docs/hub/rate-limits: "api";r=0;t=55
_RATE_LIMIT = re.compile(r"\br=(\d+)\s*;\s*t=(\d+)")


class NoAnswerError(HubError):
    """The hub did not answer, or not with what can be read: what was asked for may have been done or not.

    Attributes:
        wait: seconds that the hub asks to wait before the next attempt; None when it does not say.
        untouched: whether it is certain that nothing was done.
    """

    def __init__(self, message: str, next_step: str, *, wait: float | None = None, untouched: bool = False) -> None:
        super().__init__(message, next_step)
        self.wait = wait
        self.untouched = untouched


class MissingError(AuthError):
    """The hub has no such thing, or does not show it to this token.

    Attributes:
        kind: "repo", "revision", "entry", "gated" or "page".
    """

    def __init__(self, message: str, next_step: str, kind: str) -> None:
        super().__init__(message, next_step, layer="repo")
        self.kind = kind


def refusal(doing: str, error: Any, endpoint: str, token_source: str) -> HubpubError:
    """The error for an `HfHubHTTPError` that ended `doing`."""
    status, headers = error.response.status_code, error.response.headers
    said = redact(error.server_message or "") or f"HTTP {status}"
    what = f"cannot {doing}: {one_line(said)}"
    request = f" (request {redact(str(error.request_id))})" if error.request_id else ""
    if status == _PROXY_SIGN_IN:
        return HubError(
            f"cannot {doing}: the proxy asks who you are (HTTP 407)",
            "put name and password into HTTPS_PROXY, or name the hub in NO_PROXY",
        )
    if status in (401, 403, 451, 511) and not error.server_message and is_page(headers):
        return page_instead(doing, endpoint)
    missing = _missing(error)
    if missing is not None:
        return MissingError(what, _MISSING_HINTS.get(missing, _MISSING_HINT), missing)
    layer = layer_of(status, said)
    if status == 401 and layer is None:
        reason = re.search(r"\b(expired|revoked)\b", said)
        return AuthError(
            f"{endpoint} does not accept the token from {token_source}"
            + (f": it has {_ENDS[reason[1]]}" if reason else ""),
            f"make a new token in the hub's settings, and {_where(token_source)}",
            layer="token",
        )
    if status in (401, 402, 403):
        return AuthError(what, layer.next_step if layer else WRITE_HINT, layer=layer.name if layer else None)
    if status in (409, 412):
        return ConflictError(what, "run the same command again: it compares with what is on the hub now")
    if status in _OF_THE_MOMENT:
        wait = requested_wait(headers)
        if status == _TOO_MANY:
            told = f"{wait:,.0f} s" if wait is not None else "a few minutes"
            return NoAnswerError(what, f"wait {told}, then run the same command again", wait=wait, untouched=True)
        return NoAnswerError(what + request, RETRY_HINT, wait=wait)
    return HubError(what + request, RETRY_HINT)


def _where(token_source: str) -> str:
    # Another place would not do: the first that has a token decides.
    return "run `hf auth login` with it" if token_source.startswith("token file") else "put it in place of this one"


def is_page(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a web page; a hub's are JSON."""
    return headers.get("content-type", "").lower().startswith(("text/html", "application/xhtml"))


def page_instead(doing: str, endpoint: str) -> HubError:
    """The error for a web page where a hub's answer should be."""
    return HubError(
        f"cannot {doing}: {endpoint} answers with a web page, which no hub does",
        "check the address, and whether a proxy or the sign-in page of a network answers in its place",
    )


def _missing(error: Any) -> str | None:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "gated"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "repo"
    if isinstance(error, errors.RevisionNotFoundError):
        return "revision"
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return "entry"
    return "page" if error.response.status_code in (404, 405, 501) else None


def upload_failure(doing: str, said: str) -> HubpubError:
    """The error for what hf_xet says of a failed upload: it has no statuses, only words."""
    if re.search(r"\b(40[123]|Unauthorized|Forbidden|Payment Required)\b", said):
        layer = layer_of(403, said)
        return AuthError(
            f"cannot {doing}: {one_line(said)}",
            layer.next_step if layer else WRITE_HINT,
            layer=layer.name if layer else None,
        )
    return NoAnswerError(f"cannot {doing}: {one_line(said)}", RETRY_HINT)


def refused_card(messages: list[str]) -> FindingsError:
    """The error for a card whose metadata the hub does not take."""
    return FindingsError(
        f"the hub refuses the card: {one_line('; '.join(messages))}", "mend the metadata; `hubpub lint` explains it"
    )


def requested_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait: of its `RateLimit` when nothing remains, else of its `Retry-After`."""
    limit = _RATE_LIMIT.search(headers.get("ratelimit") or "")
    if limit and int(limit.group(1)) == 0:
        return float(limit.group(2))
    after = (headers.get("retry-after") or "").strip()
    if after.isascii() and after.isdecimal():
        return float(after[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time()) if after else None
    except (ValueError, OverflowError):
        return None


def redact(text: str) -> str:
    """`text` without anything that looks like a token of the Hub, or an id token."""
    text = re.sub(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", "eyJ***", text)
    return re.sub(r"\b(hf|api)_(?:jwt_|oauth_)?[A-Za-z0-9._-]{6,}", r"\1_***", text)


def one_line(message: object) -> str:
    """The message, short, on one line, without tokens."""
    return redact(" ".join(str(message).split()))[:400]
