"""What every verb does alike: its common options, and how a report or an error leaves the process."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hubpub.core.errors import FindingsError, HubpubError, UsageError

if TYPE_CHECKING:
    from hubpub.core.report import Report
    from hubpub.core.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

ERROR_SCHEMA = "hubpub.error/1"


def format_options(command: Command) -> Command:
    """Add --format and its short form --json."""
    command = click.option(
        "--format",
        "output_format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How the result is printed on stdout.",
    )(command)
    return click.option("--json", "output_format", flag_value="json", help="Short for --format json.")(command)


def config_option(command: Command) -> Command:
    """Add --config."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="Settings file; default: the nearest hubpub.toml, or pyproject.toml with [tool.hubpub].",
    )(command)


def rule_options(command: Command) -> Command:
    """Add --ignore and --fail-on."""
    command = click.option(
        "--ignore",
        multiple=True,
        metavar="RULE",
        help="Rule not to run, by code, prefix of a code, or name. Repeatable.",
    )(command)
    return click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "info"]),
        help="Lowest severity that makes the command fail.  [default: error]",
    )(command)


def fix_options(command: Command) -> Command:
    """Add --fix, --unsafe-fixes and --diff."""
    command = click.option("--diff", is_flag=True, help="Show on stderr what --fix would change, and change nothing.")(
        command
    )
    command = click.option(
        "--unsafe-fixes", is_flag=True, help="With --fix or --diff: also fixes that may change what is meant."
    )(command)
    return click.option("--fix", is_flag=True, help="Mend what can be mended mechanically, and check again.")(command)


def settings_for(
    config: Path | None, fail_on: str | None = None, lists: Mapping[str, Sequence[str]] | None = None
) -> Settings:
    """Settings of the file, overridden by the flags that were given; flags of lists add to the file's."""
    from hubpub.core.findings import Severity
    from hubpub.core.settings import find_settings, load_settings

    settings = load_settings(config) if config else find_settings(_working_directory())
    changes: dict[str, Any] = {name: getattr(settings, name) + tuple(more) for name, more in (lists or {}).items()}
    if fail_on:
        changes["fail_on"] = Severity(fail_on)
    return replace(settings, **changes)


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise UsageError("the working directory is gone", "change into a directory that exists") from error


def colour(text: str, name: str) -> str:
    """`text` in a colour; click drops it where stdout is not a terminal."""
    return click.style(text, fg=name)


def print_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_report(report: Report, output_format: str) -> int:
    """Print the report; returns the exit code that it asks for."""
    from hubpub.report.text import render_report

    if output_format == "json":
        print_json(report.to_json())
    else:
        click.echo(render_report(report, colour), nl=False)
    return 0 if report.ok else FindingsError.exit_code


def print_reports(reports: Sequence[Report], output_format: str) -> int:
    """Print one report as it is, several one after the other; returns the exit code that they ask for."""
    from hubpub.core.report import reports_to_json

    if output_format == "json" and len(reports) > 1:
        print_json(reports_to_json(reports))
        return 0 if all(report.ok for report in reports) else FindingsError.exit_code
    return max(print_report(report, output_format) for report in reports)


def notify(message: str) -> None:
    """A step of long work, on stderr."""
    click.echo(f"{click.style('·', fg='cyan')} {message}", err=True)


def show_error(error: HubpubError, arguments: Sequence[str]) -> None:
    """One line on stderr; for a reader of JSON also one document on stdout."""
    from hubpub.report.text import printable, render_findings

    report = error.report if isinstance(error, FindingsError) else None
    if _wants_json(arguments):
        print_json(
            {
                "schema": ERROR_SCHEMA,
                "error": type(error).__name__,
                "message": error.message,
                "next_step": error.next_step,
                "exit_code": error.exit_code,
                "report": report.to_json() if report else None,
            }
        )
    elif report:
        click.echo(render_findings(report, colour), nl=False, err=True)
    click.echo(
        f"{click.style('error', fg='red')}: {printable(error.message)}; {printable(error.next_step)}",
        err=True,
    )


def _wants_json(arguments: Sequence[str]) -> bool:
    return (
        "--json" in arguments or "--format=json" in arguments or ("--format", "json") in itertools.pairwise(arguments)
    )


def quiet_stderr() -> bool:
    """Whether progress bars would only fill a log."""
    return not sys.stderr.isatty()
