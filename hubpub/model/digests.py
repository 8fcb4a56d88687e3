"""Reading all files of a folder through, side by side: hashes, and the values of tensors."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from hubpub.model.reading import CHANGED, Reading, read_through
from hubpub.model.reading_cache import ReadingCache
from hubpub.model.stamp import stamp_of
from hubpub.model.values import Span
from hubpub.model.walk import FileEntry

Progress = Callable[[int, int], None]
"""Takes how many bytes are done, and how many there are to do; called from several threads, one at a time."""

_MOST_WORKERS = 8
_BATCH_FILES = 200
_BATCH_BYTES = 1 << 20


def read_all(
    entries: Sequence[FileEntry],
    *,
    spans: Mapping[str, Sequence[Span]],
    open_file: Callable[[str], BinaryIO],
    directory: Path | None,
    progress: Progress | None = None,
    cache: ReadingCache | None = None,
) -> dict[str, Reading]:
    """Read files through, the largest first, each at most once; what the cache knows is not read again.

    Args:
        entries: the files.
        spans: the tensors whose values are wanted, by path; they hold something and do not overlap.
        open_file: opens a path.
        directory: where the files are on this machine; None when they are not, and nothing is cached.
        progress: is told how far it is.
        cache: None takes the one of this user.
    """
    total = _Total(sum(entry.size for entry in entries), progress)
    workers = _workers()
    idle = threading.Semaphore(workers)
    kept = (cache or ReadingCache.of_user()) if directory is not None else None

    def read(entry: FileEntry) -> Reading:
        wanted = spans.get(entry.path, ())
        begun = time.time_ns()
        place = f"{directory}/{entry.path}" if directory is not None else ""
        try:
            with open_file(entry.path) as file:
                stamp = stamp_of(file)
                if directory is not None and stamp and (stamp.size, stamp.mtime_ns) != (entry.size, entry.mtime_ns):
                    return Reading(0, None, problem=CHANGED)
                known = kept.get(place, stamp, {span.name for span in wanted}) if kept and stamp else None
                if known is not None:
                    total.advance(known.size)
                    return known
                with idle:
                    reading = read_through(file, wanted, total.advance, idle)
        except OSError as error:
            return Reading(0, None, problem=f"cannot be read: {error.strerror or error}")
        if kept:
            kept.put(place, reading, begun)
        return reading

    def read_batch(batch: list[FileEntry]) -> list[tuple[str, Reading]]:
        return [(entry.path, read(entry)) for entry in batch]

    ordered = sorted(entries, key=lambda entry: (-entry.size, entry.path))
    with ThreadPoolExecutor(workers) as pool:
        try:
            readings = dict(chain.from_iterable(pool.map(read_batch, _batches(ordered))))
        except BaseException:  # Ctrl-C among them: do not read on for minutes before it is heard
            total.stopped = True
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if kept:
        kept.trim()
    return readings


def _batches(entries: Sequence[FileEntry]) -> Iterator[list[FileEntry]]:
    """The files in bundles that are worth handing to a thread: a large file by itself."""
    batch: list[FileEntry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.size
        if len(batch) == _BATCH_FILES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _workers() -> int:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, _MOST_WORKERS)


class _StoppedError(Exception):
    """Nobody waits for the reading any more."""


class _Total:
    """Adds up what all threads have read."""

    def __init__(self, size: int, progress: Progress | None) -> None:
        self.stopped = False
        self._size, self._progress = size, progress
        self._done = 0
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        if self.stopped:
            raise _StoppedError
        with self._lock:
            self._done += count
            if self._progress is not None:
                self._progress(min(self._done, self._size), self._size)
