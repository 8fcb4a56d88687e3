"""Folders with exactly one defect each, and the sound ones they are made from."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.corpus import code, configs, files, packages, weights
from support.corpus.controls import CONTROLS, TRAINING, save_controls
from support.corpus.editing import Defect

__all__ = ["CONTROLS", "DEFECTS", "Defect", "build", "save_controls"]

DEFECTS: dict[str, Defect] = {
    **weights.CONTAINER,
    **weights.VALUES,
    **weights.IN_INDEX,
    **configs.ARCHITECTURE,
    **configs.CONFIGURATION,
    **configs.TOKENIZERS,
    **code.PICKLES,
    **code.TEMPLATES,
    **files.LEFTOVERS,
    **files.SECRETS,
    **files.PATHS,
    **packages.DUPLICATES,
    **packages.ADAPTERS,
    **packages.GGUFS,
    **packages.CARDS,
}


def build(name: str, controls: Path, parent: Path) -> Path:
    """Put a defect into a copy of its control, which is in a folder of its own below `parent`.

    Args:
        name: of the defect.
        controls: where `save_controls` saved them.
        parent: an existing folder.
    """
    defect = DEFECTS[name]
    folder = parent / name / defect.control
    shutil.copytree(controls / defect.control, folder)
    for file in defect.training:
        shutil.copy(controls / TRAINING / file, folder / file)
    defect.change(folder)
    return folder
