"""The journal: what an unfinished push has begun, so that the next run finishes it and does nothing twice.

What was done is read from the hub, which knows it better. Only what the hub cannot tell is kept here: that a private
repo was made by a push that wants it public at its end, and which commit the push was to make on top of which. One
small file for each repo, branch and folder, in the user's cache directory, without any token.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hubpub.core.errors import UsageError
from hubpub.core.files import replace_file
from hubpub.model.kept import cache_directory

JOURNAL_SCHEMA = "hubpub.journal/1"
_KEPT_SECONDS = 30 * 24 * 3600
_LARGEST = 1 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """What an unfinished push has begun.

    Attributes:
        release: its release id; "" before there is one.
        base: commit that the branch was at.
        unveils: whether it created the repo, private, and is to make it public at its end.
        staged: whether it may have left a pull request behind.
    """

    release: str = ""
    base: str | None = None
    unveils: bool = False
    staged: bool = False


class Journal:
    """The file of one repo, branch and folder."""

    def __init__(self, endpoint: str, repo_id: str, revision: str, folder: Path, directory: Path | None = None) -> None:
        """Args: `directory` is where journals are; None takes the one of this user."""
        self._about = {
            "endpoint": endpoint,
            "repo_id": repo_id,
            "revision": revision,
            "folder": str(folder.absolute()),
        }
        name = hashlib.sha256(json.dumps(self._about).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._path = (directory or cache_directory() / "pushes") / f"{name}.json"

    def read(self) -> Entry | None:
        """What an earlier run noted; None when there is nothing unfinished, or nothing that can be believed."""
        try:
            with self._path.open("rb") as file:
                document = json.loads(file.read(_LARGEST))
            if document["schema"] != JOURNAL_SCHEMA or document["about"] != self._about:
                return None
            return _entry(document["entry"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, entry: Entry) -> None:
        """Note it, in one step. A machine that cannot keep it publishes all the same."""
        document = {"schema": JOURNAL_SCHEMA, "about": self._about, "entry": asdict(entry), "time": int(time.time())}
        with contextlib.suppress(OSError, UsageError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._prune()
            replace_file(self._path, json.dumps(document).encode("utf-8", "backslashreplace"))

    def note(self, **changes: Any) -> Entry:
        """Change what is noted."""
        entry = replace(self.read() or Entry(), **changes)
        self.write(entry)
        return entry

    def close(self) -> None:
        """The push is finished."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _prune(self) -> None:
        oldest = time.time() - _KEPT_SECONDS
        for other in self._path.parent.glob("*.json"):
            with contextlib.suppress(OSError):
                if other.stat().st_mtime < oldest:
                    other.unlink()


def _entry(values: dict[str, Any]) -> Entry:
    entry = Entry(**values)
    texts = isinstance(entry.release, str) and isinstance(entry.base, str | None)
    if not texts or not isinstance(entry.unveils, bool) or not isinstance(entry.staged, bool):
        raise TypeError("not what was written")
    return entry
