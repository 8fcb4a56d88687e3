"""`hubpub card`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubpub.cli.card_input import answer_options, facts_and_templates, tell_eval_results, template_options
from hubpub.cli.output import colour, config_option, notify, print_json, print_text, settings_for
from hubpub.cli.plots import pictures_for, plots_option, put_pictures

if TYPE_CHECKING:
    from hubpub.card.merge.outcome import Choice, Merged
    from hubpub.card.writing.eval_results import EvalFile


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a merge: the folder as it was named, its card, and which option was given."""

    path: Path
    readme: Path
    existing: str
    write: bool
    diff: bool
    check: bool


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Put the card into the folder, as README.md.")
@click.option("--diff", "show_diff", is_flag=True, help="Show what would change in README.md.")
@click.option("--check", is_flag=True, help="Exit with 1 when README.md is not up to date; for CI.")
@click.option(
    "--theirs",
    multiple=True,
    metavar="NAME|all",
    help="Take hubpub's text of a region, section or metadata key that was edited or deleted by hand. Repeatable.",
)
@click.option(
    "--ours",
    multiple=True,
    metavar="NAME",
    help="Keep what was written by hand, which is the default, although --theirs all was given. Repeatable.",
)
@click.option(
    "--replace-stubs",
    is_flag=True,
    help="Replace sections that hold nothing but what a generator left, such as [More Information Needed].",
)
@click.option(
    "--repo-id",
    metavar="NS/NAME",
    help="Repo id that the usage snippets name; default: the one of the last --write, else the folder's name below "
    "org of the settings.",
)
@answer_options
@template_options
@click.option("--facts", "show_facts", is_flag=True, help="Show what is known, and which file says so; no card.")
@plots_option
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="What changes and what is kept by hand, as JSON on stdout; with --facts, the facts.",
)
@config_option
def card(
    path: Path,
    write: bool,
    show_diff: bool,
    check: bool,
    theirs: tuple[str, ...],
    ours: tuple[str, ...],
    replace_stubs: bool,
    repo_id: str | None,
    assignments: tuple[str, ...],
    card_yaml: Path | None,
    data: tuple[str, ...],
    interview: bool,
    template: str | None,
    show_facts: bool,
    as_json: bool,
    plots: bool | None,
    config: Path | None,
) -> int:
    """Write the model card of the folder PATH to stdout.

    A folder without README.md gets a whole card: metadata and the seven sections, filled with what the files know,
    with a visible gap where a person must write. An existing README.md is brought up to date: what hubpub wrote and
    nobody touched follows the files; what a person wrote, edited or deleted stays so, byte for byte, and is
    named on stderr; metadata and sections that it lacks are added.

    What hubpub writes stands between comments, <!-- hubpub:begin NAME ... --> and <!-- hubpub:end NAME -->. What it
    wrote last is in .hubpub/card.lock.json, which belongs into your version control beside the card.

    What no file can tell, people answer: in card.yaml beside the model (which is not published), with --set, or
    when --interview asks. With --write, results of lm-evaluation-harness and lighteval also become
    .eval_results/*.yaml, which the leaderboards of the Hub read.

    \b
    Examples:
      hubpub card ./model                          # look at it
      hubpub card ./model --diff                   # what would change in my README.md?
      hubpub card ./model --write                  # put it into the folder
      hubpub card ./model --write --plots          # with pictures: training curves, scores, a confusion matrix
      hubpub card ./model --check                  # in CI: is README.md what the files say?
      hubpub card ./model --write --theirs license # drop my edit of the licence
      hubpub card ./model --facts                  # where does each number come from?
      hubpub card ./model --interview --write      # ask me what no file tells
      hubpub card ./model --set license=mit --set language=en,de
      hubpub card ./model --data ./reviews         # what was it trained on? splits, rows, columns
      hubpub card --eject sections/intended-uses templates
    """
    from hubpub.card.merge.lock import read_lock, write_card
    from hubpub.card.merge.outcome import Choice
    from hubpub.card.merge.repo import repo_of_card
    from hubpub.card.merge.update import merge_card
    from hubpub.card.own_id import id_below
    from hubpub.card.source import folder_card
    from hubpub.card.writing.eval_results import compared_eval_results, write_eval_results
    from hubpub.card.writing.render import render_card
    from hubpub.core.errors import UsageError
    from hubpub.model.folder import ModelFolder
    from hubpub.report.card import is_stale

    asked = [name for name, given in (("--write", write), ("--diff", show_diff), ("--check", check)) if given]
    if write and len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} were both given", "give one of them")
    if repo_id:
        from hubpub.publish.target import parse_repo_id

        parse_repo_id(repo_id)
    settings = settings_for(config)
    folder = ModelFolder.open(path, exclude=settings.exclude)
    readme = folder.root / "README.md"
    content = folder_card(folder)
    lock = read_lock(folder.root, content)
    if lock is None:
        _tell_damage(folder.root, write=write)
    below = id_below(settings.org, folder.root.name)
    told = repo_id or repo_of_card(lock, (content or b"").decode("utf-8", "replace"), below)
    repo_id = told or below
    facts, templates = facts_and_templates(
        folder,
        settings.card,
        repo_id=repo_id,
        card_yaml=card_yaml,
        assignments=assignments,
        data=data,
        ask=interview,
        template=template,
    )
    if show_facts:
        from hubpub.cli.card_facts import print_facts

        print_facts(facts, as_json=as_json)
        return 0
    existing = _decoded(content, readme)
    choice = Choice.of(theirs, ours)
    planned = pictures_for(folder, plots, settings.card)
    facts = replace(facts, pictures=tuple(one.picture for one in planned))
    rendered = render_card(facts, templates)
    _check_names(choice, rendered)
    merged = merge_card(existing, rendered, lock.given if lock else None, choice, stubs=replace_stubs)
    if write:
        put_pictures(folder, planned)
    written = write and write_card(folder.root, readme, merged.text, merged.given, content, told)
    results = write_eval_results(folder, facts) if write else compared_eval_results(folder, facts)
    shown = Shown(path, readme, existing, write=write, diff=show_diff, check=check)
    _tell(shown, merged, results, written=written, as_json=as_json)
    if written and repo_id is None:
        notify(f"the card calls the model {facts.name}; --repo-id NS/NAME, or org in the settings, says where it goes")
    if write and assignments:
        notify("--set is for this once: the next --write takes out what neither card.yaml nor the settings tell")
    if write and data:
        notify("push and --check know only data = [...] under [tool.hubpub.card] of your settings, and not --data")
    tell_eval_results(results, write=write)
    return 1 if check and is_stale(existing, merged, results) else 0


def _tell_damage(root: Path, *, write: bool) -> None:
    """Say so when there is a lock that cannot be read, and write none over it."""
    from hubpub.card.merge.lock import LOCK, is_damaged
    from hubpub.core.errors import UsageError

    if not is_damaged(root):
        return
    message = f"{root / LOCK} cannot be read: it would tell what people deleted, and whose the metadata is"
    next_step = "restore it from version control (after a merge, take either side), or delete it to go on without"
    if write:
        raise UsageError(message, next_step)
    notify(f"{message}; {next_step}")


def _decoded(content: bytes | None, readme: Path) -> str:
    from hubpub.core.errors import UsageError

    try:
        return (content or b"").decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{readme} is not UTF-8 at byte {error.start}", "save it as UTF-8 first") from error


def _check_names(choice: Choice, rendered: str) -> None:
    """Return if every name means a part of the card that hubpub would render."""
    from hubpub.card.merge.update import names_of
    from hubpub.core.errors import UsageError

    named = (choice.theirs | choice.ours) - {"all"}
    if not named:
        return
    known = names_of(rendered)
    if unknown := sorted(named - known):
        raise UsageError(
            f"hubpub renders no region, section or metadata key {', '.join(unknown)}",
            f"name one of {', '.join(sorted(known))}",
        )


def _tell(shown: Shown, merged: Merged, results: Sequence[EvalFile], *, written: bool, as_json: bool) -> None:
    """Print the card, the difference or what was done; what stays as a person wrote it goes to stderr."""
    from hubpub.report.card import card_diff, merge_document, render_changes, render_kept

    stale = merged.text != shown.existing
    if as_json:
        print_json(merge_document(str(shown.readme), shown.existing, merged, results, written=written))
        return
    if shown.diff:
        print_text(card_diff(shown.existing, merged.text))
    elif not (shown.write or shown.check):
        print_text(merged.text)
    for line in render_kept(merged, colour, diff=shown.diff):
        notify(line)
    if shown.write:
        _tell_written(shown, merged, written=written)
    elif shown.check and stale:
        for line in render_changes(merged, colour):
            notify(line)
        notify(f"{shown.readme} is not up to date; `hubpub card {shown.path} --write` brings it there")
    elif shown.check:
        notify(f"{shown.readme} is up to date")


def _tell_written(shown: Shown, merged: Merged, *, written: bool) -> None:
    from hubpub.card.document import Card
    from hubpub.card.sections import score
    from hubpub.report.card import render_changes

    for line in render_changes(merged, colour, how="removed"):
        notify(line)
    if not written:
        notify(f"{shown.readme} lacks nothing that the folder knows; not touched")
        return
    filled, total = score(Card.parse(merged.text))
    notify(f"wrote {shown.readme}: {filled} of {total} sections filled; `hubpub lint {shown.path}` names the rest")
