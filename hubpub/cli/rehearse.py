"""`hubpub rehearse`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from hubpub.cli.output import colour, config_option, format_options, print_json, settings_for

if TYPE_CHECKING:
    from hubpub.core.settings import Settings
    from hubpub.rehearsal.blocks import CardBlock
    from hubpub.rehearsal.result import Rehearsal
    from hubpub.rehearsal.run import Observer, RehearseOptions

_ERASE = "\r\x1b[K"
_SHOWN_BLOCKS = 12


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--org", metavar="ORG", help="Organisation to publish as.  [default: of the settings, else 'rehearsal']")
@click.option("--name", metavar="NAME", help="Repo name; default: the folder's name.")
@click.option("--repo-id", "--repo", metavar="NS/NAME", help="Both at once, instead of --org and --name.")
@click.option(
    "--with",
    "bases",
    multiple=True,
    metavar="REPO_ID=PATH",
    help="Publish another folder first, such as the base model of an adapter. Repeatable.",
)
@click.option(
    "--run-card-code",
    is_flag=True,
    help="Also run Python that hubpub did not write: blocks of a card written by hand, code of the model.",
)
@click.option("--no-load", is_flag=True, help="Leave out the load checks.")
@click.option("--no-snippets", is_flag=True, help="Leave out the card's code blocks.")
@click.option(
    "--timeout",
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(1),
    help="For each check and each block.",
)
@click.option(
    "--memory",
    metavar="GB",
    type=click.FloatRange(0.5),
    help="For each process.  [default: 6, and 4 times the weights]",
)
@click.option(
    "--depth",
    type=click.Choice(["quick", "deep"]),
    default="deep",
    show_default=True,
    help="How far the check before publishing goes, as for push.",
)
@click.option("--keep", is_flag=True, help="Keep the throw-away hub's data, and say where they are.")
@config_option
@format_options
def rehearse(
    path: Path,
    org: str | None,
    name: str | None,
    repo_id: str | None,
    bases: tuple[str, ...],
    run_card_code: bool,
    no_load: bool,
    no_snippets: bool,
    timeout: float,
    memory: float | None,
    depth: str,
    keep: bool,
    config: Path | None,
    output_format: str,
) -> int:
    """Rehearse the release of the model folder PATH: publish, load, run the card.

    The folder is published with the real client to a throw-away hub on this machine. Then, in processes of their
    own, without a token and without a network but that hub, the model is loaded by its repo id and used once, and
    the Python blocks of its card are run in order. Nothing leaves this machine, and nothing stays on it.

    Code that hubpub did not write runs only with --run-card-code, or when you say so at the prompt. Exit code 1
    means that something failed; what cannot be run here (a GPU, a file, a package, another repo) is named and is no
    failure.

    \b
    Examples:
      hubpub rehearse ./model --org acme
      hubpub rehearse ./model --org acme --run-card-code      # a card written by hand
      hubpub rehearse ./adapter --org acme --with acme/base=./base
      hubpub rehearse ./model --json | jq '.blocks[] | select(.status == "failed")'
    """
    from hubpub.core.errors import FindingsError, UsageError
    from hubpub.report.rehearsal import render_end

    if no_load and no_snippets:
        raise UsageError("--no-load and --no-snippets leave nothing to rehearse", "give one of them, or `hubpub push`")
    _talk_to_this_machine_only()
    from hubpub.rehearsal.run import rehearse as run

    settings = settings_for(config)
    options = _options(
        path,
        settings,
        _repo(path, org, name, repo_id, settings),
        bases,
        run_card_code=run_card_code,
        seconds=timeout,
        memory=int(memory * 10**9) if memory else None,
        depth=depth,
        keep=keep,
        load=not no_load,
        snippets=not no_snippets,
    )
    as_json = output_format == "json"
    with _ended_properly(), _show(as_json) as observer:
        ask = None if as_json or run_card_code or not _somebody_answers() else _may_run
        rehearsal = run(options, observer, ask)
    if as_json:
        print_json(rehearsal.to_json())
    else:
        _show_findings(rehearsal)
        click.echo(render_end(rehearsal, colour), nl=False)
    return 0 if rehearsal.ok else FindingsError.exit_code


def _options(
    path: Path, settings: Settings, repo: tuple[str, str], bases: tuple[str, ...], *, depth: str, **more: Any
) -> RehearseOptions:
    from hubpub.core.rule import Depth
    from hubpub.publish.arguments import with_settings
    from hubpub.publish.prepare import PushOptions
    from hubpub.rehearsal.run import RehearseOptions

    push = PushOptions(path=path, namespace=repo[0], name=repo[1], depth=Depth(depth))
    return RehearseOptions(push=with_settings(push, settings), bases=tuple(map(_base, bases)), **more)


def _repo(path: Path, org: str | None, name: str | None, repo_id: str | None, settings: Settings) -> tuple[str, str]:
    from hubpub.core.errors import UsageError
    from hubpub.publish.target import parse_namespace, parse_repo_id, repo_name
    from hubpub.rehearsal.repo import MADE_UP, rehearsed_repo

    if repo_id:
        namespace, repo = parse_repo_id(repo_id)
        if org not in (None, namespace) or name not in (None, repo):
            raise UsageError(f"--repo-id {repo_id} contradicts --org or --name", "give one or the other")
        return namespace, repo
    if org or name:
        return parse_namespace(org or settings.org or MADE_UP), repo_name(path, name)
    return parse_repo_id(rehearsed_repo(path, settings.org))


def _base(text: str) -> tuple[str, Path]:
    from hubpub.core.errors import UsageError
    from hubpub.publish.target import parse_repo_id

    repo_id, equals, path = text.partition("=")
    if not equals or not path:
        raise UsageError(f"--with {text} names no folder", "write --with acme/base=./base")
    parse_repo_id(repo_id)
    if not Path(path).is_dir():
        raise UsageError(f"--with {text}: there is no folder {path}", "give the folder of the base model")
    return repo_id, Path(path)


def _talk_to_this_machine_only() -> None:
    """Let huggingface_hub, which reads these when it is imported, reach the throw-away hub whatever is set."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ.pop(name, None)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    disable_progress_bars()


def _somebody_answers() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")


@contextmanager
def _ended_properly() -> Iterator[None]:
    """Let a request to end do what Ctrl-C does: end the children and the hub, and remove their directory."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), on_signal) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _show_findings(rehearsal: Rehearsal) -> None:
    from hubpub.report.text import render_findings

    report = rehearsal.report
    if report and not report.ok:
        stopping = tuple(each for each in report.findings if each.severity.reaches(report.fail_on))
        click.echo("\nwhy the checks refuse it")
        click.echo(render_findings(replace(report, findings=stopping, skipped=()), colour), nl=False)
    click.echo()


@contextmanager
def _show(as_json: bool) -> Iterator[Observer]:
    """What shows how it goes on: results on stdout as they come, and on a terminal what is being done."""
    from hubpub.rehearsal.result import Block, Check
    from hubpub.rehearsal.run import Observer
    from hubpub.report.excerpt import printable
    from hubpub.report.rehearsal import render_block, render_check

    live = sys.stderr.isatty()

    class Shown(Observer):
        def __init__(self) -> None:
            self._loads = self._blocks = False
            self._started = time.monotonic()

        def starts(self, what: str) -> None:
            if live:
                click.echo(f"{_ERASE}  … {printable(what)[:90]}", nl=False, err=True)

        def checked(self, check: Check) -> None:
            if check.name != "push" and not self._loads:
                self._loads = True
                self._print("\nloading it by its repo id")
            self._print(render_check(check, colour))

        def ran(self, block: Block) -> None:
            if not self._blocks:
                self._blocks = True
                self._print("\nthe code of its card")
            self._print(render_block(block, colour))

        def _print(self, text: str) -> None:
            self.erase()
            if not as_json:
                click.echo(text)

        def erase(self) -> None:
            if live:
                click.echo(_ERASE, nl=False, err=True)

    shown = Shown()
    try:
        yield shown
    finally:
        shown.erase()


def _may_run(blocks: tuple[CardBlock, ...], needs: str | None) -> bool:
    """Ask whether code that hubpub did not write may run."""
    from hubpub.report.excerpt import printable

    click.echo(_ERASE, nl=False, err=True)
    if needs:
        click.echo(f"\nLoading this model {printable(needs)}, which hubpub did not write.", err=True)
    if blocks:
        number = f"{len(blocks)} blocks of its card are" if len(blocks) > 1 else "1 block of its card is"
        click.echo(f"\n{number} Python that hubpub did not write:", err=True)
    for block in blocks[:_SHOWN_BLOCKS]:
        first = next((line for line in block.code.text.split("\n") if line.strip()), "").strip()
        click.echo(f"  README.md:{block.code.first_line:<5} {printable(first)[:80]}", err=True)
    return click.confirm("Run it, without your token and without a network?", default=False, err=True)
