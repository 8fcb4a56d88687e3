"""`hubpub serve --fsck` and `--gc`: look after a hub's data folder, and say in text or JSON what was found."""

from __future__ import annotations

import json
from pathlib import Path

import click

_DAMAGED = 1


def show_fsck(root: Path, *, as_json: bool) -> int:
    """Check the data folder and print the report; returns the exit code.

    Raises:
        UsageError: it is not a hub's data folder.
    """
    from hubpub.hub.store.fsck import fsck

    report = fsck(root)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for item in report.damage:
            click.echo(f"damaged {item.kind}: {item.where}: {item.what}")
            if item.needed_by:
                click.echo(f"  needed by {item.needed_by}")
        for note in report.notes:
            click.echo(f"note: {note}")
        checked = ", ".join(f"{count:,} {name}" for name, count in sorted(report.checked.items()))
        click.echo(f"checked {checked or 'nothing'} in {report.seconds:.1f} s")
        click.echo("nothing is damaged" if report.ok else f"{len(report.damage)} damaged")
    return 0 if report.ok else _DAMAGED


def show_gc(root: Path, hours: float, *, as_json: bool) -> int:
    """Remove uploads that nothing names and print what went; returns the exit code.

    Raises:
        UsageError: it is not a hub's data folder, a hub runs on it, or it is damaged.
    """
    from hubpub.hub.store.garbage import collect_garbage

    report = collect_garbage(root, hours * 3600)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        removed = ", ".join(f"{count:,} {name}" for name, count in sorted(report.removed.items()))
        click.echo(
            f"removed {removed or 'nothing'}; freed {report.freed:,} bytes; {report.kept:,} large files are named"
        )
    return 0
