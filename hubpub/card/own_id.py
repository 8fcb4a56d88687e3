"""Which repo a card is for, as far as the card itself or the project's settings tell."""

from __future__ import annotations

import re
from functools import lru_cache

from hubpub.card.document import Card
from hubpub.card.metadata.schema import is_repo_id
from hubpub.core.pattern import Pattern

REPO_ID = Pattern(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_CALL = Pattern(
    r"\b(?:from_pretrained|pipeline|SentenceTransformer|CrossEncoder|SparseEncoder|LLM)\((?P<arguments>[^()\n]{0,300})"
)
_STRING = Pattern(r"[\"']([^\"'\n]{3,200})[\"']")
_PLACEHOLDER = Pattern(r"\b(?:your|my)[-_]|user_?name|path/to|^[<\[{]|org/|namespace/|/model$", re.IGNORECASE)


@lru_cache(maxsize=8)
def named_id(card: Card) -> str | None:
    """The one repo id that title or snippets name; None when they name none, several, or only the base model."""
    if card.title and REPO_ID.fullmatch(card.title):
        return card.title
    base = str((card.front_matter.data or {}).get("base_model"))
    loaded = {
        value
        for block in card.blocks
        if block.kind == "code"
        for call in _CALL.finditer(block.text)
        for value in _STRING.findall(call["arguments"])
        if REPO_ID.fullmatch(value) and not _PLACEHOLDER.search(value)
    }
    others = loaded - {base}
    return others.pop() if len(others) == 1 else None


def id_below(org: str | None, name: str) -> str | None:
    """The repo that a push of a folder of that name goes to; None without an organisation, or with its title only."""
    repo = f"{org}/{name}"
    return repo if org and is_repo_id(repo) else None
