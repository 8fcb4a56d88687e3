"""What follows a push: its receipt, the user's changelog, the webhooks; the release stands whatever becomes of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.core.errors import HubpubError, UsageError
from hubpub.publish.saved import check_outside, save_outside

if TYPE_CHECKING:
    from hubpub.core.settings import Settings
    from hubpub.publish.client import HubClient
    from hubpub.publish.prepare import PushOptions
    from hubpub.publish.receipt import Receipt

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class After:
    """What is to follow a push.

    Attributes:
        receipt: file that takes the receipt.
        changelog: file that gets a section on top, for the tag.
        hooks: addresses to tell.
    """

    receipt: Path | None = None
    changelog: Path | None = None
    hooks: tuple[str, ...] = ()

    def check(self, options: PushOptions) -> None:
        """Return if it can be done; asked before anything is.

        Raises:
            UsageError: it cannot.
        """
        if self.changelog and not options.tag:
            raise UsageError("--changelog is for a release with a name", "give --tag, or use `hubpub notes`")
        for file in (self.receipt, self.changelog):
            if file:
                check_outside(file, options.path)

    def follow(self, options: PushOptions, client: HubClient, made: Receipt, say: Say) -> None:
        """Do it; `say` is told of it, and of what failed.

        Raises:
            UsageError: the receipt cannot be written, which others count on.
        """
        if self.changelog and made.tag:
            write_changelog(self.changelog, client, made, say)
        tell_hooks(made, self.hooks, say)
        if self.receipt:
            self._keep(self.receipt, options, made)
            say(f"wrote {self.receipt}")

    def _keep(self, path: Path, options: PushOptions, made: Receipt) -> None:
        try:
            save_outside(path, options.path, made.to_json())
        except UsageError as error:
            raise UsageError(
                f"{error.message}; the release stands, as {made.commit[:12]} of {made.plan.repo_id}", error.next_step
            ) from error


def hooks_to_tell(given: Sequence[str], settings: Settings, *, of_settings: bool) -> tuple[str, ...]:
    """The addresses of the command line and, if the command line says so, of the settings.

    Raises:
        UsageError: one is not an address to send this to.
    """
    if not given and not (of_settings and settings.release.webhooks):
        return ()
    from hubpub.publish.webhooks import check_webhooks

    return check_webhooks((*given, *(settings.release.webhooks if of_settings else ())))


def tell_hooks(receipt: Receipt, hooks: Sequence[str], say: Say) -> None:
    """Tell them of the release; a failure is said, and no more."""
    if not hooks:
        return
    from hubpub.publish.webhooks import SECRET_VARIABLE, release_document, send_webhooks

    for item in send_webhooks(hooks, release_document(receipt), os.environ.get(SECRET_VARIABLE)):
        if item.problem:
            say(f"warning: the webhook at {item.host} was not told: {item.problem}; the release stands")
        else:
            say(f"told the webhook at {item.host}")


def write_changelog(path: Path, client: HubClient, receipt: Receipt, say: Say) -> None:
    """Put a section for the tag on top; a failure is said, and no more."""
    from hubpub.publish.changelog import add_section
    from hubpub.publish.notes import notes_since_tag

    tag, repo_id = str(receipt.tag), receipt.plan.repo_id
    try:
        notes = notes_since_tag(client, repo_id, client.tags(repo_id), tag, receipt.commit)
        section = notes.to_markdown() if notes else f"## {tag}\n\nFirst tagged release of {repo_id}.\n"
        written = add_section(path, tag, section)
    except HubpubError as error:
        say(f"warning: {path} was not written: {error.message}; the release stands, and `hubpub notes` makes it up")
        return
    say(f"wrote {path}" if written else f"{path} has a section for {tag} already")
