"""Tests of hubpub.core.wording."""

from __future__ import annotations

import pytest

from hubpub.core.wording import counted, listed, size


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (90_868_376, "90.9 MB"),
        (999_960_000, "1.0 GB"),
        (10**12, "1.0 TB"),
    ],
)
def test_bytes_are_shown_in_the_unit_that_fits(length: int, shown: str) -> None:
    assert size(length) == shown


def test_amounts_have_their_plural() -> None:
    assert (counted(1, "file"), counted(0, "file"), counted(1234, "file")) == ("1 file", "0 files", "1,234 files")


def test_lists_name_three_and_count_the_rest() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert listed(["a", "b", "c"], total=9) == "a, b, c and 6 more"
    assert listed(["x" * 200]) == "x" * 97 + "..."
