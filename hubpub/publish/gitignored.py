"""What a .gitignore has the hub drop from an upload, without a word: found before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hubpub.core.errors import ConflictError, HubpubError
from hubpub.core.wording import listed
from hubpub.model.gitfiles import LARGEST, ignore_patterns, ignored_by
from hubpub.publish.client import HubClient
from hubpub.publish.local import LocalFile
from hubpub.publish.remote import RemoteFile

_NAME = ".gitignore"


def check_gitignore_of_the_hub(
    client: HubClient,
    repo_id: str,
    commit: str | None,
    there: Mapping[str, RemoteFile],
    files: Sequence[LocalFile],
    changes: Sequence[LocalFile],
) -> None:
    """Return if the .gitignore in the repo names none of the files that are sent; the hub itself has the last word.

    Args:
        client: the hub.
        repo_id: namespace/name.
        commit: that the branch is at.
        there: its files.
        files: of the release; if a .gitignore is among them, it counts instead, and the checks have looked at it.
        changes: those of them that are sent.

    Raises:
        ConflictError: it names some.
    """
    if commit is None or _NAME not in there or any(file.path == _NAME for file in files):
        return
    try:
        text = client.read(repo_id, there[_NAME], commit, LARGEST).decode("utf-8", "replace")
    except HubpubError:
        return  # asked again when it is known how each file is uploaded
    patterns = ignore_patterns(text)
    hidden = [file.path for file in changes if ignored_by(file.path, patterns)]
    if hidden:
        raise dropped(repo_id, hidden)


def dropped(repo_id: str, paths: Sequence[str]) -> ConflictError:
    """The error for files that a hub would drop."""
    return ConflictError(
        f"a .gitignore makes {repo_id} drop {listed(paths)}",
        "change the .gitignore of the folder or the repo, or leave the files out with --exclude",
    )
