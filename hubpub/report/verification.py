"""Verifications as text: what differs."""

from __future__ import annotations

from hubpub.core.wording import counted, listed, size
from hubpub.publish.load_check import Loaded
from hubpub.publish.verification import Verification
from hubpub.report.excerpt import printable
from hubpub.report.text import Style, plain


def render_loaded(loaded: Loaded) -> str:
    """What became of loading it, in one line."""
    if loaded.skipped:
        return f"no, this was skipped: {loaded.skipped}"
    if loaded.error:
        return f"{loaded.error}; {loaded.next_step}"
    base = f", with {loaded.base.repo_id} at {loaded.base.commit[:12]}" if loaded.base else ""
    return f"{', '.join(loaded.steps)} ({loaded.name} by its id, at {loaded.commit[:12]}{base})"


def render_verification(result: Verification, style: Style = plain) -> str:
    """Every difference on a line of its own, then the verdict; text that ends in a newline."""
    lines = [f"  {style('≠', 'red')} {printable(item.path)}: {item.what}" for item in result.differences]
    told = {item.path for item in result.differences}
    if only_there := [printable(path) for path in result.only_on_hub if path not in told]:
        lines.append(f"  · only on the hub: {listed(only_there)}")
    how = f"{result.fetched:,} of them fetched ({size(result.bytes)})" if result.fetched else "none fetched"
    if result.loaded:
        mark = "·" if result.loaded.skipped else style("=", "green") if result.loaded.ok else style("≠", "red")
        lines.append(f"  {mark} loaded: {printable(render_loaded(result.loaded))}")
    verdict = style("ok", "green") if result.ok else style("failed", "red")
    found = "no difference" if not result.differences else counted(len(result.differences), "difference")
    if result.loaded:
        found += ", not loaded" if result.loaded.skipped else ", it loads" if result.loaded.ok else ", does not load"
    there = f"{counted(result.files, 'file')} on the hub, {how}"
    lines.append(f"{verdict}: {result.repo_id} at {result.commit[:12]}: {found}; {there}")
    return "\n".join(lines) + "\n"
