"""`hubpub verify`."""

from __future__ import annotations

from pathlib import Path

import click

from hubpub.cli.output import colour, config_option, format_options, print_json, settings_for
from hubpub.cli.release import check_load, hub_option, load_options, notifier, patience_options, target_of, token_wish


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
@load_options("Also load the model by its id at that commit, in a child process without token and network.")
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
    base_limit: int | None,
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

    With --load the model is then loaded as from_pretrained("acme/model", revision="COMMIT") does, and run once, from
    a throw-away cache. No code of the repo runs, and nothing is unpickled.

    Exit code 6: something differs, or does not load.

    \b
    Examples:
      hubpub verify acme/model@v1.0.0                        # are all files there, and whole?
      hubpub verify acme/model ./model                       # does the hub hold what I have here?
      hubpub verify acme/model@v1.0.0 --load                 # does it load, as its users load it?
      hubpub verify acme/model@v1.0.0 --receipt receipt.json # is it still what was released?
    """
    from hubpub.cli.progress import WorkProgress
    from hubpub.core.errors import VerificationError
    from hubpub.publish.client import HubClient
    from hubpub.publish.http import Patience
    from hubpub.publish.target import parse_revision
    from hubpub.publish.verification import VerifyOptions
    from hubpub.publish.verification import verify as compare
    from hubpub.report.verification import render_verification

    check_load(base_limit, load=load)
    namespace, name, revision = parse_revision(repo)
    settings = settings_for(config, lists={"include": include, "exclude": exclude})
    options = VerifyOptions(
        repo_id=f"{namespace}/{name}",
        revision=revision,
        path=path,
        receipt=receipt,
        fetch=fetch,
        complete=complete,
        include=settings.include,
        exclude=settings.exclude,
        load=load,
        base_limit=base_limit,
    )
    patience = Patience.given(timeout, attempts)
    work = WorkProgress()
    notify = notifier(output_format, work.say)
    with target_of(hub, namespace, token_needed=False, wish=token_wish(token_file, keyless, options.repo_id)) as target:
        try:
            result = compare(
                options,
                HubClient(target, patience),
                notify,
                None if output_format == "json" else lambda done, total: work.watch("fetching", done, total, ""),
            )
        finally:
            work.erase()
    if output_format == "json":
        print_json(result.to_json())
    else:
        click.echo(render_verification(result, colour), nl=False)
    return 0 if result.ok else VerificationError.exit_code
