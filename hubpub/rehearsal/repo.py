"""Which repo a folder is rehearsed as when nobody says."""

from __future__ import annotations

from pathlib import Path

from hubpub.card.merge.lock import read_lock
from hubpub.card.merge.repo import repo_of_card
from hubpub.card.metadata.schema import is_repo_id
from hubpub.card.own_id import id_below
from hubpub.card.source import decode_card, folder_card
from hubpub.model.folder import ModelFolder
from hubpub.publish.target import repo_name

MADE_UP = "rehearsal"
"""The namespace of a model of which nobody knows where it goes."""


def rehearsed_repo(path: Path, org: str | None) -> str:
    """The repo that the folder's card is for, else one of `org`, else a made-up one.

    Raises:
        UsageError: there is no such folder, or its name is no name of a repo.
    """
    name = repo_name(path, None)
    folder = ModelFolder.open(path)
    content = folder_card(folder)
    below = id_below(org, name)
    told = repo_of_card(read_lock(folder.root, content), decode_card(content or b"")[0], below)
    return told if told and is_repo_id(told) else below or f"{MADE_UP}/{name}"
