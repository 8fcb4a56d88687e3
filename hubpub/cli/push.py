"""`hubpub push`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from hubpub.cli.output import colour, format_options, print_json, settings_for
from hubpub.cli.release import (
    ReleaseArguments,
    check_load,
    hub_option,
    load_options,
    notifier,
    patience_options,
    push_options,
    release_options,
    repo_id_of,
    target_of,
    token_wish,
    warnings_only,
)

if TYPE_CHECKING:
    from hubpub.publish.prepare import Notify, PushOptions
    from hubpub.publish.receipt import Receipt
    from hubpub.publish.saved import SavedPlan

# What may be said beside a saved plan, which says the rest.
_BESIDE_A_PLAN = {
    "path",
    "hub",
    "token_file",
    "keyless",
    "plan_file",
    "receipt",
    "write",
    "config",
    "output_format",
    "timeout",
    "attempts",
    "quiet",
    "load",
    "base_limit",
    "webhooks",
    "settings_webhooks",
    "changelog",
}


@click.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@release_options
@hub_option
@click.option("--write", is_flag=True, help="Also put a card that was rendered into the folder.")
@click.option("--dry-run", is_flag=True, help="Do every check, print the plan, send nothing.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Publish what `hubpub plan --out FILE` saved, unless something has changed since.",
)
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the receipt, with size and SHA-256 of every file, to a file; see `hubpub verify`.",
)
@click.option(
    "--changelog",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --tag: put what changed since the tag before on top of this file, once; see `hubpub notes`.",
)
@load_options("Load the model by its id at the new commit, before it is tagged, in a child process without token.")
@click.option(
    "--webhook",
    "webhooks",
    multiple=True,
    metavar="URL",
    help="Tell this https address of the release. Signed if HUBPUB_WEBHOOK_SECRET is set. Repeatable.",
)
@click.option(
    "--webhooks", "settings_webhooks", is_flag=True, help="Also tell the addresses of [tool.hubpub.release] webhooks."
)
@click.option("--quiet", "-q", is_flag=True, help="Say nothing of steps and progress.")
@patience_options
@format_options
@click.pass_context
def push(
    context: click.Context,
    path: Path | None,
    hub: str | None,
    token_file: Path | None,
    keyless: bool,
    write: bool,
    dry_run: bool,
    plan_file: Path | None,
    receipt: Path | None,
    changelog: Path | None,
    load: bool,
    base_limit: int | None,
    webhooks: tuple[str, ...],
    settings_webhooks: bool,
    quiet: bool,
    timeout: float | None,
    attempts: int | None,
    output_format: str,
    **release: Unpack[ReleaseArguments],
) -> int:
    """Publish the model folder PATH in ONE verified commit.

    The folder is checked first, every byte of it, and nothing is created or sent if it has errors. Without a
    README.md the card is written from what the folder knows. Training state and caches stay here. After the commit
    every path, size and hash is compared with what the hub serves. A second push of the same folder makes no commit.

    \b
    Examples:
      hubpub push ./model --org acme --dry-run         # what would happen?
      hubpub push ./model --org acme --hub local       # rehearse on this machine, no account needed
      hubpub push ./model --org acme --tag v1.0.0 --load --changelog CHANGELOG.md
      hubpub push ./model --repo acme/model --pr       # propose it; run again to update the pull request
      hubpub push ./model --repo acme/model --keyless  # in CI, without a stored token
      hubpub push --plan plan.json --receipt receipt.json
    """
    from hubpub.cli.plan import show_plan
    from hubpub.cli.progress import WorkProgress
    from hubpub.core.errors import UsageError
    from hubpub.publish.after_push import After, hooks_to_tell
    from hubpub.publish.client import HubClient
    from hubpub.publish.http import Patience
    from hubpub.publish.push import push as publish
    from hubpub.publish.saved import read_plan

    saved = None
    if plan_file:
        _refuse_beside_a_plan(context)
        saved = read_plan(plan_file)
        options = _planned(saved, path, release["config"])
    elif path is None:
        raise UsageError("Missing argument 'PATH'", "see `hubpub push --help`")
    else:
        options = push_options(path, release)
    check_load(base_limit, load=load)
    options = replace(options, load=load, base_limit=base_limit)
    hooks = hooks_to_tell(webhooks, settings_for(release["config"]), of_settings=settings_webhooks)
    after = After(receipt, changelog, hooks)
    after.check(options)
    with target_of(hub, options.namespace, wish=token_wish(token_file, keyless, repo_id_of(options))) as target:
        if saved:
            saved.check_hub(target.endpoint, local=hub == "local")
        client = HubClient(target, Patience.given(timeout, attempts))
        if dry_run:
            return show_plan(options, client, output_format, None, hub, quiet=quiet)
        expected = saved.expected if saved else None
        work = WorkProgress()
        silent = quiet or output_format == "json"
        if not silent:
            client.http.watch = work.watch
        say = notifier("json" if silent else output_format, work.say)
        # A warning is for those, too, who want to hear of no steps.
        aloud = warnings_only if silent else work.say
        try:
            made = publish(options, client, aloud if silent else say, expected)
        finally:
            work.erase()
        if write:
            _keep_card(options, made, aloud)
        after.follow(options, client, made, aloud)
    _show(made, output_format, local=hub == "local")
    return 0


def _refuse_beside_a_plan(context: click.Context) -> None:
    from click.core import ParameterSource

    from hubpub.core.errors import UsageError

    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in _BESIDE_A_PLAN and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"--plan says what is published, and {parameter.opts[0]} was given too", "leave it out, or plan again"
            )


def _planned(saved: SavedPlan, path: Path | None, config: Path | None) -> PushOptions:
    """The options of a saved plan; the folder may have moved, and the settings of cards are those of today."""
    settings = settings_for(config)
    return replace(
        saved.options,
        path=path or saved.options.path,
        card_settings=settings.card,
        lint_settings=settings.lint,
    )


def _keep_card(options: PushOptions, made: Receipt, say: Notify) -> None:
    """Put a card that was rendered into the folder; a failure is said, and no more, since the release stands."""
    from hubpub.card.merge.lock import write_card
    from hubpub.core.errors import HubpubError

    card, readme = made.plan.card, options.path / "README.md"
    if card.given is None:  # there was a README.md, which is published as it is
        return
    try:
        write_card(options.path, readme, card.content.decode(), card.given, None, made.plan.repo_id)
    except HubpubError as error:
        say(f"warning: {readme} was not written: {error.message}; the release stands")


def _show(made: Receipt, output_format: str, *, local: bool) -> None:
    from hubpub.cli.local_hub import PORT
    from hubpub.report.release import render_receipt
    from hubpub.report.text import render_findings

    if output_format == "json":
        print_json(made.to_json())
        return
    where = f"run `hubpub serve` and open http://127.0.0.1:{PORT}/{made.plan.repo_id}" if local else None
    click.echo(render_findings(made.report, colour) + render_receipt(made, colour, where), nl=False)
