"""Users, organisations with roles and policies, and tokens: how they are kept, and who a token stands for.

Accounts live in memory for as long as a hub runs and are not part of its data folder, so the same data can be
served with other tokens tomorrow. Of a token only the SHA-256 is kept. Roles are those of the Hub:
https://huggingface.co/docs/hub/organizations-security
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum

from hubpub.core.errors import UsageError
from hubpub.hub.access.fine_grained import Grants
from hubpub.hub.access.trusted_publishers import Issuer, Publisher
from hubpub.hub.naming import RepoId, is_namespace


class Role(IntEnum):
    """What a member may do in an organisation; each role may do what those before it may."""

    NO_ACCESS = 0
    READ = 1
    CONTRIBUTOR = 2
    WRITE = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """As the Hub spells it: `no_access`, `read`, ..."""
        return self.name.lower()


class TokenRole(StrEnum):
    """What a token may do of what its user may."""

    READ = "read"
    WRITE = "write"
    FINE_GRAINED = "fineGrained"


@dataclass(frozen=True, slots=True)
class User:
    """An account of a person or a machine."""

    name: str
    fullname: str = ""


@dataclass(frozen=True, slots=True)
class Org:
    """An organisation, the roles of its members by user name, and its policies.

    Attributes:
        name: of the organisation.
        members: role by user name.
        fine_grained_only: whether read and write tokens count for nothing here.
        public_repos: whether its repos may be public.
    """

    name: str
    members: Mapping[str, Role]
    fine_grained_only: bool = False
    public_repos: bool = True


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
        return cls(_digest(text), user, kind, name, grants, repo, expires)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request, and with which token."""

    user: User
    token: Token


@dataclass(slots=True)
class Accounts:
    """Everyone that a hub knows.

    Attributes:
        users: by name.
        orgs: by name.
        accepted: by `namespace/name` of a gated repo, the users who may read it besides those its own record names.
        issuers: whose id tokens are believed.
        publishers: which of them may publish where.

    Raises:
        UsageError: two accounts share a name, or a name cannot be one.
    """

    users: dict[str, User] = field(default_factory=dict)
    orgs: dict[str, Org] = field(default_factory=dict)
    accepted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    issuers: tuple[Issuer, ...] = ()
    publishers: tuple[Publisher, ...] = ()
    _tokens: dict[str, Token] = field(default_factory=dict)

    @classmethod
    def of(cls, tokens: Iterable[Token] = (), orgs: Iterable[Org] = (), users: Iterable[User] = ()) -> Accounts:
        """Accounts with these users and all that the tokens and organisations name."""
        accounts = cls()
        for user in users:
            accounts.add_user(user)
        for token in tokens:
            accounts.add_token(token)
        for org in orgs:
            accounts.add_org(org)
        return accounts

    def add_user(self, user: User) -> None:
        """Add or rename a user."""
        self._check_free(user.name, self.orgs)
        self.users[user.name] = user

    def add_org(self, org: Org) -> None:
        """Add an organisation, and those of its members that are not known yet."""
        self._check_free(org.name, self.users)
        for member in org.members:
            if member not in self.users:
                self.add_user(User(member))
        self.orgs[org.name] = org

    def add_token(self, token: Token) -> None:
        """Accept a token from now on, and its user if not known yet."""
        if token.repo is None and token.user not in self.users:
            self.add_user(User(token.user))
        self._tokens[token.sha256] = token

    def add_short_lived(self, token: Token) -> None:
        """As `add_token`, and forget the trusted publishers' tokens that have expired."""
        now = time.time()
        for digest, known in list(self._tokens.items()):
            if known.repo is not None and known.expires is not None and known.expires <= now:
                self._tokens.pop(digest, None)
        self.add_token(token)

    def revoke(self, text: str) -> None:
        """Do not accept the token `text` any more.

        Raises:
            KeyError: nobody has it.
        """
        digest = _digest(text)
        self._tokens[digest] = replace(self._tokens[digest], revoked=True)

    def identify(self, text: str) -> Identity | None:
        """Whose token `text` is; None if nobody's, or if it is not valid any more."""
        token = self._tokens.get(_digest(text))
        if token is None or _invalid(token):
            return None
        return Identity(self.users.get(token.user) or User(token.user), token)

    def why_refused(self, text: str) -> str:
        """Why `identify` knows nobody with the token `text`, in words."""
        token = self._tokens.get(_digest(text))
        return _invalid(token) if token is not None else ""

    def role_of(self, user: User, namespace: str) -> Role:
        """What `user` may do in a namespace: everything in their own."""
        if user.name == namespace:
            return Role.ADMIN
        org = self.orgs.get(namespace)
        return Role.NO_ACCESS if org is None else org.members.get(user.name, Role.NO_ACCESS)

    def _check_free(self, name: str, others: Mapping[str, object]) -> None:
        if not is_namespace(name):
            raise UsageError(f"{name!r} cannot be the name of an account", "use letters, digits, - and _")
        if name in others:
            raise UsageError(f"{name!r} names both a user and an organisation", "rename one of them")


def new_token_text(prefix: str = "hf_") -> str:
    """A random token of the form that the Hub's tokens have."""
    return f"{prefix}{secrets.token_hex(18)}"


def _invalid(token: Token) -> str:
    if token.revoked:
        return "the token has been revoked"
    return "the token has expired" if token.expires is not None and token.expires <= time.time() else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
