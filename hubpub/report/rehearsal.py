"""A rehearsal as text: what was tried, what became of it, and where in the card it went wrong."""

from __future__ import annotations

from hubpub.rehearsal.result import Block, Check, Isolation, Rehearsal, Status
from hubpub.report.excerpt import printable
from hubpub.report.text import Style, plain

_MARKS = {Status.RAN: ("✓", "green"), Status.FAILED: ("✗", "red"), Status.NOT_RUNNABLE: ("–", "yellow")}
_NAME_WIDTH = 15
_PLACE_WIDTH = 14
_FIRST_WIDTH = 72
_SHOWN_OUTPUT = 4
_SHOWN_WIDTH = 110
_LONGEST_REASON = 400


def render_check(check: Check, style: Style = plain) -> str:
    """One line for a check."""
    name = f"{printable(check.name):<{_NAME_WIDTH}}"
    text = _text(check.text)
    if check.status is Status.FAILED:
        text = style(text, "red")
    elif check.status is Status.NOT_RUNNABLE:
        text = f"not run: {text}"
    return f"  {_mark(check.status, style)} {name} {text}{_time(check.seconds, style)}"


def render_block(block: Block, style: Style = plain) -> str:
    """The lines for a block: where it is, what became of it, and what it printed."""
    place = f"README.md:{block.line}"
    by = "" if block.by_hubpub or block.language != "python" else "  (not written by hubpub)"
    first = _text(block.first)
    first = first if len(first) <= _FIRST_WIDTH else first[: _FIRST_WIDTH - 1] + "…"
    lines = [f"  {_mark(block.status, style)} {place:<{_PLACE_WIDTH}} {first}{_time(block.seconds, style)}"]
    indent = " " * (_PLACE_WIDTH + 5)
    if block.status is Status.RAN:
        lines[0] += by
        shown = block.output[:_SHOWN_OUTPUT]
        lines += [f"{indent}{printable(line)[:_SHOWN_WIDTH]}" for line in shown]
        if len(block.output) > len(shown):
            lines.append(f"{indent}…")
    elif block.status is Status.FAILED:
        at = f"README.md:{block.failed_line}: " if block.failed_line else ""
        lines.append(f"{indent}{style(at + _text(block.reason), 'red')}")
    elif block.language != "python":
        lines[0] += style(f"  {_text(block.reason)}", "bright_black")
    else:
        lines.append(f"{indent}not run: {_text(block.reason)}")
    if block.refused and block.status is not Status.NOT_RUNNABLE:
        lines.append(f"{indent}{style('was refused', 'yellow')}: {_text(', '.join(block.refused))}")
    return "\n".join(lines)


def render_end(rehearsal: Rehearsal, style: Style = plain) -> str:
    """The last lines: what it comes to, and what it was worth; text that ends in a newline."""
    counts = {status: rehearsal.count(status) for status in Status}
    failed = counts[Status.FAILED]
    word, colour = ("failed", "red") if failed else ("done", "green")
    numbers = f"{counts[Status.RAN]} ran, {failed} failed, {counts[Status.NOT_RUNNABLE]} not runnable"
    lines = [f"{style(word, colour)}: {rehearsal.repo_id} was rehearsed: {numbers}, {rehearsal.seconds:.1f} s"]
    if around := _isolation(rehearsal.isolation):
        lines.append(f"  around what ran: {around}")
    if rehearsal.kept:
        lines.append(f"  the hub's data are in {rehearsal.kept}; `hubpub serve --root {rehearsal.kept}` serves them")
    return "\n".join(lines) + "\n"


def render_rehearsal(rehearsal: Rehearsal, style: Style = plain) -> str:
    """All of it; text that ends in a newline."""
    lines = [render_check(check, style) for check in rehearsal.checks]
    lines += [render_block(block, style) for block in rehearsal.blocks]
    return "\n".join([*lines, render_end(rehearsal, style)])


def _mark(status: Status, style: Style) -> str:
    return style(*_MARKS[status])


def _text(text: str) -> str:
    shown = printable(" ".join(text.split()))
    return shown if len(shown) <= _LONGEST_REASON else shown[: _LONGEST_REASON - 1] + "…"


def _time(seconds: float, style: Style) -> str:
    return style(f"  {seconds:.1f} s", "bright_black") if seconds >= 0.05 else ""


def _isolation(isolation: Isolation) -> str:
    if isolation.kind == "namespaces":
        return "no network but the throw-away hub, no file of yours, no other process (Linux namespaces)"
    if isolation.kind == "guard":
        return f"Python's own guard only, which native code passes by ({printable(isolation.reason)})"
    return ""
