"""Verifications as text: what differs."""

from __future__ import annotations

from hubpub.core.wording import counted, listed, size
from hubpub.publish.verification import Verification
from hubpub.report.excerpt import printable
from hubpub.report.text import Style, plain


def render_verification(result: Verification, style: Style = plain) -> str:
    """Every difference on a line of its own, then the verdict; text that ends in a newline."""
    lines = [f"  {style('≠', 'red')} {printable(item.path)}: {item.what}" for item in result.differences]
    told = {item.path for item in result.differences}
    if only_there := [printable(path) for path in result.only_on_hub if path not in told]:
        lines.append(f"  · only on the hub: {listed(only_there)}")
    how = f"{result.fetched:,} of them fetched ({size(result.bytes)})" if result.fetched else "none fetched"
    verdict = style("ok", "green") if result.ok else style("failed", "red")
    found = "no difference" if result.ok else counted(len(result.differences), "difference")
    there = f"{counted(result.files, 'file')} on the hub, {how}"
    lines.append(f"{verdict}: {result.repo_id} at {result.commit[:12]}: {found}; {there}")
    return "\n".join(lines) + "\n"
