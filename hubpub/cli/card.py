"""`hubpub card`."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from hubpub.cli.card_input import (
    answer_options,
    facts_and_templates,
    tell_eval_results,
    template_options,
)
from hubpub.cli.output import config_option, notify, settings_for


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Put the card into the folder, as README.md.")
@click.option("--diff", "show_diff", is_flag=True, help="Show what would change in README.md.")
@click.option("--repo-id", metavar="NS/NAME", help="Repo id that the usage snippets name; default: the folder's name.")
@answer_options
@template_options
@click.option("--facts", "show_facts", is_flag=True, help="Show what is known, and which file says so; no card.")
@click.option("--json", "as_json", is_flag=True, help="The facts as JSON on stdout.")
@config_option
def card(
    path: Path,
    write: bool,
    show_diff: bool,
    repo_id: str | None,
    assignments: tuple[str, ...],
    card_yaml: Path | None,
    interview: bool,
    template: str | None,
    show_facts: bool,
    as_json: bool,
    config: Path | None,
) -> int:
    """Write the model card of the folder PATH to stdout.

    A folder without README.md gets a whole card: metadata and the seven sections, filled with what the files know,
    with a visible gap where a person must write. An existing README.md stays as it is, byte for byte; metadata and
    sections that it lacks are added.

    What no file can tell, people answer: in card.yaml beside the model (which is not published), with --set, or
    when --interview asks. With --write, results of lm-evaluation-harness and lighteval also become
    .eval_results/*.yaml, which the leaderboards of the Hub read.

    \b
    Examples:
      hubpub card ./model                # look at it
      hubpub card ./model --diff         # what is missing from my README.md?
      hubpub card ./model --write        # put it into the folder
      hubpub card ./model --facts        # where does each number come from?
      hubpub card ./model --interview --write
      hubpub card ./model --set license=mit --set language=en,de
      hubpub card --eject sections/intended-uses templates
    """
    from hubpub.card.document import Card
    from hubpub.card.merge import complete
    from hubpub.card.render import render_card
    from hubpub.card.sections import score
    from hubpub.card.source import folder_card
    from hubpub.core.errors import UsageError
    from hubpub.core.files import replace_file
    from hubpub.model.folder import ModelFolder
    from hubpub.publish.target import parse_repo_id

    if write and show_diff:
        raise UsageError("--write and --diff were both given", "give one of them")
    if as_json and not show_facts:
        raise UsageError("--json was given without --facts", "give both, or neither")
    if repo_id:
        parse_repo_id(repo_id)
    settings = settings_for(config)
    folder = ModelFolder.open(path, exclude=settings.exclude)
    facts, templates = facts_and_templates(
        folder,
        settings.card,
        repo_id=repo_id,
        card_yaml=card_yaml,
        assignments=assignments,
        ask=interview,
        template=template,
    )
    if show_facts:
        from hubpub.cli.card_facts import print_facts

        print_facts(facts, as_json=as_json)
        return 0
    readme = folder.root / "README.md"
    try:
        existing = (folder_card(folder) or b"").decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{readme} is not UTF-8 at byte {error.start}", "save it as UTF-8 first") from error
    rendered = render_card(facts, templates)
    result = complete(existing, rendered)

    if show_diff:
        changes = difflib.unified_diff(
            existing.splitlines(keepends=True),
            result.splitlines(keepends=True),
            "README.md",
            "README.md (proposed)",
        )
        click.echo("".join(_whole_line(line) for line in changes), nl=False)
    elif write:
        filled, total = score(Card.parse(result))
        if result == existing:
            notify(f"{readme} lacks nothing that the folder knows; not touched")
        else:
            replace_file(readme, result.encode())
            notify(f"wrote {readme}: {filled} of {total} sections filled; `hubpub lint {path}` names the rest")
    else:
        click.echo(result, nl=False)
    tell_eval_results(folder, facts, write=write)
    return 0


def _whole_line(line: str) -> str:
    """A line of a diff with its end, marked as `diff` marks it where the file has none."""
    return line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
