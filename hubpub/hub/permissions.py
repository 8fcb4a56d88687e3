"""Who may do what: the one place that decides it.

A token can only take away from what its user may do. A contributor may create repos in the organisation and
write those they created; writing to others is for the role `write` and above.
"""

from __future__ import annotations

from enum import Enum, auto

from hubpub.hub.accounts import Accounts, Identity, Role, TokenRole
from hubpub.hub.repos import RepoRecord


class Action(Enum):
    """What a request wants of a repo."""

    SEE = auto()
    """Know of it: its page, its listing, its refs."""
    READ = auto()
    """Read its files."""
    PROPOSE = auto()
    """Open a pull request, and upload what it needs."""
    WRITE = auto()
    """Commit, and change refs."""
    MANAGE = auto()
    """Change its settings, or delete it."""


def may(accounts: Accounts, who: Identity | None, action: Action, repo: RepoRecord) -> bool:
    """Whether `who` (None: nobody signed in) may do `action` to `repo`."""
    role = Role.NO_ACCESS if who is None else accounts.role_of(who.user, repo.id.namespace)
    sees = not repo.private or role >= Role.READ
    if action is Action.SEE:
        return sees
    if action is Action.READ:
        return sees and (not repo.gated or role >= Role.READ)
    if who is None or who.token.role is not TokenRole.WRITE:
        return False
    if action is Action.PROPOSE:
        return sees
    owns = role is Role.CONTRIBUTOR and repo.creator == who.user.name
    return role >= Role.WRITE or owns


def may_create(accounts: Accounts, who: Identity, namespace: str) -> bool:
    """Whether `who` may create a repo in `namespace`."""
    return who.token.role is TokenRole.WRITE and accounts.role_of(who.user, namespace) >= Role.CONTRIBUTOR
