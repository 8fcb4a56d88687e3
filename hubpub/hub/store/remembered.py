"""A memory with a bound, for what would be costly to work out again."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values by key, those used last. Safe to use from any thread.

    The weights of what is kept add up to `most` at the most, but for one that alone is heavier.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[K, tuple[V, int]] = {}
        self._weight = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value under `key`; None if it is not remembered."""
        with self._lock:
            known = self._known.pop(key, None)
            if known is None:
                return None
            self._known[key] = known
            return known[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Remember a value, in the place of the one under `key` if there is one."""
        with self._lock:
            old = self._known.pop(key, None)
            self._known[key] = value, weight
            self._weight += weight - (old[1] if old else 0)
            while self._weight > self._most and len(self._known) > 1:
                self._weight -= self._known.pop(next(iter(self._known)))[1]
