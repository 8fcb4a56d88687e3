"""Users, organisations with roles and policies: how they are kept, and who a token stands for.

Accounts live in memory for as long as a hub runs and are not part of its data folder, so the same data can be
served with other tokens tomorrow. Roles are those of the Hub:
https://huggingface.co/docs/hub/organizations-security
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import chain

from hubpub.core.errors import UsageError
from hubpub.hub.access.tokens import Token, digest_of, fingerprint_of
from hubpub.hub.access.trusted_publishers import Issuer, Publisher
from hubpub.hub.naming import is_namespace


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
class Identity:
    """Who makes a request, and with which token."""

    user: User
    token: Token


Account = User | Org | Token
"""What accounts are declared by and added as."""


@dataclass(slots=True)
class _Book:
    """Everyone, as of one moment."""

    users: dict[str, User] = field(default_factory=dict)
    orgs: dict[str, Org] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    accepted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    issuers: tuple[Issuer, ...] = ()
    publishers: tuple[Publisher, ...] = ()

    def add(self, item: Account) -> None:
        match item:
            case User():
                self._check_free(item.name, self.orgs)
                self.users[item.name] = item
            case Org():
                self._check_free(item.name, self.users)
                for member in item.members:
                    self._know(member)
                self.orgs[item.name] = item
            case Token():
                if item.repo is None:
                    self._know(item.user)
                self.tokens[item.fingerprint] = item

    def _know(self, user: str) -> None:
        if user not in self.users:
            self.add(User(user))

    def _check_free(self, name: str, others: Mapping[str, object]) -> None:
        if not is_namespace(name):
            raise UsageError(f"{name!r} cannot be the name of an account", "use letters, digits, - and _")
        if name in others:
            raise UsageError(f"{name!r} names both a user and an organisation", "rename one of them")


class Accounts:
    """Everyone that a hub knows: whom an accounts file declares, and who was added besides.

    What was added stays when the file is read again, and goes before what the file says of the same name. Readers
    need no lock: they see the accounts from before a change or from after it.
    """

    def __init__(self) -> None:
        self._book = _Book()
        self._added: dict[tuple[type, str], Account] = {}
        self._revoked: set[str] = set()
        self._lock = threading.RLock()

    @classmethod
    def of(cls, tokens: Iterable[Token] = (), orgs: Iterable[Org] = (), users: Iterable[User] = ()) -> Accounts:
        """Accounts with these users and all that the tokens and organisations name.

        Raises:
            UsageError: two accounts share a name, or a name cannot be one.
        """
        accounts = cls()
        for item in chain[Account](users, tokens, orgs):
            accounts._add(item)
        return accounts

    @property
    def users(self) -> Mapping[str, User]:
        """By name."""
        return self._book.users

    @property
    def orgs(self) -> Mapping[str, Org]:
        """By name."""
        return self._book.orgs

    @property
    def accepted(self) -> Mapping[str, frozenset[str]]:
        """By `namespace/name` of a gated repo, the users who may read it besides those its own record names."""
        return self._book.accepted

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Whose id tokens are believed."""
        return self._book.issuers

    @property
    def publishers(self) -> tuple[Publisher, ...]:
        """Which of them may publish where."""
        return self._book.publishers

    def declare(
        self,
        items: Iterable[Account],
        accepted: Mapping[str, frozenset[str]],
        issuers: tuple[Issuer, ...],
        publishers: tuple[Publisher, ...],
    ) -> None:
        """Know these from now on, instead of whom the accounts file declared before.

        Raises:
            UsageError: two accounts share a name, or a name cannot be one. Nothing is changed then.
        """
        with self._lock:
            book = _Book(accepted=accepted, issuers=issuers, publishers=publishers)
            lost = {item.repo for item in self._book.publishers} - {item.repo for item in publishers}
            for item in (*items, *self._added.values()):
                # A publisher that may publish there no longer must not do so for the rest of the hour either.
                if not (isinstance(item, Token) and item.repo is not None and item.repo in lost):
                    book.add(item)
            self._book = book

    def add_user(self, user: User) -> None:
        """Add or rename a user."""
        self._add(user)

    def add_org(self, org: Org) -> None:
        """Add an organisation, and those of its members that are not known yet."""
        self._add(org)

    def add_token(self, token: Token) -> None:
        """Accept a token from now on, and its user if not known yet."""
        self._add(token)

    def add_short_lived(self, token: Token) -> None:
        """As `add_token`, and forget the trusted publishers' tokens that have expired."""
        with self._lock:
            for known in list(self._book.tokens.values()):
                if known.repo is not None and known.refusal:
                    del self._book.tokens[known.fingerprint]
                    self._added.pop((Token, known.fingerprint), None)
            self._add(token)

    def revoke(self, text: str) -> None:
        """Do not accept the token `text` any more, whatever a file says.

        Raises:
            KeyError: nobody has it.
        """
        with self._lock:
            self._revoked.add(self._book.tokens[fingerprint_of(digest_of(text))].fingerprint)

    def identify(self, text: str) -> Identity | None:
        """Whose token `text` is; None if nobody's, or if it is not valid any more."""
        token = self._token(text)
        return None if token is None or self._refusal(token) else self._identity(token)

    def holder(self, fingerprint: str) -> Identity | None:
        """Whose token has that fingerprint; None if nobody's, or if it is not valid any more."""
        token = self._book.tokens.get(fingerprint)
        return None if token is None or self._refusal(token) else self._identity(token)

    def why_refused(self, text: str) -> str:
        """Why `identify` knows nobody with the token `text`, in words."""
        token = self._token(text)
        return self._refusal(token) if token is not None else ""

    def role_of(self, user: User, namespace: str) -> Role:
        """What `user` may do in a namespace: everything in their own."""
        if user.name == namespace:
            return Role.ADMIN
        org = self.orgs.get(namespace)
        return Role.NO_ACCESS if org is None else org.members.get(user.name, Role.NO_ACCESS)

    def _add(self, item: Account) -> None:
        with self._lock:
            self._book.add(item)
            name = item.fingerprint if isinstance(item, Token) else item.name
            self._added[type(item), name] = item
            if isinstance(item, Token):
                self._revoked.discard(name)

    def _token(self, text: str) -> Token | None:
        digest = digest_of(text)
        token = self._book.tokens.get(fingerprint_of(digest))
        return token if token is not None and token.sha256 == digest else None

    def _refusal(self, token: Token) -> str:
        return (replace(token, revoked=True) if token.fingerprint in self._revoked else token).refusal

    def _identity(self, token: Token) -> Identity:
        return Identity(self.users.get(token.user) or User(token.user), token)
