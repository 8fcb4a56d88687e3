"""Which README.md a push publishes, so that nobody loses a card written by hand.

Three texts meet: the one in the folder, the one on the hub, and the one that hubpub published last (its SHA-256 and
where it came from are in a trailer of that commit's message). A person's text wins over a rendered one. Cards with
managed regions are merged, part by part; of two persons' texts of the same part neither wins.

A folder without a card is one whose card lives on the hub: what hubpub wrote there follows the folder. No lock is
needed for that, since the card's own markers tell which regions are hubpub's, and the card that was published last
tells the rest; what it does not tell, since a person had edited or deleted it then, is in a second trailer.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hubpub.card.document import Card
from hubpub.card.merge.given import Given
from hubpub.card.merge.texts import merge_texts
from hubpub.card.merge.update import merge_card
from hubpub.card.regions import read_regions
from hubpub.core.errors import ConflictError
from hubpub.model.jsonfile import parse_json
from hubpub.publish.client import Commit

_TRAILER = re.compile(r"^Hubpub-Card: (rendered|folder|merged) sha256:([0-9a-f]{64})\s*$", re.MULTILINE)
_GIVEN = re.compile(r"^Hubpub-Given: (\{.*\})\s*$", re.MULTILINE)
_LONGEST_GIVEN = 16 << 10


class CardSource(StrEnum):
    """Where the published card comes from."""

    FOLDER = "folder"
    HUB = "hub"
    RENDERED = "rendered"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class CardChoice:
    """The card of a release.

    Attributes:
        source: where it comes from.
        content: its bytes.
        note: why it is this one.
        before: the bytes of the card that it replaces.
        given: what hubpub has rendered of it; None when all that is known is that a person wrote it.
    """

    source: CardSource
    content: bytes
    note: str
    before: bytes | None = None
    given: Given | None = None

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
    """The card that hubpub published last.

    Attributes:
        source: where it came from.
        sha256: of its bytes.
        commit: that published it.
        beyond: of a merged one, what hubpub has rendered and the card does not tell, as `Given.beyond` says it.
    """

    source: CardSource
    sha256: str
    commit: str = field(default="", compare=False)
    beyond: Mapping[str, Any] = field(default_factory=dict)


def card_trailer(choice: CardChoice) -> str | None:
    """The lines of a commit message by which the next push knows what this one published; None if nothing was.

    Nothing is said of a folder's card that was merged with the hub's: the folder lacks what was edited on the hub, and
    the next push has to compare both with what they have in common.
    """
    if choice.source is CardSource.HUB or (choice.source is CardSource.MERGED and choice.given is None):
        return None
    beyond = {} if choice.given is None else choice.given.beyond(Card.parse(choice.content.decode("utf-8", "replace")))
    line = card_line(PublishedCard(choice.source, sha256_hex(choice.content), beyond=beyond))
    return line if len(line) <= _LONGEST_GIVEN else None


def card_line(card: PublishedCard) -> str:
    """The trailer that tells of a card."""
    line = f"Hubpub-Card: {card.source.value} sha256:{card.sha256}"
    if card.source is not CardSource.MERGED:
        return line
    return f"{line}\nHubpub-Given: {json.dumps(card.beyond, sort_keys=True, separators=(',', ':'), default=str)}"


def last_published_card(commits: Sequence[Commit], *, merged: bool = True) -> PublishedCard | None:
    """The card of the newest commit that says so in its trailer; None when none of these does.

    Args:
        commits: newest first.
        merged: whether a card that was merged on the hub counts.
    """
    for commit in commits:
        found = _TRAILER.search(commit.message)
        if not found:
            continue
        source, beyond = CardSource(found.group(1)), {}
        if source is CardSource.MERGED:
            line = _GIVEN.search(commit.message)
            told = parse_json(line.group(1).encode()).value if line and len(line.group(1)) <= _LONGEST_GIVEN else None
            if not merged or told is None:
                continue
            beyond = told
        return PublishedCard(source, found.group(2), commit.oid, beyond)
    return None


def choose_card(
    local: bytes | None,
    remote: bytes | None,
    published: PublishedCard | None,
    render: Callable[[], bytes],
    prefer: CardSource | None = None,
    read_published: Callable[[PublishedCard], bytes | None] = lambda _: None,
) -> CardChoice:
    """The card to publish.

    Args:
        local: README.md of the folder, if there is one.
        remote: README.md on the hub, if there is one.
        published: the card that hubpub published last, if it did; of a folder with a card, no merged one.
        render: makes a card from what the folder knows.
        prefer: FOLDER or HUB decides when both were written by hand.
        read_published: reads the card that was published then.

    Raises:
        ConflictError: the card in the folder and the one on the hub were both changed, and `prefer` is None.
    """
    if local is not None:
        return _choose_written(local, remote, published, prefer, read_published)
    if remote is None:
        return _rendered(render(), "written from what the folder knows")
    ours = published is not None and published.sha256 == sha256_hex(remote)
    if ours and published is not None and published.source is CardSource.RENDERED:
        return _rendered(render(), "written again from what the folder knows")
    merged = _merged_on_hub(remote, published, render, read_published) if prefer is not CardSource.HUB else None
    return merged or CardChoice(CardSource.HUB, remote, "the card on the hub was written by hand and stays")


def _rendered(content: bytes, note: str) -> CardChoice:
    return CardChoice(CardSource.RENDERED, content, note, given=Given.of(Card.parse(content.decode())))


def _merged_on_hub(
    remote: bytes,
    published: PublishedCard | None,
    render: Callable[[], bytes],
    read_published: Callable[[PublishedCard], bytes | None],
) -> CardChoice | None:
    """The card on the hub with what hubpub wrote in it brought up to date; None when it holds nothing of the kind."""
    if published is None or published.source is CardSource.FOLDER:
        return None
    there = _text(remote)
    then = _text(_known(published, read_published))
    if there is None or then is None or not read_regions(there).found:
        return None
    base = Given.of(Card.parse(then)).with_beyond(published.beyond)
    merged = merge_card(there, render().decode(), base)
    kept = ", ".join(kept.name for kept in merged.kept[:5]) + (" and more" if len(merged.kept) > 5 else "")
    note = f"; kept by hand: {kept}" if kept else ""
    content = merged.text.encode()
    if content == remote:
        return CardChoice(CardSource.HUB, remote, f"the card on the hub is up to date and stays{note}")
    note = f"the card on the hub, in which what hubpub wrote is brought up to date{note}"
    return CardChoice(CardSource.MERGED, content, note, given=merged.given)


def _choose_written(
    local: bytes,
    remote: bytes | None,
    published: PublishedCard | None,
    prefer: CardSource | None,
    read_published: Callable[[PublishedCard], bytes | None],
) -> CardChoice:
    """The card to publish when the folder has one."""
    if remote is not None and local != remote:
        edited_on_hub = published is None or published.sha256 != sha256_hex(remote)
        edited_here = published is None or published.sha256 != sha256_hex(local)
        if prefer is CardSource.HUB or (prefer is None and edited_on_hub and not edited_here):
            return CardChoice(CardSource.HUB, remote, "the card on the hub was edited since the last push and stays")
        if prefer is None and edited_on_hub:
            return _merged_with_hub(local, remote, published, read_published)
    return CardChoice(CardSource.FOLDER, local, "README.md of the folder, byte for byte")


def _merged_with_hub(
    local: bytes,
    remote: bytes,
    published: PublishedCard | None,
    read_published: Callable[[PublishedCard], bytes | None],
) -> CardChoice:
    """The folder's card with what was edited on the hub since the last push.

    Raises:
        ConflictError: one of them has no regions, it is not known what they have in common, or both changed one part.
    """
    next_step = "choose with --card folder or --card hub; the other text stays in the repo's history or your folder"
    here, there = _text(local), _text(remote)
    then = _text(_known(published, read_published)) if published is not None else None
    if here is None or there is None or then is None or not read_regions(here).found:
        raise ConflictError(
            "the README.md in the folder and the one on the hub are both written by hand and differ", next_step
        )
    merged = merge_texts(then, here, there)
    if merged.conflicts:
        named = ", ".join(merged.conflicts[:5])
        more = f" and {len(merged.conflicts) - 5} more" if len(merged.conflicts) > 5 else ""
        raise ConflictError(
            "the README.md in the folder and the one on the hub were both changed since the last push, "
            f"each in its own way: {named}{more}",
            next_step,
        )
    content = merged.text.encode()
    if content == remote:
        return CardChoice(CardSource.HUB, remote, "the card on the hub has all that the folder's has, and stays")
    return CardChoice(CardSource.MERGED, content, "README.md of the folder with what was edited on the hub")


def _known(published: PublishedCard, read: Callable[[PublishedCard], bytes | None]) -> bytes | None:
    """The card that was published then, if it is the one that the commit says."""
    content = read(published)
    return content if content is not None and sha256_hex(content) == published.sha256 else None


def _text(content: bytes | None) -> str | None:
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None
