"""`hubpub rule`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from hubpub.cli.output import format_options, print_json
from hubpub.cli.rules import when_it_runs

if TYPE_CHECKING:
    from hubpub.core.rule import Rule

_FIXES = {
    "": "none: what belongs there only a person knows",
    "safe": "--fix: keeps the meaning, or follows from files in the folder",
    "unsafe": "--fix --unsafe-fixes: may not be what was meant; look at it with --diff",
}


@click.command()
@click.argument("code", required=False)
@format_options
def rule(code: str | None, output_format: str) -> int:
    """Explain the rule CODE (or its name); without CODE, list all rules.

    \b
    Examples:
      hubpub rule WEIGHT002
      hubpub rule --json | jq '.[].code'
    """
    from hubpub.rules.catalogue import all_rules, find_rule

    if code is None:
        rules = all_rules()
        if output_format == "json":
            print_json([entry.to_json() for entry in rules])
        else:
            width = max(len(entry.name) for entry in rules)
            for entry in rules:
                click.echo(f"{entry.code:<10} {entry.severity.value:<8} {entry.name:<{width}}  {entry.summary}")
        return 0
    found = find_rule(code)
    if output_format == "json":
        print_json(found.to_json())
    else:
        click.echo(_page(found))
    return 0


def _page(rule: Rule[Any]) -> str:
    """The declaration as a page for the terminal."""

    def block(text: str) -> str:
        return textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")

    return "\n\n".join(
        [
            f"{click.style(rule.code, bold=True)} {rule.name} ({rule.severity.value})\n{rule.summary}",
            f"Why\n{textwrap.fill(rule.why, 96, initial_indent='    ', subsequent_indent='    ')}",
            f"Bad\n{block(rule.bad)}",
            f"Good\n{block(rule.good)}",
            f"What to do\n{textwrap.fill(rule.hint, 96, initial_indent='    ', subsequent_indent='    ')}",
            f"Fix\n    {_FIXES[rule.fixable.value]}",
            f"Runs\n    {when_it_runs(rule)}",
            f"Source\n    {rule.source}",
        ]
    )
