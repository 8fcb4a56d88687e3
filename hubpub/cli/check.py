"""`hubpub check`."""

from __future__ import annotations

from pathlib import Path

import click

from hubpub.cli.output import config_option, format_options, print_report, rule_options, settings_for
from hubpub.cli.progress import progress_line


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--exclude", multiple=True, metavar="GLOB", help="Files not to look at, e.g. 'logs/*'. Repeatable.")
@click.option(
    "--deep", "depth", flag_value="deep", help="Also read every byte once, and compare with the architecture."
)
@click.option("--load", "depth", flag_value="load", help="Also load and run the model, in a process of its own.")
@rule_options
@config_option
@format_options
def check(
    path: Path,
    exclude: tuple[str, ...],
    depth: str | None,
    ignore: tuple[str, ...],
    fail_on: str | None,
    config: Path | None,
    output_format: str,
) -> int:
    """Check the saved model folder PATH.

    Reads config.json, weight headers, tokenizer files and small text files; nothing is unpickled, imported or run, and
    nothing outside the folder is touched. What was not looked at is listed.

    \b
    Examples:
      hubpub check ./model
      hubpub check ./model --deep
      hubpub check ./model --json | jq '.findings[].rule'
      hubpub check ./model --fail-on warning --ignore FILE006
    """
    from hubpub.core.rule import Depth
    from hubpub.model.folder import ModelFolder
    from hubpub.rules.run import check_folder

    settings = settings_for(config, fail_on, {"ignore": ignore, "exclude": exclude})
    with progress_line("reading") as progress:
        report = check_folder(
            ModelFolder.open(path, exclude=settings.exclude, progress=progress),
            target=str(path),
            depth=Depth(depth or Depth.QUICK),
            ignore=settings.ignore,
            fail_on=settings.fail_on,
        )
    return print_report(report, output_format)
