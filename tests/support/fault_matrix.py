"""The matrix of faults: which kinds there are, at which of the calls, and how patient the client is meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

from hubpub.hub import Hub
from hubpub.publish.http import Patience

KINDS = (
    "429 retry_after=0",
    "500",
    "503 retry_after=0",
    "504",
    "stall",
    "drop",
    "lose",
    "cut bytes=9",
    "truncate bytes=9",
)
QUICK = Patience(connect=5, answer=0.3, commit=0.4, stall=0.8, attempts=6, pause=0.01, longest_pause=0.05)
IMPATIENT = Patience(connect=5, answer=0.2, commit=0.3, stall=0.6, attempts=2, pause=0.01, longest_pause=0.05)


def cases(calls: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """(call, kind of fault, calls that go well before it): the first, the middle one and the last."""
    return [
        (place, kind, after)
        for place, number in calls.items()
        for kind in KINDS
        for after in sorted({0, number // 2, number - 1})
    ]


class Counted:
    """How often a hub was called: by faults that never happen."""

    def __init__(self, hub: Hub, calls: Mapping[str, int]) -> None:
        self._faults = hub.faults(*(f"{place}: 500 after=100000" for place in calls))

    @property
    def calls(self) -> dict[str, int]:
        return {fault.text.rpartition(": ")[0]: seen for fault, seen, _ in self._faults}
