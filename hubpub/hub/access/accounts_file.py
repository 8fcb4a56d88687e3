"""Accounts as people write them down: the flags of `hubpub serve`, and the accounts file (TOML or JSON).

The file's tables, each of which may be absent::

    [users.alice]                                   # people that nothing else names
    fullname = "Alice A."
    [orgs.acme]                                     # user = role
    alice = "admin"
    [policies.acme]
    fine_grained_only = true                        # read and write tokens count for nothing in acme
    public_repos = false
    [[tokens]]
    sha256 = "..."                                  # or: token = "hf_..."
    user = "alice"
    role = "write"                                  # read, write, fineGrained
    name = "laptop"
    expires = 2030-01-01T00:00:00Z
    revoked = false
    scopes = [{ org = "acme", permissions = ["repo.write"] }, { model = "bob/m", permissions = ["repo.content.read"] }]
    global = ["discussion.write"]
    gated = true                                    # may read gated repos that alice may read
    [accepted]                                      # who may read a gated repo
    "acme/model" = ["dave"]
    [issuers."https://token.actions.githubusercontent.com"]
    jwks = "jwks.json"                              # a file beside this one, or the table itself; or: pem = "..."
    [[publishers]]                                  # who may exchange an id token for a token of one repo
    repo = "acme/model"                             # or datasets/acme/data
    issuer = "https://token.actions.githubusercontent.com"
    claims = { repository = "acme/model-training", ref = "refs/heads/main" }
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from hubpub.core.errors import UsageError
from hubpub.hub.access.accounts import Account, Accounts, Org, Role, User
from hubpub.hub.access.fine_grained import ENTITY_KINDS, Grants, Scope
from hubpub.hub.access.tokens import Token, TokenRole
from hubpub.hub.access.trusted_publishers import Issuer, Publisher
from hubpub.hub.naming import repo_at

_LARGEST_FILE = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TOKEN_TEXT = re.compile(r"\bhf_\w+")
_PERMISSION = re.compile(r"[A-Za-z]+(?:\.[A-Za-z]+)+")
_CLASSIC = (TokenRole.READ, TokenRole.WRITE)
_TOKEN_FORM = "write --token TOKEN=USER:ROLE with role read or write, for example --token hf_abc=alice:write"  # noqa: S105
_FILE_FORM = "write [orgs.NAME] with lines USER = ROLE, and [[tokens]] with user, token or sha256, and role"
_ORG_FORM = "write --org ORG=USER:ROLE,... with roles no_access, read, contributor, write or admin"
_TABLES = {"users", "orgs", "policies", "accepted", "issuers"}
_LISTS = {"tokens", "publishers"}
_TOKEN_KEYS = {"token", "sha256", "user", "role", "name", "expires", "revoked", "scopes", "global", "gated"}


@dataclass(frozen=True, slots=True)
class AccountsFile:
    """What an accounts file declares."""

    users: tuple[User, ...] = ()
    orgs: tuple[Org, ...] = ()
    tokens: tuple[Token, ...] = ()
    accepted: tuple[tuple[str, frozenset[str]], ...] = ()
    issuers: tuple[Issuer, ...] = ()
    publishers: tuple[Publisher, ...] = ()

    def accounts(self, tokens: Iterable[Token] = (), orgs: Iterable[Org] = (), users: Iterable[User] = ()) -> Accounts:
        """Accounts with all that the file declares, and these.

        Raises:
            UsageError: two accounts share a name, or a name cannot be one.
        """
        accounts = Accounts.of(tokens, orgs, users)
        self.declare_to(accounts)
        return accounts

    def declare_to(self, accounts: Accounts) -> None:
        """Let accounts be those that the file declares, instead of what it declared before.

        Raises:
            UsageError: as `accounts`; nothing is changed then.
        """
        everyone = chain[Account](self.users, self.tokens, self.orgs)
        accounts.declare(everyone, dict(self.accepted), self.issuers, self.publishers)


def parse_token(text: str) -> Token:
    """The token of a flag such as `hf_abc=alice:write`; without a role it may write.

    Raises:
        UsageError: the flag has another form. The message does not repeat it: it holds a token.
    """
    secret, equals, rest = text.partition("=")
    user, _, role = rest.partition(":")
    if not equals or not secret or not user or not secret.isascii() or not secret.isprintable():
        raise UsageError("a --token is not of the form TOKEN=USER:ROLE", _TOKEN_FORM)
    if (role or "write") not in _CLASSIC:
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
    """The accounts of a TOML or JSON file, which this module's documentation describes.

    Raises:
        UsageError: the file cannot be read or says something else.
    """
    document = _read(path)
    unknown = set(document) - _TABLES - _LISTS
    if unknown:
        raise _malformed(path, f"unknown key {min(unknown)!r}")
    for keys, kind in ((_TABLES, dict), (_LISTS, list)):
        wrong = [key for key in sorted(keys & set(document)) if not isinstance(document[key], kind)]
        if wrong:
            raise _malformed(path, f"{wrong[0]} is not a {'table' if kind is dict else 'list'}")
    orgs = {name: _org(path, name, entry) for name, entry in document.get("orgs", {}).items()}
    for name, entry in document.get("policies", {}).items():
        if name not in orgs:
            raise _malformed(path, f"policies.{name} is for an organisation that is not in orgs")
        orgs[name] = _with_policies(path, orgs[name], entry)
    return AccountsFile(
        users=tuple(
            User(name, _text(path, entry, "fullname", "")) for name, entry in document.get("users", {}).items()
        ),
        orgs=tuple(orgs.values()),
        tokens=tuple(_token(path, entry) for entry in document.get("tokens", [])),
        accepted=tuple(
            (repo, frozenset(_texts(path, users, f"accepted.{repo}")))
            for repo, users in document.get("accepted", {}).items()
        ),
        issuers=tuple(_issuer(path, name, entry) for name, entry in document.get("issuers", {}).items()),
        publishers=tuple(_publisher(path, document, entry) for entry in document.get("publishers", [])),
    )


def _org(path: Path, name: str, members: Any) -> Org:
    if not isinstance(members, dict) or not all(isinstance(role, str) for role in members.values()):
        raise _malformed(path, f"orgs.{name} is not a table of user = role")
    return Org(name, {user: _role(role, f"{path}: orgs.{name}") for user, role in members.items()})


def _with_policies(path: Path, org: Org, entry: Any) -> Org:
    known = {"fine_grained_only", "public_repos"}
    if not isinstance(entry, dict) or set(entry) - known or not all(type(value) is bool for value in entry.values()):
        raise _malformed(path, f"policies.{org.name} is not a table of {' and '.join(sorted(known))}, true or false")
    return replace(org, **entry)


def _token(path: Path, entry: Any) -> Token:
    user = _text(path, entry, "user")
    unknown = set(entry) - _TOKEN_KEYS
    if unknown:
        raise _malformed(path, f"unknown key {min(unknown)!r} in {user}'s token")
    role = _text(path, entry, "role", "fineGrained" if "scopes" in entry else "write")
    if role not in list(TokenRole):
        raise _malformed(path, f"the role of {user}'s token is not read, write or fineGrained")
    fine = {"scopes", "global", "gated"} & set(entry)
    if fine and role != TokenRole.FINE_GRAINED:
        raise _malformed(path, f"{user}'s {role} token has {min(fine)}, which only a fineGrained one can have")
    grants = _grants(path, user, entry) if role == TokenRole.FINE_GRAINED else None
    revoked = entry.get("revoked", False)
    if type(revoked) is not bool:
        raise _malformed(path, f"revoked of {user}'s token is not true or false")
    digest = "" if "token" in entry else _text(path, entry, "sha256")
    if digest and not _SHA256.fullmatch(digest):
        raise _malformed(path, f"the sha256 of {user}'s token is not 64 hex digits")
    name, expires = _text(path, entry, "name", "token"), _expiry(path, user, entry.get("expires"))
    if digest:
        return Token(digest, user, TokenRole(role), name, grants, None, expires, revoked)
    token = Token.of(_text(path, entry, "token"), user, role, name, grants=grants, expires=expires)
    return replace(token, revoked=revoked)


def _grants(path: Path, user: str, entry: dict[str, Any]) -> Grants:
    where = f"{user}'s token"
    scopes, gated = entry.get("scopes", []), entry.get("gated", False)
    if not isinstance(scopes, list) or type(gated) is not bool:
        raise _malformed(path, f"scopes of {where} is not a list, or gated is not true or false")
    found = []
    for scope in scopes:
        kinds = set(scope) - {"permissions"} if isinstance(scope, dict) else set()
        if len(kinds) != 1 or not kinds <= set(ENTITY_KINDS):
            raise _malformed(path, f"a scope of {where} does not have one of {', '.join(ENTITY_KINDS)}")
        kind = kinds.pop()
        permissions = _permissions(path, scope.get("permissions"), where)
        found.append(Scope(kind, _text(path, scope, kind), permissions))
    return Grants(tuple(found), _permissions(path, entry.get("global", []), where), gated)


def _permissions(path: Path, value: Any, where: str) -> frozenset[str]:
    names = _texts(path, value, f"permissions of {where}")
    wrong = [name for name in names if not _PERMISSION.fullmatch(name)]
    if wrong:
        raise _malformed(path, f"{wrong[0]!r} in {where} is not a permission such as repo.write")
    return frozenset(names)


def _expiry(path: Path, user: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, datetime):
            return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        pass
    raise _malformed(path, f"expires of {user}'s token is not a date and time such as 2030-01-01T00:00:00Z")


def _issuer(path: Path, name: str, entry: Any) -> Issuer:
    if not isinstance(entry, dict) or len(entry) != 1 or not set(entry) <= {"pem", "jwks"}:
        raise _malformed(path, f"issuers.{name} has not one of pem and jwks")
    try:
        if "pem" in entry:
            return Issuer.from_pem(name, _text(path, entry, "pem"))
        jwks = entry["jwks"]
        return Issuer.from_jwks(name, _read(path.parent / jwks) if isinstance(jwks, str) else jwks)
    except ValueError as error:
        raise _malformed(path, f"the key of issuer {name} is of no use: {error}") from None


def _publisher(path: Path, document: dict[str, Any], entry: Any) -> Publisher:
    text, issuer = _text(path, entry, "repo"), _text(path, entry, "issuer")
    repo, claims = repo_at(text), entry.get("claims")
    if repo is None:
        raise _malformed(path, f"{text!r} of a publisher is not a repo")
    if issuer not in document.get("issuers", {}):
        raise _malformed(path, f"the publisher of {text} has an issuer that is not in issuers")
    # Without a claim, whoever the issuer knows could publish here: on a public CI service, everybody.
    if not isinstance(claims, dict) or not claims or not all(isinstance(value, str) for value in claims.values()):
        raise _malformed(path, f"the publisher of {text} has no claims, a table of texts")
    return Publisher(repo, issuer, tuple(sorted(claims.items())))


def _texts(path: Path, value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _malformed(path, f"{what} is not a list of texts")
    return value


def _text(path: Path, entry: Any, key: str, default: str | None = None) -> str:
    value = entry.get(key, default) if isinstance(entry, dict) else None
    if not isinstance(value, str):
        raise _malformed(path, f"an entry has no text {key!r}")
    return value


def _role(text: str, where: str) -> Role:
    try:
        return Role[text.upper()]
    except KeyError:
        raise UsageError(_without_tokens(f"{where}: {text!r} is not a role"), _ORG_FORM) from None


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
    return UsageError(f"{path} is not an accounts file: {_without_tokens(what)}", _FILE_FORM)


def _without_tokens(text: str) -> str:
    """What is to be said of a file, in which a token may be where a name belongs."""
    return _TOKEN_TEXT.sub("hf_...", text)
