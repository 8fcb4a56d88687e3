"""Run the Python blocks of a card, those of a section in one namespace, and tell what becomes of each."""

from __future__ import annotations

import io
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from hubpub.model.children.rehearse_reasons import describe, missing
from hubpub.model.guard import Guard

CARD = "README.md"
_KEPT_OUTPUT = 4000
_KEPT_LINES = 12
_MOST_REFUSALS = 5


class _OutputLimitError(BaseException):
    """More was printed than a rehearsal listens to; not an Exception, so that few handlers swallow it."""


class _Output(io.TextIOBase):
    """Standard output of one block: its beginning is kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.kept = ""
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.kept += text[: _KEPT_OUTPUT - len(self.kept)]
        self.size += len(text)
        if self.size > self._most:
            raise _OutputLimitError(f"printed more than {self._most / 1e6:.0f} MB")
        return len(text)

    def lines(self) -> list[str]:
        """The first lines that hold anything."""
        return [line[:200] for line in self.kept.splitlines() if line.strip()][:_KEPT_LINES]


def run(request: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None], guard: Guard) -> None:
    """Run `request["blocks"]` in order, and tell {"starting": id}, then {"block": id, "status": ...}.

    Args:
        request: "blocks", each with "id", "line" (of the card, with its first line of code), "source" (None for one
            that is not run), "section" and "binds" (names that it would make); "repo"; "home"; "output", the most that
            a block may print; "done", the names that blocks before these would have made, by line.
        tell: is given the events.
        guard: what was refused.
    """
    section: Any = None
    namespace: dict[str, Any] = {}
    unmade: dict[str, int] = {}
    for block in request["blocks"]:
        if block["section"] != section:
            section, namespace, unmade = block["section"], {"__name__": "__main__"}, {}
        if block["source"] is None:
            unmade |= dict.fromkeys(block["binds"], block["line"])
            continue
        tell({"starting": block["id"]})
        outcome = _run(block, namespace, unmade, request, guard)
        if outcome["status"] != "ran":
            unmade |= {name: block["line"] for name in block["binds"] if name not in namespace}
        tell({"block": block["id"], **outcome})


def _run(
    block: Mapping[str, Any],
    namespace: dict[str, Any],
    unmade: Mapping[str, int],
    request: Mapping[str, Any],
    guard: Guard,
) -> dict[str, Any]:
    output, before = _Output(request["output"]), len(guard.refusals)
    stdout, started = sys.stdout, time.monotonic()
    sys.stdout = output
    reason: str | None = None
    status, line, last = "ran", None, []
    try:
        # Empty lines in front let a traceback name the lines of the card.
        code = compile("\n" * (block["line"] - 1) + block["source"], CARD, "exec", dont_inherit=True)
        exec(code, namespace)  # noqa: S102 -- what this process is for
    except BaseException as error:
        if not (isinstance(error, SystemExit) and error.code in (None, 0)):
            line, last = _line(error), _traceback(error, request["home"])
            reason = missing(error, request["repo"], guard.refusals[before:], unmade)
            status = "not-runnable" if reason else "failed"
            reason = reason or describe(error, request["home"])
    finally:
        sys.stdout = stdout
    return {
        "status": status,
        "reason": reason,
        "line": line,
        "traceback": last,
        "seconds": round(time.monotonic() - started, 3),
        "output": output.lines(),
        "refused": list(dict.fromkeys(map(str, guard.refusals[before:])))[:_MOST_REFUSALS],
    }


def _line(error: BaseException) -> int | None:
    """The line of the card that it comes from: the innermost one."""
    if isinstance(error, SyntaxError) and error.filename == CARD:
        return error.lineno
    found = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == CARD]
    return found[-1] if found else None


def _traceback(error: BaseException, home: str) -> list[str]:
    """The frames, innermost last, and the exception."""
    frames = traceback.extract_tb(error.__traceback__)
    shown = [f"{_place(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames[-_KEPT_LINES:]]
    return [*shown, describe(error, home)]


def _place(filename: str) -> str:
    """A file of a library without where it is installed."""
    return filename.rpartition("site-packages/")[2] or filename
