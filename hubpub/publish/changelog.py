"""A section for a release at the top of a changelog of the user: written once, however often it is asked for."""

from __future__ import annotations

import re
from pathlib import Path

from hubpub.core.errors import UsageError
from hubpub.core.files import replace_file
from hubpub.publish.markdown import plain

_LARGEST = 16 << 20
_TITLE = "# Changelog"
_SECTION = re.compile(r"^##[ \t]", re.MULTILINE)


def add_section(path: Path, name: str, section: str) -> bool:
    """Put the section above the first one of the file; whether it was written. One that has that name is there already.

    Args:
        path: the changelog; it is made if need be.
        name: of the release, which is in the section's heading.
        section: Markdown that begins with `## name`.

    Raises:
        UsageError: the file cannot be read or written.
    """
    text = _read(path)
    spelt = "|".join(re.escape(form) for form in {name, plain(name)})
    heading = re.compile(rf"^##[ \t]+\[?(?:{spelt})(?![\w.+-])", re.MULTILINE)
    if heading.search(text):
        return False
    if not text.strip():
        text = f"{_TITLE}\n"
    first = _SECTION.search(text)
    place = first.start() if first else len(text)
    before = text[:place].rstrip("\n")
    after = text[place:]
    joined = f"{before}\n\n{section.strip()}\n" + (f"\n{after}" if after else "")
    try:
        replace_file(path, joined.encode())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", "name another file") from error
    return True


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name another file") from error
    try:
        if len(content) <= _LARGEST:
            return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise UsageError(f"{path} is not a changelog: it is no UTF-8 text, or has more than 16 MB", "name another file")
