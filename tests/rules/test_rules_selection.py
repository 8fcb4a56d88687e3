"""Which rules run: the most specific word decides, an ignore wins a tie, and later sources are read on top."""

from __future__ import annotations

import pytest

from hubpub.core.errors import UsageError
from hubpub.core.findings import Finding, Severity
from hubpub.core.rule import Needs, Registry
from hubpub.core.settings import LintSettings
from hubpub.rules import card_families  # noqa: F401 -- declares the rules
from hubpub.rules.registry import card_rules
from hubpub.rules.selection import Layer, Selection, split_words

REGISTRY: Registry[str] = Registry()
for code, name, default, needs in (
    ("META001", "front-matter-missing", True, Needs.NOTHING),
    ("META002", "front-matter-broken", True, Needs.NOTHING),
    ("META101", "opt-in", False, Needs.NOTHING),
    ("SECT001", "no-section", True, Needs.FOLDER),
    ("LINK001", "dead-link", False, Needs.NETWORK),
):
    REGISTRY.rule(
        code,
        name,
        Severity.WARNING,
        summary="s",
        why="w",
        bad="",
        good="",
        hint="h",
        source="https://example.org",
        default=default,
        needs=needs,
    )(lambda _subject: ())

DEFAULT = "META001 META002 SECT001"


def chosen(*layers: Layer, path: str = "README.md", online: bool = False, **per_file: tuple[str, ...]) -> str:
    selection = Selection(layers, {glob.replace("__", "/*"): words for glob, words in per_file.items()}, online)
    return " ".join(rule.code for rule in selection.rules(REGISTRY, path))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Layer(), DEFAULT),
        (Layer(select=("META",)), "META001 META002 META101"),
        (Layer(select=("meta101",)), "META101"),
        (Layer(select=("opt-in",)), "META101"),
        (Layer(select=("ALL",)), "META001 META002 META101 SECT001"),
        (Layer(select=("ALL",), ignore=("META",)), "SECT001"),
        (Layer(select=("META001",), ignore=("META",)), "META001"),
        (Layer(select=("META0",), ignore=("META",)), "META001 META002"),
        (Layer(select=("META",), ignore=("META00",)), "META101"),
        (Layer(select=("META001",), ignore=("META001",)), ""),
        (Layer(select=("META001",), ignore=("front-matter-missing",)), ""),
        (Layer(ignore=("ALL",)), ""),
        (Layer(ignore=("ALL",), extend=("SECT",)), "SECT001"),
        (Layer(extend=("META101",)), "META001 META002 META101 SECT001"),
        (Layer(select=("SECT",), extend=("META101",)), "META101 SECT001"),
        (Layer(severity={"META": "off"}), "SECT001"),
        (Layer(severity={"META": "off", "META002": "info"}), "META002 SECT001"),
    ],
)
def test_the_most_specific_word_decides(layer: Layer, expected: str) -> None:
    assert chosen(layer) == expected


def test_a_later_source_is_read_on_top() -> None:
    file = Layer(ignore=("META",))
    assert chosen(file, Layer()) == "SECT001"
    assert chosen(file, Layer(extend=("META001",))) == "META001 SECT001"
    assert chosen(file, Layer(select=("META",))) == "META001 META002 META101"
    assert chosen(Layer(select=("META001", "META002")), Layer(ignore=("META002",))) == "META001"
    assert chosen(Layer(severity={"SECT": "off"}), Layer(extend=("SECT001",))) == DEFAULT


def test_the_network_is_asked_only_when_it_may_be() -> None:
    assert chosen(Layer(select=("ALL", "LINK001"))) == "META001 META002 META101 SECT001"
    assert chosen(online=True) == "LINK001 META001 META002 SECT001"
    assert chosen(Layer(ignore=("LINK",)), online=True) == DEFAULT
    assert [rule.code for rule in Selection((Layer(select=("LINK",)),)).waiting(REGISTRY)] == ["LINK001"]
    assert Selection().waiting(REGISTRY) == []
    assert Selection((Layer(select=("ALL",)),), online=True).waiting(REGISTRY) == []


def test_files_may_be_spared() -> None:
    spared = {"drafts__": ("META", "SECT001"), "OLD.md": ("front-matter-missing",)}
    assert chosen(path="README.md", **spared) == DEFAULT
    assert chosen(path="drafts/a/README.md", **spared) == ""
    assert chosen(path="models/drafts/README.md", **spared) == ""
    assert Selection(per_file_ignores={"OLD.md": ("META001",)}).rules(REGISTRY, "x/OLD.md")[0].code == "META002"


def test_the_most_specific_severity_counts_and_the_last_source_wins() -> None:
    finding = Finding("META001", "front-matter-missing", Severity.WARNING, "m")
    rule = next(iter(rule for rule in REGISTRY if rule.code == "META001"))

    def severity(*layers: Layer) -> Severity:
        return Selection(layers).judged(rule, finding)

    assert severity() is Severity.WARNING
    assert severity(Layer(severity={"META": "info", "META001": "error"})) is Severity.ERROR
    assert severity(Layer(severity={"META001": "error"}), Layer(severity={"ALL": "info"})) is Severity.INFO
    assert severity(Layer(severity={"META001": "off"})) is Severity.WARNING


def test_words_may_be_separated_by_commas() -> None:
    assert split_words(["META001, SECT", "", ",", "a"]) == ("META001", "SECT", "a")


@pytest.mark.parametrize(
    "selection",
    [
        Selection.for_cards((), LintSettings(select=("MTA011",))),
        Selection.for_cards((), LintSettings(severity={"MTA011": "off"})),
        Selection.for_cards((), LintSettings(per_file_ignores={"*": ("MTA011",)})),
        Selection.for_cards(("MTA011",), LintSettings()),
        Selection.for_cards((), LintSettings(), Layer(extend=("MTA011",))),
    ],
)
def test_a_word_that_names_no_rule_is_refused(selection: Selection) -> None:
    with pytest.raises(UsageError, match="there is no rule 'MTA011'") as refused:
        selection.check(card_rules)
    assert "META011" in refused.value.next_step


def test_rules_about_models_are_known_too() -> None:
    Selection.without(["WEIGHT", "all", "secret-in-file", "META0"]).check(card_rules)
