"""What every verb does alike: its common options, and how a report or an error leaves the process."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hubpub.core.errors import FindingsError, HubpubError, UsageError

if TYPE_CHECKING:
    from hubpub.core.rule import Rule
    from hubpub.core.settings import Settings
    from hubpub.report.judged import Judged

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


FORMATS = ("text", "concise", "json", "jsonl", "github", "gitlab", "sarif", "junit", "markdown", "html")


def report_options(*more: str) -> Callable[[Command], Command]:
    """Add --format with every format of a report and `more`, --json, --output and --exit-zero."""

    def add(command: Command) -> Command:
        command = click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are findings.")(command)
        command = click.option(
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write the result to a file instead of stdout.",
        )(command)
        command = click.option(
            "--format",
            "output_format",
            type=click.Choice([*FORMATS, *more]),
            default="text",
            show_default=True,
            metavar="FORMAT",
            help=f"How the result is printed: {', '.join([*FORMATS, *more])}.",
        )(command)
        return click.option("--json", "output_format", flag_value="json", help="Short for --format json.")(command)

    return add


def config_option(command: Command) -> Command:
    """Add --config."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="Settings file; default: the nearest hubpub.toml, or pyproject.toml with [tool.hubpub].",
    )(command)


def selection_options(command: Command) -> Command:
    """Add --select and --extend-select."""
    command = click.option(
        "--extend-select",
        multiple=True,
        metavar="RULES",
        help="Run these rules besides those that would run. Repeatable.",
    )(command)
    return click.option(
        "--select",
        multiple=True,
        metavar="RULES",
        help="Run these rules instead: codes, prefixes, names or ALL, with commas between. Repeatable.",
    )(command)


def rule_options(command: Command) -> Command:
    """Add --ignore and --fail-on."""
    command = click.option(
        "--ignore",
        multiple=True,
        metavar="RULES",
        help="Rules not to run, by code, prefix of a code, or name, with commas between. Repeatable.",
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
    if "ignore" in changes:
        from hubpub.rules.selection import split_words

        changes["ignore"] = split_words(changes["ignore"])
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
    """One JSON document on stdout; half a pair of surrogates, which UTF-8 does not have, is written as an escape."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def print_text(text: str) -> None:
    """A text that others wrote, on stdout: as it is, but on a terminal nothing in it may steer that."""
    if sys.stdout.isatty():
        lines = text.replace("\r\n", "\n")
        text = "".join(char if char in "\n\t" or char.isprintable() else f"\\x{ord(char):02x}" for char in lines)
    click.echo(text, nl=False)


def print_reports(
    all_judged: Sequence[Judged],
    output_format: str,
    *,
    output: Path | None = None,
    rules: Iterable[Rule[Any]] = (),
    show_fixes: bool = False,
    exit_zero: bool = False,
    to_stderr: bool = False,
) -> int:
    """Print the reports, or write them to a file; returns the exit code that they ask for.

    Args:
        all_judged: the reports.
        output_format: one of the formats.
        output: the file to write to.
        rules: those that were run; SARIF tells of them.
        show_fixes: whether the text says what each fix would do.
        exit_zero: whether findings do not count.
        to_stderr: whether stdout is needed for something else.
    """
    from hubpub.report.formats import render
    from hubpub.report.text import plain

    text = render(
        all_judged,
        output_format,
        style=plain if output else colour,
        rules={rule.code: rule for rule in rules},
        show_fixes=show_fixes,
    )
    if output:
        from hubpub.core.files import replace_file

        replace_file(output, text.encode("utf-8", "backslashreplace"))
        notify(f"wrote {output}")
    else:
        click.echo(text, nl=False, err=to_stderr)
    return 0 if exit_zero or all(judged.report.ok for judged in all_judged) else FindingsError.exit_code


def notify(message: str) -> None:
    """A step of long work, on stderr."""
    click.echo(f"{click.style('·', fg='cyan')} {message}", err=True)


def show_error(error: HubpubError, arguments: Sequence[str]) -> None:
    """One line on stderr; for a reader of JSON also one document on stdout."""
    from hubpub.report.excerpt import printable
    from hubpub.report.text import render_findings

    report = error.report if isinstance(error, FindingsError) else None
    if _wants_json(arguments):
        print_json(
            {
                "schema": ERROR_SCHEMA,
                "error": type(error).__name__,
                "message": error.message,
                "next_step": error.next_step,
                "exit_code": error.exit_code,
                "layer": getattr(error, "layer", None),
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
