"""Files within files: a seekable view of a part of another file, or of one that is expensive to seek in."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from typing import BinaryIO

_LARGEST_READ = 32 << 20


class BoundedReads:
    """A file for zipfile that refuses to read a huge table of contents into memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes.

        Raises:
            BadZipFile: it would be more than 32 MB.
        """
        content = self._file.read(_LARGEST_READ + 1 if size < 0 else min(size, _LARGEST_READ + 1))
        if len(content) > _LARGEST_READ:
            from zipfile import BadZipFile

            raise BadZipFile("its table of contents is too large")
        return content


class View(io.RawIOBase):
    """A file of known size over a function that reads at an offset. Closing it leaves what is beneath open."""

    def __init__(self, read_at: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._read_at = read_at
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, at no cost."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; nothing is read."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("negative seek position")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as the file goes."""
        wanted = min(len(buffer), max(self._size - self._position, 0))
        data = self._read_at(self._position, wanted) if wanted else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def window(file: BinaryIO, lock: threading.Lock, start: int, size: int) -> BinaryIO:
    """The `size` bytes from `start` on of an open file that others read too."""

    def read_at(offset: int, length: int) -> bytes:
        with lock:
            file.seek(start + offset)
            return file.read(length)

    return view(read_at, size)


def rewinding(open_stream: Callable[[], BinaryIO], size: int) -> BinaryIO:
    """A file that can only be read forwards: going back starts it anew, and only reading goes forward."""
    stream, position = open_stream(), 0

    def read_at(offset: int, length: int) -> bytes:
        nonlocal stream, position
        if offset < position:
            stream.close()
            stream, position = open_stream(), 0
        while position < offset:
            skipped = len(stream.read(min(offset - position, 1 << 20)))
            if not skipped:
                return b""
            position += skipped
        data = stream.read(length)
        position += len(data)
        return data

    return view(read_at, size)


def view(read_at: Callable[[int, int], bytes], size: int) -> BinaryIO:
    """A file of known size over a function that reads at an offset, with a small buffer."""
    return io.BufferedReader(View(read_at, size), 1 << 16)
