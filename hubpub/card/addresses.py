"""What can be told of a web address without asking anyone."""

from __future__ import annotations

import ipaddress
import re
from functools import cache, lru_cache
from urllib.parse import SplitResult, urlsplit

from hubpub.card.hub_lists import read_data

HUB_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})

_PRIVATE_NAMES = (".local", ".internal", ".intranet", ".corp", ".lan", ".home.arpa", ".localdomain")
_LOOPBACK_NAMES = ("localhost", "ip6-localhost", "host.docker.internal")


@lru_cache(maxsize=1024)
def split(address: str) -> SplitResult | None:
    """The parts of an absolute web address; None when it is another kind, or malformed."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts if parts.scheme.lower() in ("http", "https") and host else None


def host_of(address: str) -> str:
    """The host of an absolute web address in lower case; "" for another kind."""
    parts = split(address)
    return (parts.hostname or "").lower().rstrip(".") if parts else ""


def is_loopback(host: str) -> bool:
    """Whether a host is the reader's own machine."""
    if host in _LOOPBACK_NAMES or host.endswith(".localhost"):
        return True
    address = _ip(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def is_private(host: str) -> bool:
    """Whether a host is in somebody's own network, by its number or name; the reader's own machine is not meant."""
    if is_loopback(host):
        return False
    address = _ip(host)
    if address is None:
        return host.endswith(_PRIVATE_NAMES)
    return not address.is_global and not _is_documentation(host)


def is_documentation_host(host: str) -> bool:
    """Whether a host stands for any host, as in examples (RFC 2606, RFC 5737)."""
    reserved = ("example.com", "example.org", "example.net")
    return (
        host in reserved or host.endswith((".example", *(f".{name}" for name in reserved))) or _is_documentation(host)
    )


@cache
def hosts(kind: str) -> frozenset[str]:
    """The hosts that data/hosts.json lists as "https", "shorteners" or "drives"."""
    return frozenset(read_data("hosts.json")[kind])


def _is_documentation(host: str) -> bool:
    return bool(re.fullmatch(r"(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}", host))


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if not host[-1:].isdigit() and ":" not in host:
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
