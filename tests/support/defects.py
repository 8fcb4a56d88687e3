"""Breaking a model folder in one place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Defect = Callable[[Path], object]
Expected = list[tuple[str, str, str]]


def settings(name: str, **changes: Any) -> Defect:
    """Change keys of a JSON file, which is made when it is not there; a value of `REMOVED` removes the key."""

    def defect(model: Path) -> None:
        path = model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        document = json.loads(path.read_text()) if path.exists() else {}
        document |= changes
        path.write_text(json.dumps({key: value for key, value in document.items() if value is not REMOVED}, indent=2))

    return defect


def write(name: str, content: str | bytes) -> Defect:
    """Write a file."""

    def defect(model: Path) -> None:
        path = model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return defect


def remove(*names: str) -> Defect:
    """Delete files."""

    def defect(model: Path) -> None:
        for name in names:
            (model / name).unlink()

    return defect


def hole(name: str, size: int) -> Defect:
    """Write a sparse file."""

    def defect(model: Path) -> None:
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        with (model / name).open("wb") as file:
            file.truncate(size)

    return defect


def all_of(*defects: Defect) -> Defect:
    """One after the other."""
    return lambda model: [defect(model) for defect in defects]


REMOVED = object()
