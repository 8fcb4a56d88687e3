"""Reading a binary file from front to back in pieces, with long stretches skipped instead of read."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import BinaryIO

_PIECE = 1 << 16
_LARGEST_PIECE = 1 << 20


class Broken(Exception):  # noqa: N818 -- it is about the file, not about hubpub
    """What is wrong with the file, as the end of a sentence that begins with its name, and at which byte.

    Attributes:
        message: the sentence's end.
        offset: byte of the file.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class BinaryReader:
    """A file seen through a piece of it in memory.

    Attributes:
        size: bytes of the file.
        end: byte at which reading ends, the size unless a part of the file is all that may be seen.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self.end = size
        self._file = file
        self._piece = b""
        self._start = 0  # of the piece, in the file
        self._at = 0  # in the piece
        self._next = _PIECE

    @property
    def position(self) -> int:
        """Byte of the file that is read next."""
        return self._start + self._at

    @property
    def left(self) -> int:
        """Bytes up to the end."""
        return self.end - self.position

    def take(self, length: int) -> bytes:
        """The next `length` bytes.

        Raises:
            Broken: the file ends before.
        """
        self._need(length)
        begin = self._at
        self._at += length
        return self._piece[begin : self._at]

    def skip(self, length: int) -> None:
        """Go on `length` bytes later.

        Raises:
            Broken: the file ends before.
        """
        if length > self.left:
            raise Broken("is cut short", self.size)
        self._at += length
        if self._at > len(self._piece):
            self._start, self._at, self._piece, self._next = self.position, 0, b"", _PIECE

    def back(self, length: int) -> None:
        """Return to `length` bytes before, which were taken at once just now."""
        self._at -= length

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        """The next numbers, as `form` says.

        Raises:
            Broken: the file ends before.
        """
        self._need(form.size)
        values = form.unpack_from(self._piece, self._at)
        self._at += form.size
        return values

    def skip_strings(self, count: int, length: struct.Struct) -> None:
        """Pass over `count` strings that each follow their length.

        Raises:
            Broken: the file ends before.
        """
        unpack, width = length.unpack_from, length.size
        while count:
            self._need(width)
            piece, at, passed = self._piece, self._at, 0
            # It is the end of the piece that ends the loop: hundreds of thousands of strings are usual.
            try:
                for passed in range(count):  # noqa: B007
                    at += width + unpack(piece, at)[0]
                passed = count
            except (struct.error, OverflowError):
                pass
            count -= passed
            self.skip(at - self._at)

    def varint(self) -> int:
        """The next number in protobuf's variable-length form, https://protobuf.dev/programming-guides/encoding/.

        Raises:
            Broken: the file ends before, or it has more than 64 bits.
        """
        value = shift = 0
        begin = self.position
        while shift < 70:
            if self._at >= len(self._piece) or self.position >= self.end:
                self._need(1)
            byte = self._piece[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF
            shift += 7
        raise Broken("has a number of more than 64 bits", begin)

    def _need(self, length: int) -> None:
        """Have `length` bytes in the piece."""
        if len(self._piece) - self._at >= length and self.position + length <= self.end:
            return
        if length > self.left:
            raise Broken("is cut short", self.size)
        self._start, self._at = self.position, 0
        self._file.seek(self._start)
        self._piece = self._file.read(min(max(length, self._next), self.size - self._start))
        self._next = min(self._next * 4, _LARGEST_PIECE)
        if len(self._piece) < length:
            raise Broken("changed while it was read", self._start + len(self._piece))


def look(open_file: Callable[[], BinaryIO]) -> tuple[BinaryIO, int]:
    """Open a file; its size in bytes comes with it.

    Raises:
        OSError: it cannot be opened.
    """
    file = open_file()
    try:
        return file, file.seek(0, os.SEEK_END)
    except OSError:
        file.close()
        raise
