"""The `hubpub` command: finds the verb, runs it, turns errors into one line and an exit code."""

from __future__ import annotations

import gc
import importlib
import re
import sys
from typing import Any

import click

from hubpub import __version__
from hubpub.cli.output import show_error
from hubpub.cli.streams import StdoutError, steady_streams
from hubpub.core.errors import HubpubError, UsageError

# Verb -> what --help says of it. The module of a verb is hubpub.cli.<verb>, its command has the verb's name.
_VERBS = {
    "check": "Check a saved model folder: is it whole, safe and loadable?",
    "inspect": "Show what a model consists of: tensors, memory, tokenizer, files.",
    "lint": "Lint a model card: metadata, the seven sections, placeholders.",
    "card": "Write the model card that the folder can fill; keep what people wrote.",
    "preview": "Show the card in the browser as the Hub would, with lint findings in the margin, live.",
    "rehearse": "Rehearse the release: publish to a throw-away hub, load the model from it, run the card.",
    "plan": "Show what push would do: files, bytes, card, stale leftovers; save it to publish later.",
    "push": "Check, write the card, and publish in ONE verified commit.",
    "verify": "Verify that a hub serves what was published: every file, size and hash.",
    "notes": "Show what changed between two releases; put it into a changelog.",
    "rollback": "Make an older release the newest again, in ONE verified commit.",
    "serve": "Run the embedded hub: a Hub of your own on this machine.",
    "whoami": "Show whose token is used, where it comes from, and where it may publish.",
    "rules": "List the rules: code, severity, what they find, whether they run and what they can mend.",
    "rule": "Explain a rule: what it finds, why it matters, how to mend it.",
}

_INTERRUPTED = 130
_READER_GONE = 141  # as of a command that SIGPIPE ends
_HUB_KEY = r"\bhf_(?:(?:jwt|oauth)_[\w.-]{20}|(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{30,40}\b)"
# Objects between two looks for garbage, which by default are 700: a tenth of the time of a command that reads a
# large tokenizer went into looking, and none of the verbs makes much garbage that has cycles.
_BETWEEN_COLLECTIONS = 100_000


class LazyGroup(click.Group):
    """A group that imports a verb only when it is called, so that --help stays instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of a release."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command; None when there is no such verb."""
        if cmd_name not in _VERBS:
            return None
        command = getattr(importlib.import_module(f"hubpub.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 -- the table and the modules are ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with:  hubpub check ./model   then   hubpub rehearse ./model   then   hubpub push ./model --org ORG",
)
@click.version_option(__version__, prog_name="hubpub")
def cli() -> None:
    """The release gate for model repositories.

    hubpub reads a saved model folder, refuses what is broken or unsafe, writes the model card, and publishes to
    the Hugging Face Hub (or any hub that speaks its API) in one commit.

    \b
    Exit codes: 0 done, 1 findings, 2 wrong usage or configuration,
    3 not authorised, 4 conflict, 5 hub or network, 6 verification failed.
    """


def main(argv: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    if argv is not None:
        sys.exit(_run(argv))
    steady_streams()
    gc.set_threshold(_BETWEEN_COLLECTIONS)
    try:
        code = _run(sys.argv[1:])
    finally:
        gc.freeze()  # the interpreter looks once more before it ends, and what is left then goes with the process
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        return _carried_out(arguments)
    except StdoutError as error:
        if error.reason is None:
            return _READER_GONE
        unwritten = UsageError(f"the result cannot be written to stdout: {error.reason}", "see where stdout leads to")
        show_error(unwritten, ())
        return unwritten.exit_code


def _carried_out(arguments: list[str]) -> int:
    try:
        _refuse_tokens(arguments)
        _refuse_empty(arguments)
        result: Any = cli.main(args=arguments, prog_name="hubpub", standalone_mode=False)
    except HubpubError as error:
        show_error(error, arguments)
        return error.exit_code
    except click.ClickException as error:
        show_error(_usage_error(error, arguments), arguments)
        return UsageError.exit_code
    except (click.Abort, KeyboardInterrupt) as interruption:
        # click wraps what the core has noted of what is left.
        notes = [*getattr(interruption, "__notes__", ()), *getattr(interruption.__cause__, "__notes__", ())]
        left = (
            f"{notes[0]}; the same command goes on, and sends nothing twice" if notes else "nothing half-done is left"
        )
        click.echo(f"interrupted: {left}", err=True)
        return _INTERRUPTED
    return result if isinstance(result, int) else 0


def _refuse_tokens(arguments: list[str]) -> None:
    """One that got into an argument by mistake would stand in messages and logs; only `serve` takes tokens there.

    What stands in the place of --token-file is refused where that file is read.
    """
    before = ""
    for number, argument in enumerate(arguments, 1):
        is_file = before == "--token-file" or argument.startswith("--token-file=")
        if "hf_" in argument and not is_file and arguments[0] != "serve" and re.search(_HUB_KEY, argument):
            raise UsageError(
                f"argument {number} holds a token, which other users of this machine can see",
                "revoke it at the hub, and give a new one by HF_TOKEN, --token-file or `hf auth login`",
            )
        before = argument


def _refuse_empty(arguments: list[str]) -> None:
    """A variable of the shell that is not set must not become the working directory, or another organisation."""
    before = ""
    for number, argument in enumerate(arguments, 1):
        name, equals, value = argument.partition("=")
        if not argument or (argument.startswith("--") and equals and not value):
            what = name or (before if before.startswith("-") else f"argument {number}")
            raise UsageError(f"{what} is empty", "see whether a variable of the shell is not set, or leave it out")
        before = argument


def _usage_error(error: click.ClickException, arguments: list[str]) -> UsageError:
    """Click's complaint about the command line, in hubpub's form: one line with the next step."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "hubpub"
    verb = next((argument for argument in arguments if not argument.startswith("-")), "")
    import difflib

    near = difflib.get_close_matches(verb, _VERBS, n=1) if command == "hubpub" else []
    hint = f"did you mean `hubpub {near[0]}`?" if near else f"see `{command} --help`"
    return UsageError(error.format_message().rstrip("."), hint)
