from __future__ import annotations

import pytest

from hubpub.training.redact import text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://alice:pa@ss@example.org/data.csv", "https://example.org/data.csv"),
        ("file:///home/alice/data/train.csv", "…/train.csv"),
        ("FILE:///home/alice/x", "…/x"),
        ("https://example.org/a?mail=a@b.org", "https://example.org/a?mail=a@b.org"),
        ("/home/alice/model", "…/model"),
    ],
)
def test_neither_logins_nor_places_are_kept(given: str, kept: str) -> None:
    assert text(given) == kept
