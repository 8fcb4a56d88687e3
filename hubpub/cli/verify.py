"""`hubpub verify`."""

from __future__ import annotations

from pathlib import Path

import click

from hubpub.cli.output import colour, config_option, format_options, print_json, quiet_stderr, settings_for
from hubpub.cli.release import hub_option, notifier, patience_options, target_of, token_wish


@click.command()
@click.argument("repo", metavar="REPO[@REV]")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option(
    "--receipt",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with what `hubpub push --receipt FILE` recorded.",
)
@click.option(
    "--fetch/--no-fetch",
    default=None,
    help="Download and hash every file, or take the hub's word for its hashes.  [default: fetch, unless PATH is given]",
)
@click.option("--complete", is_flag=True, help="What only the hub has is a difference, too.")
@click.option("--include", multiple=True, metavar="GLOB", help="Of PATH: published although they look like leftovers.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Of PATH: not published. Repeatable.")
@click.option("--load", is_flag=True, help="Also load the model, in a child process without token and network.")
@config_option
@hub_option
@patience_options
@format_options
def verify(
    repo: str,
    path: Path | None,
    receipt: Path | None,
    fetch: bool | None,
    complete: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    load: bool,
    config: Path | None,
    hub: str | None,
    token_file: Path | None,
    keyless: bool,
    timeout: float | None,
    attempts: int | None,
    output_format: str,
) -> int:
    """Verify that a hub serves what was published; public repos need no token.

    Without PATH every file of the commit is downloaded, hashed and dropped: does the hub hand it out, and are these
    the bytes of the hash that it states? With --receipt they must also be those that were published. With PATH the
    folder's files are compared with the hub's hashes, those that a push would publish; what only the hub has is listed.

    Exit code 6: something differs, or does not load.

    \b
    Examples:
      hubpub verify acme/model@v1.0.0                        # are all files there, and whole?
      hubpub verify acme/model ./model                       # does the hub hold what I have here?
      hubpub verify acme/model@v1.0.0 --receipt receipt.json # is it still what was released?
    """
    from hubpub.cli.progress import progress_line
    from hubpub.core.errors import VerificationError
    from hubpub.publish.client import HubClient
    from hubpub.publish.http import Patience
    from hubpub.publish.load_check import load_published
    from hubpub.publish.target import parse_revision
    from hubpub.publish.verification import VerifyOptions
    from hubpub.publish.verification import verify as compare
    from hubpub.report.excerpt import printable
    from hubpub.report.verification import render_verification

    namespace, name, revision = parse_revision(repo)
    settings = settings_for(config, lists={"include": include, "exclude": exclude})
    options = VerifyOptions(
        f"{namespace}/{name}", revision, path, receipt, fetch, complete, settings.include, settings.exclude
    )
    patience = Patience.given(timeout, attempts)
    notify = notifier(output_format)
    with target_of(hub, namespace, token_needed=False, wish=token_wish(token_file, keyless, options.repo_id)) as target:
        if output_format == "json" or quiet_stderr():
            result = compare(options, HubClient(target, patience), notify)
        else:
            with progress_line("fetching") as progress:
                result = compare(options, HubClient(target, patience), notify, progress)
        loaded = (
            load_published(HubClient(target), options.repo_id, result.commit, notify) if load and result.ok else None
        )
    if output_format == "json":
        print_json(result.to_json() | {"loaded": loaded.to_json() if loaded else None})
    else:
        click.echo(render_verification(result, colour), nl=False)
        if loaded:
            click.echo(f"  loads: {printable(', '.join(loaded.steps))}")
    return 0 if result.ok else VerificationError.exit_code
