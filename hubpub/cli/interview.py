"""The questions of `hubpub card --interview`, on a terminal: each answer is kept before the next question."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hubpub.cli.output import notify
from hubpub.core.errors import UsageError

if TYPE_CHECKING:
    from hubpub.card.answers.card_input import CardInput
    from hubpub.card.writing.questions import Question
    from hubpub.card.writing.templating import Templates
    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder

_MOST_LINES = 2000


def interview(
    folder: ModelFolder,
    settings: CardSettings,
    templates: Templates,
    *,
    repo_id: str | None,
    file: Path | None,
    assignments: Sequence[str],
    data: Sequence[str] = (),
) -> CardInput:
    """Ask what the files do not tell, keep the answers in card.yaml, and return all that there are.

    Args:
        folder: the model.
        settings: of the project.
        templates: of the card, whose gaps are questions.
        repo_id: where the model is to be published.
        file: where the answers are kept; None for the folder's card.yaml.
        assignments: of --set: what they answer is not asked.
        data: of --data.

    Raises:
        UsageError: there is no terminal to ask on, or the answers cannot be kept.
        click.Abort: the person has had enough; the answers so far are kept.
    """
    from hubpub.card.answers.card_input import CARD_INPUT, answers_for
    from hubpub.card.facts.collect import card_facts
    from hubpub.card.writing.questions import questions
    from hubpub.card.writing.render import render_card

    if not on_a_terminal():
        raise UsageError("--interview asks on a terminal, and there is none", f"write {CARD_INPUT}, or use --set")
    kept = file or folder.root / CARD_INPUT
    file = file if file and file.exists() else None
    asked: set[str] = set()
    answers = answers_for(folder, settings, file=file, assignments=assignments, data=data)
    while True:
        facts = card_facts(folder, repo_id=repo_id, settings=settings, answers=answers)
        card = render_card(facts, templates)
        question = next((one for one in questions(facts, card) if one.key not in asked), None)
        if question is None:
            break
        if not asked:
            how = "An empty answer takes the one in brackets, or skips the question where there is none; - skips any."
            click.echo(f"{how}\nCtrl-C ends, and what was answered is in {kept}.", err=True)
        asked.add(question.key)
        value = _answer(question)
        if value is not None:
            _keep(kept, question.key, value)
            answers = answers_for(folder, settings, file=kept, assignments=assignments, data=data)
    if not asked:
        notify("the files and the answers tell all that a card needs; there is nothing to ask")
    return answers


def on_a_terminal() -> bool:
    """Whether somebody can read questions and type answers."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _answer(question: Question) -> Any:
    """What was answered, as card.yaml has it; None when the question was skipped."""
    from hubpub.report.excerpt import printable

    click.echo(f"\n{click.style(printable(question.ask) + '?', bold=True)}\n  {printable(question.why)}", err=True)
    while True:
        text = _prose() if question.prose else _line(question.default)
        if text.strip() in ("", "-"):
            return None
        try:
            return _checked(question, text)
        except UsageError as error:
            said = error.message.removeprefix(f"--set {question.key}: ")
            click.echo(f"  {printable(said)}; {printable(error.next_step)}", err=True)


def _line(default: str | None) -> str:
    answer: str = click.prompt(">", default=default or "", show_default=bool(default), prompt_suffix=" ", err=True)
    return answer


def _prose() -> str:
    """Lines up to two empty ones: a text that is pasted has single ones in it."""
    click.echo("  Markdown; two empty lines end it.", err=True)
    lines: list[str] = []
    while len(lines) < _MOST_LINES:
        line: str = click.prompt(">", default="", show_default=False, prompt_suffix=" ", err=True)
        if not line.strip() and not (lines and lines[-1].strip()):
            break
        lines.append(line)
    return "\n".join(lines).rstrip()


def _checked(question: Question, text: str) -> Any:
    from hubpub.card.answers.card_input import parse_assignments

    found = parse_assignments([f"{question.key}={text}"])
    top, _, rest = question.key.partition(".")
    return {"sections": found.sections, "evaluation": found.evaluation}.get(top, found.metadata).get(rest or top)


def _keep(path: Path, key: str, value: Any) -> None:
    from hubpub.card.answers.text import add_answer
    from hubpub.core.files import replace_file

    try:
        text = path.read_bytes().decode() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "mend it first") from error
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    replace_file(path, add_answer(text, tuple(key.split(".", 1)), value, path.name).encode())
