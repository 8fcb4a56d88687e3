"""`hubpub push`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubpub.cli.output import (
    colour,
    config_option,
    format_options,
    notify,
    print_json,
    quiet_stderr,
    rule_options,
    settings_for,
)

if TYPE_CHECKING:
    from hubpub.core.settings import Settings
    from hubpub.publish.prepare import Notify, PushOptions
    from hubpub.publish.target import Target


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--org", metavar="ORG", help="Organisation (or user) to publish to; default: the token's user.")
@click.option("--name", metavar="NAME", help="Repo name; default: the folder's name.")
@click.option("--repo-id", metavar="NS/NAME", help="Both at once, instead of --org and --name.")
@click.option("--revision", default="main", show_default=True, metavar="BRANCH", help="Branch to publish to.")
@click.option("--tag", metavar="TAG", help="Tag the verified commit, e.g. v1.2.0. A tag is never moved.")
@click.option("--private", is_flag=True, help="Create the repo private.")
@click.option("--message", "-m", metavar="TEXT", help="Commit message.")
@click.option(
    "--card",
    "card_from",
    type=click.Choice(["folder", "hub"]),
    help="Which card wins when the folder's and the hub's were both written by hand.",
)
@click.option("--write", is_flag=True, help="Also put a card that was rendered into the folder.")
@click.option("--include", multiple=True, metavar="GLOB", help="Publish these although they look like leftovers.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Do not publish these. Repeatable.")
@click.option(
    "--depth",
    type=click.Choice(["quick", "deep", "load"]),
    default="deep",
    show_default=True,
    help="How far the check goes; see `hubpub check --help`.",
)
@click.option("--dry-run", is_flag=True, help="Do every check, print the plan, send nothing.")
@click.option(
    "--hub",
    metavar="URL|local",
    help="Hub to publish to; 'local': the embedded hub on this machine. Default: HF_ENDPOINT, else the public Hub.",
)
@rule_options
@config_option
@format_options
def push(
    path: Path,
    org: str | None,
    name: str | None,
    repo_id: str | None,
    revision: str,
    tag: str | None,
    private: bool,
    message: str | None,
    card_from: str | None,
    write: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    depth: str,
    dry_run: bool,
    hub: str | None,
    ignore: tuple[str, ...],
    fail_on: str | None,
    config: Path | None,
    output_format: str,
) -> int:
    """Publish the model folder PATH in ONE verified commit.

    The folder is checked first, every byte of it, and nothing is created or sent if it has errors. Without a
    README.md the card is written from what the folder knows. Training state and caches stay here. After the commit
    every path, size and hash is compared with what the hub serves. A second push of the same folder makes no commit.

    \b
    Examples:
      hubpub push ./model --org acme --dry-run         # what would happen?
      hubpub push ./model --org acme --hub local       # rehearse on this machine, no account needed
      hubpub push ./model --org acme --tag v1.0.0
    """
    from hubpub.core.rule import Depth
    from hubpub.publish.card import CardSource
    from hubpub.publish.prepare import PushOptions

    settings = settings_for(config, fail_on, {"ignore": ignore, "exclude": exclude, "include": include})
    namespace, repo = _repo(path, org, name, repo_id, settings)
    options = PushOptions(
        path=path,
        name=repo,
        namespace=namespace,
        revision=revision,
        tag=tag,
        private=private,
        new_repos_private=settings.private,
        title=message,
        card=CardSource(card_from) if card_from else None,
        include=settings.include,
        exclude=settings.exclude,
        ignore=settings.ignore,
        fail_on=settings.fail_on,
        depth=Depth(depth),
        card_settings=settings.card,
        lint_settings=settings.lint,
    )
    if output_format == "json" or quiet_stderr():
        _no_progress_bars()
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(_target(hub, namespace))
        if dry_run:
            return _show_plan(options, target, output_format)
        return _push(options, target, write, output_format, local=hub == "local")


def _repo(
    path: Path, org: str | None, name: str | None, repo_id: str | None, settings: Settings
) -> tuple[str | None, str]:
    """(namespace or None for the token's user, repo name)."""
    from hubpub.core.errors import UsageError
    from hubpub.publish.target import parse_namespace, parse_repo_id, repo_name

    if repo_id:
        namespace, repo = parse_repo_id(repo_id)
        if org not in (None, namespace) or name not in (None, repo):
            raise UsageError(f"--repo-id {repo_id} contradicts --org or --name", "give one or the other")
        return namespace, repo
    space = org or settings.org
    return (parse_namespace(space) if space else None), repo_name(path, name)


@contextlib.contextmanager
def _target(hub: str | None, namespace: str | None) -> Iterator[Target]:
    """The hub to publish to; the embedded one runs as long as the context."""
    if hub == "local":
        from hubpub.cli.local_hub import local_hub

        with local_hub(namespace) as target:
            yield target
    else:
        from hubpub.publish.target import find_target

        target = find_target(hub)
        if target.sends_token_in_clear:
            notify(f"warning: {target.endpoint} is not https; the token crosses the network unencrypted")
        yield target


def _show_plan(options: PushOptions, target: Target, output_format: str) -> int:
    from hubpub.publish.client import HubClient
    from hubpub.publish.prepare import prepare
    from hubpub.report.release import render_plan
    from hubpub.report.text import render_findings

    prepared = prepare(options, HubClient(target), _notifier(output_format))
    if output_format == "json":
        print_json({**prepared.plan.to_json(), "report": prepared.report.to_json()})
    else:
        click.echo(render_findings(prepared.report, colour) + render_plan(prepared.plan, colour), nl=False)
    return 0


def _push(options: PushOptions, target: Target, write: bool, output_format: str, *, local: bool) -> int:
    from hubpub.cli.local_hub import PORT
    from hubpub.core.files import replace_file
    from hubpub.publish.card import CardSource
    from hubpub.publish.client import HubClient
    from hubpub.publish.push import push as publish
    from hubpub.report.release import render_receipt
    from hubpub.report.text import render_findings

    receipt = publish(options, HubClient(target), _notifier(output_format))
    if write and receipt.plan.card.source is CardSource.RENDERED:
        replace_file(options.path / "README.md", receipt.plan.card.content)
    if output_format == "json":
        print_json(receipt.to_json())
        return 0
    where = f"run `hubpub serve` and open http://127.0.0.1:{PORT}/{receipt.plan.repo_id}" if local else None
    click.echo(render_findings(receipt.report, colour) + render_receipt(receipt, colour, where), nl=False)
    return 0


def _notifier(output_format: str) -> Notify:
    """Steps go to stderr; a reader of JSON gets none."""
    return (lambda _message: None) if output_format == "json" else notify


def _no_progress_bars() -> None:
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    disable_progress_bars()
