"""Which README.md a push publishes, so that nobody loses a card written by hand.

Three texts meet: the one in the folder, the one on the hub, and the one that hubpub published last (its SHA-256 and
where it came from are in a trailer of that commit's message). A person's text wins over a rendered one; of two
persons' texts neither wins.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hubpub.core.errors import ConflictError
from hubpub.publish.client import Commit

_TRAILER = re.compile(r"^Hubpub-Card: (rendered|folder) sha256:([0-9a-f]{64})\s*$", re.MULTILINE)


class CardSource(StrEnum):
    """Where the published card comes from."""

    FOLDER = "folder"
    HUB = "hub"
    RENDERED = "rendered"


@dataclass(frozen=True, slots=True)
class CardChoice:
    """The card of a release: its bytes, where they come from, and why; and those of the card that it replaces."""

    source: CardSource
    content: bytes
    note: str
    before: bytes | None = None

    @property
    def diff(self) -> str:
        """What changes for readers of the card, as a unified diff; "" when nothing does or there was no card.

        A line that holds a secret is not shown: the card on the hub may have one that this release takes out.
        """
        if self.before is None or self.before == self.content:
            return ""
        old, new = (text.decode("utf-8", "replace").splitlines() for text in (self.before, self.content))
        lines = difflib.unified_diff(old, new, "README.md (on the hub)", "README.md", lineterm="")
        return "\n".join(line[:1] + "(a line that holds a secret)" if _holds_secret(line) else line for line in lines)

    def to_json(self) -> dict[str, Any]:
        """The choice as plain data, without the content."""
        return {"source": self.source.value, "sha256": sha256_hex(self.content), "note": self.note, "diff": self.diff}


def _holds_secret(line: str) -> bool:
    from hubpub.model.secrets import find_secrets  # compiles its patterns

    return next(find_secrets(line), None) is not None


def sha256_hex(content: bytes) -> str:
    """SHA-256 of the bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class PublishedCard:
    """The card that hubpub published last: where it came from, and its SHA-256."""

    source: CardSource
    sha256: str


def card_trailer(choice: CardChoice) -> str | None:
    """The line of a commit message by which the next push knows what this one published; None if nothing was."""
    if choice.source is CardSource.HUB:
        return None
    return card_line(PublishedCard(choice.source, sha256_hex(choice.content)))


def card_line(card: PublishedCard) -> str:
    """The trailer that tells of a card."""
    return f"Hubpub-Card: {card.source.value} sha256:{card.sha256}"


def last_published_card(commits: Sequence[Commit]) -> PublishedCard | None:
    """The card of the newest commit that says so in its trailer; None when none of these does."""
    for commit in commits:
        found = _TRAILER.search(commit.message)
        if found:
            return PublishedCard(CardSource(found.group(1)), found.group(2))
    return None


def choose_card(
    local: bytes | None,
    remote: bytes | None,
    published: PublishedCard | None,
    render: Callable[[], bytes],
    prefer: CardSource | None = None,
) -> CardChoice:
    """The card to publish.

    Args:
        local: README.md of the folder, if there is one.
        remote: README.md on the hub, if there is one.
        published: the card that hubpub published last, if it did.
        render: makes a card from what the folder knows.
        prefer: FOLDER or HUB decides when both were written by hand.

    Raises:
        ConflictError: the card in the folder and the one on the hub were both changed, and `prefer` is None.
    """
    if local is not None:
        return _choose_written(local, remote, published, prefer)
    if remote is None:
        return CardChoice(CardSource.RENDERED, render(), "written from what the folder knows")
    ours = published is not None and published.sha256 == sha256_hex(remote)
    if ours and published is not None and published.source is CardSource.RENDERED:
        return CardChoice(CardSource.RENDERED, render(), "written again from what the folder knows")
    return CardChoice(CardSource.HUB, remote, "the card on the hub was written by hand and stays")


def _choose_written(
    local: bytes, remote: bytes | None, published: PublishedCard | None, prefer: CardSource | None
) -> CardChoice:
    """The card to publish when the folder has one."""
    if remote is not None and local != remote:
        edited_on_hub = published is None or published.sha256 != sha256_hex(remote)
        edited_here = published is None or published.sha256 != sha256_hex(local)
        if prefer is CardSource.HUB or (prefer is None and edited_on_hub and not edited_here):
            return CardChoice(CardSource.HUB, remote, "the card on the hub was edited since the last push and stays")
        if prefer is None and edited_on_hub:
            raise ConflictError(
                "the README.md in the folder and the one on the hub are both written by hand and differ",
                "choose with --card folder or --card hub; the other text stays in the repo's history or your folder",
            )
    return CardChoice(CardSource.FOLDER, local, "README.md of the folder, byte for byte")
