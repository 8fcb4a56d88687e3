"""The release id: by which the commit of a release is known again, whoever asks and whenever.

It follows from what is published and where, so a push that is run again has the same one. It is a trailer of the
commit's message (https://git-scm.com/docs/git-interpret-trailers); a merged pull request keeps only titles, so there it
is in one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

_TRAILER = "Hubpub-Release"
_LAST_LINE_IS_TRAILER = re.compile(r"(?:^|\n)[A-Za-z-]+: [^\n]*\Z")


def release_id(repo_id: str, revision: str, manifest: Iterable[tuple[str, int, str]]) -> str:
    """The id of these files (path, size, SHA-256) on that branch, 16 hex digits."""
    return _digest([repo_id, revision, sorted(manifest)])


def rollback_id(repo_id: str, revision: str, head: str, target: str) -> str:
    """The id of going back from one commit to another, 16 hex digits."""
    return _digest([repo_id, revision, head, target])


def _digest(what: object) -> str:
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def with_release_id(description: str, release: str) -> str:
    """The description of a commit with the id at its end."""
    gap = "\n" if _LAST_LINE_IS_TRAILER.search(description) else "\n\n"
    return f"{description}{gap}{_TRAILER}: {release}" if description else f"{_TRAILER}: {release}"


def marked(title: str, release: str) -> str:
    """The title of a pull request with the id in it."""
    return f"{title} [hubpub {release}]"


def carries(message: str, title: str, release: str) -> bool:
    """Whether a commit is of this release, by its trailer or its title."""
    return (
        re.search(rf"^{_TRAILER}: {release}\s*$", message, re.MULTILINE) is not None or f"[hubpub {release}]" in title
    )
