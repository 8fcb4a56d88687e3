"""Values of a training script as JSON, without secrets and without where things lie on the machine that trained."""

from __future__ import annotations

import math
import platform
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from hubpub.model.files import line_of

REDACTED = "(redacted)"

_LONGEST_TEXT = 500
_MOST_ITEMS = 200
_DEEPEST = 6
_SECRET_NAME = re.compile(
    r".*(?:token(?!s|izer|_id|_type|_count|_len)|secret|passw|api_?key|access_?key|private_?key|credential|auth(?:orization)?_?header).*",
    re.IGNORECASE,
)
# Where a file lies tells of people and machines; its name tells what was used.
_PATH = re.compile(r"(?<![\w.:/\\])(?:~|/|[A-Za-z]:[\\/]|\\\\)(?:[^\s\"'=:,;\\/]+[\\/])+([^\s\"'=:,;\\/]*)")
_NO_PATH = re.compile(r"https?://|hf://|s3://|gs://")
_ADDRESS_LOGIN = re.compile(r"(\w+://)[^/\s]+@")
_FILE_ADDRESS = re.compile(r"file://(?=/)", re.IGNORECASE)


def plain(value: Any, name: str = "", depth: int = 0) -> Any:
    """The value as JSON has it; what it cannot hold becomes the name of its class.

    Args:
        value: of any kind.
        name: its key, which tells whether it is secret.
        depth: how deeply it is nested.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_NAME.fullmatch(name) and not isinstance(value, int | float):
        return REDACTED
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 63 else str(value)[:40]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return text(value)
    if depth < _DEEPEST and isinstance(value, Mapping):
        items = list(value.items())[:_MOST_ITEMS]
        return {text(str(key))[:200]: plain(one, str(key), depth + 1) for key, one in items}
    if depth < _DEEPEST and isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        listed = sorted(value, key=repr) if isinstance(value, set | frozenset) else value[:_MOST_ITEMS]
        return [plain(one, name, depth + 1) for one in listed[:_MOST_ITEMS]]
    if (number := as_number(value)) is not None:
        return number
    return type(value).__name__


def text(value: str) -> str:
    """The text in one line without secrets; of paths on this machine only the last part is left."""
    from hubpub.model.secrets import find_secrets  # compiles its patterns

    line = line_of(_FILE_ADDRESS.sub("", _ADDRESS_LOGIN.sub(r"\1", value)), _LONGEST_TEXT) or ""
    if next(find_secrets(line), None) is not None:
        return REDACTED
    host = platform.node()
    if len(host) > 3:
        line = line.replace(host, "host")
    if _NO_PATH.match(line):
        return line
    return _PATH.sub(lambda found: f"…/{found[1]}" if found[1] else "…/", line)


def command_line(arguments: Iterable[str]) -> str:
    """A command as one line; the values of options with secret names are left out."""
    shown = []
    hide = False
    for argument in list(arguments)[:_MOST_ITEMS]:
        name, equals, value = argument.partition("=")
        secret = bool(_SECRET_NAME.fullmatch(name)) and len(name) < 100
        if hide and not argument.startswith("--"):
            shown.append(REDACTED)
        elif secret and equals:
            shown.append(f"{name}={REDACTED}")
        else:
            shown.append(f"{text(name)}={text(value)}" if equals else text(argument))
        hide = secret and not equals and argument.startswith("-")
    return " ".join(shown)[:4000]


def as_number(value: Any) -> int | float | None:
    """The number that a value is, or holds as a tensor does; None for none that is finite."""
    if isinstance(value, bool | str | bytes):
        return None
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 63 else None
    try:
        if getattr(value, "ndim", 0) or not (hasattr(value, "item") or hasattr(value, "__float__")):
            return None
        number = value.item() if hasattr(value, "item") else float(value)
        if isinstance(number, int) and not isinstance(number, bool):
            return as_number(number)
        number = _single(float(number)) if _is_single(value) else float(number)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_single(value: Any) -> bool:
    return str(getattr(value, "dtype", "")).removeprefix("torch.") in ("float32", "float16", "bfloat16")


def _single(number: float) -> float:
    """The shortest number that is this one in single precision: 0.4, and not 0.4000000059604645."""
    if not abs(number) < 1e38:  # next to the largest, rounding up is out of its range
        return number
    stored = struct.pack("<f", number)
    shorter = (float(f"{number:.{digits}g}") for digits in range(1, 9))
    return next((one for one in shorter if struct.pack("<f", one) == stored), number)
