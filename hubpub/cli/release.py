"""What `plan`, `push`, `verify` and `rollback` share: the options of a release, and the hub that it goes to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from hubpub.cli.output import config_option, notify, quiet_stderr, rule_options, settings_for

if TYPE_CHECKING:
    from hubpub.core.settings import Settings
    from hubpub.publish.prepare import Notify, PushOptions
    from hubpub.publish.target import Target, TokenWish

Command = TypeVar("Command", bound=Callable[..., Any])

HUB_HELP = "'local': the embedded hub on this machine. Default: HF_ENDPOINT, else the public Hub."


class ReleaseArguments(TypedDict):
    """What `release_options` add to a command."""

    org: str | None
    name: str | None
    repo_id: str | None
    revision: str
    tag: str | None
    private: bool
    gated: str | None
    message: str | None
    card_from: str | None
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    delete_stale: bool
    pr: bool
    depth: str | None
    ignore: tuple[str, ...]
    fail_on: str | None
    config: Path | None


_OPTIONS = (
    click.option(
        "--org",
        metavar="ORG",
        help="Organisation or user to publish to, by name or as displayed; default: the token's user.",
    ),
    click.option("--name", metavar="NAME", help="Repo name; default: the folder's name."),
    click.option("--repo-id", "--repo", metavar="NS/NAME", help="Both at once, instead of --org and --name."),
    click.option("--revision", default="main", show_default=True, metavar="BRANCH", help="Branch to publish to."),
    click.option("--tag", metavar="TAG", help="Tag the verified commit, e.g. v1.2.0. A tag is never moved."),
    click.option("--private", is_flag=True, help="Create the repo private."),
    click.option(
        "--gated",
        type=click.Choice(["auto", "manual"]),
        help="Have readers ask for access, and grant it to all (auto), or let the repo's owners decide (manual).",
    ),
    click.option("--message", "-m", metavar="TEXT", help="Commit message."),
    click.option(
        "--card",
        "card_from",
        type=click.Choice(["folder", "hub"]),
        help="Which card wins when the folder's and the hub's were both written by hand.",
    ),
    click.option("--include", multiple=True, metavar="GLOB", help="Publish these although they look like leftovers."),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Do not publish these. Repeatable."),
    click.option(
        "--delete-stale",
        is_flag=True,
        help="Delete, in the same commit, what the plan calls stale: files of an older release.",
    ),
    click.option(
        "--pr",
        is_flag=True,
        help="Propose the release in a pull request, which a second push updates. Needs no right to write.",
    ),
    click.option(
        "--depth",
        type=click.Choice(["quick", "deep", "load"]),
        help="How far the check goes; see `hubpub check --help`. Default: deep; quick for a plan that is only shown.",
    ),
)


def release_options(command: Command) -> Command:
    """Add the options that say what is published, and where to."""
    command = rule_options(config_option(command))
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def patience_options(command: Command) -> Command:
    """Add the options that say how long to wait for a hub."""
    timeout = click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        metavar="SECONDS",
        help="How long the hub may be silent before a call is made again. Default: 60; five times that for a commit.",
    )
    attempts = click.option(
        "--attempts",
        type=click.IntRange(min=1),
        metavar="N",
        help="How often a call is made before the command gives up. Default: 6, within about half a minute.",
    )
    return timeout(attempts(command))


def hub_option(command: Command) -> Command:
    """Add --hub, and the options that say which token is for it."""
    hub = click.option("--hub", metavar="URL|local", help=f"Hub to talk to; {HUB_HELP}")
    file = click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="File that holds the token. Default: HF_TOKEN, else a stored one; `hubpub whoami` tells which.",
    )
    keyless = click.option(
        "--keyless", is_flag=True, help="Exchange the CI job's id token for a token of the one repo; creates none."
    )
    return hub(file(keyless(command)))


def load_options(what: str) -> Callable[[Command], Command]:
    """Add --load, which does `what`, and the bound of the base model that it may need."""

    def add(command: Command) -> Command:
        limit = click.option(
            "--base-limit",
            type=click.FloatRange(min=0),
            metavar="GB",
            callback=lambda _context, _parameter, value: None if value is None else int(value * 10**9),
            help="With --load, of an adapter: fetch its base model, too, up to this size.  [default: 10]",
        )
        return click.option("--load", is_flag=True, help=what)(limit(command))

    return add


def check_load(base_limit: int | None, *, load: bool) -> None:
    """Return if --base-limit stands beside --load, or not at all."""
    from hubpub.core.errors import UsageError

    if base_limit is not None and not load:
        raise UsageError("--base-limit is for the base model that --load needs", "give --load, too, or leave it out")


def token_wish(token_file: Path | None, keyless: bool, repo_id: str | None) -> TokenWish:
    """What the command line says of the token."""
    from hubpub.core.errors import UsageError
    from hubpub.publish.target import TokenWish

    if token_file and keyless:
        raise UsageError("--token-file and --keyless name two tokens", "give one of them")
    return TokenWish(token_file, keyless, repo_id)


def repo_id_of(options: PushOptions) -> str | None:
    """The repo that a push is about; None while only the token tells whose it is."""
    from hubpub.publish.target import is_name

    known = options.namespace is not None and is_name(options.namespace)
    return f"{options.namespace}/{options.name}" if known else None


def push_options(path: Path, given: ReleaseArguments, *, depth: str = "deep") -> PushOptions:
    """The options of a push, from the command line and the settings file; `depth` is for where none is given."""
    from hubpub.core.rule import Depth
    from hubpub.publish.arguments import with_settings
    from hubpub.publish.card import CardSource
    from hubpub.publish.prepare import PushOptions

    lists = {name: given[name] for name in ("ignore", "exclude", "include")}
    settings = settings_for(given["config"], given["fail_on"], lists)
    namespace, repo = _repo(path, given, settings)
    options = PushOptions(
        path=path,
        name=repo,
        namespace=namespace,
        revision=given["revision"],
        tag=given["tag"],
        private=given["private"],
        gated=given["gated"],
        title=given["message"],
        card=CardSource(given["card_from"]) if given["card_from"] else None,
        depth=Depth(given["depth"] or depth),
        delete_stale=given["delete_stale"],
        pull_request=given["pr"],
    )
    return with_settings(options, settings)


def _repo(path: Path, given: ReleaseArguments, settings: Settings) -> tuple[str | None, str]:
    """(namespace or None for the token's user, repo name)."""
    from hubpub.core.errors import UsageError
    from hubpub.publish.target import parse_namespace, parse_repo_id, repo_name

    org, name, repo_id = given["org"], given["name"], given["repo_id"]
    if repo_id:
        namespace, repo = parse_repo_id(repo_id)
        if org not in (None, namespace) or name not in (None, repo):
            raise UsageError(f"--repo-id {repo_id} contradicts --org or --name", "give one or the other")
        return namespace, repo
    space = org or settings.org
    if space and not any(character.isalnum() for character in space):
        parse_namespace(space)  # not even a displayed name, which only the hub knows
    return space, repo_name(path, name)


@contextlib.contextmanager
def target_of(
    hub: str | None, namespace: str | None, *, token_needed: bool = True, wish: TokenWish | None = None
) -> Iterator[Target]:
    """The hub to talk to; the embedded one runs as long as the context."""
    from hubpub.publish.target import TokenWish, parse_namespace

    if hub == "local":
        from hubpub.cli.local_hub import local_hub

        with local_hub(parse_namespace(namespace) if namespace else None) as target:
            yield target
    else:
        from hubpub.publish.target import find_target

        target = find_target(hub, token_needed=token_needed, wish=wish or TokenWish())
        if target.sends_token_in_clear:
            notify(f"warning: {target.endpoint} is not https; the token crosses the network unencrypted")
        yield target


def notifier(output_format: str, say: Notify = notify) -> Notify:
    """Steps go to stderr; a reader of JSON gets none. The client's own progress bars are for terminals."""
    if output_format == "json" or quiet_stderr():
        from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

        disable_progress_bars()
    return (lambda _message: None) if output_format == "json" else say


def warnings_only(message: str) -> None:
    """A step, if it is a warning: those who want to hear of no steps hear of that."""
    if message.startswith("warning"):
        notify(message)
