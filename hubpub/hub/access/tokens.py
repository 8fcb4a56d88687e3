"""Tokens, of which only the SHA-256 is kept."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum

from hubpub.hub.access.fine_grained import Grants
from hubpub.hub.naming import RepoId

_FINGERPRINT = 32


class TokenRole(StrEnum):
    """What a token may do of what its user may."""

    READ = "read"
    WRITE = "write"
    FINE_GRAINED = "fineGrained"


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its text.

    Attributes:
        sha256: hex digest of the text.
        user: whose it is; of a trusted publisher's token, the namespace of its repo.
        role: what it may do.
        name: a label for people.
        grants: what a fine-grained token may do; None for others.
        repo: the one repo that a trusted publisher's token is for; None for others.
        expires: Unix time from which it is not valid; None for never.
        revoked: whether it is not valid any more.
        created: Unix time.
    """

    sha256: str
    user: str
    role: TokenRole = TokenRole.WRITE
    name: str = "token"
    grants: Grants | None = None
    repo: RepoId | None = None
    expires: float | None = None
    revoked: bool = False
    created: float = field(default_factory=time.time, compare=False)

    @classmethod
    def of(
        cls,
        text: str,
        user: str,
        role: TokenRole | str = TokenRole.WRITE,
        name: str = "token",
        *,
        grants: Grants | None = None,
        repo: RepoId | None = None,
        expires: float | None = None,
    ) -> Token:
        """The token whose text is `text`; one with grants is fine-grained."""
        kind = TokenRole.FINE_GRAINED if grants is not None else TokenRole(role)
        return cls(digest_of(text), user, kind, name, grants, repo, expires)

    @property
    def fingerprint(self) -> str:
        """What tells this token from every other, in whatever is handed out on its strength."""
        return fingerprint_of(self.sha256)

    @property
    def refusal(self) -> str:
        """Why it is not valid any more, in words; empty if it is."""
        if self.revoked:
            return "the token has been revoked"
        return "the token has expired" if self.expires is not None and self.expires <= time.time() else ""


def new_token_text(prefix: str = "hf_") -> str:
    """A random token of the form that the Hub's tokens have."""
    return f"{prefix}{secrets.token_hex(18)}"


def digest_of(text: str) -> str:
    """The hex SHA-256 of a token's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint_of(sha256: str) -> str:
    """The first half of a token's digest: enough to tell tokens apart, and of no use to sign in with."""
    return sha256[:_FINGERPRINT]
