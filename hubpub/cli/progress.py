"""One line on a terminal that says how far long work is, and is gone when it is done."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

_PATIENCE = 1.0  # seconds before anything is shown
_PAUSE = 0.1  # seconds between two lines
_ERASE = "\r\x1b[K"


@contextmanager
def progress_line(doing: str, stream: TextIO | None = None) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function that takes bytes done and bytes to do, and shows them; None where nobody is watching.

    Args:
        doing: what the work is: "reading".
        stream: where to show it; None takes stderr.
    """
    shown = stream or sys.stderr
    if not shown.isatty():
        yield None
        return
    line = _Line(doing, shown)
    try:
        yield line.show
    finally:
        line.erase()


class _Line:
    def __init__(self, doing: str, stream: TextIO) -> None:
        self._doing, self._stream = doing, stream
        self._next = time.monotonic() + _PATIENCE
        self._visible = False

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _PAUSE
        share = f"{done / total:.0%}" if total else ""
        self._stream.write(f"{_ERASE}{self._doing}: {done / 1e9:.1f} of {total / 1e9:.1f} GB, {share}")
        self._stream.flush()
        self._visible = True

    def erase(self) -> None:
        if self._visible:
            self._stream.write(_ERASE)
            self._stream.flush()
