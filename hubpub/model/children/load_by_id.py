"""Load a model by its repo id at a commit, as its users do, from a cache in place of a hub and without a network."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from hubpub.model.children.cached_hub import use_cached_hub
from hubpub.model.children.rehearse_load import load as load_and_tell
from hubpub.model.guard import Guard

_ABSENT = "needs {repo}, another repo, which is not fetched"


def load(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of `hubpub.model.children.rehearse_load`, without any code of the repo.

    Args:
        request: as it takes, with a "revision", and "cache", where the repo is.

    Returns:
        What it tells of each step: {"step", "error", "skip", "note", "seconds"}.
    """
    with contextlib.suppress(ImportError):
        _refuse_pickles()
    use_cached_hub(Path(request["cache"]))
    told: list[dict[str, Any]] = []
    nothing_refused = Guard("", (), (), 0)
    load_and_tell(
        {**request, "trust": False, "absent": _ABSENT}, lambda event: told.append(dict(event)), nothing_refused
    )
    return [event for event in told if "step" in event]


def _refuse_pickles() -> None:
    """The library picks the file; where it picks a pickle, that is as far as it gets."""
    import torch

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError("the library takes a pickle for the weights, and hubpub unpickles nothing")

    torch.load = refuse
