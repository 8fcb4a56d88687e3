"""Who sees a new repo: nobody before its first release is verified, then those whom it is for."""

from __future__ import annotations

from collections.abc import Collection

from hubpub.core.errors import AuthError, ConflictError
from hubpub.publish.client import HubClient
from hubpub.publish.journal import Entry
from hubpub.publish.release_id import carries

# https://huggingface.co/docs/hub/models-gated, and what they mean.
GATINGS = {"auto": "whoever asks for access gets it", "manual": "its owners decide who gets access"}
# What a hub puts into a new repo.
_OF_THE_HUB = frozenset({".gitattributes"})


def is_as_new(files: Collection[str]) -> bool:
    """Whether a repo with these files is one that nobody has put anything into."""
    return set(files) <= _OF_THE_HUB


def create_hidden(client: HubClient, repo_id: str, revision: str) -> str | None:
    """Create the repo, private; the commit that its branch is at.

    Raises:
        ConflictError: somebody else created one of that name meanwhile, and has put something into it.
    """
    existed = client.create_repo(repo_id, private=True)
    created = client.head(repo_id, revision)
    head = created[0] if created else None
    # The answer of an earlier attempt may have been lost: an empty repo is as good as a new one.
    if existed and head and not is_as_new(client.tree(repo_id, head)):
        raise ConflictError(
            f"somebody else created {repo_id} meanwhile", "look at it, then run the same command again, or give --name"
        )
    return head


def hidden_by_us(
    client: HubClient, repo_id: str, head: str | None, files: Collection[str], begun: Entry | None
) -> bool:
    """Whether a private repo is one that an unfinished push made, and not one that somebody wants private."""
    if begun is None or not begun.unveils:
        return False
    if head is None or is_as_new(files):
        return True
    newest = next(client.history(repo_id, head), None)
    return newest is not None and carries(newest.message, newest.title, begun.release)


def gate(client: HubClient, repo_id: str, gating: str) -> str:
    """Have readers ask for access; what was done, in words.

    Raises:
        AuthError: the token may not.
    """
    client.set_gated(repo_id, gating)
    return f"gated {repo_id}: {GATINGS[gating]}"


def show(client: HubClient, repo_id: str, gating: str | None = None) -> None:
    """Make the repo public, in the same step `gating` it.

    Raises:
        AuthError: the token may not; the release stays, for those who may see it.
    """
    try:
        client.set_private(repo_id, private=False, gating=gating)
    except AuthError as error:
        raise AuthError(
            f"{repo_id} is published, verified, and still private: {error.message}",
            f"{error.next_step}; or have somebody make it public in its settings who may",
            layer=error.layer,
        ) from error
