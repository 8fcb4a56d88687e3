"""Writing a file of the user's: in one step, never through a link. Removing directories that others have filled."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hubpub.core.errors import UsageError

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one. Its mode stays.

    Raises:
        UsageError: it cannot be written, or `path` is a link.
    """
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, keep: Path | None = None) -> Iterator[BinaryIO]:
    """A new file to write to, which stands at `path` once all is written; after an error nothing has changed.

    Args:
        path: where it will be; the mode of what is there stays.
        keep: where the old file is from then on; it must not exist.

    Raises:
        UsageError: it cannot be written, or `path` is a link or a device.
    """
    check_replaceable(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        # A new file has the mode that the user's umask says; one in place of another is never open to more than that.
        handle = os.open(temporary, _NEW_FILE, 0o666 if mode is None else 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                temporary.chmod(mode)
            if keep is not None:
                os.link(path, keep)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", "check the folder's permissions and the disk"
        ) from error


def check_replaceable(path: Path) -> None:
    """Return if a file can be put there, as far as can be told beforehand.

    Raises:
        UsageError: a link, a directory or a device is there, or the folder takes no file.
    """
    if path.is_symlink():
        raise UsageError(f"{path} is a symlink", "replace it by a regular file first")
    try:
        other, parent = path.exists() and not path.is_file(), path.parent.is_dir()
    except OSError:  # what cannot be looked at, writing tells
        return
    if other:
        raise UsageError(f"{path} is not a regular file", "name another one")
    if not parent:
        raise UsageError(f"{path.parent} is not a folder", "make it first, or write somewhere else")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{path} cannot be written: no file can be made in {path.parent}", "write somewhere else")


def remove_tree(root: Path) -> None:
    """Remove a directory that anybody may have filled, as deep as it is and whatever its modes; POSIX only.

    `shutil.rmtree` calls itself for each level, and so ends where Python's stack does. Here every directory is moved to
    the top first. Nothing is followed, nobody may be writing there any more, and what cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        top = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            waiting = _emptied(top, top)
            while waiting:
                name = waiting.pop()
                with contextlib.suppress(OSError):
                    os.chmod(name, 0o700, dir_fd=top)
                    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
                    try:
                        waiting += _emptied(folder, top)
                    finally:
                        os.close(folder)
                    os.rmdir(name, dir_fd=top)
        finally:
            os.close(top)
        root.rmdir()


def _emptied(folder: int, top: int) -> list[str]:
    """Remove the files of a directory, and move its directories to the top; the names that they have there."""
    moved = []
    with os.scandir(folder) as entries:
        listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in listed:
        with contextlib.suppress(OSError):
            if is_folder:
                new = secrets.token_hex(16)
                os.rename(name, new, src_dir_fd=folder, dst_dir_fd=top)
                moved.append(new)
            else:
                os.unlink(name, dir_fd=folder)
    return moved
