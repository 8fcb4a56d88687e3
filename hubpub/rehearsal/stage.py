"""The throw-away hub of a rehearsal: started on loopback, in a directory that goes with it, with tokens of its own."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hubpub.core.files import remove_tree
from hubpub.publish.own_hub import past_the_proxy
from hubpub.publish.target import Target

_USER = "rehearser"


@dataclass(frozen=True, slots=True)
class Stage:
    """A running hub.

    Attributes:
        directory: where everything of the rehearsal is; the hub's data are in `hub`.
        target: the hub, and the right to write to it.
        read_token: may read its private repos, and nothing else.
    """

    directory: Path
    target: Target
    read_token: str = field(repr=False)


@contextlib.contextmanager
def stage(namespaces: Iterable[str], *, keep: bool) -> Iterator[Stage]:
    """A hub with these organisations, until the end of the block; then its directory is removed, unless `keep`."""
    from hubpub.hub import Org, Role, Token, running

    names = set(namespaces)
    user = _USER
    while user in names:
        user += "-"
        user += secrets.token_hex(2)
    write, read = (f"hf_{secrets.token_hex(17)}" for _ in range(2))
    directory = Path(tempfile.mkdtemp(prefix="hubpub-rehearsal-")).resolve()
    try:
        with (
            past_the_proxy(),
            running(
                directory / "hub",
                tokens=[Token.of(write, user, "write"), Token.of(read, user, "read")],
                orgs=[Org(name, {user: Role.ADMIN}) for name in sorted(names)],
            ) as hub,
        ):
            target = Target(endpoint=hub.endpoint, token=write, token_source="the rehearsal hub")  # noqa: S106 -- in words
            yield Stage(directory, target, read)
    finally:
        if not keep:
            remove_tree(directory)
