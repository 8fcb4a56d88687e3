"""From plans to pictures: drawn in a child process, with limits on its time and memory."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import replace

from hubpub.core.errors import HubpubError, UsageError
from hubpub.model.child import Child
from hubpub.model.kept import cache_directory
from hubpub.pictures.figures import figure_json
from hubpub.pictures.picture import Picture
from hubpub.pictures.plan import Planned
from hubpub.pictures.svg import marked

LARGEST_PICTURE = 100_000
"""Bytes that a picture may have."""

# The first time matplotlib looks at all fonts of the machine.
_SECONDS = 120


def draw(planned: Sequence[Planned]) -> tuple[Picture, ...]:
    """The planned pictures with their content.

    Raises:
        UsageError: matplotlib is not installed.
        HubpubError: they cannot be drawn.
    """
    if not planned:
        return ()
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "pictures need matplotlib, which is not installed", "pip install 'hubpub[plots]', or leave out --plots"
        )
    answer = Child(
        "hubpub.pictures.drawing:draw",
        {"figures": [json.loads(figure_json(one.figure)) for one in planned]},
        seconds=_SECONDS,
        env={
            "MPLCONFIGDIR": str(cache_directory() / "matplotlib"),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        },
    ).answer()
    if answer.failure is not None:
        raise HubpubError(f"drawing the pictures {answer.failure}", "run again, or leave out --plots")
    pictures = []
    for one, content in zip(planned, answer.value, strict=True):
        drawn = marked(content.encode(), one.hash)
        if len(drawn) > LARGEST_PICTURE:
            raise HubpubError(
                f"{one.picture.path} would have {len(drawn):,} bytes", "leave out --plots, and report this"
            )
        pictures.append(replace(one.picture, content=drawn))
    return tuple(pictures)
