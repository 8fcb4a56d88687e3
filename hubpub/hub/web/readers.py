"""The threads that answer requests from what is on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

A = TypeVar("A")
T = TypeVar("T")

_PATIENCE = 0.02
_Outcome = tuple[Any, BaseException | None]
_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[_Outcome]", Callable[[Any], Any], Any]


class Readers:
    """At most `most` threads, of which one at a time leads: it does all there is to do, one request after the other.

    What requests need is mostly Python, so more threads would not do it sooner: they only take turns, and for a request
    of half a millisecond the turns cost as much again. When the leader is at one request for longer than `patience`
    seconds, another thread takes the lead, and the old one ends with that request; so nothing waits for something long.
    """

    def __init__(self, most: int, patience: float = _PATIENCE) -> None:
        self._most = most
        self._patience = patience
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._leader: threading.Thread | None = None
        self._began: float | None = None
        self._closed = False
        # Only the loop's thread looks at these.
        self._waiting = 0
        self._watching = False

    async def run(self, work: Callable[[A], T], argument: A) -> T:
        """What `work(argument)` returns or raises, in one of the threads. All calls come from the same event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Outcome] = loop.create_future()
        if not self._threads:
            self._change_leader()
        self._jobs.put((loop, future, work, argument))
        self._waiting += 1
        self._watch(loop)
        try:
            result, error = await future
        finally:
            self._waiting -= 1
        if error is not None:
            raise error
        found: T = result
        return found

    def close(self) -> None:
        """Drop what has not begun, and wait for what has."""
        with self._lock:
            self._closed, self._leader = True, None
            threads = list(self._threads)
        for _ in threads:
            self._jobs.put(None)
        for thread in threads:
            thread.join()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look every now and then how long the leader takes, for as long as somebody waits."""
        if not self._watching:
            self._watching = True
            loop.call_later(self._patience, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watching = False
        if self._waiting:
            self._watch(loop)
        began = self._began
        if began is not None and time.monotonic() - began > self._patience:
            # If the system has no thread left, the leader goes on as it is.
            with contextlib.suppress(RuntimeError):
                self._change_leader()

    def _change_leader(self) -> None:
        with self._lock:
            if self._closed or len(self._threads) >= self._most:
                return
            thread = threading.Thread(target=self._work, name="hubpub-reader", daemon=True)
            thread.start()
            self._threads.add(thread)

    def _work(self) -> None:
        me = threading.current_thread()
        with self._lock:
            if not self._closed:
                self._leader, self._began = me, None
        while self._leader is me and (job := self._jobs.get()) is not None:
            loop, future, work, argument = job
            self._note(me, time.monotonic())
            outcome: _Outcome = None, None
            if not future.cancelled():
                try:
                    outcome = work(argument), None
                except BaseException as error:  # whatever it is, it is the caller's
                    outcome = None, error
            self._note(me, None)
            # The loop has ended: nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, future, outcome)
            del job, future, argument, outcome
        with self._lock:
            self._threads.discard(me)

    def _note(self, thread: threading.Thread, began: float | None) -> None:
        """Note when the leader began; one that has lost the lead meanwhile has nothing to note."""
        with self._lock:
            if self._leader is thread:
                self._began = began


def _settle(future: asyncio.Future[_Outcome], outcome: _Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
