"""The package's own data about models, written by scripts/refresh_model_data.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"


@cache
def read_data(name: str) -> Any:
    """The parsed JSON of one of the data files."""
    return json.loads((_DATA / name).read_text(encoding="utf-8"))
