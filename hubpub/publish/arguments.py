"""What callers and settings files say, as the options of a push and the client of a hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubpub.core.settings import Settings
    from hubpub.publish.client import HubClient
    from hubpub.publish.prepare import PushOptions


def client_for(
    repo_id: str,
    *,
    token_needed: bool = True,
    hub: str | None,
    token_file: Path | str | None,
    keyless: bool,
    timeout: float | None = None,
    attempts: int | None = None,
) -> HubClient:
    """The client of the hub, for work on this repo.

    Raises:
        UsageError: that is no repo, no hub, or two tokens.
        AuthError: there is no token, and one is needed.
    """
    from hubpub.core.errors import UsageError
    from hubpub.publish.client import HubClient
    from hubpub.publish.http import Patience
    from hubpub.publish.target import TokenWish, find_target, parse_repo_id

    parse_repo_id(repo_id)
    if token_file is not None and keyless:
        raise UsageError("token_file and keyless name two tokens", "give one of them")
    wish = TokenWish(path_or_none(token_file), keyless, repo_id)
    return HubClient(find_target(hub, token_needed=token_needed, wish=wish), Patience.given(timeout, attempts))


def push_options(
    path: Path | str,
    repo_id: str,
    *,
    revision: str,
    tag: str | None,
    private: bool,
    gated: str | None,
    message: str | None,
    card: str | None,
    include: Sequence[str],
    exclude: Sequence[str],
    delete_stale: bool,
    pull_request: bool,
    depth: str,
    fail_on: str | None,
    ignore: Sequence[str],
    config: Path | str | None,
    load: bool = False,
    base_limit: int | None = None,
) -> PushOptions:
    """The options of a push to this repo.

    Raises:
        UsageError: one of them is not what it can be.
    """
    from dataclasses import replace

    from hubpub.core.findings import Severity
    from hubpub.core.rule import Depth
    from hubpub.core.settings import Settings, load_settings
    from hubpub.publish.card import CardSource
    from hubpub.publish.prepare import PushOptions
    from hubpub.publish.target import parse_repo_id

    namespace, name = parse_repo_id(repo_id)
    _check_one_of("depth", depth, tuple(Depth))
    _check_one_of("gated", gated, ("auto", "manual"))
    _check_one_of("card", card, ("folder", "hub"))
    _check_one_of("fail_on", fail_on, tuple(Severity))
    settings = load_settings(Path(config)) if config is not None else Settings()
    options = PushOptions(
        path=Path(path),
        name=name,
        namespace=namespace,
        revision=revision,
        tag=tag,
        private=private,
        gated=gated,
        title=message,
        card=CardSource(card) if card else None,
        depth=Depth(depth),
        delete_stale=delete_stale,
        pull_request=pull_request,
        load=load,
        base_limit=base_limit,
    )
    changed = replace(
        settings,
        include=(*settings.include, *include),
        exclude=(*settings.exclude, *exclude),
        ignore=(*settings.ignore, *ignore),
        fail_on=Severity(fail_on) if fail_on else settings.fail_on,
    )
    return with_settings(options, changed)


def with_settings(options: PushOptions, settings: Settings) -> PushOptions:
    """The options, with all that a settings file says of a push taken from `settings`."""
    from dataclasses import replace

    return replace(
        options,
        new_repos_private=settings.private,
        include=settings.include,
        exclude=settings.exclude,
        ignore=settings.ignore,
        fail_on=settings.fail_on,
        card_settings=settings.card,
        lint_settings=settings.lint,
    )


def silent(_message: str) -> None:
    """A library does not narrate."""


def path_or_none(value: Path | str | None) -> Path | None:
    """The path, if there is one."""
    return None if value is None else Path(value)


def _check_one_of(name: str, value: str | None, known: Sequence[str]) -> None:
    from hubpub.core.errors import UsageError

    if value is not None and value not in known:
        raise UsageError(f"{name} is {value!r}", f"take one of {', '.join(known)}")
