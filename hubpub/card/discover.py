"""Finding the cards that a command line means: files, model folders, directories that have cards below, globs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from hubpub.card.metadata.frontmatter import read_front_matter
from hubpub.card.source import CARD, LARGEST_CARD, find_card, folder_card, read_card_file
from hubpub.core.errors import UsageError

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.gitfiles import Pattern

STDIN = "stdin"

_NOT_ENTERED = frozenset({"node_modules", "venv", "site-packages", "__pycache__"})
_MODEL_FILES = frozenset({"config.json", "adapter_config.json", "model_index.json", "modules.json", "tokenizer.json"})
_MODEL_ENDINGS = (".safetensors", ".gguf", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".keras", ".h5", ".tflite")
# What the cards of data sets and Spaces have, and those of models do not.
_OTHER_KEYS = frozenset(
    {"dataset_info", "task_categories", "size_categories", "annotations_creators", "sdk", "app_file"}
)
_HEAD = 1 << 16


@dataclass(frozen=True, eq=False)
class CardFile:
    """A card that was found.

    Attributes:
        name: what findings call it: the path from the working directory, with slashes.
        content: its bytes.
        path: the file; None when it came through stdin.
        folder: the model folder that it lies in, if it lies in one.
    """

    name: str
    content: bytes
    path: Path | None = None
    folder: ModelFolder | None = None


def find_cards(places: Iterable[str]) -> list[CardFile]:
    """The cards of all places, each once.

    A directory that holds a model has one card; in any other one, every README.md below it that is a model card is
    taken. What git ignores, hidden directories and installed packages are not looked at. A file is taken as it is.

    Raises:
        UsageError: a place has no card, or a file cannot be read.
    """
    found: dict[str, CardFile] = {}
    for place in places:
        for path in _expanded(place):
            for card in _cards(path):
                key = os.path.realpath(card.path) if card.path else card.name
                found.setdefault(key, card)
    return list(found.values())


def card_from_stdin(content: bytes, filename: str | None) -> CardFile:
    """A card that came through stdin, which may belong at a file.

    Raises:
        UsageError: it has more than 20 MB.
    """
    if len(content) > LARGEST_CARD:
        raise UsageError("the card has more than 20 MB", "a model card is text; give a smaller one")
    if filename is None:
        return CardFile(STDIN, content)
    return CardFile(_name(Path(filename)), content, folder=_folder_of(Path(filename)))


def _expanded(place: str) -> Sequence[Path]:
    """The paths that a place means: itself, or what it matches when it is a glob that no shell has expanded."""
    if os.path.lexists(place) or not glob.has_magic(place):
        return (Path(place),)
    paths = [Path(match) for match in sorted(glob.glob(place, recursive=True))]  # noqa: PTH207 -- may be absolute
    paths = [path for path in paths if path.is_dir() or path.suffix.lower() in (".md", ".markdown")]
    if not paths:
        raise UsageError(f"nothing matches {place}", "name a README.md, a model folder, or a glob that matches some")
    return paths


def _cards(path: Path) -> Iterator[CardFile]:
    if not path.is_dir():
        yield CardFile(_name(path), read_card_file(path), path, _folder_of(path))
        return
    below = [] if _holds_model(path) else list(_below(path, _ignores_above(path)))
    if below:
        for card in below:
            # a directory of that name that cannot be opened as a model still has its card
            yield CardFile(_name(card), read_card_file(card), card, _folder_of(card))
        return
    content, _, folder = find_card(path)
    yield CardFile(_name(path / CARD), content, path / CARD, folder)


def _name(path: Path) -> str:
    return path.as_posix()


def _folder_of(path: Path) -> ModelFolder | None:
    """The model folder whose card the file is."""
    if path.name != CARD or not _holds_model(path.parent):
        return None
    from hubpub.model.folder import ModelFolder  # most of the start-up time of a command that reads a lone card

    folder = ModelFolder.open(path.parent)
    # a link out of the folder is not its card
    return folder if not path.exists() or folder_card(folder) is not None else None


def _holds_model(folder: Path) -> bool:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return False
    return any(name in _MODEL_FILES or name.endswith(_MODEL_ENDINGS) for name in names)


class _Ignores(NamedTuple):
    """The `.gitignore` files that apply in a directory, the nearest last."""

    files: tuple[tuple[Path, tuple[Pattern, ...]], ...] = ()
    in_git: bool = False

    def inside(self, folder: Path) -> _Ignores:
        """Those that apply below `folder`, which is in the directory of these."""
        from hubpub.model.gitfiles import LARGEST, ignore_patterns  # a file that is named needs none of it

        path = folder / ".gitignore"
        if not self.in_git or path.is_symlink() or not path.is_file():
            return self
        try:
            with path.open("rb") as file:
                text = file.read(LARGEST).decode("utf-8", "replace")
        except OSError:
            return self
        return _Ignores((*self.files, (folder, tuple(ignore_patterns(text)))), in_git=True)

    def hides(self, path: Path, *, directory: bool) -> bool:
        """Whether git leaves the file or directory out."""
        hidden = False
        for folder, patterns in self.files:
            relative = PurePosixPath(path.relative_to(folder))
            # a pattern for directories matches what is in one
            name = str(relative / "-") if directory else str(relative)
            for pattern in patterns:
                if pattern.matches(name):
                    hidden = not pattern.negated
        return hidden


def _ignores_above(folder: Path) -> _Ignores:
    """The `.gitignore` files from the root of the repository down to `folder`, which itself is wanted in any case."""
    absolute = folder.absolute()
    chain = [absolute, *absolute.parents]
    root = next((index for index, parent in enumerate(chain) if (parent / ".git").exists()), None)
    if root is None:
        return _Ignores()
    ignores = _Ignores(in_git=True)
    for parent in reversed(chain[: root + 1]):
        ignores = ignores.inside(parent)
    return ignores


def _below(folder: Path, ignores: _Ignores) -> Iterator[Path]:
    """The model cards below a directory, in the order of their paths."""
    waiting = [(folder, ignores)]
    while waiting:
        current, applying = waiting.pop()
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError:
            continue
        here = current.absolute()
        readme = next((entry for entry in entries if entry.name == CARD and entry.is_file(follow_symlinks=False)), None)
        holds_model = current != folder and _holds_model(current)
        if readme and not applying.hides(here / CARD, directory=False) and (holds_model or _is_card(current / CARD)):
            yield current / CARD
        if holds_model:
            continue  # what lies below is part of the model, such as its checkpoints
        inner = []
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _NOT_ENTERED or not entry.is_dir(follow_symlinks=False):
                continue
            path = here / entry.name
            if not applying.hides(path, directory=True) and not (path / "pyvenv.cfg").exists():
                inner.append((current / entry.name, applying.inside(path)))
        waiting += reversed(inner)


def _is_card(path: Path) -> bool:
    """Whether a README.md is about a model: it has metadata, and not that of a data set or a Space."""
    try:
        with path.open("rb") as file:
            text = file.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return False
    front_matter = read_front_matter(text)
    if not front_matter.found:
        return front_matter.problem is not None
    return not _OTHER_KEYS & set(front_matter.data or ())
