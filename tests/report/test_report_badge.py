from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from hubpub.report.badge import badge_json, badge_svg

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(("filled", "total"), [(7, 7), (5, 7), (0, 7), (1, 1), (17, 21), (0, 0)])
def test_the_badge_is_a_picture_that_says_the_score(filled: int, total: int) -> None:
    svg = badge_svg(filled, total)
    root = ElementTree.fromstring(svg)
    sections = "section" if total == 1 else "sections"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["model card", f"{filled}/{total} {sections}"]
    assert root.find(f"{SVG}title").text == f"model card: {filled} of {total} {sections} filled"  # type: ignore[union-attr]
    assert (root.get("role"), root.get("aria-label")) == ("img", f"model card: {filled} of {total} {sections} filled")


def test_the_badge_needs_nothing_from_elsewhere() -> None:
    svg = badge_svg(5, 7)
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<script|href|@import|url\(|\bid=", svg)  # several of them may stand in one page


def test_the_texts_fit_into_their_halves() -> None:
    root = ElementTree.fromstring(badge_svg(17, 21))
    label, value = root.iter(f"{SVG}text")
    width = float(root.get("width", ""))
    for text in (label, value):
        half = float(text.get("textLength", "")) / 2
        assert float(text.get("x", "")) - half >= 5
        assert float(text.get("x", "")) + half <= width - 5
    assert float(label.get("x", "")) < float(value.get("x", "")) - 30


@pytest.mark.parametrize(
    ("filled", "colour"),
    [(7, "brightgreen"), (6, "green"), (5, "green"), (4, "yellow"), (3, "yellow"), (2, "red"), (0, "red")],
)
def test_the_colour_goes_by_the_share(filled: int, colour: str) -> None:
    assert badge_json(filled, 7) == {
        "schemaVersion": 1,
        "label": "model card",
        "message": f"{filled}/7 sections",
        "color": colour,
    }


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("filled", range(8))
def test_white_can_be_read_on_every_colour(filled: int) -> None:
    for colour in re.findall(r'<path fill="(#[0-9a-f]{6})"', badge_svg(filled, 7)):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5
