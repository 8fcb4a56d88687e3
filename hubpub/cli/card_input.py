"""What people bring to a card, as options of `hubpub card`: answers, and templates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hubpub.cli.output import notify
from hubpub.core.errors import UsageError

if TYPE_CHECKING:
    from hubpub.card.answers.card_input import CardInput
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.card.writing.eval_results import EvalFile
    from hubpub.card.writing.templating import Templates
    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder

Command = TypeVar("Command", bound=Callable[..., Any])

_SHOWN_LEFT_OUT = 10


def answer_options(command: Command) -> Command:
    """Add --set, --card-yaml, --data and --interview."""
    command = click.option(
        "--interview",
        is_flag=True,
        help="Ask on the terminal what no file tells, with the reason and a default; answers are kept in card.yaml.",
    )(command)
    command = click.option(
        "--data",
        multiple=True,
        metavar="DIR|FILE",
        help="Training data to describe: splits, rows, columns and types; nothing of the rows themselves. Repeatable.",
    )(command)
    command = click.option(
        "--card-yaml",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Answers that no file of the model can give.  [default: card.yaml in PATH]",
    )(command)
    return click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        help="One answer, as in card.yaml: license=mit, language=en,de, sections.intended-uses=... Repeatable.",
    )(command)


def template_options(command: Command) -> Command:
    """Add --template, --list-templates and --eject."""
    command = click.option(
        "--eject",
        nargs=2,
        metavar="NAME DIR",
        is_eager=True,
        expose_value=False,
        callback=_eject,
        help="Copy one of hubpub's templates to DIR, to change it, and do nothing else.",
    )(command)
    command = click.option(
        "--list-templates",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_list_templates,
        help="Name hubpub's templates, and do nothing else.",
    )(command)
    return click.option(
        "--template",
        metavar="NAME|FILE",
        help="What to make the card with: one of hubpub's templates, or a Jinja file of yours.",
    )(command)


def _list_templates(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from hubpub.card.writing.template_choice import TEMPLATES
        from hubpub.card.writing.templating import partial_names

        for name in (*TEMPLATES, *(name for name in partial_names() if "/" in name)):
            click.echo(name)
        context.exit()


def _eject(context: click.Context, _: click.Parameter, wanted: tuple[str, str] | None) -> None:
    if wanted:
        from hubpub.card.writing.templating import eject

        name, folder = wanted
        notify(f"wrote {eject(name, Path(folder))}: in templates/ beside the settings it is used in place of hubpub's")
        context.exit()


def facts_and_templates(
    folder: ModelFolder,
    settings: CardSettings,
    *,
    repo_id: str | None,
    card_yaml: Path | None,
    assignments: tuple[str, ...],
    data: tuple[str, ...],
    ask: bool,
    template: str | None,
) -> tuple[CardFacts, Templates]:
    """What the card is made from, with the answers in it; what the metadata leaves out is said on stderr.

    Raises:
        UsageError: an answer or a template cannot be one.
    """
    from hubpub.card.answers.card_input import answers_for
    from hubpub.card.facts.collect import card_facts
    from hubpub.card.writing.metadata import card_metadata
    from hubpub.card.writing.templating import find_templates
    from hubpub.report.excerpt import printable

    if card_yaml is not None and not card_yaml.is_file() and not ask:
        raise UsageError(f"{card_yaml} is not a file", "write it, or let --interview do so")
    templates = find_templates(settings, template, folder)
    if ask:
        from hubpub.cli.interview import interview

        answers: CardInput = interview(
            folder, settings, templates, repo_id=repo_id, file=card_yaml, assignments=assignments, data=data
        )
    else:
        answers = answers_for(folder, settings, file=card_yaml, assignments=assignments, data=data)
    facts = card_facts(folder, repo_id=repo_id, settings=settings, answers=answers)
    for unread in facts.unread_data:
        notify(unread)
    left_out = card_metadata(facts).left_out
    for left in left_out[:_SHOWN_LEFT_OUT]:
        notify(printable(f"{left.what} {left.reason}"))
    if len(left_out) > _SHOWN_LEFT_OUT:
        notify(f"and {len(left_out) - _SHOWN_LEFT_OUT} more that the metadata leaves out")
    return facts, templates


def tell_eval_results(files: Sequence[EvalFile], *, write: bool) -> None:
    """Say which files of .eval_results/ were written, or would be, and which a person keeps."""
    said = {
        "new": "wrote" if write else "would write",
        "changed": "wrote" if write else "would change",
        "kept": "kept what was written by hand in",
        "stale": "no result file tells any more what is in",
    }
    for file in files:
        if file.state in said:
            notify(f"{said[file.state]} {file.path}")
