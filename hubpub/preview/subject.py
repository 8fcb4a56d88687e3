"""What is previewed: the card of a folder or a file as it is now, and what the linter says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub.card.discover import find_cards
from hubpub.card.document import Card
from hubpub.card.own_id import id_below
from hubpub.card.profiles import DEFAULT_PROFILE, Profile, profile_named
from hubpub.card.source import CARD, decode_card, folder_card
from hubpub.card.writing.render import render_folder_card
from hubpub.core.errors import UsageError
from hubpub.core.report import Report
from hubpub.core.settings import LintSettings, Settings
from hubpub.model.folder import ModelFolder
from hubpub.rules.run import lint_card
from hubpub.rules.selection import Layer, Selection


@dataclass(frozen=True, eq=False)
class Subject:
    """A card that was read and judged.

    Attributes:
        name: what its repo is called in the header.
        path: the card's file, also when there is none yet.
        card: the card.
        report: what the linter says; findings about the card itself have its file's name as their path.
        profile: the sections that it is asked for.
        is_rendered: whether it is the one that `hubpub card` would write.
        settings: the settings file that counted; None without one.
    """

    name: str
    path: Path
    card: Card
    report: Report
    profile: Profile
    is_rendered: bool
    settings: Path | None

    @property
    def root(self) -> Path:
        """The folder whose files the card shows."""
        return self.path.parent


def read_subject(path: Path, settings: Settings) -> Subject:
    """The card at `path`, a README.md or a folder.

    Raises:
        UsageError: there is neither a card nor a folder to write one for.
    """
    if path.is_dir():
        folder: ModelFolder | None = ModelFolder.open(path, exclude=settings.exclude)
        assert folder is not None  # noqa: S101 -- mypy forgets it
        content = folder_card(folder)
        if content is None and folder.entry(CARD) is not None:
            raise UsageError(f"{path / CARD} is not a file of the folder", "put the card itself there, not a link")
        file = path / CARD
    else:
        found = find_cards([str(path)])[0]
        content, folder, file = found.content, found.folder, path
    is_rendered = content is None
    if content is None:
        assert folder is not None  # noqa: S101 -- a file has content
        repo_id = id_below(settings.org, folder.root.name)
        content = render_folder_card(folder, repo_id=repo_id, settings=settings.card).encode()
    given = _given(settings.lint)
    report = lint_card(
        content,
        path=file.name,
        target=str(path),
        folder=folder,
        fail_on=settings.fail_on,
        selection=Selection.for_cards(settings.ignore, settings.lint, Layer(), online=False),
        inline_ignores=settings.lint.inline_ignores,
        given=given,
    )
    name = file.parent.resolve().name if file.name == CARD else file.stem
    return Subject(
        name=f"{settings.org}/{name}" if settings.org else name,
        path=file,
        card=Card.parse(decode_card(content)[0]),
        report=report,
        profile=given["profile"],
        is_rendered=is_rendered,
        settings=settings.source,
    )


def _given(lint: LintSettings) -> dict[str, Any]:
    profile = profile_named(
        lint.profile or DEFAULT_PROFILE, required=lint.required_sections, aliases=lint.section_aliases
    )
    return {"profile": profile}
