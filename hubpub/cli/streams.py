"""The standard streams of the command: what happens when one is closed, full, or read by nobody any more.

What is said of the steps must never decide what becomes of a release, so stderr takes everything, and what cannot be
written there is lost. A result that cannot be written to stdout ends the command.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO, cast


class StdoutError(BaseException):
    """Stdout takes no more; everything that is meant for it from here on is lost.

    Attributes:
        reason: why, in words; None where its reader has gone, as `head` does.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.reason = None if isinstance(error, BrokenPipeError) else error.strerror


def steady_streams() -> None:
    """Open the streams that are closed, and bear those that cannot be written to."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, _nowhere("w" if number else "r"))
    sys.stdout = _steady(sys.stdout, must=True)
    sys.stderr = _steady(sys.stderr, must=False)


def _nowhere(mode: str) -> TextIO:
    """A stream in place of a closed one: else the next connection or file would get its number, and what is printed."""
    opened = os.open(os.devnull, os.O_RDWR)
    os.set_inheritable(opened, True)
    return cast("TextIO", open(opened, mode, encoding="utf-8", closefd=False))


def _steady(stream: Any, *, must: bool) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(_Raw(stream, must=must)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _Raw(io.RawIOBase):
    def __init__(self, stream: Any, *, must: bool) -> None:
        super().__init__()
        self._stream = stream  # it closes what is below when it goes
        self._below = getattr(stream.buffer, "raw", stream.buffer)
        self._must = must
        self._failed = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._below.fileno())

    def isatty(self) -> bool:
        return bool(self._below.isatty())

    def write(self, data: Any) -> int:
        if self._failed:  # the interpreter tries once more at its end
            return len(data)
        try:
            while (written := self._below.write(data)) is None:
                _wait(self)
        except OSError as error:
            self._failed = True
            if not self._must:
                return len(data)
            raise StdoutError(error) from error
        return int(written)


def _wait(stream: _Raw) -> None:
    """Until a pipe that does not block has room again; others set that for a pipe that they share with this process."""
    import select

    select.select([], [stream], [])
