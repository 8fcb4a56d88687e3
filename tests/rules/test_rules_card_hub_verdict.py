"""Whatever the Hub rejects or warns of has a rule of its own, and a finding at its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.linting import findings_of, subject
from support.verdicts import ACCEPTED, REJECTED, WARNED

from hubpub.card.document import Card
from hubpub.card.metadata.schema import Issue, validate_front_matter
from hubpub.core.findings import Finding, Severity
from hubpub.core.rule import Needs
from hubpub.rules.registry import card_rules

DEFAULT = {rule.code for rule in card_rules if rule.default and rule.needs is not Needs.NETWORK}
# What was left of a template is named as that, and an empty or binary file as what it is.
FAMILIES = "META EVAL TEXT003 TEXT025"


def found_in(text: str) -> list[Finding]:
    return [found for found in findings_of(subject(text), FAMILIES) if found.rule in DEFAULT]


def line_of(card: Card, issue: Issue) -> int:
    problem = card.front_matter.problem
    if not issue.path and problem:
        return problem.line
    return card.lines.place(card.front_matter.offset_of(issue.path))[0]


def overlooked(text: str) -> list[str]:
    """What the Hub rejects the card for, and no error says."""
    card = Card.parse(text)
    lines = {found.line for found in found_in(text) if found.severity is Severity.ERROR}
    issues = validate_front_matter(card.front_matter).issues
    return [issue.message[:80] for issue in issues if issue.rejects and line_of(card, issue) not in lines]


@pytest.mark.parametrize("text", [text for text, _ in REJECTED.values()], ids=REJECTED.keys())
def test_what_the_hub_rejects_is_an_error_at_its_place(text: str) -> None:
    assert overlooked(text) == []
    assert overlooked(text.replace("\n", "\r\n")) == []


@pytest.mark.parametrize("text", WARNED.values(), ids=WARNED.keys())
def test_what_the_hub_warns_of_is_at_least_a_warning(text: str) -> None:
    assert any(found.severity.reaches(Severity.WARNING) for found in found_in(text))


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_nothing_says_that_the_hub_rejects_what_it_takes(text: str) -> None:
    assert not [found.message for found in found_in(text) if "the Hub would reject" in found.message]


_WORDS = st.sampled_from(
    [
        *(
            "",
            " ",
            "mit",
            "MIT",
            "other",
            "license",
            "unknown",
            "\u200bmit",
            "en",
            "EN",
            "no",
            "english",
            "é/ü",
            "a\nb",
        ),
        *("a/b", "/a/b", "a/b/c", "https://x.org/a", "gpt2", "./a", "a b", "a--b", "x.git", "x" * 100),
        *("quantized", "fine-tuned", "fill-mask", "ner", "${x}", "{x}", "<your-id>", "[More Information Needed]"),
    ]
)
_SCALARS = st.one_of(_WORDS, st.none(), st.booleans(), st.integers(-2, 2), st.just(0.5), st.just(float("nan")))
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_WORDS, inner, max_size=2)),
    max_leaves=5,
)
_SOME = st.one_of(_VALUES, st.just([]), st.just({}))
_METRIC = st.fixed_dictionaries({}, optional={"type": _SCALARS, "value": _SOME, "config": _SCALARS, "name": _SCALARS})
_RESULT = st.fixed_dictionaries(
    {},
    optional={
        "task": st.one_of(_SOME, st.just({"type": "fill-mask"})),
        "dataset": st.one_of(
            _SOME,
            st.fixed_dictionaries(
                {}, optional={"name": _SCALARS, "type": _SCALARS, "config": _SCALARS, "revision": _SCALARS}
            ),
        ),
        "metrics": st.one_of(_SOME, st.lists(st.one_of(_METRIC, _SCALARS), max_size=2)),
        "source": st.one_of(_SOME, st.fixed_dictionaries({}, optional={"name": _SCALARS, "url": _SCALARS})),
    },
)
_MODEL = st.fixed_dictionaries(
    {}, optional={"name": _SCALARS, "results": st.one_of(_SOME, st.lists(st.one_of(_RESULT, _SCALARS), max_size=2))}
)
_KEYS = (
    "license license_name license_link language base_model base_model_relation datasets metrics pipeline_tag widget "
    "tags extra_gated_fields library_name new_version"
)
_FIELDS = dict.fromkeys(_KEYS.split(), _SOME)
_METADATA = st.fixed_dictionaries(
    {},
    optional={**_FIELDS, "model-index": st.one_of(_SOME, st.lists(st.one_of(_MODEL, _SCALARS), max_size=2))},
)


@settings(derandomize=True, max_examples=150)
@given(_METADATA)
@example({"extra_gated_fields": {"Company": []}})
@example({"license": ["mit", "MIT"], "model-index": [{"name": "x", "results": [{"source": {"name": "y"}}]}]})
def test_a_card_without_errors_is_taken(metadata: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in metadata.items()]
    assert overlooked("---\n" + "\n".join(lines).replace("NaN", ".nan") + "\n---\n\n# x\n") == []


_TEXT = """
# x

This NSFW model is a fine-tuned version of gpt2 on SST-2, and predicts cancer risk.

## Evaluation results

- Accuracy: 0.91
"""


@settings(derandomize=True, max_examples=40)
@given(_METADATA, st.dictionaries(st.sampled_from(["thumbnail", "co2_eq_emissions", "language_bcp47"]), _SOME))
def test_no_rule_fails_on_any_metadata(metadata: dict[str, Any], more: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in {**metadata, **more}.items()]
    findings_of(subject("---\n" + "\n".join(lines).replace("NaN", ".nan") + f"\n---\n{_TEXT}", repo_id="acme/x"))
