"""What an interrupted push leaves behind, for the person who interrupts it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Begun:
    """How far a push is.

    Attributes:
        repo_id: namespace/name; "" until it is known.
        created: whether it made the repo, which is private until the release is verified.
        proposes: whether it has begun with a pull request.
        commits: whether the commit is being made, so that nobody knows whether it is there.
        commit: the commit, once it is made.
    """

    repo_id: str = ""
    created: bool = False
    proposes: bool = False
    commits: bool = False
    commit: str | None = None

    @property
    def left(self) -> str:
        """What is left, as a sentence without a full stop."""
        hidden = ", which stays private until the push is finished" if self.created else ""
        if self.commit:
            return (
                f"{self.repo_id} has the whole release at {self.commit[:12]}{hidden}; what follows is still to be done"
            )
        if self.commits:
            return f"{self.repo_id} has the whole release or nothing of it{hidden}"
        if self.proposes:
            return f"{self.repo_id} is as it was; a pull request that was begun stays a draft, or as it was"
        if self.created:
            return f"{self.repo_id} was created{hidden}, and has nothing of the release"
        return f"{self.repo_id} is as it was" if self.repo_id else "nothing was created or sent"


@contextmanager
def told_when_interrupted() -> Iterator[Begun]:
    """Give an interruption a note of what is left; the command line says it."""
    begun = Begun()
    try:
        yield begun
    except KeyboardInterrupt as interruption:
        interruption.add_note(begun.left)
        raise
