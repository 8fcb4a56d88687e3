"""The verbs that publish, as functions: what the command line does, without its words.

A settings file counts only where `config` names one. Each function imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.publish.arguments import client_for, path_or_none, push_options, silent

if TYPE_CHECKING:
    from hubpub.publish.http import Watch
    from hubpub.publish.plan import Plan
    from hubpub.publish.prepare import Notify
    from hubpub.publish.receipt import Receipt


def plan(
    path: Path | str,
    repo_id: str,
    *,
    revision: str = "main",
    tag: str | None = None,
    private: bool = False,
    gated: str | None = None,
    message: str | None = None,
    card: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    delete_stale: bool = False,
    pull_request: bool = False,
    depth: str | None = None,
    fail_on: str | None = None,
    ignore: Sequence[str] = (),
    config: Path | str | None = None,
    out: Path | str | None = None,
    hub: str | None = None,
    token_file: Path | str | None = None,
    keyless: bool = False,
    timeout: float | None = None,
    attempts: int | None = None,
    notify: Notify = silent,
) -> Plan:
    """What `push` would do; nothing is sent or created.

    The arguments are those of `push`. With `out` the plan is saved to that file, for `push_plan`, and its checks are
    those of a push; one that is only looked at makes the quick ones, unless `depth` says otherwise.

    Raises:
        HubpubError: what would stop the push; see `hubpub.core.errors`.
    """
    from hubpub.publish.prepare import prepare
    from hubpub.publish.saved import check_outside, plan_document, save_outside

    options = push_options(
        path,
        repo_id,
        revision=revision,
        tag=tag,
        private=private,
        gated=gated,
        message=message,
        card=card,
        include=include,
        exclude=exclude,
        delete_stale=delete_stale,
        pull_request=pull_request,
        depth=depth or ("quick" if out is None else "deep"),
        fail_on=fail_on,
        ignore=ignore,
        config=config,
    )
    if out is not None:
        check_outside(Path(out), options.path)
    client = client_for(repo_id, hub=hub, token_file=token_file, keyless=keyless, timeout=timeout, attempts=attempts)
    planned = prepare(options, client, notify, hashed=out is not None).plan
    if out is not None:
        save_outside(Path(out), options.path, plan_document(planned, options))
    return planned


def push(
    path: Path | str,
    repo_id: str,
    *,
    revision: str = "main",
    tag: str | None = None,
    private: bool = False,
    gated: str | None = None,
    message: str | None = None,
    card: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    delete_stale: bool = False,
    pull_request: bool = False,
    depth: str = "deep",
    fail_on: str | None = None,
    ignore: Sequence[str] = (),
    config: Path | str | None = None,
    load: bool = False,
    base_limit: int | None = None,
    receipt: Path | str | None = None,
    changelog: Path | str | None = None,
    webhooks: Sequence[str] = (),
    hub: str | None = None,
    token_file: Path | str | None = None,
    keyless: bool = False,
    timeout: float | None = None,
    attempts: int | None = None,
    notify: Notify = silent,
    watch: Watch | None = None,
) -> Receipt:
    """Publish the model folder at `path` in one verified commit.

    Args:
        path: the model folder; it is not changed.
        repo_id: namespace/name; the repo is created if needed.
        revision: the branch.
        tag: set on the verified commit; never moved.
        private: the repo must be private.
        gated: "auto" or "manual": readers have to ask for access.
        message: the commit message.
        card: "folder" or "hub": which one wins where both were written by hand.
        include: globs of files that are published although they look like leftovers.
        exclude: globs of files that are not published.
        delete_stale: delete, in the same commit, what older releases left on the hub and loaders may still take.
        pull_request: propose it, in one pull request that the next such push updates.
        depth: how far the check goes, as for `check`.
        fail_on: lowest severity that stops the release; None is that of the settings, "error" by default.
        ignore: rules not to run, by code, prefix or name.
        config: a settings file.
        load: load the model by its id, at the new commit, before it is tagged.
        base_limit: bytes that the base model of an adapter may have to be fetched for that; None takes 10 GB.
        receipt: write the receipt to this file, for `verify`.
        changelog: with `tag`: put what changed since the tag before on top of this file.
        webhooks: addresses to tell of the release; signed with HUBPUB_WEBHOOK_SECRET.
        hub: URL of a hub; None takes `HF_ENDPOINT`, else the public Hub. The token is huggingface_hub's.
        token_file: file that holds the token.
        keyless: exchange the CI job's id token for a token of this repo.
        timeout: seconds of silence before a call is made again.
        attempts: of each call.
        notify: is told of each step, and of warnings of what follows the release.
        watch: is told how far long work is: what it is, bytes done, bytes to do, and more in words.

    Raises:
        HubpubError: with the next step and the exit code of the command line; see `hubpub.core.errors`.
    """
    from hubpub.publish.after_push import After
    from hubpub.publish.push import push as publish
    from hubpub.publish.webhooks import check_webhooks

    options = push_options(
        path,
        repo_id,
        revision=revision,
        tag=tag,
        private=private,
        gated=gated,
        message=message,
        card=card,
        include=include,
        exclude=exclude,
        delete_stale=delete_stale,
        pull_request=pull_request,
        depth=depth,
        fail_on=fail_on,
        ignore=ignore,
        config=config,
        load=load,
        base_limit=base_limit,
    )
    after = After(path_or_none(receipt), path_or_none(changelog), check_webhooks(webhooks))
    after.check(options)
    client = client_for(repo_id, hub=hub, token_file=token_file, keyless=keyless, timeout=timeout, attempts=attempts)
    client.http.watch = watch
    made = publish(options, client, notify)
    after.follow(options, client, made, notify)
    return made


def push_plan(
    file: Path | str,
    *,
    path: Path | str | None = None,
    config: Path | str | None = None,
    load: bool = False,
    base_limit: int | None = None,
    receipt: Path | str | None = None,
    changelog: Path | str | None = None,
    webhooks: Sequence[str] = (),
    hub: str | None = None,
    token_file: Path | str | None = None,
    keyless: bool = False,
    timeout: float | None = None,
    attempts: int | None = None,
    notify: Notify = silent,
    watch: Watch | None = None,
) -> Receipt:
    """Publish what `plan(..., out=file)` saved, as it is or not at all.

    `path` is where the folder is now, if it has moved, and `hub` the one that the plan was made for; the other
    arguments are those of `push`.

    Raises:
        ConflictError: the folder or the hub has changed since; the message says what.
        HubpubError: as `push`.
    """
    from dataclasses import replace

    from hubpub.core.settings import load_settings
    from hubpub.publish.after_push import After
    from hubpub.publish.push import push as publish
    from hubpub.publish.saved import read_plan
    from hubpub.publish.webhooks import check_webhooks

    saved = read_plan(Path(file))
    options = replace(saved.options, path=path_or_none(path) or saved.options.path, load=load, base_limit=base_limit)
    if config is not None:
        settings = load_settings(Path(config))
        options = replace(options, card_settings=settings.card, lint_settings=settings.lint)
    after = After(path_or_none(receipt), path_or_none(changelog), check_webhooks(webhooks))
    after.check(options)
    client = client_for(
        saved.expected.repo_id,
        hub=hub,
        token_file=token_file,
        keyless=keyless,
        timeout=timeout,
        attempts=attempts,
    )
    saved.check_hub(client.endpoint)
    client.http.watch = watch
    made = publish(options, client, notify, saved.expected)
    after.follow(options, client, made, notify)
    return made
