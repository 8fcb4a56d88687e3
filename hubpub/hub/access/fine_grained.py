"""What a fine-grained token may do: permissions, each in a scope.

Permissions have the Hub's names, as `GET /api/whoami-v2` lists them: https://huggingface.co/docs/hub/security-tokens
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hubpub.hub.naming import RepoId, RepoKind


class Permission(StrEnum):
    """The permissions that decide something on this hub; a token may carry others."""

    READ = "repo.content.read"
    WRITE = "repo.write"
    DISCUSS = "discussion.write"


_IMPLIED = {
    Permission.READ: frozenset({Permission.READ, Permission.WRITE}),
    Permission.WRITE: frozenset({Permission.WRITE}),
    Permission.DISCUSS: frozenset({Permission.DISCUSS, Permission.WRITE}),
}
"""Whoever may write to a repo may read it and discuss it."""

ENTITY_KINDS = ("user", "org", *(kind.value for kind in RepoKind))


@dataclass(frozen=True, slots=True)
class Scope:
    """Permissions on a user's or an organisation's repos, or on one repo.

    Attributes:
        kind: `user`, `org`, `model`, `dataset`, `space`.
        name: of the account, or `namespace/name`.
        permissions: such as `repo.write`.
    """

    kind: str
    name: str
    permissions: frozenset[str]

    def covers(self, repo: RepoId) -> bool:
        """Whether the repo is in this scope."""
        if self.kind in ("user", "org"):
            return self.name == repo.namespace
        return self.kind == repo.kind.value and self.name == str(repo)


@dataclass(frozen=True, slots=True)
class Grants:
    """All that a fine-grained token may do.

    Attributes:
        scopes: permissions by what they are for.
        everywhere: permissions on whatever its user may see.
        gated: whether it may read the gated repos that its user may read.
    """

    scopes: tuple[Scope, ...] = ()
    everywhere: frozenset[str] = frozenset()
    gated: bool = False

    def allow(self, permission: Permission, repo: RepoId) -> bool:
        """Whether they include `permission` on a repo."""
        enough = _IMPLIED[permission]
        return bool(enough & self.everywhere) or any(
            enough & scope.permissions for scope in self.scopes if scope.covers(repo)
        )

    def allow_in(self, permission: Permission, namespace: str) -> bool:
        """Whether they include `permission` on every repo of a namespace, those to come too."""
        enough = _IMPLIED[permission]
        return bool(enough & self.everywhere) or any(
            enough & scope.permissions
            for scope in self.scopes
            if scope.kind in ("user", "org") and scope.name == namespace
        )
