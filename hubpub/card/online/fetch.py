"""Asking a web server whether an address that stands in a card is alive.

A card is not trusted, so it must not make this machine talk to its own network: each connection is made to an address
that was looked up and found to be public, whatever the name says a moment later, and redirects are followed one by one.
No token, cookie or password is ever sent, and of an answer only the head is read.
"""

from __future__ import annotations

import email.utils
import ipaddress
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from hubpub.card.addresses import is_loopback, is_private

Origin = tuple[str, int]

MOST_REDIRECTS = 8
_TRIES = 3
_LONGEST_PAUSE = 20.0
_CONNECT, _READ = 6.0, 12.0
_GONE = (404, 410)
_LATER = (429, 500, 502, 503, 504)
_NO_SUCH_NAME = {
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)
}
_AGENT = "Mozilla/5.0 (compatible; hubpub; +https://pypi.org/project/hubpub/)"


class State(StrEnum):
    """What is known of an address or id."""

    ALIVE = "alive"
    DEAD = "dead"
    """There is nothing there, for sure."""

    UNSURE = "unsure"
    """The question could not be settled: never a finding."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was learnt; `reason` says in a few words why it is not alive."""

    state: State
    reason: str = ""


class ForbiddenAddressError(OSError):
    """A name leads to this machine or its network."""


class Fetcher:
    """Asks for the head of web addresses; for one host at a time it may be called from several threads."""

    def __init__(self, allowed: Origin | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: `allowed` is the hub's host and port, which may be on this machine; `clock` is for tests."""
        self._allowed = allowed
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = False  # no passwords of ~/.netrc
        adapter = _GuardedAdapter(allowed)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def ask(self, address: str, deadline: float) -> Answer:
        """Whether something answers at `address`; by `deadline` of the clock at the latest, or nearly so."""
        seen: set[str] = set()
        url = address
        for _ in range(MOST_REDIRECTS + 1):
            parts = self._parts(url)
            if isinstance(parts, Answer):
                return parts
            url = parts
            if url in seen:
                return Answer(State.UNSURE, "its redirects lead in a circle")
            seen.add(url)
            answer = self._once(url, deadline)
            if isinstance(answer, Answer):
                return answer
            url = urljoin(url, answer)
        return Answer(State.UNSURE, "it redirects too often")

    def _parts(self, url: str) -> str | Answer:
        """The address without its fragment, or why it is not asked for."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return Answer(State.UNSURE, "it is no web address")
        if parts.scheme not in ("http", "https") or not host:
            return Answer(State.UNSURE, "it is no web address")
        if parts.username or parts.password:
            return Answer(State.UNSURE, "it holds a password")
        origin = (host, port or (443 if parts.scheme == "https" else 80))
        if origin != self._allowed and (is_loopback(host) or is_private(host)):
            return Answer(State.UNSURE, "it leads to a private network")
        return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))

    def _once(self, url: str, deadline: float) -> Answer | str:
        """The answer to one address, or where it redirects to."""
        method, last = "HEAD", Answer(State.UNSURE, "it took too long")
        tries = 0
        while tries < _TRIES and self._clock() < deadline:
            try:
                response = self._send(method, url, deadline)
            except requests.RequestException as error:
                return _failure(error)
            status = response.status_code
            if 300 <= status < 400 and response.headers.get("Location"):
                return str(response.headers["Location"])
            if status < 400:
                return Answer(State.ALIVE)
            if method == "HEAD" and status not in _LATER:
                method = "GET"  # many servers answer nothing else rightly
                continue
            if status in _GONE:
                return Answer(State.DEAD, f"the server answers {status}")
            last = Answer(State.UNSURE, f"the server answers {status}")
            if status not in _LATER:
                return last
            tries += 1
            pause = _pause(response.headers.get("Retry-After"), tries)
            if pause is None or self._clock() + pause >= deadline or tries == _TRIES:
                return last
            time.sleep(pause)
        return last

    def _send(self, method: str, url: str, deadline: float) -> requests.Response:
        left = max(0.1, deadline - self._clock())
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        response = self._session.request(
            method,
            url,
            timeout=(min(_CONNECT, left), min(_READ, left)),
            allow_redirects=False,
            stream=True,
            headers={"User-Agent": _AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
            cookies={},
            proxies=get_environ_proxies(url),
            verify=bundle or True,
        )
        response.close()
        self._session.cookies.clear()
        return response


def resolves(host: str) -> bool:
    """Whether names can be looked up at all, told by one that is known to be there."""
    try:
        socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return True


def _pause(said: str | None, tries: int) -> float | None:
    """Seconds to wait before the next try; None when the server asks for more than we have."""
    usual = 0.5 * tries
    if said is None:
        return usual
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(said).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return usual
    return max(0.0, seconds) if seconds <= _LONGEST_PAUSE else None


UNKNOWN_HOST = "there is no such host"


def _failure(error: requests.RequestException) -> Answer:
    if isinstance(error, requests.Timeout):
        return Answer(State.UNSURE, "the server does not answer in time")
    cause: Any = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, ForbiddenAddressError) or isinstance(
        getattr(reason, "__cause__", None), ForbiddenAddressError
    ):
        return Answer(State.UNSURE, "it leads to a private network")
    if isinstance(reason, NameResolutionError):
        looked_up = reason.__cause__
        if isinstance(looked_up, socket.gaierror) and looked_up.errno in _NO_SUCH_NAME:
            return Answer(State.DEAD, UNKNOWN_HOST)
        return Answer(State.UNSURE, "its host cannot be looked up")
    if isinstance(error, requests.exceptions.SSLError):
        return Answer(State.UNSURE, "its certificate is not valid")
    return Answer(State.UNSURE, "the server cannot be reached")


class _GuardedAdapter(HTTPAdapter):
    """Connections of its pools lead to public addresses only, and to the hub."""

    def __init__(self, allowed: Origin | None) -> None:
        self._allowed = allowed
        super().__init__(pool_maxsize=2, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        allowed = self._allowed

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, allowed)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(self, allowed)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _connect(connection: HTTPConnection, allowed: Origin | None) -> socket.socket:
    """A socket to the host of a connection, at one of its addresses that may be talked to."""
    host, port = connection.host.strip("[]"), connection.port or 0
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError as error:
        raise NewConnectionError(connection, f"no host name: {error}") from error
    failure: OSError = ForbiddenAddressError(f"{host} leads to a private network")
    timeout = connection.timeout if isinstance(connection.timeout, int | float) else _CONNECT
    for family, kind, protocol, _, place in found:
        if (host.lower(), port) != allowed and not _is_public(str(place[0])):
            continue
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(timeout)
            made.connect(place)
        except OSError as error:
            made.close()
            failure = error
            continue
        return made
    raise NewConnectionError(connection, f"cannot connect: {failure}") from failure


def _is_public(address: str) -> bool:
    number = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(number, "ipv4_mapped", None) or getattr(number, "sixtofour", None)
    return number.is_global and not number.is_multicast and (inner is None or _is_public(str(inner)))
