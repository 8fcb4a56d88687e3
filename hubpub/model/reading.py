"""Reading a file through, once: its SHA-256 and the values of its tensors in the same pass, in little memory.

Hashing is what takes the time; looking at the values of a block that was hashed just now, and is still in the cache of
the processor, adds a tenth to it. Where a processor is idle, because there are fewer files than processors, it looks at
the values and reads ahead while the block is hashed. hashlib, numpy and readinto let other threads work meanwhile.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from typing import BinaryIO

from hubpub.model.stamp import Stamp, stamp_of
from hubpub.model.values import Gatherer, Span, Values

BLOCK = 1 << 20
"""Bytes read at a time: two blocks of each file are in memory. More do not fit the processor's cache."""

Advance = Callable[[int], None]
"""Takes the number of bytes that were read since it was called last."""

CHANGED = "changed while it was read"


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a file through told.

    Attributes:
        size: bytes read.
        sha256: hex digest of the content; None when it could not be read to its end as one content.
        values: of the tensors asked for, by name; empty when there is no digest.
        problem: why there is no digest, as the end of a sentence that begins with the name of the file.
        stamp: of the file, the same before and after; None where files have none.
    """

    size: int
    sha256: str | None
    values: dict[str, Values] = field(default_factory=dict)
    problem: str | None = None
    stamp: Stamp | None = None


def read_through(
    file: BinaryIO, spans: Sequence[Span], advance: Advance, idle: threading.Semaphore | None = None
) -> Reading:
    """Read an open file from its start to its end.

    Args:
        file: at its start.
        spans: the tensors whose values are wanted; they may not overlap.
        advance: is told of every block; what it raises ends the reading, and is raised here.
        idle: counts the processors that nobody uses; None for none.
    """
    stamp = stamp_of(file)
    if stamp is not None and stamp.size <= BLOCK:
        return _read_at_once(file, stamp, spans, advance)
    reader = _Reader(file, spans, advance, stamp.size if stamp else None, idle or threading.Semaphore(0))
    try:
        read = reader.run()
    except OSError as error:
        return _unreadable(error)
    if stamp != stamp_of(file) or (stamp is not None and read != stamp.size):
        return Reading(read, None, problem=CHANGED)
    return Reading(read, reader.digest.hexdigest(), reader.gatherer.values, stamp=stamp)


def _read_at_once(file: BinaryIO, stamp: Stamp, spans: Sequence[Span], advance: Advance) -> Reading:
    """Read a file of one block, of which a folder may have 100,000."""
    try:
        content = file.read(stamp.size + 1)
    except OSError as error:
        return _unreadable(error)
    advance(len(content))
    if stamp != stamp_of(file) or len(content) != stamp.size:
        return Reading(len(content), None, problem=CHANGED)
    gatherer = Gatherer(spans)
    gatherer.feed(memoryview(content), 0)
    return Reading(len(content), hashlib.sha256(content).hexdigest(), gatherer.values, stamp=stamp)


def _unreadable(error: OSError) -> Reading:
    return Reading(0, None, problem=f"cannot be read: {error.strerror or error}")


class _Reader:
    def __init__(
        self, file: BinaryIO, spans: Sequence[Span], advance: Advance, size: int | None, idle: threading.Semaphore
    ) -> None:
        self.digest = hashlib.sha256()
        self.gatherer = Gatherer(spans)
        self._file, self._advance, self._size, self._idle = file, advance, size, idle
        # Blocks begin where the first tensor does: its numbers are then aligned in memory, which keeps numpy fast.
        self._head = min((span.begin for span in spans), default=0) % BLOCK

    def run(self) -> int:
        """Read to the end, or a block further than the file was long; the number of bytes."""
        longest = BLOCK if self._size is None else min(self._size + 1, BLOCK)
        buffers = cycle((memoryview(bytearray(longest)), memoryview(bytearray(longest))))
        begin = 0
        block = self._fill(next(buffers)[: self._head or BLOCK])
        with ThreadPoolExecutor(1) as beside:
            while block and (self._size is None or begin <= self._size):
                buffer = next(buffers)
                helped = self._idle.acquire(blocking=False)
                following = beside.submit(self._helping, block, begin, buffer) if helped else None
                self.digest.update(block)
                self._advance(len(block))
                end = begin + len(block)
                block = following.result() if following else self._ahead(block, begin, buffer)
                begin = end
        return begin

    def _helping(self, block: memoryview, begin: int, buffer: memoryview) -> memoryview:
        try:
            return self._ahead(block, begin, buffer)
        finally:
            self._idle.release()

    def _ahead(self, block: memoryview, begin: int, buffer: memoryview) -> memoryview:
        """Look at the values of a block, and read the next one."""
        self.gatherer.feed(block, begin)
        return self._fill(buffer)

    def _fill(self, buffer: memoryview) -> memoryview:
        """Read until the buffer is full or the file at its end; the part that was filled."""
        filled = 0
        while filled < len(buffer):
            count = self._file.readinto(buffer[filled:])  # type: ignore[attr-defined]
            if not count:
                break
            filled += count
        return buffer[:filled]
