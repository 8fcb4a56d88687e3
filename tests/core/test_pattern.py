"""Expressions that are compiled when they are used, and the clues that they are not looked for without."""

from __future__ import annotations

import re
import sys

import pytest

from hubpub.core.pattern import Pattern
from hubpub.rules import card_families
from hubpub.rules.registry import card_rules

CLUED = {
    f"{module.__name__}.{name}": value
    for module in list(sys.modules.values())
    if module is not None and module.__name__.startswith("hubpub.") and card_families
    for name, value in vars(module).items()
    if isinstance(value, Pattern) and value.clues
}
TEXTS = [text for rule in card_rules for text in (rule.bad, rule.good)]


def test_it_is_compiled_once_and_not_before_it_is_used() -> None:
    pattern = Pattern(r"a(?P<digit>\d)")
    assert "compiled" not in vars(pattern)
    assert pattern.search("xa1")
    assert pattern.compiled is pattern.compiled


@pytest.mark.parametrize("text", ["", "a1 b a2", "nothing"])
def test_it_does_what_a_compiled_expression_does(text: str) -> None:
    pattern, compiled = Pattern(r"a\d"), re.compile(r"a\d")
    assert bool(pattern.search(text)) == bool(compiled.search(text))
    assert bool(pattern.match(text)) == bool(compiled.match(text))
    assert bool(pattern.fullmatch(text)) == bool(compiled.fullmatch(text))
    assert [found.span() for found in pattern.finditer(text, 1)] == [
        found.span() for found in compiled.finditer(text, 1)
    ]
    assert pattern.findall(text) == compiled.findall(text)
    assert pattern.sub("-", text) == compiled.sub("-", text)
    assert pattern.split(text) == compiled.split(text)


def test_without_a_clue_it_is_not_even_compiled() -> None:
    pattern = Pattern(r"Hello \w+", re.IGNORECASE, clues=("hello ",))
    assert pattern.search("nobody") is None
    assert pattern.fullmatch("nobody") is None
    assert list(pattern.finditer("nobody")) == pattern.findall("nobody") == []
    assert pattern.sub("", "nobody") == "nobody"
    assert pattern.split("nobody") == ["nobody"]
    assert "compiled" not in vars(pattern)
    assert pattern.search("well, HELLO you")


def test_a_part_of_a_text_is_not_searched_for_clues_in_all_of_it() -> None:
    assert Pattern("b", clues=("never there",)).search("abc", 1)


@pytest.mark.parametrize("name", sorted(CLUED))
def test_no_match_of_the_rules_is_without_a_clue(name: str) -> None:
    pattern = CLUED[name]
    assert all(pattern.search(text) for text in TEXTS if pattern.compiled.search(text))


# For each expression with clues, something that it finds where the examples of the rules have nothing.
ALTERNATIVES = {
    "hubpub.card.placeholders._BOILERPLATE": (
        "This model was trained from scratch on an unknown dataset.",
        "This model is a fine-tuned version of a/b on the None dataset.",
        "This is the model card of a transformers model that has been pushed on the Hub.",
        "This modelcard aims to be a base template for new models.",
        "This model card has been generated automatically by the Trainer.",
        "Users (both direct and downstream) should be made aware of the risks, biases and limitations of the model.",
        "More information needed for further recommendations.",
        "Use the code below to get started with the model.",
        "Carbon emissions can be estimated using the calculator in Lacoste et al. (2019).",
    ),
    "hubpub.card.placeholders._TODO": ("[TODO x]", "TBD", "FIXME", "[insert a link]", "[YOUR name]", "Coming Soon"),
    "hubpub.card.placeholders._IDENTIFIER": ("your-username/x", "MyOrg/x", "<org>/model", "username/x", "user_name/x"),
    "hubpub.card.placeholders._UNRENDERED": ("{{ x }}", "{% if x %}", "${NAME}"),
    "hubpub.rules.legal_use._GENERIC": (
        "Users should be aware of the risks.",
        "Like all large language models, it has biases of its own.",
        "The model may contain biases.",
        "This model could produce some biased text.",
    ),
    "hubpub.rules.legal_licence._RESTRICTED": (
        "noncommercially",
        "research only",
        "academic purposes only",
        "only for scientific research",
        "not for commercial use",
        "commercial use is forbidden",
    ),
    "hubpub.rules.text_leaks._OBJECT": ("<a.B object at 0x7f>", "PosixPath('a')"),
    "hubpub.rules.text_leaks._HOME": ("/home/anna/x", "/Users/anna/x", "C:\\Users\\anna\\x"),
    "hubpub.rules.text_leaks._MACHINE": (
        *("/root/x1", "/content/drive/x1", "/kaggle/input/x1", "/workspace/x1", "/mnt/a/x1", "/scratch/x1"),
        *("/gpfs1/x1", "/lustre/x1", "/data1/x1", "D:\\a\\b"),
    ),
    "hubpub.card.code.removed_api._PINNED": (
        "transformers==4.30",
        "transformers~=4.1",
        "transformers<5",
        "transformers@v4.1",
        "version 4.30.0 of transformers",
    ),
    "hubpub.card.metadata_placeholders._ANYWHERE": ("{name}", "<your name>", "[more information needed]", "TODO x"),
    "hubpub.card.content._REASONED": ("N/A: it was not trained", "None, because nobody asked", "not applicable: a b c"),
    "hubpub.card.content._PICTURE": ("![a](b)", "<IMG src=a>"),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in ALTERNATIVES.items() for text in texts])
def test_every_alternative_has_its_clue(name: str, text: str) -> None:
    assert CLUED[name].compiled.search(text), "the example does not show what it is for"
    assert CLUED[name].search(text)
