"""Rendering a card from the templates in `templates/`: the same facts give the same bytes, today and next year.

What comes from the model folder is text to the templates, never template or markup: every value that a template
prints is escaped for Markdown unless a filter has made it ready for another place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubpub.card.answers.sections import answer_block, with_unasked
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.gaps import write_gap
from hubpub.card.regions import read_regions, stamp
from hubpub.card.writing.metadata import front_matter
from hubpub.card.writing.presentation import FILTERS, Ready, section_names, shown
from hubpub.card.writing.snippets import snippet_names
from hubpub.card.writing.template_choice import choose_template, template_file
from hubpub.card.writing.templating import OWN_TEMPLATES, Templates, find_templates, render_template, tidy
from hubpub.core.errors import UsageError

if TYPE_CHECKING:
    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder


def render_card(facts: CardFacts, templates: Templates = OWN_TEMPLATES) -> str:
    """The card of a model, with a visible gap where only a person knows what to write and nobody has answered.

    Args:
        facts: what is known of the model.
        templates: what it is made with, as `find_templates` finds them.

    Raises:
        UsageError: there is no such template, or it is wrong; the message names its file and line.
        HubpubError: the templates are not installed.
    """
    used: set[str] = set()

    def gap(slot: str, prompt: str) -> Ready:
        answer = facts.answers.sections.get(slot)
        if answer is None:
            return Ready(write_gap(slot, prompt))
        used.add(slot)
        return Ready(answer_block(slot, answer))

    name = template_file(templates.name or choose_template(facts))
    text = render_template(templates, name, {**_names(facts), "gap": gap}, filters=FILTERS, finalize=shown)
    text = tidy(with_unasked(tidy(text), facts.answers.sections, used))
    if not templates.are_own:
        _check_markers(text)
    return stamp(text)


def _check_markers(text: str) -> None:
    """Return if every marker that a project's templates write makes a region: any other text would never follow."""
    for problem in read_regions(text).problems:
        raise UsageError(
            f"your templates write a marker of the region {problem.name or '(no name)'} that {problem.message}",
            "write <!-- hubpub:begin NAME --> and <!-- hubpub:end NAME -->, each alone on its line, with NAME in small "
            "letters, digits and hyphens, once in a card",
        )


def render_folder_card(folder: ModelFolder, *, repo_id: str | None, settings: CardSettings) -> str:
    """The card of a folder with nothing asked: from its files, its card.yaml, and the project's settings and templates.

    Raises:
        UsageError: an answer or a template cannot be one; the message names its file and line.
    """
    return render_card(card_facts(folder, repo_id=repo_id, settings=settings), find_templates(settings, model=folder))


def _names(facts: CardFacts) -> dict[str, Any]:
    """What templates may use."""
    return {
        **section_names(facts),
        "facts": facts,
        "front_matter": Ready(front_matter(facts)),
        **{name: Ready(value) if isinstance(value, str) else value for name, value in snippet_names(facts).items()},
    }
