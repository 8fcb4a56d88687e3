"""hubpub: the release gate for model repositories.

The verbs of the command line as functions; each imports what it needs when it is called.

    import hubpub

    report = hubpub.check("./model")
    receipt = hubpub.push("./model", "acme/model", tag="v1.0.0")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubpub.core.report import Report
    from hubpub.publish.notes import ReleaseNotes
    from hubpub.publish.plan import Plan
    from hubpub.publish.prepare import PushOptions
    from hubpub.publish.receipt import Receipt
    from hubpub.publish.rollback import RollbackReceipt
    from hubpub.publish.verification import Verification
    from hubpub.rehearsal.result import Rehearsal

__version__ = "0.1.0.dev0"
__all__ = [
    "check",
    "lint",
    "plan",
    "push",
    "push_plan",
    "rehearse",
    "release_notes",
    "render",
    "rollback",
    "verify",
]


def check(path: Path | str, *, depth: str = "quick", exclude: Sequence[str] = (), ignore: Sequence[str] = ()) -> Report:
    """Check the saved model folder at `path`.

    Args:
        path: the model folder.
        depth: "quick" reads headers and small files, "deep" every byte, "load" also loads and runs the model.
        exclude: globs of files not to look at.
        ignore: rules not to run, by code, prefix or name.

    Raises:
        UsageError: there is no model folder at `path`, or no such rule.
    """
    from hubpub.core.rule import Depth
    from hubpub.model.folder import ModelFolder
    from hubpub.rules.run import check_folder

    return check_folder(ModelFolder.open(path, exclude=exclude), target=str(path), depth=Depth(depth), ignore=ignore)


def lint(path: Path | str, *, ignore: Sequence[str] = ()) -> Report:
    """Lint the model card at `path`: a README.md, or a model folder that has one.

    Raises:
        UsageError: there is no card at `path`, or no such rule.
    """
    from hubpub.card.source import find_card
    from hubpub.rules.run import lint_card

    content, name, folder = find_card(Path(path))
    return lint_card(content, path=name, target=str(path), folder=folder, ignore=ignore)


def render(path: Path | str, *, repo_id: str | None = None) -> str:
    """The model card that the folder at `path` can fill; `repo_id` is what its usage snippets name.

    Raises:
        UsageError: there is no model folder at `path`.
    """
    from hubpub.card.writing.render import render_folder_card
    from hubpub.core.settings import CardSettings
    from hubpub.model.folder import ModelFolder

    return render_folder_card(ModelFolder.open(path), repo_id=repo_id, settings=CardSettings())


def plan(
    path: Path | str,
    repo_id: str,
    *,
    hub: str | None = None,
    tag: str | None = None,
    private: bool = False,
    depth: str | None = None,
    delete_stale: bool = False,
    out: Path | str | None = None,
) -> Plan:
    """What `push` would do; nothing is sent or created.

    Args:
        path: the model folder.
        repo_id: namespace/name.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub.
        tag: to be set on the verified commit.
        private: the repo must be private.
        depth: how far the check goes, as for `check`; None is "deep" for a plan that is saved, else "quick".
        delete_stale: delete what older releases left on the hub and loaders may still take.
        out: save the plan to this file, for `push_plan`.

    Raises:
        HubpubError: what would stop the push; see `hubpub.core.errors`.
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.prepare import prepare
    from hubpub.publish.saved import check_outside, plan_document, save_outside
    from hubpub.publish.target import find_target

    depth = depth or ("quick" if out is None else "deep")
    options = _options(path, repo_id, tag, depth, private=private, delete_stale=delete_stale)
    if out is not None:
        check_outside(Path(out), options.path)
    planned = prepare(options, HubClient(find_target(hub)), _silent, hashed=out is not None).plan
    if out is not None:
        save_outside(Path(out), options.path, plan_document(planned, options))
    return planned


def push(
    path: Path | str,
    repo_id: str,
    *,
    hub: str | None = None,
    tag: str | None = None,
    private: bool = False,
    depth: str = "deep",
    delete_stale: bool = False,
    pull_request: bool = False,
    load: bool = False,
    base_limit: int | None = None,
    token_file: Path | str | None = None,
    keyless: bool = False,
) -> Receipt:
    """Publish the model folder at `path` in one verified commit.

    Args:
        path: the model folder; it is not changed.
        repo_id: namespace/name; the repo is created if needed.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub. The token is huggingface_hub's.
        tag: set on the verified commit.
        private: the repo must be private.
        depth: how far the check goes, as for `check`.
        delete_stale: delete, in the same commit, what older releases left on the hub and loaders may still take.
        pull_request: propose it, in one pull request that the next such push updates.
        load: load the model by its id at the new commit, before it is tagged.
        base_limit: bytes that the base model of an adapter may have to be fetched for that; None takes 10 GB.
        token_file: file that holds the token.
        keyless: exchange the CI job's id token for a token of this repo.

    Raises:
        HubpubError: with the next step and the exit code of the command line; see `hubpub.core.errors`.
    """
    from dataclasses import replace

    from hubpub.publish.client import HubClient
    from hubpub.publish.push import push as publish
    from hubpub.publish.target import TokenWish, find_target

    options = _options(path, repo_id, tag, depth, private=private, delete_stale=delete_stale)
    wish = TokenWish(Path(token_file) if token_file is not None else None, keyless, repo_id)
    target = find_target(hub, wish=wish)
    return publish(
        replace(options, pull_request=pull_request, load=load, base_limit=base_limit), HubClient(target), _silent
    )


def push_plan(
    file: Path | str, *, hub: str | None = None, load: bool = False, base_limit: int | None = None
) -> Receipt:
    """Publish what `plan(..., out=file)` saved, as it is or not at all.

    Args:
        file: the saved plan.
        hub: URL of the hub that it was made for; None takes `HF_ENDPOINT`, else the public Hub.
        load: as for `push`.
        base_limit: as for `push`.

    Raises:
        ConflictError: the folder or the hub has changed since; the message says what.
        HubpubError: as `push`.
    """
    from dataclasses import replace

    from hubpub.publish.client import HubClient
    from hubpub.publish.push import push as publish
    from hubpub.publish.saved import read_plan
    from hubpub.publish.target import find_target

    saved = read_plan(Path(file))
    target = find_target(hub)
    saved.check_hub(target.endpoint)
    return publish(replace(saved.options, load=load, base_limit=base_limit), HubClient(target), _silent, saved.expected)


def rehearse(
    path: Path | str,
    repo_id: str | None = None,
    *,
    bases: Mapping[str, Path | str] | None = None,
    run_card_code: bool = False,
    load: bool = True,
    snippets: bool = True,
    timeout: float = 300.0,
    memory: int | None = None,
    depth: str = "deep",
    keep: bool = False,
) -> Rehearsal:
    """Publish the model folder at `path` to a throw-away hub, load it from there by its id, run its card's snippets.

    Args:
        path: the model folder; it is not changed.
        repo_id: namespace/name, as the card names it; None takes "rehearsal" and the folder's name.
        bases: further folders to publish first, by repo id, such as the base model of an adapter.
        run_card_code: run Python that hubpub did not write too: in a child, without token and network.
        load: make the load checks.
        snippets: run the card's code blocks.
        timeout: seconds for each check and each block.
        memory: bytes for each child; None takes what the model asks for.
        depth: how far the check before publishing goes, as for `check`.
        keep: keep the throw-away hub's data.

    Raises:
        HubpubError: there is no such folder. What fails in the rehearsal is in the result.
    """
    from hubpub.publish.target import repo_name
    from hubpub.rehearsal.run import RehearseOptions
    from hubpub.rehearsal.run import rehearse as run

    options = RehearseOptions(
        push=_options(
            path,
            repo_id or f"rehearsal/{repo_name(Path(path), None)}",
            None,
            depth,
            private=False,
            delete_stale=False,
        ),
        bases=tuple((base, Path(folder)) for base, folder in (bases or {}).items()),
        run_card_code=run_card_code,
        seconds=timeout,
        memory=memory,
        keep=keep,
        load=load,
        snippets=snippets,
    )
    return run(options)


def verify(
    repo_id: str,
    path: Path | str | None = None,
    *,
    revision: str = "main",
    receipt: Path | str | None = None,
    fetch: bool | None = None,
    complete: bool = False,
    load: bool = False,
    base_limit: int | None = None,
    hub: str | None = None,
) -> Verification:
    """Compare what a hub serves with what was published; public repos need no token.

    Args:
        repo_id: namespace/name.
        path: a folder to compare with; None compares with the hashes that the hub states.
        revision: a branch, a tag or a commit.
        receipt: a file that `hubpub push --receipt` wrote, to compare with.
        fetch: whether every file is downloaded and hashed; None does so unless `path` is given.
        complete: whether what only the hub has is a difference.
        load: also load the model by its id at that commit, where nothing differs.
        base_limit: bytes that the base model of an adapter may have to be fetched for that; None takes 10 GB.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub.

    Raises:
        HubpubError: it could not be compared. Differences are in the result, and that it does not load.
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.target import find_target, parse_repo_id
    from hubpub.publish.verification import VerifyOptions
    from hubpub.publish.verification import verify as compare

    parse_repo_id(repo_id)
    options = VerifyOptions(
        repo_id=repo_id,
        revision=revision,
        path=Path(path) if path is not None else None,
        receipt=Path(receipt) if receipt is not None else None,
        fetch=fetch,
        complete=complete,
        load=load,
        base_limit=base_limit,
    )
    return compare(options, HubClient(find_target(hub, token_needed=False)), _silent)


def release_notes(repo_id: str, old: str, new: str = "main", *, hub: str | None = None) -> ReleaseNotes:
    """What changed from one tag, branch or commit to another: parameters, configuration, metrics, files.

    Args:
        repo_id: namespace/name; public repos need no token.
        old: the older release.
        new: the newer one.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub.

    Raises:
        HubpubError: there is no such repo or revision, or the hub cannot be read.
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.notes import release_notes as compare
    from hubpub.publish.target import find_target, parse_repo_id

    parse_repo_id(repo_id)
    return compare(HubClient(find_target(hub, token_needed=False)), repo_id, old, new)


def rollback(repo_id: str, to: str, *, revision: str = "main", hub: str | None = None) -> RollbackReceipt:
    """Make an older release the newest again: one commit with its tree, verified; nothing is uploaded again.

    Args:
        repo_id: namespace/name.
        to: the tag or the commit to go back to.
        revision: the branch.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub.

    Raises:
        HubpubError: UsageError when there is no such target, ConflictError when somebody else commits meanwhile.
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.rollback import plan_rollback, roll_back
    from hubpub.publish.target import find_target, parse_repo_id

    parse_repo_id(repo_id)
    client = HubClient(find_target(hub))
    return roll_back(plan_rollback(client, repo_id, revision, to), client, _silent)


def _options(
    path: Path | str, repo_id: str, tag: str | None, depth: str, *, private: bool, delete_stale: bool
) -> PushOptions:
    from hubpub.core.rule import Depth
    from hubpub.publish.prepare import PushOptions
    from hubpub.publish.target import parse_repo_id

    namespace, name = parse_repo_id(repo_id)
    return PushOptions(
        path=Path(path),
        name=name,
        namespace=namespace,
        tag=tag,
        private=private,
        depth=Depth(depth),
        delete_stale=delete_stale,
    )


def _silent(_message: str) -> None:
    """A library does not narrate."""
