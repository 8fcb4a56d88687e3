"""The embedded hub for the length of one command: `--hub local`."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from hubpub.publish.own_hub import past_the_proxy
from hubpub.publish.target import Target

USER = "local"
PORT = 8420  # of `hubpub serve` when none is given; a port that no common service claims


def local_root() -> Path:
    """Where the local hub keeps its repos; `hubpub serve` serves the same ones."""
    import platformdirs

    return Path(platformdirs.user_data_dir("hubpub", appauthor=False)) / "hub"


@contextlib.contextmanager
def local_hub(organisation: str | None) -> Iterator[Target]:
    """A running hub on loopback, whose user `local` may write to the organisation that the command names.

    Raises:
        UsageError: its data folder cannot be written to.
    """
    from hubpub.hub import parse_org, parse_token, running

    token = f"hf_{secrets.token_hex(17)}"
    organisations = [] if organisation in (None, USER) else [parse_org(f"{organisation}={USER}:admin")]
    with (
        past_the_proxy(),
        running(root=local_root(), tokens=[parse_token(f"{token}={USER}:write")], orgs=organisations) as hub,
    ):
        yield Target(endpoint=hub.endpoint, token=token, token_source="the local hub")  # noqa: S106 -- in words
