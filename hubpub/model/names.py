"""Names of files as other systems see them: what Windows, macOS and the Hub make of a path."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|com[1-9\u00b9\u00b2\u00b3]|lpt[1-9\u00b9\u00b2\u00b3])(?:\..*)?", re.IGNORECASE
)
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')

LONGEST_NAME = 255
"""Bytes that a name may have on Linux and macOS; Windows counts 255 UTF-16 units."""

LONGEST_PATH = 1000
"""Bytes that a path may have and still be written below a directory on Linux (4,096) and macOS (1,024)."""


def unportable(path: str) -> str | None:
    """Why Windows cannot hold the path, as the end of a sentence that begins with it."""
    for part in path.split("/"):
        if _RESERVED.fullmatch(part):
            return f"has the name {part}, which is a device on Windows"
        if found := _FORBIDDEN.search(part):
            return f"has a {found[0]} in its name, which Windows does not allow"
        if part.endswith((".", " ")):
            return f"has a name that ends with a {'dot' if part.endswith('.') else 'space'}, which Windows cuts off"
        if part.startswith(" "):
            return "has a name that begins with a space, which is lost in most commands"
    return None


def too_long(path: str) -> str | None:
    """Why the path is too long for other machines, as the end of a sentence that begins with it."""
    name = max(path.split("/"), key=lambda part: len(part.encode()))
    if len(name.encode()) > LONGEST_NAME:
        return f"has a name of {len(name.encode()):,} bytes, and file systems allow {LONGEST_NAME}"
    if len(path.encode()) > LONGEST_PATH:
        return f"is a path of {len(path.encode()):,} bytes, and macOS allows 1,024 from the root on"
    return None


def not_composed(path: str) -> bool:
    """Whether the path is written with decomposed characters (e + accent), as HFS+ does, and not in NFC."""
    return not path.isascii() and not unicodedata.is_normalized("NFC", path)


def collisions(paths: Iterable[str]) -> list[tuple[str, ...]]:
    """The files and directories ("dir/") that are one and the same where case, or the form of accents, does not count.

    Of directories that collide, only they are told, not the files in them.
    """
    paths = list(paths)
    if not _may_collide(paths):
        return []
    by_key: dict[str, dict[str, None]] = {}
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            shown = "/".join(parts[:depth]) + ("" if depth == len(parts) else "/")
            key = "/".join((*parts[: depth - 1], _folded(parts[depth - 1])))
            by_key.setdefault(key, {})[shown] = None
    return [tuple(sorted(same)) for same in by_key.values() if len(same) > 1]


def _may_collide(paths: list[str]) -> bool:
    """Whether any two entries are the same when the whole path is folded: quick, where there are 100,000."""
    entries: set[str] = set()
    for path in paths:
        while path and path not in entries:
            entries.add(path)
            path = path[: max(path.rfind("/"), 0)]
    folded = {path.lower() if path.isascii() else "/".join(map(_folded, path.split("/"))) for path in entries}
    return len(folded) < len(entries)


def crowded(paths: Iterable[str], most: int) -> list[tuple[str, int]]:
    """The directories ("" or "dir/") with more than `most` entries, and how many they have."""
    seen: set[str] = set()
    entries: Counter[str] = Counter()
    for path in paths:
        while path and path not in seen:
            seen.add(path)
            directory = path[: path.rstrip("/").rfind("/") + 1]
            entries[directory] += 1
            path = directory
    return [(directory, count) for directory, count in sorted(entries.items()) if count > most]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold() if not name.isascii() else name.lower()
