from __future__ import annotations

import pytest

from hubpub.model.names import collisions, crowded, not_composed, too_long, unportable


@pytest.mark.parametrize(
    "path",
    [
        "con",
        "NUL.json",
        "a/lpt1.txt",
        "com\u00b9",
        "a:b",
        "what?.txt",
        "a*",
        "x|y",
        "back\\slash",
        "dot.",
        "space ",
        " a",
    ],
)
def test_windows_cannot_hold(path: str) -> None:
    assert unportable(path) is not None


@pytest.mark.parametrize(
    "path", ["config.json", "console.txt", "a/b c.txt", ".gitattributes", "com10", "nulls.txt", "é.md"]
)
def test_windows_can_hold(path: str) -> None:
    assert unportable(path) is None


def test_collisions_are_told_at_the_top() -> None:
    paths = ["A/x.txt", "a/x.txt", "a/y.txt", "b/Z.bin", "b/z.bin", "c.txt"]
    assert collisions(paths) == [("A/", "a/"), ("b/Z.bin", "b/z.bin")]


def test_a_file_and_a_directory_collide() -> None:
    assert collisions(["Onnx", "onnx/model.onnx"]) == [("Onnx", "onnx/")]


def test_collisions_by_the_form_of_accents_and_by_folding() -> None:
    assert collisions(["e\u0301.txt", "\u00e9.txt"]) == [("e\u0301.txt", "\u00e9.txt")]
    assert collisions(["stra\u00dfe", "STRASSE"]) == [("STRASSE", "stra\u00dfe")]
    assert collisions(["a", "b", "c/a"]) == []


def test_composed_or_not() -> None:
    assert not_composed("Mode\u0300le")
    assert not not_composed("Mod\u00e8le")
    assert not not_composed("plain")


def test_lengths_count_bytes() -> None:
    assert too_long("a" * 255) is None
    assert too_long("\u00e9" * 128) is not None
    assert too_long("/".join(["a" * 99] * 10)) is None
    assert too_long("/".join(["a" * 99] * 11)) is not None


def test_crowded_counts_directories_as_entries() -> None:
    paths = [f"d/{number}/x.txt" for number in range(5)] + ["d/y.txt", "z.txt"]
    assert crowded(paths, 5) == [("d/", 6)]
    assert crowded(paths, 6) == []
