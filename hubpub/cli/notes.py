"""`hubpub notes`."""

from __future__ import annotations

from pathlib import Path

import click

from hubpub.cli.output import format_options, notify, print_json
from hubpub.cli.release import hub_option, notifier, target_of, token_wish


@click.command()
@click.argument("repo", metavar="REPO")
@click.argument("old", metavar="FROM")
@click.argument("new", metavar="[TO]", default="main")
@click.option(
    "--changelog",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also put them on top of this changelog, unless it has a section for TO.",
)
@hub_option
@format_options
def notes(
    repo: str,
    old: str,
    new: str,
    changelog: Path | None,
    hub: str | None,
    token_file: Path | None,
    keyless: bool,
    output_format: str,
) -> int:
    """Show what changed between two releases, as Markdown: parameters, configuration, metrics, files.

    FROM and TO are tags, branches or commits; without TO it is main. All of it is read from the
    hub. A push with --tag puts the same into the message of the tag.

    \b
    Examples:
      hubpub notes acme/model v1.0.0 v1.1.0
      hubpub notes acme/model v1.0.0 v1.1.0 --changelog CHANGELOG.md
      hubpub notes acme/model v1.0.0 --json | jq '.metrics'
    """
    from hubpub.publish.changelog import add_section
    from hubpub.publish.client import HubClient
    from hubpub.publish.notes import release_notes
    from hubpub.publish.target import parse_repo_id

    namespace, _ = parse_repo_id(repo)
    wish = token_wish(token_file, keyless, repo)
    with target_of(hub, namespace, token_needed=False, wish=wish) as target:
        found = release_notes(HubClient(target, notify=notifier(output_format)), repo, old, new)
    # First, so that a reader of JSON gets either the notes or the error, and never both.
    written = add_section(changelog, new, found.to_markdown()) if changelog else False
    if output_format == "json":
        print_json(found.to_json())
        return 0
    click.echo(found.to_markdown(), nl=False)
    if changelog:
        notify(f"wrote {changelog}" if written else f"{changelog} has a section for {new} already")
    return 0
