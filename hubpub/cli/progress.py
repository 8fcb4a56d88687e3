"""How far long work is: one line on a terminal, which is gone when the work is done; now and then a line in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from hubpub.cli.output import notify

_USUAL_COLUMNS = 80
_PATIENCE = 1.0  # seconds before anything is shown
_PAUSE = 0.1  # seconds between two lines
_LOG_PAUSE = 10.0  # the same in a log, unless
_LOG_SHARE = 0.1  # so much more is done
_LOG_SHORTEST = 2.0
_LEAST_SECONDS = 2.0  # of measuring before a rate is worth showing
_ERASE = "\r\x1b[K"
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
# What goes on when everything has been read or sent; of little it is over at once.
_THEN = {"reading": "checking what it says", "sending": "waiting for the hub"}
_LITTLE = 10_000_000


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
    line = _Line(shown)
    try:
        yield lambda done, total: line.show(
            ", ".join(filter(None, (_amount(doing, done, total), _then(doing, done, total)))),
            last=bool(_then(doing, done, total)),
        )
    finally:
        line.erase()


class WorkProgress:
    """The steps of long work, and how far each of them is."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Args: `stream` takes what is said of how far it is; None is stderr, where the steps go."""
        self._stream = stream or sys.stderr
        self._line = _Line(self._stream) if self._stream.isatty() else None
        self._doing = ""
        self._started = self._told = 0.0
        self._from, self._share = 0, 0.0

    def say(self, message: str) -> None:
        """A step."""
        self.erase()
        notify(message)

    def erase(self) -> None:
        """Take the line away, if there is one."""
        if self._line:
            self._line.erase()

    def watch(self, doing: str, done: int, total: int, note: str) -> None:
        """So many bytes of the work are done."""
        now = time.monotonic()
        if doing != self._doing:
            self._doing, self._started, self._told = doing, now, now
            self._from, self._share = done, done / total if total else 0.0
        if self._line:
            then = _then(doing, done, total)
            self._line.show(self._text(doing, done, total, then or note, now), last=bool(then))
        elif self._due(done, total, now):
            self._told, self._share = now, done / total if total else 0.0
            notify(self._text(doing, done, total, note, now))

    def _due(self, done: int, total: int, now: float) -> bool:
        since = now - self._told
        share = done / total if total else 0.0
        return since >= _LOG_PAUSE or (since >= _LOG_SHORTEST and share - self._share >= _LOG_SHARE)

    def _text(self, doing: str, done: int, total: int, note: str, now: float) -> str:
        parts = [_amount(doing, done, total)]
        if note:
            parts.append(note)
        seconds = now - self._started
        rate = (done - self._from) / seconds if seconds >= _LEAST_SECONDS else 0.0
        if rate > 0:
            parts.append(f"{rate / 1e6:,.1f} MB/s")
            if total > done:
                parts.append(f"{_duration((total - done) / rate)} left")
        return ", ".join(parts)


def _amount(doing: str, done: int, total: int) -> str:
    unit, name = next(((unit, name) for unit, name in _UNITS if total >= unit), _UNITS[-1])
    share = f"{done / total:.0%}" if total else ""
    return f"{doing}: {done / unit:.1f} of {total / unit:.1f} {name}, {share}"


def _then(doing: str, done: int, total: int) -> str:
    """What goes on after the last byte."""
    return _THEN.get(doing, "") if done >= total > _LITTLE else ""


def _duration(seconds: float) -> str:
    """Roughly: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError):  # no terminal, or one that does not say
        return _USUAL_COLUMNS


class _Line:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next = time.monotonic() + _PATIENCE
        self._visible = False

    def show(self, text: str, *, last: bool = False) -> None:
        now = time.monotonic()
        if now < self._next and not last:
            return
        self._next = now + _PAUSE
        # A line that wraps could not be taken away again.
        self._stream.write(f"{_ERASE}{text[: _columns(self._stream) - 1].rstrip()}")
        self._stream.flush()
        self._visible = True

    def erase(self) -> None:
        if self._visible:
            self._stream.write(_ERASE)
            self._stream.flush()
            self._visible = False
