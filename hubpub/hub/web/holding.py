"""Capabilities are worth what the token is worth that they were handed out for, at the moment of their use.

A CAS token and the address of an upload or a download are signed and say all that they allow. But who may not do
that any more, since the token was revoked or has expired, or since the user has lost the right, may not do it with
an address from before either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.hub.access.accounts import Identity
from hubpub.hub.access.permissions import Action, may
from hubpub.hub.naming import RepoId, RepoKind
from hubpub.hub.state import HubState

LOST = "Whoever was given this may not use it any more: a token was revoked or has expired, or a right was taken away"


@dataclass(frozen=True, slots=True)
class Holding:
    """Whom a capability was handed out to, and for which repo.

    Attributes:
        repo: whose files it is about.
        holder: fingerprint of the token that it was asked for with; empty if that was nobody's.
    """

    repo: RepoId
    holder: str

    @classmethod
    def of(cls, who: Identity | None, repo: RepoId) -> Holding:
        """What `who` is given for `repo`."""
        return cls(repo, "" if who is None else who.token.fingerprint)

    @classmethod
    def in_claims(cls, claims: Mapping[str, Any]) -> Holding:
        """As `claims` was signed."""
        kind, namespace, name = claims["repo"]
        return cls(RepoId(RepoKind(kind), namespace, name), claims["by"])

    @property
    def claims(self) -> dict[str, Any]:
        """To be signed with what else the capability says."""
        return {"repo": [self.repo.kind.value, self.repo.namespace, self.repo.name], "by": self.holder}

    def still_allows(self, state: HubState, action: Action) -> bool:
        """Whether the holder may do `action` to the repo as of now."""
        who = state.accounts.holder(self.holder) if self.holder else None
        if self.holder and who is None:
            return False
        record = state.repos.get(self.repo) or state.repos.moved(self.repo)
        return record is not None and may(state.accounts, who, action, record)
