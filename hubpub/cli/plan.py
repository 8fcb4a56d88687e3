"""`hubpub plan`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from hubpub.cli.output import colour, format_options, notify, print_json
from hubpub.cli.release import (
    ReleaseArguments,
    hub_option,
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
    from hubpub.publish.client import HubClient
    from hubpub.publish.prepare import PushOptions


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@release_options
@hub_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Save the plan; `hubpub push --plan FILE` publishes it, if nothing has changed.",
)
@patience_options
@format_options
def plan(
    path: Path,
    hub: str | None,
    token_file: Path | None,
    keyless: bool,
    out: Path | None,
    timeout: float | None,
    attempts: int | None,
    output_format: str,
    **release: Unpack[ReleaseArguments],
) -> int:
    """Show what `hubpub push` would do with the model folder PATH; nothing is sent or created.

    Which files are added, replaced and unchanged, what stays here and why, how the card changes, how much is sent, and
    what an older release left on the hub that loaders would still take. That is deleted with --delete-stale only, in
    the same commit.

    The checks come first. A plan that is only shown leaves out those that read every byte (--depth deep makes them),
    so that it is there at once, however large the model is; a plan as JSON or a file has the hash of every file, and
    makes them all. A saved plan is published as it is, or not at all: it is refused when the folder or the hub has
    changed since.

    \b
    Examples:
      hubpub plan ./model --org acme
      hubpub plan ./model --repo acme/model --delete-stale --out plan.json
      hubpub push --plan plan.json
    """
    from hubpub.publish.client import HubClient
    from hubpub.publish.http import Patience

    options = push_options(path, release, depth="quick" if _only_shown(output_format, out) else "deep")
    with target_of(hub, options.namespace, wish=token_wish(token_file, keyless, repo_id_of(options))) as target:
        client = HubClient(target, Patience.given(timeout, attempts))
        code = show_plan(options, client, output_format, out, hub)
    if release["depth"] is None and _only_shown(output_format, out):
        notify("the push looks at the numbers of the model too; --depth deep does so now")
    return code


def show_plan(
    options: PushOptions,
    client: HubClient,
    output_format: str,
    out: Path | None,
    hub: str | None,
    *,
    quiet: bool = False,
) -> int:
    """Print the plan of a push to the hub that was named, and save it if it is asked for; returns the exit code."""
    from hubpub.cli.progress import WorkProgress
    from hubpub.publish.prepare import prepare
    from hubpub.publish.saved import check_outside, plan_document, save_outside
    from hubpub.report.release import render_plan
    from hubpub.report.text import render_findings

    if out:
        check_outside(out, options.path)
    hashed = not _only_shown(output_format, out)
    work = WorkProgress()
    if output_format != "json" and not quiet:
        client.http.watch = work.watch
    client.http.notify = notifier(output_format, warnings_only if quiet else work.say)
    try:
        prepared = prepare(options, client, client.http.notify, hashed=hashed)
    finally:
        work.erase()
    document = plan_document(prepared.plan, options, local=hub == "local") if hashed else {}
    if out:
        save_outside(out, options.path, document)
    if output_format == "json":
        print_json({**document, "report": prepared.report.to_json()})
        return 0
    click.echo(
        render_findings(prepared.report, colour) + render_plan(prepared.plan, colour, proposed=options.pull_request),
        nl=False,
    )
    if out:
        command = ["hubpub", "push", "--plan", str(out), *(["--hub", hub] if hub else [])]
        notify(f"wrote {out}; `{shlex.join(command)}` publishes it")
    return 0


def _only_shown(output_format: str, out: Path | None) -> bool:
    """Whether only a person looks at the plan, who need not wait until a terabyte is hashed that is sent anyway."""
    return out is None and output_format != "json"
