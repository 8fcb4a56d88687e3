"""`hubpub preview`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from hubpub.cli.output import config_option, notify, settings_for


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port on 127.0.0.1.  [default: any free one]")
@click.option("--no-open", is_flag=True, help="Only print the address; do not open a browser.")
@click.option("--remote-images", is_flag=True, help="Load images from the web, which tells their hosts of it.")
@click.option(
    "--once",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.html",
    help="Write the page to one file that needs no other, and exit.",
)
@config_option
def preview(path: Path, port: int, no_open: bool, remote_images: bool, once: Path | None, config: Path | None) -> int:
    """Show the card of PATH in the browser as the Hub would, with lint findings beside the lines they are about.

    PATH is a model folder or a README.md. The page follows the files: save the card, and it is there, where you were
    reading. A folder without README.md shows the card that `hubpub card` would write. Only this machine can reach the
    page; nothing of the card is run, and nothing is loaded from elsewhere. Ctrl-C ends it.

    \b
    Examples:
      hubpub preview ./model
      hubpub preview README.md --port 8000 --no-open    # over ssh: forward the port, open the address yourself
      hubpub preview ./model --once card.html           # an artefact for CI
    """
    if not os.path.lexists(path):
        from hubpub.core.errors import UsageError

        raise UsageError(f"{path} does not exist", "give a model folder or a README.md")
    if once:
        return _write(path, once, config, remote_images=remote_images)
    from hubpub.preview.live import LivePreview
    from hubpub.preview.server import ADDRESS, listening, serve

    settings_for(config)  # what is wrong with them from the beginning is an error
    live = LivePreview(path, lambda: settings_for(config), remote_images=remote_images)
    with listening(port) as listener:
        address = f"http://{ADDRESS}:{listener.getsockname()[1]}/"
        click.echo(address)
        notify("follows the files; Ctrl-C ends it")
        if not no_open and _has_display():
            import webbrowser

            webbrowser.open(address)
        serve(live, listener, remote_images=remote_images)
    return 0


def _write(path: Path, once: Path, config: Path | None, *, remote_images: bool) -> int:
    from hubpub.core.files import replace_file
    from hubpub.preview.page import whole_page
    from hubpub.preview.subject import read_subject

    subject = read_subject(path, settings_for(config))
    replace_file(once, whole_page(subject, remote_images=remote_images).encode())
    notify(f"wrote {once}: {subject.report.summary}")
    return 0


def _has_display() -> bool:
    """Whether a browser would have somewhere to show itself."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
