"""`hubpub rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hubpub.cli.output import print_json

if TYPE_CHECKING:
    from hubpub.core.rule import Rule


@click.command()
@click.option("--json", "output_format", flag_value="json", help="Short for --format json.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How the list is printed on stdout.",
)
@click.option(
    "--select", multiple=True, metavar="RULES", help="Only these: codes, prefixes or names, with commas between."
)
def rules(output_format: str, select: tuple[str, ...]) -> int:
    """List the rules of `hubpub check` and `hubpub lint`.

    In the text, `fix` and `unsafe fix` say what --fix can mend, `opt-in` that a rule runs only when it is selected, and
    `folder`, `network`, `deep` and `load` what it needs.

    \b
    Examples:
      hubpub rules --select META,SECT
      hubpub rules --json | jq '.[] | select(.default | not).code'
      hubpub rules --format markdown > RULES.md
    """
    from hubpub.rules.catalogue import all_rules, check_word
    from hubpub.rules.selection import names, split_words

    words = split_words(select)
    for word in words:
        check_word(word)
    chosen = [rule for rule in all_rules() if not words or any(names(word, rule.code, rule.name) for word in words)]
    if output_format == "json":
        print_json([rule.to_json() for rule in chosen])
    elif output_format == "markdown":
        click.echo("| Rule | Severity | Runs | Fix | What it finds |\n|---|---|---|---|---|")
        for rule in chosen:
            click.echo(
                f"| {rule.code} {rule.name} | {rule.severity.value} | {when_it_runs(rule)} "
                f"| {rule.fixable.value or '-'} | {rule.summary.replace('|', '&#124;')} |"
            )
    else:
        width = max((len(rule.name) for rule in chosen), default=0)
        for rule in chosen:
            marks = ", ".join(_marks(rule))
            click.echo(
                f"{rule.code:<10} {rule.severity.value:<8} {rule.name:<{width}}  {rule.summary}"
                + (f" [{marks}]" if marks else "")
            )
    return 0


def when_it_runs(rule: Rule[Any]) -> str:
    """When a rule runs, in a few words."""
    from hubpub.core.rule import Depth, Needs

    if rule.needs is Needs.NETWORK:
        return "with --online"
    words = "by default" if rule.default else "when selected"
    if rule.needs is Needs.FOLDER:
        words += ", with a folder"
    return words + ("" if rule.depth is Depth.QUICK else f", with --{rule.depth.value}")


def _marks(rule: Rule[Any]) -> list[str]:
    from hubpub.core.rule import Depth, Fixable

    marks = {Fixable.SAFE: ["fix"], Fixable.UNSAFE: ["unsafe fix"]}.get(rule.fixable, [])
    marks = marks + ([] if rule.default or rule.needs.value == "network" else ["opt-in"])
    marks += [rule.needs.value] if rule.needs.value else []
    return marks + ([] if rule.depth is Depth.QUICK else [rule.depth.value])
