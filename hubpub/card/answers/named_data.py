"""Training data that a person names: files and directories beside the model, read where they lie.

`--data` is relative to the working directory, `card.data` of the settings to their file. A card.yaml in the model
folder comes with the model, so that it may only name what is in the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from hubpub.core.errors import UsageError

if TYPE_CHECKING:
    from hubpub.core.settings import CardSettings
    from hubpub.model.data_facts import DataFacts
    from hubpub.model.dataset_info import DataSet
    from hubpub.model.files import Files
    from hubpub.model.folder import ModelFolder

_MOST_PLACES = 20


@dataclass(frozen=True, slots=True)
class DataPlace:
    """A file or directory of training data.

    Attributes:
        path: as it was named.
        said_by: what named it, for messages: "--data", "hubpub.toml: card.data", "card.yaml:3:1".
        base: the directory that it is relative to; None for a path inside the model folder.
    """

    path: str
    said_by: str
    base: Path | None = None


def places(paths: Iterable[str], said_by: str, base: Path | None) -> tuple[DataPlace, ...]:
    """The places that one source names."""
    return tuple(DataPlace(path, said_by, base) for path in paths)


def places_of_settings(settings: CardSettings) -> tuple[DataPlace, ...]:
    """Those of `card.data`."""
    source = settings.source
    return places(
        settings.data, f"{source.name}: card.data" if source else "settings", source.parent if source else Path()
    )


def read_named_data(folder: ModelFolder, named: tuple[DataPlace, ...]) -> DataFacts:
    """What is in the places, each path shown as of the place's own name: nothing of where it lies is told.

    Raises:
        UsageError: a place cannot be read, or is outside of the folder that it must be in.
    """
    from hubpub.model.data_facts import DataFacts, read_data_facts

    if len(named) > _MOST_PLACES:
        raise UsageError(f"{named[0].said_by} names {len(named)} places of data", "name the directory that holds them")
    found = DataFacts()
    for place in named:
        files, top = _inside(folder, place) if place.base is None else _outside(place, place.base)
        told = _below(read_data_facts(files, plain=True), top)
        if not told and not told.pickled:
            one = told.unread[0] if told.unread else None
            why = f"{one.path} {one.reason}" if one else "none of its files holds rows that hubpub reads"
            raise UsageError(
                f"{place.said_by}: {place.path} tells nothing of data: {why}",
                "name CSV, TSV, JSON, JSON Lines, text, Parquet or Arrow files, pictures, or their directory",
            )
        found = DataFacts(found.sets + told.sets, found.pickled + told.pickled, found.unread + told.unread)
    return found


def _outside(place: DataPlace, base: Path) -> tuple[Files, str]:
    from hubpub.model.files import files_at

    # not resolved: a link is named as the person named it
    path = Path(os.path.normpath(Path.cwd() / base / Path(place.path).expanduser()))
    try:
        files = files_at(path)
    except UsageError as error:
        raise UsageError(f"{place.said_by}: {error.message}", error.next_step) from error
    # a file is named by itself; a home directory is named like its owner
    return files, "" if path.is_file() else "data" if path in (Path.home(), Path("/")) else path.name


def _inside(folder: ModelFolder, place: DataPlace) -> tuple[Files, str]:
    from hubpub.model.files import Files

    path = PurePosixPath(place.path)
    wanted = str(path)
    if path.is_absolute() or ".." in path.parts or "\\" in wanted or wanted in (".", "") or wanted.startswith("~"):
        raise UsageError(
            f"{place.said_by}: data names {place.path}, which is not inside the model folder",
            "give it with --data, or as card.data in your settings",
        )
    entries = tuple(entry for entry in folder.files if entry.path == wanted or entry.path.startswith(f"{wanted}/"))
    if not entries:
        raise UsageError(f"{place.said_by}: there is no {place.path} in {folder.root}", "name what exists")
    return Files(entries, folder.open_file), ""


def _below(facts: DataFacts, top: str) -> DataFacts:
    """The facts with the place's own name in front of each path."""
    if not top:
        return facts

    def below(path: str) -> str:
        return f"{top}/{path}"

    def moved(one: DataSet) -> DataSet:
        splits = (replace(split, path=below(split.path), files=tuple(map(below, split.files))) for split in one.splits)
        told = (replace(fact, path=below(fact.path)) for fact in one.facts)
        return replace(one, path=below(one.path), splits=tuple(splits), facts=tuple(told))

    return replace(
        facts,
        sets=tuple(moved(one) for one in facts.sets),
        pickled=tuple(map(below, facts.pickled)),
        unread=tuple(replace(one, path=below(one.path)) for one in facts.unread),
    )
