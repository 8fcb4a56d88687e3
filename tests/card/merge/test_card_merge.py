from __future__ import annotations

import pytest

from hubpub.card.document import Card
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.merge.update import merge_card
from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.sections import course_sections, required_sections
from hubpub.card.writing.render import render_card

RENDERED = render_card(
    CardFacts(
        name="x",
        repo_id="acme/x",
        kind="transformers",
        library_name="transformers",
        pipeline_tag="fill-mask",
        architecture="BertForMaskedLM",
        license="mit",
        language=("en", "no"),
    )
)


def complete(existing: str, rendered: str) -> str:
    """The card with what it lacks, when nobody knows what was rendered before."""
    return merge_card(existing, rendered).text


def all_present(text: str) -> bool:
    return all(state.present for state in required_sections(Card.parse(text)).values())


def test_a_blank_card_is_the_rendered_one() -> None:
    assert complete("", RENDERED) == complete(" \r\n", RENDERED) == RENDERED


def test_a_rendered_card_lacks_nothing() -> None:
    assert complete(RENDERED, RENDERED) == RENDERED


def test_missing_keys_are_appended_as_text() -> None:
    existing = "---\n# chosen by legal\nlicense:   'apache-2.0' # do not touch\nlanguage: [en]\n# end\n---\n\nBody.\n"
    text = complete(existing, RENDERED)
    head = "---\n# chosen by legal\nlicense:   'apache-2.0' # do not touch\nlanguage: [en]\n# end\n"
    assert text.startswith(f"{head}library_name: transformers\npipeline_tag: fill-mask\n---\n\nBody.\n\n## Model desc")
    assert all_present(text)


def test_a_card_without_a_block_gets_one_in_front() -> None:
    text = complete("# x\n", RENDERED)
    assert text.startswith("---\nlicense: mit\nlanguage:\n  - en\n  - 'no'\n")
    assert "---\n\n# x\n\n## Model description\n" in text


def test_only_missing_sections_are_appended() -> None:
    existing = "".join(f"## {section.title}\n\n" for section in course_sections() if section.id != "training-data")
    (wanted,) = (section for section in Card.parse(RENDERED).sections if section.heading == "Training data")
    heading = RENDERED[wanted.heading_start : wanted.end].rstrip()
    assert complete(existing, RENDERED).endswith(f"---\n\n{existing}{heading}\n")


def test_a_card_that_lacks_nothing_comes_back_identical() -> None:
    front = "---\nlicense: other\nlanguage: de\nlibrary_name: x\npipeline_tag: y\n---"
    existing = front + "".join(f"\n{section.title}\n---\n" for section in course_sections())
    assert complete(existing, RENDERED) == existing


EXISTING = {
    "windows": "---\r\nlicense: mit\r\n---\r\n# a\r\n\r\ntext\r\n",
    "no newline at the end": "# a\n\ntext",
    "byte order mark": "\ufeff# a\n",
    "flow mapping": "---\n{license: mit}\n---\n# a\n",
    "indented block": "---\n  license: mit\n---\n# a\n",
    "block scalar at the end": "---\nx: |+\n  text\n\n---\n# a\n",
    "end of document": "---\nlicense: mit\n...\n---\n# a\n",
    "unreadable": "---\n- a\n---\n# a\n",
    "not closed": "---\nlicense: mit\n\n# a\n",
    "empty value": "---\nlicense:\n---\n# a\n",
    "open fence": "# a\n\n```python\nx = 1",
    "open fence of four": "# a\n\n````\nx = 1\n",
    "open comment": "# a\n\n<!-- b\n",
    "open pre": "# a\n\n<pre>\nb\n",
    "list at the end": "# a\n\n- b\n  - c",
    "one heading that is a section": "# How to use\n",
    "rule on top": "---\n\n# a\n",
    "lone carriage returns": "# a\r\rtext\r",
}


@pytest.mark.parametrize("existing", EXISTING.values(), ids=EXISTING.keys())
def test_what_a_person_wrote_stays(existing: str) -> None:
    text = complete(existing, RENDERED)
    assert complete(text, RENDERED) == text
    before, after = read_front_matter(existing), read_front_matter(text)
    body = existing[before.body_start :].lstrip("\ufeff")
    assert text[after.body_start :].lstrip("\r\n").startswith(body.lstrip("\r\n"))
    assert after.raw.startswith(before.raw)
    for key, value in (before.data or {}).items():
        assert after.data is not None
        assert after.data[key] == value
    if before.problem:
        assert text.startswith(existing)


@pytest.mark.parametrize("name", [name for name in EXISTING if name != "open pre"])
def test_all_sections_are_there_afterwards(name: str) -> None:
    assert all_present(complete(EXISTING[name], RENDERED))


def test_the_line_endings_of_the_card_are_kept() -> None:
    text = complete(EXISTING["windows"], RENDERED)
    assert text.count("\n") == text.count("\r\n")
    assert all_present(text)
