"""Which commit of which repository a model was trained with, as far as files say so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.core.pattern import Pattern
from hubpub.model.files import Fact
from hubpub.model.git_checkout import read_git_checkout
from hubpub.model.walk import open_regular

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.hubpub_run import RecordedRun
    from hubpub.model.run_facts import RunFacts
    from hubpub.model.wandb_run import WandbRun

_DEEPEST = 3  # project/runs/first/model
_MOST_NAMES = 1000
_CODE = Pattern(r".+\.(?:py|ipynb)|pyproject\.toml|setup\.cfg|requirements\.txt|environment\.ya?ml|Makefile")
# Repos of models, which people clone, train and push; what is in them is no training code.
_OF_MODELS = Pattern(r"https://(?:[\w-]+\.)*(?:huggingface\.co|hf\.co|modelscope\.cn)/")
_LARGEST_INDEX = 64 << 20


def training_code(folder: ModelFolder, run: RunFacts) -> tuple[Fact, ...]:
    """The "remote", a web address without names and passwords, and "commit" of the training code; empty when unknown.

    What `hubpub.training` or Weights & Biases noted when the training began is certain. Else the git checkout is taken
    that the folder of a training run lies in, when there is code at its top and its remote is one that others can
    reach. Its commit is left out when the model itself is tracked there: every commit would make the card another one.

    Args:
        folder: the saved model.
        run: what is known of its training.
    """
    noted: tuple[RecordedRun | WandbRun, ...] = (*run.recorded, *reversed(run.wandb))
    for tracked in noted:
        if tracked.remote is not None:
            return (tracked.remote, tracked.commit) if tracked.commit is not None else (tracked.remote,)
    if folder.source.directory is None or not run:
        return ()
    top = _checkout(folder.root)
    checkout = read_git_checkout(top) if top is not None else None
    if top is None or checkout is None or checkout.remote is None or _OF_MODELS.match(checkout.remote):
        return ()
    remote = Fact("remote", checkout.remote, ".git/config", "url")
    if checkout.commit is None or _is_tracked(top, folder):
        return (remote,)
    return remote, Fact("commit", checkout.commit, ".git/HEAD")


def _checkout(root: Path) -> Path | None:
    """The nearest checkout around a folder, when code lies at its top and it is not somebody's home directory."""
    for place in (root, *root.parents[:_DEEPEST]):
        if (place / ".git").exists():
            foreign = place == root and _leads_elsewhere(place / ".git")
            return place if place != Path.home() and _has_code(place) and not foreign else None
    return None


def _leads_elsewhere(git: Path) -> bool:
    """Whether a checkout could be another one: whoever made the model folder made this, and may name any place."""
    inside = (git, *(git / name for name in ("HEAD", "config", "index", "packed-refs", "refs")))
    return not git.is_dir() or (git / "commondir").exists() or any(path.is_symlink() for path in inside)


def _has_code(place: Path) -> bool:
    try:
        names = (entry.name for _, entry in zip(range(_MOST_NAMES), place.iterdir(), strict=False))
        return any(_CODE.fullmatch(name) for name in names)
    except OSError:
        return False


def _is_tracked(top: Path, folder: ModelFolder) -> bool:
    """Whether git's index names a file of the model; its format keeps paths as they are, but for version 4."""
    below = folder.root.relative_to(top).as_posix()
    prefix = "" if below == "." else f"{below}/"
    try:
        with open_regular(top / ".git" / "index") as file:
            index = file.read(_LARGEST_INDEX)
    except OSError:
        return not (top / ".git").is_dir()  # of a worktree the index is elsewhere: be careful
    return any(f"{prefix}{entry.path}".encode() in index for entry in folder.release_files)
