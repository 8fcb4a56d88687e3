"""What js-yaml 4 makes of a scalar: https://github.com/nodeca/js-yaml/tree/4.1.0/lib/type."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from functools import lru_cache
from typing import Any

from hubpub.core.pattern import Pattern

_NULL = Pattern(r"~|null|Null|NULL|")
_TRUE = Pattern(r"true|True|TRUE")
_FALSE = Pattern(r"false|False|FALSE")
_INT = Pattern(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)")
_FLOAT = Pattern(
    r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_DATE = Pattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?"
)

_TYPES = {"bool": bool, "int": int, "null": type(None), "timestamp": datetime.date}


@lru_cache(maxsize=4096)
def js_scalar(text: str) -> Any:
    """What js-yaml makes of an unquoted scalar: None, a bool, a number, a date or the text itself."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if not text.endswith("_") and (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
        return _number(text)
    if _DATE.fullmatch(text):
        return _date(text)
    return text


def js_tagged(text: str, tag: str) -> Any:
    """What js-yaml makes of a scalar with a tag; ValueError when the tag does not fit."""
    if tag == "str":
        return text
    if tag == "binary":
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ValueError(text) from error
    made = js_scalar(text)
    if tag == "float" and isinstance(made, (int, float)) and not isinstance(made, bool):
        return float(made)
    if type(made) is not _TYPES.get(tag):
        raise ValueError(text)
    return made


def js_key(value: Any) -> str:
    """What JavaScript makes of a value that is used as a key."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return ",".join(map(js_key, value))
    if isinstance(value, dict):
        return "[object Object]"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _number(text: str) -> int | float | str:
    digits = text.replace("_", "").lower()
    try:
        if re.match(r"[-+]?0[bxo]", digits):
            return int(digits, 0)
        if re.fullmatch(r"[-+]?[0-9]+", digits) and len(digits) < 16:
            return int(digits)
        return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text


def _date(text: str) -> datetime.date:
    year, month, day = (int(part) for part in re.findall(r"[0-9]+", text)[:3])
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return datetime.date.min  # JavaScript rolls it over into some other day; a date all the same
