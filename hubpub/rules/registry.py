"""The two registries: rules about a model folder, and rules about a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.core.rule import Registry

if TYPE_CHECKING:
    from hubpub.card.document import Card
    from hubpub.card.online import Online
    from hubpub.model.folder import ModelFolder


@dataclass(frozen=True, eq=False)
class CardSubject:
    """What a card rule judges. Two subjects are equal when they are the same object.

    Attributes:
        card: the parsed card.
        path: what findings call it, usually "README.md".
        folder: the model folder that it belongs to; None when only a card was given.
        undecodable: offset of the first byte of the file that is not UTF-8; None when all of it is.
        repo_id: namespace/name that the card is for; None when nobody said.
        online: look-ups in the network; None without --online.
    """

    card: Card
    path: str = "README.md"
    folder: ModelFolder | None = None
    undecodable: int | None = None
    repo_id: str | None = None
    online: Online | None = None


model_rules: Registry[ModelFolder] = Registry()
card_rules: Registry[CardSubject] = Registry()
