"""`hubpub check`."""

from __future__ import annotations

from pathlib import Path

import click

from hubpub.cli.output import config_option, format_options, print_report, rule_options, settings_for


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--exclude", multiple=True, metavar="GLOB", help="Files not to look at, e.g. 'logs/*'. Repeatable.")
@rule_options
@config_option
@format_options
def check(
    path: Path,
    exclude: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    config: Path | None,
    output_format: str,
) -> int:
    """Check the saved model folder PATH.

    Reads config.json, weight headers, tokenizer files and small text files; the weights themselves are not read,
    nothing is unpickled, imported or run, and nothing outside the folder is touched.

    \b
    Examples:
      hubpub check ./model
      hubpub check ./model --json | jq '.findings[].rule'
      hubpub check ./model --fail-on warning --ignore FILE006
    """
    from hubpub.model.folder import ModelFolder
    from hubpub.rules.run import check_folder

    settings = settings_for(config, fail_on, {"ignore": ignore, "exclude": exclude})
    folder = ModelFolder.open(path, exclude=settings.exclude)
    report = check_folder(folder, target=str(path), ignore=settings.ignore, fail_on=settings.fail_on)
    return print_report(report, output_format)
