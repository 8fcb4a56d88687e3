"""Who may do what: the one place that decides it.

A token can only take away from what its user may do. A contributor may create repos in the organisation and
write those they created; writing to others is for the role `write` and above. A trusted publisher's token may write
to its one repo and do nothing else that a stranger may not.
"""

from __future__ import annotations

from enum import Enum, auto

from hubpub.hub.access.accounts import Accounts, Identity, Role
from hubpub.hub.access.fine_grained import Permission
from hubpub.hub.access.tokens import Token, TokenRole
from hubpub.hub.errors import ApiError, forbidden
from hubpub.hub.naming import RepoId
from hubpub.hub.store.repos import AccessStatus, RepoRecord


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
    if who is None:
        return _anybody_may(action, repo)
    return _signed_in_may(accounts, who, action, repo, _standing(accounts, who, repo.id))


def blocked_by_policy(accounts: Accounts, who: Identity | None, action: Action, repo: RepoRecord) -> bool:
    """Whether only a policy of the organisation keeps `who` from doing `action`, not their role or their token's."""
    if who is None or not _token_is_unwanted(accounts, who.token, repo.id.namespace):
        return False
    role = accounts.role_of(who.user, repo.id.namespace)
    return _signed_in_may(accounts, who, action, repo, role) and not may(accounts, who, action, repo)


def policy_refusal(namespace: str) -> ApiError:
    """403 for a token that an organisation does not take."""
    return forbidden(f"The organization {namespace} only accepts fine-grained tokens: read and write tokens are denied")


def why_not(accounts: Accounts, who: Identity, action: Action, repo: RepoRecord) -> str:
    """What keeps `who`, who may not do `action` to a repo that they see, from it, in words."""
    token = who.token
    wanted = {Action.READ: Permission.READ, Action.PROPOSE: Permission.DISCUSS}.get(action, Permission.WRITE)
    if token.repo is not None:
        return f"Forbidden: a trusted publisher's token may only write files and refs of {token.repo.web_path}"
    if token.grants is not None and not _token_allows(token, wanted, repo.id):
        return f"Forbidden: the fine-grained token has no {wanted.value} for {repo.id}"
    if not _token_allows(token, wanted, repo.id):
        return f"Forbidden: you must use a write token to do this with {repo.id}"
    hint = "; pass `create_pr=1` as a query parameter to create a Pull Request"
    proposes = action is Action.WRITE and may(accounts, who, Action.PROPOSE, repo)
    return f"Forbidden: your role does not let you do this with {repo.id}{hint if proposes else ''}"


def may_create(accounts: Accounts, who: Identity, namespace: str) -> bool:
    """Whether `who` may create a repo in `namespace`."""
    token = who.token
    if token.repo is not None or _token_is_unwanted(accounts, token, namespace):
        return False
    writes = token.role is TokenRole.WRITE or (
        token.grants is not None and token.grants.allow_in(Permission.WRITE, namespace)
    )
    return writes and accounts.role_of(who.user, namespace) >= Role.CONTRIBUTOR


def checked_creation(accounts: Accounts, who: Identity, repo: RepoId, private: bool | None) -> bool:
    """Whether a repo that `who` creates is to be private; `private` is what they asked for, if anything.

    Raises:
        ApiError: 403 if they may not create it, or not a public one; 401 for a trusted publisher.
    """
    if who.token.repo is not None:
        raise ApiError(401, "The token of a trusted publisher cannot create repos: create this one first")
    if not may_create(accounts, who, repo.namespace):
        if accounts.role_of(who.user, repo.namespace) >= Role.CONTRIBUTOR and _token_is_unwanted(
            accounts, who.token, repo.namespace
        ):
            raise policy_refusal(repo.namespace)
        raise forbidden(
            f"You don't have the rights to create a {repo.kind.value} under the namespace {repo.namespace!r}"
        )
    return checked_visibility(accounts, repo, private)


def checked_visibility(accounts: Accounts, repo: RepoId, private: bool | None) -> bool:
    """Whether a repo is to be private; `private` is what its owner asked for, if anything.

    Raises:
        ApiError: 403 if it would be public against the organisation's policy.
    """
    org = accounts.orgs.get(repo.namespace)
    if org is None or org.public_repos:
        return private is True
    if private is False:
        raise forbidden(f"{org.name} forbids the creation of public {repo.kind.plural}")
    return True


def _anybody_may(action: Action, repo: RepoRecord) -> bool:
    return not repo.private and (action is Action.SEE or (action is Action.READ and not repo.gated))


def _signed_in_may(accounts: Accounts, who: Identity, action: Action, repo: RepoRecord, role: Role) -> bool:
    member = role >= Role.READ
    if repo.private and not (member and _token_knows(who.token, repo.id)):
        return False
    if action is Action.SEE:
        return True
    if action is Action.READ:
        return _may_read(accounts, who, repo, member=member)
    if action is Action.PROPOSE:
        return _token_allows(who.token, Permission.DISCUSS, repo.id)
    if not _token_allows(who.token, Permission.WRITE, repo.id):
        return False
    if action is Action.MANAGE and who.token.repo is not None:
        return False
    owns = role is Role.CONTRIBUTOR and repo.creator == who.user.name
    return role >= Role.WRITE or owns


def _may_read(accounts: Accounts, who: Identity, repo: RepoRecord, *, member: bool) -> bool:
    """Whether the files of a repo that `who` sees are open to them."""
    token_reads = _token_allows(who.token, Permission.READ, repo.id)
    if not repo.gated:
        return token_reads or not repo.private
    entry = repo.access.get(who.user.name)
    accepted = (entry is not None and entry["status"] == AccessStatus.ACCEPTED) or (
        who.user.name in accounts.accepted.get(repo.id.web_path, ())
    )
    reads_gated = token_reads or (who.token.grants is not None and who.token.grants.gated and not repo.private)
    return reads_gated and (member or (accepted and who.token.repo is None))


def _standing(accounts: Accounts, who: Identity, repo: RepoId) -> Role:
    """The role that counts: a token that the organisation does not take makes a stranger of its member."""
    token = who.token
    if token.repo is not None:
        return Role.WRITE if token.repo == repo else Role.NO_ACCESS
    if _token_is_unwanted(accounts, token, repo.namespace):
        return Role.NO_ACCESS
    return accounts.role_of(who.user, repo.namespace)


def _token_is_unwanted(accounts: Accounts, token: Token, namespace: str) -> bool:
    org = accounts.orgs.get(namespace)
    return org is not None and org.fine_grained_only and token.grants is None and token.repo is None


def _token_allows(token: Token, permission: Permission, repo: RepoId) -> bool:
    if token.grants is not None:
        return token.grants.allow(permission, repo)
    if token.repo is not None and token.repo != repo:
        return permission is Permission.READ
    return permission is Permission.READ or token.role is TokenRole.WRITE


def _token_knows(token: Token, repo: RepoId) -> bool:
    return any(_token_allows(token, permission, repo) for permission in Permission)
