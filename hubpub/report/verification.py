"""Verifications as text: what differs."""

from __future__ import annotations

from hubpub.publish.verification import Verification
from hubpub.report.excerpt import printable
from hubpub.report.release import human_bytes
from hubpub.report.text import Style, plain

_SHOWN = 5


def render_verification(result: Verification, style: Style = plain) -> str:
    """Every difference on a line of its own, then the verdict; text that ends in a newline."""
    lines = [f"  {style('≠', 'red')} {printable(item.path)}: {item.what}" for item in result.differences]
    if result.only_on_hub:
        names = ", ".join(printable(path) for path in result.only_on_hub[:_SHOWN])
        more = f" and {len(result.only_on_hub) - _SHOWN:,} more" if len(result.only_on_hub) > _SHOWN else ""
        lines.append(f"  · only on the hub: {names}{more}")
    how = f"{result.fetched:,} of them fetched ({human_bytes(result.bytes)})" if result.fetched else "none fetched"
    verdict = style("ok", "green") if result.ok else style("failed", "red")
    number = len(result.differences)
    found = "no difference" if result.ok else f"{number:,} difference" + ("" if number == 1 else "s")
    lines.append(
        f"{verdict}: {result.repo_id} at {result.commit[:12]}: {found}; {result.files:,} files on the hub, {how}"
    )
    return "\n".join(lines) + "\n"
