"""Short-lived capabilities: claims signed with the store's secret, so that nothing about them need be kept.

LFS and xorb addresses carry one because clients send no Authorization to them; CAS tokens are one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Signer:
    """Issues and checks capabilities with one secret."""

    secret: bytes = field(repr=False)

    def issue(self, purpose: str, expires: int, **claims: Any) -> str:
        """A capability for `purpose`, valid until `expires` (Unix time), URL-safe."""
        text = json.dumps({**claims, "for": purpose, "exp": expires}, separators=(",", ":")).encode()
        return f"{_encode(text)}.{_encode(self._mac(text))}"

    def claims(self, capability: str, purpose: str) -> dict[str, Any] | None:
        """What a capability for `purpose` says; None if it is not one, was altered, or has expired."""
        head, dot, tail = capability.partition(".")
        if not dot or len(capability) > _LONGEST:
            return None
        try:
            text, mac = _decode(head), _decode(tail)
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(mac, self._mac(text)):
            return None
        claims: dict[str, Any] = json.loads(text)
        return claims if claims["for"] == purpose and claims["exp"] > time.time() else None

    def _mac(self, text: bytes) -> bytes:
        return hmac.new(self.secret, text, hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
