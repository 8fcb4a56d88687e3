"""Webhooks: tell others of a release once it is made; whatever they answer, the release stands.

The body holds no token, no path of this machine and no name of a file. With a secret it is signed as GitHub signs its
own (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries), so that a receiver can tell who
sent it. Addresses often are secrets themselves, so only their host is shown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit

from hubpub.core.errors import UsageError
from hubpub.publish.bounds import Bound, within
from hubpub.publish.receipt import Receipt
from hubpub.publish.refusals import one_line

if TYPE_CHECKING:
    import requests

RELEASE_SCHEMA = "hubpub.release/1"
SECRET_VARIABLE = "HUBPUB_WEBHOOK_SECRET"  # noqa: S105 -- a name
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_SECONDS = 10.0  # of silence
_WHOLE = 30.0
_ATTEMPTS = 3
_MOST_REDIRECTS = 3
_MOST_HOOKS = 20
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_SAME_METHOD = frozenset({307, 308})


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of telling one address: its host, and why it was not told; None when it was."""

    host: str
    problem: str | None


def check_webhooks(urls: Iterable[str]) -> tuple[str, ...]:
    """The addresses, without repetitions.

    Raises:
        UsageError: one is not an https address, or of this machine; or holds a password, which would be sent along.
    """
    found = tuple(dict.fromkeys(urls))
    if len(found) > _MOST_HOOKS:
        raise UsageError(f"{len(found)} webhooks are too many", f"name at most {_MOST_HOOKS}")
    for number, url in enumerate(found, 1):
        try:
            parts = urlsplit(url)
            valid = bool(parts.hostname) and (parts.port or 1) > 0 and _is_safe(parts)
        except ValueError:
            valid = False
        if not valid or not url.isprintable() or " " in url:
            raise UsageError(
                f"webhook {number} is not an https address", "write https://host/path; http is for this machine alone"
            )
        if parts.username or parts.password:
            raise UsageError(
                f"webhook {number} holds a user name or password", f"leave it out, and sign with {SECRET_VARIABLE}"
            )
    return found


def release_document(receipt: Receipt, now: Callable[[], float] = time.time) -> dict[str, Any]:
    """What is told of a release: the schema `hubpub.release/1`."""
    plan = receipt.plan
    event = "proposed" if receipt.proposal else "published" if receipt.published else "confirmed"
    what = json.dumps([plan.endpoint, plan.repo_id, receipt.commit, receipt.tag, event])
    return {
        "schema": RELEASE_SCHEMA,
        "event": event,
        "delivery": hashlib.sha256(what.encode()).hexdigest()[:32],
        "sent_at": datetime.fromtimestamp(now(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "endpoint": plan.endpoint,
        "repo_id": plan.repo_id,
        "url": plan.url,
        "revision": plan.revision,
        "commit": receipt.commit,
        "parent": plan.base,
        "release": plan.release,
        "tag": receipt.tag,
        "private": plan.private,
        "created_repo": plan.creates_repo,
        "pull_request": receipt.proposal.to_json() if receipt.proposal else None,
        "files": {
            "added": len(plan.add),
            "replaced": len(plan.replace),
            "unchanged": len(plan.unchanged),
            "kept": len(plan.kept),
            "deleted": len(plan.delete),
        },
        "bytes": plan.bytes_to_send,
        "verified": receipt.verified,
        "findings": receipt.report.counts,
    }


def send_webhooks(
    urls: Iterable[str], document: dict[str, Any], secret: str | None, pause: Callable[[float], None] = time.sleep
) -> list[Delivery]:
    """Tell each address; what fails is in the result, and is no error.

    Args:
        urls: that `check_webhooks` has let through.
        document: what they are told.
        secret: with which the body is signed; None does not sign it.
        pause: waits so many seconds before another attempt.
    """
    from requests import Session

    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "hubpub",
        "X-Hubpub-Event": str(document["event"]),
        "X-Hubpub-Delivery": str(document["delivery"]),
    }
    if secret:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Hubpub-Signature-256"] = f"sha256={digest}"
    with Session() as session:
        # Otherwise requests sends the password that a .netrc file has for the host.
        session.auth = _nobody
        return [Delivery(_host(url), _deliver(session, url, body, headers, pause)) for url in urls]


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _deliver(
    session: requests.Session, url: str, body: bytes, headers: dict[str, str], pause: Callable[[float], None]
) -> str | None:
    from requests import RequestException

    problem: str | None = None
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause(float(attempt))
        try:
            status = within(Bound(_WHOLE), lambda: _post(session, url, body, headers))
        except _RedirectError as error:
            return str(error)
        except (RequestException, TimeoutError) as error:
            # Its words hold the address, which may be a secret.
            problem = f"it does not answer ({one_line(type(error).__name__)})"
            continue
        if 200 <= status < 300:
            return None
        problem = f"it answered {status}"
        if status not in _AGAIN:
            return problem
    return problem


class _RedirectError(Exception):
    pass


def _post(session: requests.Session, url: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer, of which nothing is read; within a host redirects are followed."""
    for _ in range(_MOST_REDIRECTS + 1):
        with session.post(
            url, data=body, headers=headers, timeout=_SECONDS, allow_redirects=False, stream=True
        ) as answer:
            status = int(answer.status_code)
            if not 300 <= status < 400:
                return status
            following = urljoin(url, answer.headers.get("Location", ""))
        if status not in _SAME_METHOD:
            raise _RedirectError(f"it answered {status}, which would turn the message into a question")
        if _origin(following) != _origin(url):
            raise _RedirectError("it sends the message to another host, and hubpub does not follow")
        url = following
    raise _RedirectError("it redirects without end")


def _is_safe(parts: SplitResult) -> bool:
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _host(url: str) -> str:
    return urlsplit(url).hostname or "?"
