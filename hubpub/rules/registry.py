"""The two registries: rules about a model folder, and rules about a card."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubpub.core.rule import Registry

if TYPE_CHECKING:
    from hubpub.card.document import Card
    from hubpub.card.online.lookup import Online
    from hubpub.card.profiles import Profile
    from hubpub.model.folder import ModelFolder


def _default_profile() -> Profile:
    from hubpub.card.profiles import default_profile  # a check of a model needs none

    return default_profile()


@dataclass(frozen=True, eq=False)
class CardSubject:
    """What a card rule judges. Two subjects are equal when they are the same object.

    Attributes:
        card: the parsed card.
        path: what findings call it, usually "README.md".
        folder: the model folder that it belongs to; None when only a card was given.
        undecodable: offset of the first byte of the file that is not UTF-8; None when all of it is.
        repo_id: namespace/name that the card is for; None when nobody said.
        checked: whether the rules about models are run on the folder too; then they name secrets in the card.
        profile: the sections and fields that the card is asked for.
        online: look-ups in the network; None without --online.
    """

    card: Card
    path: str = "README.md"
    folder: ModelFolder | None = None
    undecodable: int | None = None
    repo_id: str | None = None
    checked: bool = False
    profile: Profile = field(default_factory=_default_profile)
    online: Online | None = None


model_rules: Registry[ModelFolder] = Registry()
card_rules: Registry[CardSubject] = Registry()
