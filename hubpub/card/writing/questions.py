"""What a person is asked about a model: only what its files do not tell, each with the reason and a default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hubpub.card.answers.keys import section_titles
from hubpub.card.gaps import find_gaps
from hubpub.card.hub_lists import licence_family
from hubpub.card.writing.metadata import card_metadata

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts


class Question(NamedTuple):
    """One question.

    Attributes:
        key: of the answer in card.yaml, parts joined by dots.
        ask: what is asked, without a question mark.
        why: why it is, as a sentence.
        default: what is likely; None where nothing is.
        prose: whether the answer is Markdown of several lines.
    """

    key: str
    ask: str
    why: str
    default: str | None = None
    prose: bool = False


def questions(facts: CardFacts, card: str) -> Iterator[Question]:
    """The questions that are open, the metadata first.

    Args:
        facts: with the answers so far.
        card: as it is rendered from them: each of its gaps is a question.
    """
    told = facts.answers.metadata
    open_questions = (question for question in _of_metadata(facts) if question.key not in told)
    yield from open_questions
    if "dataset" not in facts.answers.evaluation and _lacks_the_data_set(facts):
        yield Question(
            "evaluation.dataset",
            "Data set that the results were measured on, as its id on the Hub",
            "The results of the run are in the folder, and no file says on which data; without it they stay out of the "
            "metadata.",
            facts.datasets[0] if facts.datasets else None,
        )
    for gap in find_gaps(card):
        if gap.slot in section_titles():
            title = section_titles()[gap.slot]
            yield Question(f"sections.{gap.slot}", f"{title}: {gap.prompt}", "No file tells that.", prose=True)


def _of_metadata(facts: CardFacts) -> Iterator[Question]:
    if not facts.license:
        yield _licence(facts)
    if facts.license == "other" or (facts.license_link and not facts.license):
        if not facts.license_name:
            yield Question("license_name", "Name of the licence", "The Hub has no id for it, so it needs a name.")
        if not facts.license_link:
            yield Question("license_link", "Address of the licence's text", "Nobody may use what nobody can read.")
    if not facts.language and (facts.vocabulary or facts.tokenizer):
        yield Question(
            "language",
            "Languages, as codes with commas between",
            "The Hub filters models by language, and no file says which ones this one knows.",
            "en",
        )
    if facts.pipeline_tag is None:
        why = "People find models by task, and the files fit several, such as translation and summarization, or none."
        yield Question("pipeline_tag", "Task, as an id of the Hub", why)
    if facts.base_model is None and (facts.training or facts.kind == "adapter"):
        why = "The files name none, or a folder of the training machine; the Hub draws the tree of models from it."
        yield Question("base_model", "Model that it was made from, as its id on the Hub", why)
    if not facts.datasets and facts.training:
        why = "People ask first what a model has learnt from, and no file names its data sets."
        yield Question("datasets", "Data sets that it was trained on, as ids on the Hub with commas between", why)


def _licence(facts: CardFacts) -> Question:
    family = licence_family(facts.base_model) if facts.base_model else None
    if family:
        return Question("license", "Licence", f"Models made from {family[0]} carry its licence.", family[1])
    if facts.license_link:
        why = f"{facts.license_link} is none of the licences that the Hub has an id for."
        return Question("license", "Licence", why, "other")
    return Question("license", "Licence, as an id of the Hub's list", "Nobody may use a model without one.")


def _lacks_the_data_set(facts: CardFacts) -> bool:
    return any("evaluation.dataset" in left.reason for left in card_metadata(facts).left_out)
