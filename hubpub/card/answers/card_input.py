"""What people tell of a model because no file can: card.yaml beside it, the project's settings, and --set.

card.yaml is read as YAML 1.2, like the Hub's: `language: no` is Norwegian.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubpub.card.answers.keys import AnswerError, Kind, checked_answers, kind_of, split_key
from hubpub.card.answers.named_data import DataPlace, places, places_of_settings
from hubpub.card.metadata.frontmatter import Lines
from hubpub.card.metadata.yaml_block import Path as Place
from hubpub.card.metadata.yaml_block import read_yaml
from hubpub.core.errors import UsageError

if TYPE_CHECKING:
    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder

CARD_INPUT = "card.yaml"
LARGEST_INPUT = 512 << 10
"""Bytes that a card.yaml may have."""

_OUTSIDE_METADATA = ("sections", "evaluation", "data")


@dataclass(frozen=True, slots=True)
class CardInput:
    """The answers.

    Attributes:
        metadata: keys of the card's metadata with their values; None for a key that is not to be written.
        sections: Markdown by the id of its section.
        evaluation: what the results of the Trainer were measured on: dataset, config, split, ...
        data: where the training data lie.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    evaluation: Mapping[str, str] = field(default_factory=dict)
    data: tuple[DataPlace, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.metadata or self.sections or self.evaluation or self.data)


def answers_for(
    folder: ModelFolder,
    settings: CardSettings,
    *,
    file: Path | None = None,
    assignments: Iterable[str] = (),
    data: Iterable[str] = (),
) -> CardInput:
    """The answers for a model: --set beats card.yaml, card.yaml beats the project's settings.

    Args:
        folder: the model; its card.yaml is read unless `file` is given.
        settings: of the project.
        file: a card.yaml elsewhere.
        assignments: `key=value` as --set has them.
        data: places of training data, as --data has them.

    Raises:
        UsageError: an answer cannot be one, or the file cannot be read.
    """
    source = settings.source.name if settings.source else "settings"
    base = settings.source.parent if settings.source else Path()
    project = CardInput(data=places_of_settings(settings))
    answered = _checked(settings.answers, lambda place: f"{source}: card.answers.{'.'.join(map(str, place))}", base)
    own = parse_answers(_read(file), str(file), file.parent) if file else folder_answers(folder)
    named = CardInput(data=places(data, "--data", Path()))
    return joined(project, answered, own, parse_assignments(assignments), named)


def folder_answers(folder: ModelFolder) -> CardInput:
    """The answers in the folder's card.yaml; none where there is no such file.

    Raises:
        UsageError: it cannot be read, or an answer cannot be one.
    """
    from hubpub.model.walk import EntryKind  # of no use to who names a file

    entry = folder.entry(CARD_INPUT)
    if entry is None or entry.kind is not EntryKind.FILE:
        return CardInput()
    if entry.size > LARGEST_INPUT:
        raise _too_large(CARD_INPUT)
    return parse_answers(folder.start(CARD_INPUT, LARGEST_INPUT), CARD_INPUT)


def parse_answers(content: bytes, name: str, base: Path | None = None) -> CardInput:
    """The answers in a card.yaml.

    Args:
        content: of the file.
        name: what errors call it.
        base: what its `data` are relative to; None for the model folder, which they may not leave.

    Raises:
        UsageError: it is no YAML, or an answer cannot be one; the message names file, line and column.
    """
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 at byte {error.start}", "save it as UTF-8") from error
    lines, reading = Lines(text), read_yaml(text)
    if reading.hub_data is None:
        problem = reading.problem
        if problem is None or problem.kind == "empty":
            return CardInput()
        line, column = lines.place(problem.offset)
        raise UsageError(f"{name}:{line}:{column}: {problem.message}", "write keys with values, as in `license: mit`")

    def placed(path: Place) -> str:
        for length in range(len(path), 0, -1):
            span = reading.values.get(path[:length]) if length < len(path) or isinstance(path[-1], int) else None
            span = reading.keys.get(path[:length]) or span
            if span:
                line, column = lines.place(span[0])
                return f"{name}:{line}:{column}"
        return name

    return _checked(reading.hub_data, placed, base)


def parse_assignments(assignments: Iterable[str]) -> CardInput:
    """The answers in `key=value`s: parts of a key joined by a dot, entries of a list by commas.

    Raises:
        UsageError: it is none, or an answer cannot be one.
    """
    found: list[CardInput] = []
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {assignment!r} is not key=value", "write --set license=mit")
        shown = f"--set {name.strip()}"
        try:
            path = split_key(name.strip())
            typed = _typed(path, value)
        except AnswerError as error:
            raise UsageError(f"{shown}: {error.message}", error.hint) from error
        data: Any = typed
        for part in reversed(path):
            data = {part: data}
        found.append(_checked(data, lambda _, shown=shown: shown, Path()))  # type: ignore[misc]
    return joined(*found)


def joined(*answers: CardInput) -> CardInput:
    """All of the answers; a later one beats an earlier one, key by key."""
    together = CardInput()
    for one in answers:
        metadata = {**together.metadata, **one.metadata}
        for key, value in one.metadata.items():
            before = together.metadata.get(key)
            if isinstance(value, Mapping) and isinstance(before, Mapping):
                metadata[key] = {**before, **value}
        together = CardInput(
            metadata,
            {**together.sections, **one.sections},
            {**together.evaluation, **one.evaluation},
            one.data or together.data,
        )
    return together


def _typed(path: Place, value: str) -> Any:
    """What a value of the command line is meant to be, by the kind of its key."""
    kind, text = kind_of(path), value.strip()
    if not text:
        return None
    if kind in (Kind.LIST, Kind.TABLE) and path != ("co2_eq_emissions",):
        raise AnswerError(path, f"{'.'.join(map(str, path))} is {kind.value}", f"write it into {CARD_INPUT}")
    if kind is Kind.TEXTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind in (Kind.NUMBER, Kind.TABLE):
        try:
            return int(text) if text.lstrip("+-").isdecimal() and len(text) < 16 else float(text[:40])
        except ValueError as error:
            raise AnswerError(path, f"{text!r} is not a number", "write a number") from error
    if kind in (Kind.SWITCH, Kind.ANY) and text.casefold() in ("true", "false"):
        return text.casefold() == "true"
    return value


def _checked(data: Mapping[str, Any], placed: Callable[[Place], str], base: Path | None) -> CardInput:
    try:
        checked = checked_answers(data)
    except AnswerError as error:
        raise UsageError(f"{placed(error.path)}: {error.message}", error.hint) from error
    metadata = {key: value for key, value in checked.items() if key not in _OUTSIDE_METADATA}
    sections, evaluation = (
        {key: value for key, value in (checked.get(name) or {}).items() if value} for name in ("sections", "evaluation")
    )
    return CardInput(metadata, sections, evaluation, places(checked.get("data") or (), placed(("data",)), base))


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"{path} is not a file", f"give a {CARD_INPUT}")
        if path.stat().st_size > LARGEST_INPUT:
            raise _too_large(str(path))
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", f"give a {CARD_INPUT}") from error


def _too_large(name: str) -> UsageError:
    return UsageError(f"{name} has more than {LARGEST_INPUT:,} bytes", "keep answers in it, and link the rest")
