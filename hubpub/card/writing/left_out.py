"""What the files tell and the metadata does not say, and why: nothing is dropped in silence."""

from __future__ import annotations

from typing import NamedTuple


class LeftOut(NamedTuple):
    """One thing that was left out.

    Attributes:
        what: a key of the metadata, or the result of a task.
        reason: the end of a sentence that begins with `what`.
    """

    what: str
    reason: str
