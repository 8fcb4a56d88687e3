"""By what it is told that code has changed: what it worked out before is then worked out again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path


def code_of(files: Iterable[Path]) -> str:
    """A hash of these files of code, in their order."""
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()


def package_code(name: str) -> str:
    """A hash of the modules of an installed package, which is not imported for it; "" when it is not there."""
    spec = find_spec(name)
    folders = spec.submodule_search_locations if spec is not None else None
    return code_of(sorted(Path(folders[0]).glob("*.py"))) if folders else ""
