"""`hubpub check`."""

from __future__ import annotations

from pathlib import Path

import click

from hubpub.cli.output import config_option, format_options, print_reports, rule_options, settings_for


@click.command()
@click.argument("places", metavar="PATH...", nargs=-1, required=True)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Files not to look at, e.g. 'logs/*'. Repeatable.")
@click.option(
    "--deep", "depth", flag_value="deep", help="Also read every byte once, and compare with the architecture."
)
@click.option("--load", "depth", flag_value="load", help="Also load and run the model, in a process of its own.")
@rule_options
@config_option
@format_options
def check(
    places: tuple[str, ...],
    exclude: tuple[str, ...],
    depth: str | None,
    ignore: tuple[str, ...],
    fail_on: str | None,
    config: Path | None,
    output_format: str,
) -> int:
    """Check the saved model folder PATH, or several.

    PATH is a folder, a zip or tar archive of one, hf://namespace/name@revision, or an address of a store that fsspec
    knows (s3://bucket/model). Of what is elsewhere only the parts that are needed are fetched.

    Reads config.json, weight headers, tokenizer files and small text files; nothing is unpickled, imported or run, and
    nothing outside the folder is touched. What was not looked at is listed.

    \b
    Examples:
      hubpub check ./model
      hubpub check ./model --deep
      hubpub check hf://acme/model@v1.0.0
      hubpub check models/* --json
      hubpub check ./model --json | jq '.findings[].rule'
      hubpub check ./model --fail-on warning --ignore FILE006
    """
    from hubpub.core.rule import Depth
    from hubpub.model.folder import ModelFolder
    from hubpub.rules.run import check_folder

    settings = settings_for(config, fail_on, {"ignore": ignore, "exclude": exclude})
    reports = [
        check_folder(
            ModelFolder.open(place, exclude=settings.exclude),
            target=place,
            depth=Depth(depth or Depth.QUICK),
            ignore=settings.ignore,
            fail_on=settings.fail_on,
        )
        for place in places
    ]
    return print_reports(reports, output_format)
