"""The lock: what hubpub rendered last, in `.hubpub/card.lock.json` beside the card.

It is written in three steps: the new lock beside the old one, the card, and the new lock in place of the old one. The
new one is taken for true only when the card is the one that it was written for, so that a crash between the steps
leaves the old lock with the old card, or the new one with the new one. Whoever made the folder may have written the
lock: it is read within bounds, and says nothing but which text may be hubpub's own.
"""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import NamedTuple

import hubpub
from hubpub.card.merge.given import Given
from hubpub.card.metadata.schema import is_repo_id
from hubpub.core.errors import ConflictError, UsageError
from hubpub.core.files import replace_file
from hubpub.model.jsonfile import read_json
from hubpub.model.walk import open_regular

LOCK_SCHEMA = "hubpub.card-lock/1"
LOCK = ".hubpub/card.lock.json"
_NEXT = ".hubpub/card.lock.next.json"
_LARGEST = 1 << 20


class Lock(NamedTuple):
    """What hubpub rendered last, the SHA-256 of the card that it wrote then, and the repo that it was for, if told."""

    given: Given
    card: str
    repo_id: str | None = None

    def to_bytes(self) -> bytes:
        """The file: the same lock gives the same bytes."""
        document = {
            "schema": LOCK_SCHEMA,
            "hubpub": hubpub.__version__,
            "card": {"sha256": self.card, **({"repo_id": self.repo_id} if self.repo_id else {})},
            **self.given.to_json(),
        }
        return (json.dumps(document, indent=2, ensure_ascii=True, default=str) + "\n").encode()


def read_lock(root: Path, card: bytes | None) -> Lock | None:
    """The lock of the model folder `root` for the card that is there; None when there is none that can be read."""
    written = _read(root, _NEXT)
    if written is not None and card is not None and written.card == _sha256(card):
        return written
    return _read(root, LOCK)


def is_damaged(root: Path) -> bool:
    """Whether there is a file in the lock's place that is none, such as one with the marks of a merge in it."""
    path = root / LOCK
    return path.is_file() and not path.parent.is_symlink() and not path.is_symlink() and _read(root, LOCK) is None


def write_card(
    root: Path, readme: Path, text: str, given: Given, before: bytes | None, repo_id: str | None = None
) -> bool:
    """Write a card and its lock, each in one step, and only what differs; whether the card was written.

    Args:
        root: of the model.
        readme: the card's file.
        text: the card.
        given: what hubpub has rendered of it.
        before: the card that it was made from; None when there was none.
        repo_id: the repo that it is for, if that was told.

    Raises:
        ConflictError: another card is there than the one that it was made from.
        UsageError: they cannot be written, or lead out of the folder.
    """
    if readme.is_symlink():
        raise UsageError(f"{readme} is a symlink", "replace it by a regular file first")
    content = text.encode()
    try:
        now = readme.read_bytes() if readme.is_file() else None
    except OSError as error:
        raise UsageError(f"{readme} cannot be read: {error.strerror}", "check its permissions") from error
    if now is not None and now not in (before, content):
        why = "was changed meanwhile" if before is not None else "is there, and was not read: the settings exclude it"
        raise ConflictError(f"{readme} {why}; it stays as it is", "run again, or take it out of `exclude`")
    lock = Lock(given, _sha256(content), repo_id).to_bytes()
    known = read_lock(root, now)
    changed, outdated = now != content, known is None or known.to_bytes() != lock or (root / _NEXT).exists()
    if outdated:
        _make_folder(root)
        replace_file(root / _NEXT, lock)
    if changed:
        replace_file(readme, content)
    if outdated:
        replace_file(root / LOCK, lock)
        (root / _NEXT).unlink(missing_ok=True)
    return changed


def _read(root: Path, name: str) -> Lock | None:
    path = root / name
    if path.parent.is_symlink() or path.is_symlink() or not path.is_file():
        return None
    document = read_json(lambda: open_regular(path), limit=_LARGEST).value
    card = document.get("card") if isinstance(document, dict) else None
    if not isinstance(card, dict) or not isinstance(card.get("sha256"), str) or document.get("schema") != LOCK_SCHEMA:
        return None
    given, repo_id = Given.from_json(document), card.get("repo_id")
    known_id = repo_id if isinstance(repo_id, str) and "/" in repo_id and is_repo_id(repo_id) else None
    return Lock(given, card["sha256"], known_id) if given is not None else None


def _make_folder(root: Path) -> None:
    folder = (root / LOCK).parent
    try:
        folder.mkdir(exist_ok=True)
        is_folder = stat.S_ISDIR(folder.lstat().st_mode)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}", "check the folder's permissions") from error
    if not is_folder:
        raise UsageError(f"{folder} is a symlink", "replace it by a directory: hubpub keeps its notes there")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
