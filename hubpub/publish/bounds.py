"""Bounds on calls as a whole: a hub that says a byte now and then would otherwise hold a push for ever.

The client's own timeouts are for the next byte alone (https://www.python-httpx.org/advanced/timeouts/), and each byte
begins them anew: those of a header, too, of which nobody hears before it is complete. So a call runs in a thread of its
own, which is left behind when its time is up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import BinaryIO, TypeVar

Result = TypeVar("Result")

_BLOCK = 1 << 16


class Bound:
    """Until when something has to be done; of a transfer, until when it must have moved as much as is asked for.

    One thread may wait for what another one does.
    """

    def __init__(self, seconds: float, least: int | None = None) -> None:
        """Args: `seconds` from now; with `least`, they begin anew whenever so many bytes have moved."""
        self._least = least
        self._moved = 0
        self.give(seconds)

    @property
    def left(self) -> float:
        """Seconds that are left; not more than none when the time is up."""
        return self._end - time.monotonic()

    def give(self, seconds: float) -> None:
        """So many seconds from now, whatever was left."""
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def moved(self, size: int) -> None:
        """So many bytes have moved."""
        self._moved += size
        if self._least is not None and self._moved >= self._least:
            self._moved = 0
            self.give(self._seconds)

    def received(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks of an answer as they come; what is done with each of them takes none of the time.

        Raises:
            TimeoutError: the time is up.
        """
        for block in blocks:
            self.moved(len(block))
            if self.left <= 0:
                raise self.exceeded()
            given = time.monotonic()
            yield block
            self._end += time.monotonic() - given

    def exceeded(self) -> TimeoutError:
        """The error for when the time is up."""
        if self._least is None:
            return TimeoutError(f"no whole answer within {self._seconds:g} s")
        if not self._moved:
            return TimeoutError(f"nothing moved for {self._seconds:g} s")
        return TimeoutError(f"less than {self._least:,} bytes moved within {self._seconds:g} s")


class Body:
    """A file as the body of a request, from its start each time; the hub has to take it at the rate of `bound`."""

    def __init__(self, file: BinaryIO, bound: Bound, answer_within: float) -> None:
        """Args: `answer_within` are the seconds that the hub has for its answer, once it has all of the body."""
        self._file = file
        self._bound = bound
        self._answer_within = answer_within
        self.size = file.seek(0, 2)

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            yield block
            self._bound.moved(len(block))
        self._bound.give(self._answer_within)


def within(bound: Bound, work: Callable[[], Result], let_go: Callable[[Result], object] = lambda _: None) -> Result:
    """What `work` returns, in a thread of its own, if it does so in time.

    Args:
        bound: of the time.
        work: what is done; it may go on when nobody waits for it any more.
        let_go: is given the result that nobody waits for any more.

    Raises:
        TimeoutError: the time is up.
    """
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # it is raised where it is waited for
            done.set_exception(error)

    def discard(late: Future[Result]) -> None:
        if late.exception() is None:
            let_go(late.result())

    threading.Thread(target=run, daemon=True).start()
    try:
        while (left := bound.left) > 0:
            with suppress(TimeoutError):
                done.exception(left)
            if done.done():
                return done.result()
    except BaseException:
        done.add_done_callback(discard)
        raise
    done.add_done_callback(discard)
    raise bound.exceeded()
