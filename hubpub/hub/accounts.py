"""Users, organisations with roles, and tokens: where they come from and how they are kept.

Accounts live in memory for as long as a hub runs and are not part of its data folder, so the same data can be
served with other tokens tomorrow. Of a token only the SHA-256 is kept. Roles are those of the Hub:
https://huggingface.co/docs/hub/organizations-security
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

from hubpub.core.errors import UsageError
from hubpub.hub.naming import is_namespace

_LARGEST_FILE = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TOKEN_FORM = "write --token TOKEN=USER:ROLE with role read or write, for example --token hf_abc=alice:write"  # noqa: S105
_FILE_FORM = "write [orgs.NAME] with lines USER = ROLE, and [[tokens]] with user, token or sha256, and role"
_ORG_FORM = "write --org ORG=USER:ROLE,... with roles no_access, read, contributor, write or admin"


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


@dataclass(frozen=True, slots=True)
class User:
    """An account of a person or a machine."""

    name: str
    fullname: str = ""


@dataclass(frozen=True, slots=True)
class Org:
    """An organisation and the roles of its members, by user name."""

    name: str
    members: Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its text.

    Attributes:
        sha256: hex digest of the text.
        user: whose it is.
        role: what it may do.
        name: a label for people.
    """

    sha256: str
    user: str
    role: TokenRole = TokenRole.WRITE
    name: str = "token"

    @classmethod
    def of(cls, text: str, user: str, role: TokenRole | str = TokenRole.WRITE, name: str = "token") -> Token:
        """The token whose text is `text`."""
        return cls(_digest(text), user, TokenRole(role), name)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request, and with which token."""

    user: User
    token: Token


@dataclass(frozen=True, slots=True)
class AccountsFile:
    """What an accounts file declares."""

    users: tuple[User, ...] = ()
    orgs: tuple[Org, ...] = ()
    tokens: tuple[Token, ...] = ()


@dataclass(slots=True)
class Accounts:
    """Everyone that a hub knows.

    Raises:
        UsageError: two accounts share a name, or a name cannot be one.
    """

    users: dict[str, User] = field(default_factory=dict)
    orgs: dict[str, Org] = field(default_factory=dict)
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
        if token.user not in self.users:
            self.add_user(User(token.user))
        self._tokens[token.sha256] = token

    def identify(self, text: str) -> Identity | None:
        """Whose token `text` is; None if nobody's."""
        token = self._tokens.get(_digest(text))
        return None if token is None else Identity(self.users[token.user], token)

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


def new_token_text() -> str:
    """A random token of the form that the Hub's tokens have."""
    return f"hf_{secrets.token_hex(18)}"


def parse_token(text: str) -> Token:
    """The token of a flag such as `hf_abc=alice:write`; without a role it may write.

    Raises:
        UsageError: the flag has another form. The message does not repeat it: it holds a token.
    """
    secret, equals, rest = text.partition("=")
    user, _, role = rest.partition(":")
    if not equals or not secret or not user or not secret.isascii() or not secret.isprintable():
        raise UsageError("a --token is not of the form TOKEN=USER:ROLE", _TOKEN_FORM)
    if (role or "write") not in list(TokenRole):
        raise UsageError(f"the role {role!r} of {user}'s --token is not read or write", _TOKEN_FORM)
    return Token.of(secret, user, role or "write")


def parse_org(text: str) -> Org:
    """The organisation of a flag such as `acme=alice:admin,bob:read`; without a role a member may read.

    Raises:
        UsageError: the flag has another form.
    """
    name, equals, rest = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--org {text} is not of the form ORG=USER:ROLE,...", _ORG_FORM)
    members: dict[str, Role] = {}
    for item in filter(None, rest.split(",")):
        user, _, role = item.strip().partition(":")
        if user in members:
            raise UsageError(f"--org {text} names {user} twice", _ORG_FORM)
        members[user] = _role(role or "read", f"--org {text}")
    return Org(name, members)


def load_accounts(path: Path) -> AccountsFile:
    """The accounts of a TOML or JSON file.

    The tables are `users` (name to `{fullname}`), `orgs` (name to a table of user to role) and the list `tokens`
    (each with `user`, `token` or `sha256`, and if wanted `role` and `name`).

    Raises:
        UsageError: the file cannot be read or says something else.
    """
    document = _read(path)
    unknown = set(document) - {"users", "orgs", "tokens"}
    if unknown:
        raise _malformed(path, f"unknown key {min(unknown)!r}")
    users, orgs, tokens = document.get("users", {}), document.get("orgs", {}), document.get("tokens", [])
    if not isinstance(users, dict) or not isinstance(orgs, dict) or not isinstance(tokens, list):
        raise _malformed(path, "users and orgs are not tables, or tokens is not a list")
    return AccountsFile(
        users=tuple(User(name, _text(path, entry, "fullname", "")) for name, entry in users.items()),
        orgs=tuple(_org(path, name, entry) for name, entry in orgs.items()),
        tokens=tuple(_token(path, entry) for entry in tokens),
    )


def _org(path: Path, name: str, members: Any) -> Org:
    if not isinstance(members, dict) or not all(isinstance(role, str) for role in members.values()):
        raise _malformed(path, f"orgs.{name} is not a table of user = role")
    return Org(name, {user: _role(role, f"{path}: orgs.{name}") for user, role in members.items()})


def _token(path: Path, entry: Any) -> Token:
    user = _text(path, entry, "user")
    role = _text(path, entry, "role", "write")
    if role not in list(TokenRole):
        raise _malformed(path, f"the role of {user}'s token is not read or write")
    name = _text(path, entry, "name", "token")
    if "token" in entry:
        return Token.of(_text(path, entry, "token"), user, role, name)
    digest = _text(path, entry, "sha256")
    if not _SHA256.fullmatch(digest):
        raise _malformed(path, f"the sha256 of {user}'s token is not 64 hex digits")
    return Token(digest, user, TokenRole(role), name)


def _text(path: Path, entry: Any, key: str, default: str | None = None) -> str:
    value = entry.get(key, default) if isinstance(entry, dict) else None
    if not isinstance(value, str):
        raise _malformed(path, f"an entry has no text {key!r}")
    return value


def _role(text: str, where: str) -> Role:
    try:
        return Role[text.upper()]
    except KeyError:
        raise UsageError(f"{where}: {text!r} is not a role", _ORG_FORM) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a TOML or JSON file") from error
    if len(data) > _LARGEST_FILE:
        raise _malformed(path, "it is larger than 1 MB")
    try:
        text = data.decode("utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError):
        # Not the parser's own words: they may quote a token.
        raise _malformed(path, f"it is not valid {'JSON' if path.suffix == '.json' else 'TOML'}") from None
    if not isinstance(document, dict):
        raise _malformed(path, "it is not a table")
    return document


def _malformed(path: Path, what: str) -> UsageError:
    return UsageError(f"{path} is not an accounts file: {what}", _FILE_FORM)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
