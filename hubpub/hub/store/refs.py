"""The refs of a bare repository, as they are on the disk at the moment.

Nothing of what they say is remembered, since other processes move them too. That is affordable because a ref is one
small file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from dulwich.refs import DiskRefsContainer, Ref, check_ref_format

from hubpub.hub.store.small_files import exists, read_small

_PREFIX = b"refs/"
_LONGEST = 4096
_REMEMBERED_NAMES = 1024


class Refs:
    """The refs below `refs/` of one repository. Git keeps each in a file, or many of them in `packed-refs`."""

    def __init__(self, git_folder: Path) -> None:
        self._folder = os.fsencode(git_folder) + b"/"

    def read(self, name: bytes) -> bytes | None:
        """What the full ref `name` says, usually an object's id; None if there is, or can be, none of that name."""
        if not is_ref(name):
            return None
        return self._loose(name) or self._packed().get(Ref(name))

    def names(self, prefix: bytes) -> list[bytes]:
        """The full names of the refs below `prefix`, which ends with a slash, in order."""
        # In this order: a ref that git packs meanwhile is in one of them at least.
        found = {name for name in self._files(prefix) if is_ref(name)}
        found.update(name for name in self._packed() if name.startswith(prefix))
        return sorted(found)

    def _loose(self, name: bytes) -> bytes | None:
        try:
            lines = read_small(self._folder + name).splitlines()
        except OSError:
            # No such file, or nothing that a file could be called.
            return None
        return lines[0] if lines else None

    def _files(self, folder: bytes) -> Iterator[bytes]:
        try:
            with os.scandir(self._folder + folder) as entries:
                found = [(folder + entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return
        for name, is_folder in found:
            if is_folder:
                yield from self._files(name + b"/")
            else:
                yield name

    def _packed(self) -> Mapping[Ref, bytes]:
        # This hub does not pack refs; somebody may have run git on the folder.
        known = exists(self._folder + b"packed-refs")
        return DiskRefsContainer(self._folder).get_packed_refs() if known else {}


def is_ref(name: bytes) -> bool:
    """Whether `name` can be the full name of a ref below `refs/`."""
    return len(name) <= _LONGEST and name.startswith(_PREFIX) and _is_well_formed(name.removeprefix(_PREFIX))


@lru_cache(_REMEMBERED_NAMES)
def _is_well_formed(name: bytes) -> bool:
    return check_ref_format(Ref(name))
