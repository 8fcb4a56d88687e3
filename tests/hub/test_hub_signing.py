from __future__ import annotations

import time

from hubpub.hub.access.signing import Signer

SIGNER = Signer(b"secret")
SOON = int(time.time()) + 3600


def test_a_capability_says_what_was_signed() -> None:
    claims = SIGNER.claims(SIGNER.issue("put", SOON, oid="abc", size=3), "put")
    assert claims == {"oid": "abc", "size": 3, "for": "put", "exp": SOON}


def test_a_capability_is_for_one_purpose_one_store_and_some_time() -> None:
    capability = SIGNER.issue("put", SOON, oid="abc")
    assert SIGNER.claims(capability, "get") is None
    assert Signer(b"another").claims(capability, "put") is None
    assert SIGNER.claims(SIGNER.issue("put", int(time.time()) - 1), "put") is None


def test_what_was_not_signed_is_nothing() -> None:
    head, _, mac = SIGNER.issue("put", SOON, size=3).partition(".")
    other, _, _ = SIGNER.issue("put", SOON, size=4).partition(".")
    for text in ("", ".", "x", f"{other}.{mac}", f"{head}.", head, f"{head}.é", "a" * 100_000, f"{head}.{mac}A"):
        assert SIGNER.claims(text, "put") is None
    assert "secret" not in repr(SIGNER)
