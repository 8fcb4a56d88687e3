"""The Hub's answers to metadata, a row of what is known after the other; sources in hubpub/card/metadata/schema.py."""

from __future__ import annotations

import pytest
from support.verdicts import ACCEPTED, REJECTED, WARNED

from hubpub.card.hub_lists import language_alias, languages, nearest_language
from hubpub.card.metadata.schema import validate_card


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_the_hub_takes(text: str) -> None:
    assert validate_card(text).issues == ()


@pytest.mark.parametrize("text", WARNED.values(), ids=WARNED.keys())
def test_what_the_hub_warns_of(text: str) -> None:
    verdict = validate_card(text)
    assert verdict.errors == ()
    assert len(verdict.warnings) == 1


@pytest.mark.parametrize(("text", "message"), REJECTED.values(), ids=REJECTED.keys())
def test_what_the_hub_rejects(text: str, message: str) -> None:
    verdict = validate_card(text)
    assert [error[: len(message)] for error in verdict.errors] == [message]
    assert verdict.warnings == ()


def test_the_languages_are_those_of_iso_639() -> None:
    assert len(languages()) > 8000
    assert {"en", "eng", "ger", "deu", "no", "nb", "yue", "nah", "multilingual", "code", "mul", "und"} <= set(
        languages()
    )
    assert not {"jp", "cn", "zhs", "zht", "xx", "english"} & set(languages())


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("english", "en"),
        ("English", "en"),
        ("Japanese", "ja"),
        ("deutsch", "de"),
        ("Français", "fr"),
        ("中文", "zh"),
        ("EN", "en"),
        ("pt_pt", "pt"),
        ("pt-BR", "pt"),
        ("zh-CN", "zh"),
        ("zh_Hans", "zh"),
        ("sr-Latn", "sr"),
        ("en-US", "en"),
        ("jp", "ja"),
        ("Chinese (Simplified)", "zh"),
        ("c++", "code"),
        ("multi-lingual", "multilingual"),
        ("en", "en"),
        ("hi-en", None),
        ("protein", None),
        ("xx-yy", None),
        ("", None),
        ("-", None),
    ],
)
def test_languages_by_other_names(written: str, code: str | None) -> None:
    assert language_alias(written) == code


def test_languages_that_were_most_likely_meant() -> None:
    assert nearest_language("Englsh") == "en"
    assert nearest_language("scientific english") == "en"
    assert nearest_language("protein") is None
    assert nearest_language("x" * 10_000) is None
