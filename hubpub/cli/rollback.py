"""`hubpub rollback`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hubpub.cli.output import colour, format_options, print_json
from hubpub.cli.release import hub_option, notifier, patience_options, target_of, token_wish

_DECLINED = 130


@click.command()
@click.argument("repo", metavar="REPO")
@click.option("--to", required=True, metavar="TAG|OID", help="The release to go back to: a tag, or a commit.")
@click.option("--revision", default="main", show_default=True, metavar="BRANCH", help="Branch to roll back.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@hub_option
@patience_options
@format_options
def rollback(
    repo: str,
    to: str,
    revision: str,
    yes: bool,
    dry_run: bool,
    hub: str | None,
    token_file: Path | None,
    keyless: bool,
    timeout: float | None,
    attempts: int | None,
    output_format: str,
) -> int:
    """Make an older release the newest again: ONE new commit with its files, on top of what is there now.

    Large files are copied within the hub, so nothing is uploaded again; what the older release did not have is
    deleted. The history stays, so a rollback can be rolled back. Every path, size and hash is compared afterwards.

    \b
    Examples:
      hubpub rollback acme/model --to v1.2.0 --dry-run
      hubpub rollback acme/model --to v1.2.0
      hubpub rollback acme/model --to 1009b3ffab81 --yes
    """
    from hubpub.core.errors import UsageError
    from hubpub.publish.client import HubClient
    from hubpub.publish.http import Patience
    from hubpub.publish.rollback import plan_rollback, roll_back
    from hubpub.publish.target import parse_repo_id
    from hubpub.report.rollback import render_rollback, render_rollback_plan

    namespace, _ = parse_repo_id(repo)
    notify = notifier(output_format)
    with target_of(hub, namespace, wish=token_wish(token_file, keyless, repo)) as target:
        client = HubClient(target, Patience.given(timeout, attempts), notify)
        plan = plan_rollback(client, repo, revision, to)
        if output_format == "text":
            click.echo(render_rollback_plan(plan, colour), nl=False)
        if dry_run:
            if output_format == "json":
                print_json(plan.to_json())
            return 0
        if plan.makes_commit and not yes:
            if output_format == "json" or not sys.stdin.isatty():
                raise UsageError("a rollback changes what people load, and nobody can be asked", "give --yes")
            if not click.confirm(f"Roll {revision} of {repo} back to {to}?", err=True):
                notify("nothing was changed")
                return _DECLINED
        receipt = roll_back(plan, client, notify)
    if output_format == "json":
        print_json(receipt.to_json())
    else:
        click.echo(render_rollback(receipt, colour), nl=False)
    return 0
