"""`--plots` of `hubpub card`: which pictures a card shows, and putting them into the folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hubpub.cli.output import notify

if TYPE_CHECKING:
    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder
    from hubpub.pictures.plan import Planned

Command = TypeVar("Command", bound=Callable[..., Any])


def plots_option(command: Command) -> Command:
    """Add --plots and --no-plots."""
    return click.option(
        "--plots/--no-plots",
        default=None,
        help="Show training curves, scores and a confusion matrix, as far as the files hold them; --write draws them "
        "into assets/ (needs hubpub[plots]). Default: those that are there already; setting: card.plots.",
    )(command)


def pictures_for(folder: ModelFolder, plots: bool | None, settings: CardSettings) -> tuple[Planned, ...]:
    """The pictures of the card: all that the files are enough for, or those that hubpub has drawn here before."""
    from hubpub.pictures.picture import PICTURE_FOLDER

    wanted = plots or (plots is None and settings.plots)
    some_are_there = any(entry.path.startswith(f"{PICTURE_FOLDER}/") for entry in folder.files)
    if plots is False or not (wanted or some_are_there):
        return ()
    from hubpub.pictures.plan import plan_pictures
    from hubpub.pictures.store import drawn_before, taken

    planned = plan_pictures(folder)
    if not wanted:
        return drawn_before(folder, planned)
    if not planned:
        notify("no pictures: the folder holds neither a log of the training nor scores nor predictions with labels")
    for path, reason in ((one.path, one.reason) for one in folder.predictions[1]):
        notify(f"no confusion matrix: {path} {reason}")
    foreign = taken(folder, planned)
    for path in foreign:
        notify(f"{path} was not drawn by hubpub, or was edited since: it stays, and the card does not show it anew")
    return tuple(one for one in planned if one.picture.path not in foreign)


def put_pictures(folder: ModelFolder, planned: tuple[Planned, ...]) -> None:
    """Draw what is not current into the folder."""
    if not planned:
        return
    from hubpub.pictures.store import write_pictures

    for path in write_pictures(folder, planned):
        notify(f"drew {folder.root / path}")
