"""No token in any output: what a command or an error says is looked through for every token that a test made."""

from __future__ import annotations

from collections.abc import Iterable

from support.command import Run

from hubpub.core.errors import HubpubError


def keeps(secrets: Iterable[str], *said: object) -> None:
    """Assert that none of the secrets is in what was said, nor is most of one."""
    text = "\n".join(_text(item) for item in said)
    for secret in secrets:
        assert secret not in text
        assert secret[: max(12, len(secret) // 2)] not in text


def _text(item: object) -> str:
    if isinstance(item, Run):
        return item.stdout + item.stderr
    if isinstance(item, HubpubError):
        return f"{item!s} {item!r} {item.next_step}"
    return str(item)
