"""`hubpub lint`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

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
from hubpub.core.errors import UsageError
from hubpub.core.wording import counted

if TYPE_CHECKING:
    from hubpub.card.discover import CardFile
    from hubpub.core.findings import Finding
    from hubpub.core.settings import Settings
    from hubpub.report.judged import Judged
    from hubpub.rules.selection import Selection

Command = TypeVar("Command", bound=Callable[..., Any])


def _card_options(command: Command) -> Command:
    """What is known of the card besides its text, and what is asked of it."""
    for option in (
        click.option(
            "--hub-only",
            is_flag=True,
            help="Only say whether the Hub would take the metadata, in its own words and offline; 1 when it would not.",
        ),
        click.option("--online", is_flag=True, help="Also ask the network: do links and ids lead anywhere?"),
        click.option("--profile", metavar="NAME", help="Set of sections that a card must have.  [default: course-7]"),
        click.option("--repo-id", metavar="NS/NAME", help="Repo that the card is for."),
        click.option("--stdin-filename", metavar="FILE", help="What the card on stdin is called."),
    ):
        command = option(command)
    return command


def _baseline_options(command: Command) -> Command:
    """Which findings are not shown."""
    for option in (
        click.option(
            "--write-baseline",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Write all findings to FILE as known, and succeed.",
        ),
        click.option(
            "--baseline",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Leave out the findings that FILE knows.",
        ),
        click.option("--diff-base", metavar="REV", help="Only findings on lines changed since this git revision."),
        click.option("--no-inline-ignores", is_flag=True, help="Do not let comments in a card silence rules."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("places", metavar="PATH...", nargs=-1, required=True)
@fix_options
@click.option("--show-fixes", is_flag=True, help="Say of each finding what its fix does, or did.")
@selection_options
@rule_options
@_baseline_options
@_card_options
@config_option
@report_options("badge", "badge-json")
def lint(
    places: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    show_fixes: bool,
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    no_inline_ignores: bool,
    diff_base: str | None,
    baseline: Path | None,
    write_baseline: Path | None,
    stdin_filename: str | None,
    repo_id: str | None,
    profile: str | None,
    online: bool,
    hub_only: bool,
    config: Path | None,
    output_format: str,
    output: Path | None,
    exit_zero: bool,
) -> int:
    """Lint the model cards PATH: README.md files, model folders, directories with models below, globs, or - for stdin.

    Works offline: front matter as the Hub reads it, the licence, the seven sections (present, and filled), and
    placeholders that were never replaced. With a model folder, the card is also compared with the model.

    A finding is silenced by a comment beside it, <!-- hubpub: ignore[TEXT001] why -->, in the metadata by
    # hubpub: ignore[META012], and for a whole project in [tool.hubpub.lint] of pyproject.toml.

    \b
    Examples:
      hubpub lint ./model
      hubpub lint . --fix                               # every model card below; mend what keeps the meaning
      hubpub lint README.md --diff --unsafe-fixes       # look first
      hubpub lint README.md --select META --fail-on warning
      git show HEAD:README.md | hubpub lint - --stdin-filename README.md
      hubpub lint . --write-baseline .hubpub-baseline.json
      hubpub lint . --diff-base origin/main --format github
      hubpub lint README.md --hub-only                  # would the Hub take it?
    """
    from hubpub.card.discover import card_from_stdin, find_cards
    from hubpub.card.source import LARGEST_CARD
    from hubpub.rules.registry import card_rules
    from hubpub.rules.selection import Layer, Selection, split_words

    settings = settings_for(config, fail_on)
    flags = Layer(split_words(select), split_words(extend_select), split_words(ignore))
    selection = Selection.for_cards(settings.ignore, settings.lint, flags, online=online)
    from_stdin = "-" in places
    if from_stdin and len(places) > 1:
        raise UsageError("- was given together with other paths", "lint stdin alone")
    if from_stdin:
        cards = [card_from_stdin(sys.stdin.buffer.read(LARGEST_CARD + 1), stdin_filename)]
    else:
        cards = find_cards(places)
    if hub_only:
        from hubpub.cli.hub_verdict import print_verdicts

        if output or output_format not in ("text", "json"):
            raise UsageError("--hub-only prints text or JSON", "leave out --output, and take --format text or json")
        return print_verdicts(cards, as_json=output_format == "json", exit_zero=exit_zero)

    given = _given(settings, repo_id, profile, online)
    linter = _Linter(settings, selection, given, settings.lint.inline_ignores and not no_inline_ignores, diff_base)
    if fix or diff:
        cards = [_fixed(card, linter, unsafe=unsafe_fixes, diff=diff, show_fixes=show_fixes) for card in cards]
        cards = [_fixed_beside(card, linter, unsafe=unsafe_fixes, diff=diff, show_fixes=show_fixes) for card in cards]
        if fix and not diff and from_stdin:
            click.echo(cards[0].content, nl=False)
    all_judged: Sequence[Judged] = [linter.judge(card) for card in cards]
    if write_baseline:
        from hubpub.report.baseline import write_baseline as write

        known = write(write_baseline, all_judged)
        notify(f"wrote {write_baseline}: {counted(known, 'finding')}: known from now on")
        return 0
    all_judged = _without_known(all_judged, baseline or _baseline_of(settings))
    return print_reports(
        all_judged,
        output_format,
        output=output,
        rules=card_rules,
        show_fixes=show_fixes,
        exit_zero=exit_zero,
        to_stderr=fix and not diff and from_stdin,
    )


@dataclass(frozen=True)
class _Linter:
    """How every card of the run is judged."""

    settings: Settings
    selection: Selection
    given: Mapping[str, Any]
    inline_ignores: bool
    diff_base: str | None

    def judge(self, card: CardFile) -> Judged:
        """The report on a card."""
        from hubpub.report.judged import Judged
        from hubpub.rules.run import lint_card

        report = lint_card(
            card.content,
            path=card.name,
            target=card.name,
            folder=card.folder,
            fail_on=self.settings.fail_on,
            selection=self.selection,
            inline_ignores=self.inline_ignores,
            given=self.given,
        )
        report = replace(report, findings=tuple(_from_here(finding, card) for finding in report.findings))
        text = card.content.decode("utf-8", "replace")
        judged = Judged(report, text_of=lambda path: text if path == card.name else None)
        if self.diff_base is None:
            return judged
        from hubpub.report.changed_lines import on_changed_lines

        return on_changed_lines(judged, self.diff_base)


def _from_here(finding: Finding, card: CardFile) -> Finding:
    """A finding about a file beside the card, which rules name as seen from the folder, as seen from here."""
    if finding.path is None or finding.path == card.name:
        return finding
    beside = PurePosixPath(card.name).parent
    fix = finding.fix
    if fix:
        edits = tuple(replace(edit, path=str(beside / edit.path)) for edit in fix.edits if edit.path != card.name)
        fix = replace(fix, edits=edits)
    return replace(finding, path=str(beside / finding.path), fix=fix)


def _given(settings: Settings, repo_id: str | None, profile: str | None, online: bool) -> dict[str, Any]:
    """What the rules are given besides the card: attributes of their subject."""
    import os

    given: dict[str, Any] = {}
    if repo_id:
        from hubpub.publish.target import parse_repo_id

        parse_repo_id(repo_id)
        given["repo_id"] = repo_id
    lint = settings.lint
    if profile or lint.profile or lint.required_sections or lint.section_aliases:
        from hubpub.card.profiles import DEFAULT_PROFILE, profile_named

        given["profile"] = profile_named(
            profile or lint.profile or DEFAULT_PROFILE,
            required=lint.required_sections,
            aliases=lint.section_aliases,
        )
    if online:
        from hubpub.card.online.lookup import Online

        given["online"] = Online.open(os.environ.get("HF_ENDPOINT") or "https://huggingface.co")
    return given


def _fixed(card: CardFile, linter: _Linter, *, unsafe: bool, diff: bool, show_fixes: bool) -> CardFile:
    """The card with its fixes, which are also written to its file; with `diff` they are only shown."""
    from hubpub.card.metadata.frontmatter import stays_readable
    from hubpub.core.files import replace_file
    from hubpub.fix.apply import text_diff
    from hubpub.fix.text import fix_text

    try:
        text = card.content.decode("utf-8")
    except UnicodeDecodeError:
        return card
    done = fix_text(
        text,
        card.name,
        lambda changed: linter.judge(replace(card, content=changed.encode())).report.findings,
        keeps=stays_readable,
        unsafe=unsafe,
    )
    if not done.findings:
        return card
    if diff:
        _show_diff(text_diff(text, done.text, card.name))
        return card
    if card.path:
        if card.path.is_symlink():
            notify(f"{card.name} is a symlink, so nothing was fixed; lint the file that it leads to")
            return card
        if card.path.read_bytes() != card.content:
            raise UsageError(f"{card.name} changed while it was being fixed", "run the same command again")
        replace_file(card.path, done.text.encode())
    _tell(done.findings, card.name, show_fixes=show_fixes)
    return replace(card, content=done.text.encode())


def _fixed_beside(card: CardFile, linter: _Linter, *, unsafe: bool, diff: bool, show_fixes: bool) -> CardFile:
    """The card, when the fixes of files beside it are written; with `diff` they are only shown."""
    from hubpub.fix.apply import plan_fixes, write_fixes

    if card.path is None or card.folder is None:
        return card
    findings = [finding for finding in linter.judge(card).report.findings if finding.path != card.name]
    here = Path()
    planned = plan_fixes(here, findings, unsafe=unsafe)
    if not planned.findings:
        return card
    if diff:
        _show_diff(planned.diff())
        return card
    write_fixes(here, planned)
    _tell(planned.findings, ", ".join(planned.after), show_fixes=show_fixes)
    return replace(card, folder=type(card.folder).open(card.path.parent))


def _show_diff(diff: str) -> None:
    from hubpub.report.excerpt import printable

    if sys.stderr.isatty():  # a patch in a file has to be exact, but no card may write to a terminal as it likes
        diff = "".join(f"{printable(line)}\n" for line in diff.split("\n")[:-1])
    click.echo(diff, nl=False, err=True)


def _tell(fixed: Sequence[Finding], place: str, *, show_fixes: bool) -> None:
    for finding in fixed if show_fixes else ():
        notify(f"fixed {finding.rule}: {finding.fix.description if finding.fix else ''}")
    notify(f"fixed {counted(len(fixed), 'finding')} in {place}")


def _baseline_of(settings: Settings) -> Path | None:
    """The baseline of the settings file, which is named relative to that file."""
    if settings.lint.baseline is None or settings.source is None:
        return None
    return settings.source.parent / settings.lint.baseline


def _without_known(all_judged: Sequence[Judged], baseline: Path | None) -> Sequence[Judged]:
    if baseline is None:
        return all_judged
    from hubpub.report.baseline import read_baseline, without_known

    compared = without_known(all_judged, read_baseline(baseline))
    if compared.known:
        notify(f"left out {compared.known} that {baseline} knows")
    if compared.stale:
        first = compared.stale[0]
        notify(
            f"{len(compared.stale)} in {baseline} no longer found, such as {first['rule']} in {first['path']}; "
            "write it again with --write-baseline"
        )
    return compared.judged
