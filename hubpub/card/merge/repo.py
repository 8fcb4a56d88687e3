"""Which repo the card of a folder is for, as far as the card, or what was noted of it, tells."""

from __future__ import annotations

from hubpub.card.document import Card
from hubpub.card.merge.lock import Lock
from hubpub.card.own_id import named_id
from hubpub.card.regions import read_regions


def repo_of_card(lock: Lock | None, existing: str, below: str | None) -> str | None:
    """The repo that the lock or, without one, a card of hubpub's names: one that was downloaded, say.

    Args:
        lock: of the card.
        existing: the text of the card; "" when there is none.
        below: the repo that the settings tell; it comes before what the card names.
    """
    if lock is not None:
        return lock.repo_id
    if below is not None or not read_regions(existing).found:
        return None
    return named_id(Card.parse(existing))
