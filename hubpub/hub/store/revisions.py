"""The commit that a request is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hubpub.hub.access.permissions import Action
from hubpub.hub.errors import ApiError, revision_not_found
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.repos import RepoRecord
from hubpub.hub.web.call import Call


@contextmanager
def at_revision(call: Call, action: Action) -> Iterator[tuple[RepoRecord, GitRepo, str]]:
    """The repo of the path, its git data, and the commit that the path's revision names (`main` if none).

    Raises:
        ApiError: the caller may not, or 404 RevisionNotFound.
    """
    record = call.repo(action)
    revision = call.params.get("rev", "main")
    with call.state.repos.git(record) as git:
        try:
            commit = git.resolve(revision)
            if commit is None:
                raise revision_not_found(revision)
            yield record, git, commit
        except (KeyError, ApiError):
            # What is missing may have gone with the repo just now: then that is the answer.
            call.repo(action)
            raise
