"""The state of a preview that follows its files: the page as it is now, and whether anything it shows has changed.

Files are looked at by their size and time, a few times in a second. The system is not asked to tell, so that this
works in containers and on network drives too.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from hubpub.core.errors import HubpubError
from hubpub.core.settings import Settings
from hubpub.preview.files import EVAL_RESULTS
from hubpub.preview.page import live_page
from hubpub.preview.subject import Subject, read_subject

_MOST_ENTRIES = 2_000
_MOST_FILES = 500
_MOST_TRIES = 3
# Editors that save by renaming leave a moment without the file.
_PATIENCE = 1.0


class LivePreview:
    """The preview of one path.

    Args:
        path: a README.md, or a folder.
        settings: reads the settings; they may change too.
        remote_images: whether pictures from elsewhere are loaded.
    """

    def __init__(self, path: Path, settings: Callable[[], Settings], *, remote_images: bool) -> None:
        self._path = path
        self._settings = settings
        self._remote_images = remote_images
        self._subject: Subject | None = None
        self._files: frozenset[str] = frozenset()
        self._settings_file: Path | None = None
        self._version = ""
        self._missing_since: float | None = None

    @property
    def root(self) -> Path:
        """The folder whose files the card shows."""
        return self._path if self._path.is_dir() else self._path.parent

    def page(self) -> str:
        """The page as the files are now; what cannot be read is said above the page as it was before."""
        for _ in range(_MOST_TRIES):
            version, watched = self.version(), (self._files, self._settings_file)
            html = self._rendered(version)
            # What was not looked at yet when the version was taken may have changed meanwhile.
            if watched == (self._files, self._settings_file):
                break
        return html

    def _rendered(self, version: str) -> str:
        try:
            settings = self._settings()
            self._settings_file = settings.source
            subject = read_subject(self._path, settings)
            page = live_page(subject, version, remote_images=self._remote_images)
        except HubpubError as error:
            problem = (error.message, error.next_step)
        except Exception as error:  # the next state of the files may be better
            problem = (f"hubpub cannot show this: {type(error).__name__}: {error}", "this is a fault of hubpub")
        else:
            self._subject, self._files = subject, page.files
            return page.html
        return live_page(self._subject, version, remote_images=self._remote_images, problem=problem).html

    def version(self) -> str:
        """A word for the state of all that counts; it stays for a moment when the card is missing."""
        card = self._path / "README.md" if self._path.is_dir() else self._path
        if self._version and self._subject and not self._subject.is_rendered and not os.path.lexists(card):
            self._missing_since = self._missing_since or time.monotonic()
            if time.monotonic() - self._missing_since < _PATIENCE:
                return self._version
        else:
            self._missing_since = None
        digest = hashlib.sha256()
        for state in self._states(card):
            digest.update(repr(state).encode("utf-8", "surrogateescape"))
        self._version = digest.hexdigest()[:16]
        return self._version

    def _states(self, card: Path) -> Iterator[tuple[object, ...]]:
        root = self.root
        watched = [card, self._settings_file, *(root / name for name in sorted(self._files)[:_MOST_FILES])]
        for path in watched:
            yield _state(path)
        # What the other files of a model say is compared with the card.
        for folder in (root / EVAL_RESULTS, *([root] if self._path.is_dir() else ())):
            try:
                with os.scandir(folder) as entries:
                    names = sorted(entry.name for entry in islice(entries, _MOST_ENTRIES))
            except OSError:
                continue
            for name in names:
                yield _state(folder / name)


def _state(path: Path | None) -> tuple[object, ...]:
    if path is None:
        return ()
    try:
        status = path.stat()
    except (OSError, ValueError):
        return (str(path), None)
    return (str(path), status.st_size, status.st_mtime_ns, status.st_ino)
