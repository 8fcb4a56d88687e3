"""`hubpub check`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubpub.cli.output import (
    config_option,
    fix_options,
    notify,
    print_reports,
    report_options,
    rule_options,
    selection_options,
    settings_for,
)
from hubpub.cli.progress import progress_line

if TYPE_CHECKING:
    from hubpub.core.report import Report

_LARGEST_SHOWN = 1 << 20


@click.command()
@click.argument("places", metavar="PATH...", nargs=-1, required=True)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Files not to look at, e.g. 'logs/*'. Repeatable.")
@click.option(
    "--deep", "depth", flag_value="deep", help="Also read every byte once, and compare with the architecture."
)
@click.option("--load", "depth", flag_value="load", help="Also load and run the model, in a process of its own.")
@fix_options
@selection_options
@rule_options
@config_option
@report_options()
def check(
    places: tuple[str, ...],
    exclude: tuple[str, ...],
    depth: str | None,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    config: Path | None,
    output_format: str,
    output: Path | None,
    exit_zero: bool,
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
      hubpub check ./model --fix --diff
      hubpub check hf://acme/model@v1.0.0
      hubpub check models/* --json
      hubpub check ./model --json | jq '.findings[].rule'
      hubpub check ./model --fail-on warning --ignore FILE006
    """
    from hubpub.core.rule import Depth
    from hubpub.model.folder import ModelFolder
    from hubpub.report.judged import Judged
    from hubpub.rules.registry import model_rules
    from hubpub.rules.run import check_folder
    from hubpub.rules.selection import Layer, Selection, split_words

    settings = settings_for(config, fail_on, {"exclude": exclude})
    flags = Layer(split_words(select), split_words(extend_select), split_words(ignore))
    selection = Selection((Layer(ignore=split_words(settings.ignore)), flags))

    def judge(place: str) -> Report:
        with progress_line("reading") as progress:
            return check_folder(
                ModelFolder.open(place, exclude=settings.exclude, progress=progress),
                target=place,
                depth=Depth(depth or Depth.QUICK),
                selection=selection,
                fail_on=settings.fail_on,
            )

    reports = [judge(place) for place in places]
    if fix or diff:
        reports = [_fix(report, judge, unsafe=unsafe_fixes, diff=diff) for report in reports]
    all_judged = [Judged(report, report.target, _texts_below(Path(report.target))) for report in reports]
    return print_reports(all_judged, output_format, output=output, rules=model_rules, exit_zero=exit_zero)


def _texts_below(root: Path) -> Callable[[str], str | None]:
    """Reads a small text file of a folder, so that a finding can be shown with its line."""

    @lru_cache(maxsize=8)
    def text_of(path: str) -> str | None:
        file = root / path
        try:
            # a link may lead anywhere
            inside = file.resolve().is_relative_to(root.resolve())
            if not inside or not file.is_file() or file.stat().st_size > _LARGEST_SHOWN:
                return None
            return file.read_text("utf-8")
        except (OSError, ValueError):
            return None

    return text_of


def _fix(report: Report, judge: Callable[[str], Report], *, unsafe: bool, diff: bool) -> Report:
    """The report after fixing, which is the same one where there was nothing to fix; with `diff` nothing is written."""
    from hubpub.fix.apply import plan_fixes, write_fixes
    from hubpub.model.folder import ModelFolder

    root = ModelFolder.open(report.target).root
    planned = plan_fixes(root, report.findings, unsafe=unsafe)
    if diff:
        click.echo(planned.diff(), nl=False, err=True)
    elif planned.findings:
        write_fixes(root, planned)
        for finding in planned.findings:
            notify(f"fixed {finding.rule}: {finding.fix.description if finding.fix else ''}")
        return judge(report.target)
    return report
