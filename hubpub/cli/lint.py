"""`hubpub lint`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hubpub.cli.output import config_option, format_options, print_report, rule_options, settings_for


@click.command()
@click.argument("path", type=click.Path(path_type=Path, allow_dash=True))
@rule_options
@config_option
@format_options
def lint(path: Path, ignore: tuple[str, ...], fail_on: str | None, config: Path | None, output_format: str) -> int:
    """Lint the model card PATH: a README.md, a model folder that has one, or - for stdin.

    Works offline: front matter as the Hub reads it, the licence, the seven sections (present, and filled), and
    placeholders that were never replaced.

    \b
    Examples:
      hubpub lint ./model
      hubpub lint README.md --fail-on warning
      git show HEAD:README.md | hubpub lint -
    """
    from hubpub.card.source import LARGEST_CARD, find_card
    from hubpub.rules.run import lint_card

    settings = settings_for(config, fail_on, {"ignore": ignore})
    if str(path) == "-":
        content, name, folder = sys.stdin.buffer.read(LARGEST_CARD + 1), "stdin", None
    else:
        content, name, folder = find_card(path)
    report = lint_card(
        content, path=name, target=str(path), folder=folder, ignore=settings.ignore, fail_on=settings.fail_on
    )
    return print_report(report, output_format)
