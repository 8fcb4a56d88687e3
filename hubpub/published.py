"""The verbs about what is published, as functions: what the command line does, without its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.publish.arguments import client_for, path_or_none, silent

if TYPE_CHECKING:
    from hubpub.publish.notes import ReleaseNotes
    from hubpub.publish.prepare import Notify
    from hubpub.publish.rollback import RollbackPlan, RollbackReceipt
    from hubpub.publish.verification import Verification


def verify(
    repo_id: str,
    path: Path | str | None = None,
    *,
    revision: str = "main",
    receipt: Path | str | None = None,
    fetch: bool | None = None,
    complete: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    config: Path | str | None = None,
    load: bool = False,
    base_limit: int | None = None,
    hub: str | None = None,
    token_file: Path | str | None = None,
    keyless: bool = False,
    timeout: float | None = None,
    attempts: int | None = None,
    notify: Notify = silent,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Compare what a hub serves with what was published; public repos need no token.

    Args:
        repo_id: namespace/name.
        path: a folder to compare with; None compares with the hashes that the hub states.
        revision: a branch, a tag or a commit.
        receipt: a file that `hubpub push --receipt` wrote, to compare with.
        fetch: whether every file is downloaded and hashed; None does so unless `path` is given.
        complete: whether what only the hub has is a difference.
        include: as for `push`, of the folder at `path`.
        exclude: the same.
        config: a settings file, of which those are taken that hold for a push.
        load: also load the model by its id at that commit, where nothing differs.
        base_limit: bytes that the base model of an adapter may have to be fetched for that; None takes 10 GB.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub.
        token_file: file that holds the token.
        keyless: exchange the CI job's id token for a token of this repo.
        timeout: seconds of silence before a call is made again.
        attempts: of each call.
        notify: is told of each step.
        progress: is told how many bytes were fetched, of how many.

    Raises:
        HubpubError: it could not be compared. Differences are in the result, and that it does not load.
    """
    from hubpub.core.settings import Settings, load_settings
    from hubpub.publish.verification import VerifyOptions
    from hubpub.publish.verification import verify as compare

    settings = load_settings(Path(config)) if config is not None else Settings()
    options = VerifyOptions(
        repo_id=repo_id,
        revision=revision,
        path=path_or_none(path),
        receipt=path_or_none(receipt),
        fetch=fetch,
        complete=complete,
        include=(*settings.include, *include),
        exclude=(*settings.exclude, *exclude),
        load=load,
        base_limit=base_limit,
    )
    client = client_for(
        repo_id,
        token_needed=False,
        hub=hub,
        token_file=token_file,
        keyless=keyless,
        timeout=timeout,
        attempts=attempts,
    )
    return compare(options, client, notify, progress)


def release_notes(
    repo_id: str,
    old: str,
    new: str = "main",
    *,
    hub: str | None = None,
    token_file: Path | str | None = None,
    keyless: bool = False,
) -> ReleaseNotes:
    """What changed from one tag, branch or commit to another: parameters, configuration, metrics, files.

    Args:
        repo_id: namespace/name; public repos need no token.
        old: the older release.
        new: the newer one.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub.
        token_file: file that holds the token.
        keyless: exchange the CI job's id token for a token of this repo.

    Raises:
        HubpubError: there is no such repo or revision, or the hub cannot be read.
    """
    from hubpub.publish.notes import release_notes as compare

    client = client_for(repo_id, token_needed=False, hub=hub, token_file=token_file, keyless=keyless)
    return compare(client, repo_id, old, new)


def plan_rollback(
    repo_id: str,
    to: str,
    *,
    revision: str = "main",
    hub: str | None = None,
    token_file: Path | str | None = None,
    keyless: bool = False,
    timeout: float | None = None,
    attempts: int | None = None,
) -> RollbackPlan:
    """What `rollback` would do; nothing is changed. Arguments and errors are those of `rollback`."""
    from hubpub.publish.rollback import plan_rollback as prepare

    return prepare(
        client_for(
            repo_id,
            hub=hub,
            token_file=token_file,
            keyless=keyless,
            timeout=timeout,
            attempts=attempts,
        ),
        repo_id,
        revision,
        to,
    )


def rollback(
    repo_id: str,
    to: str,
    *,
    revision: str = "main",
    hub: str | None = None,
    token_file: Path | str | None = None,
    keyless: bool = False,
    timeout: float | None = None,
    attempts: int | None = None,
    notify: Notify = silent,
) -> RollbackReceipt:
    """Make an older release the newest again: one commit with its tree, verified; nothing is uploaded again.

    Args:
        repo_id: namespace/name.
        to: the tag or the commit to go back to.
        revision: the branch.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub.
        token_file: file that holds the token.
        keyless: exchange the CI job's id token for a token of this repo.
        timeout: seconds of silence before a call is made again.
        attempts: of each call.
        notify: is told of each step.

    Raises:
        HubpubError: UsageError when there is no such target, ConflictError when somebody else commits meanwhile.
    """
    from hubpub.publish.rollback import plan_rollback as prepare
    from hubpub.publish.rollback import roll_back

    client = client_for(
        repo_id,
        hub=hub,
        token_file=token_file,
        keyless=keyless,
        timeout=timeout,
        attempts=attempts,
    )
    return roll_back(prepare(client, repo_id, revision, to), client, notify)
