"""Who a token belongs to and what it may do, as `GET /api/whoami-v2` tells; each part of the answer may be absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WRITING_ROLES = ("contributor", "write", "admin")
WRITE = "repo.write"
# Older tools take this one for it, too.
_WRITES = frozenset({WRITE, "repo.content.write"})
_DISCUSSES = frozenset({"discussion.write", *_WRITES})


@dataclass(frozen=True, slots=True)
class Scope:
    """Permissions of a fine-grained token: on a namespace (kind "user" or "org"), or on one repo."""

    kind: str
    name: str
    permissions: frozenset[str]

    def covers(self, repo_id: str) -> bool:
        """Whether the model repo is in it."""
        if self.kind in ("user", "org"):
            return self.name == repo_id.partition("/")[0]
        return self.kind == "model" and self.name == repo_id


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation of the token's user.

    Attributes:
        name: as in its URL.
        title: as it is displayed.
        role: of the user; None where the hub does not say.
        restrictions: what it asks of its members before they may do anything, such as "mfa".
        groups: role by resource group.
    """

    name: str
    title: str
    role: str | None = None
    restrictions: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token belongs to.

    Attributes:
        name: the user's name, which is also a namespace.
        token_role: "read", "write", "fineGrained", or None where the hub does not say.
        orgs: role by organisation; None where the hub does not say.
        writable: namespaces in which a fine-grained token may create repos; None for other tokens.
        kind: "user", or "app" for the token of a trusted publisher.
        fullname: for people.
        organisations: more of `orgs`.
        token_name: what its user called it.
        expires: when it does, as the hub writes it.
        scopes: of a fine-grained token.
        everywhere: its permissions on whatever its user may see.
        repos: the repos that an app may write to.
        token_source: where the token was found, in words.
    """

    name: str
    token_role: str | None
    orgs: Mapping[str, str | None]
    writable: frozenset[str] | None = None
    kind: str = "user"
    fullname: str = ""
    organisations: tuple[Organisation, ...] = ()
    token_name: str | None = None
    expires: str | None = None
    scopes: tuple[Scope, ...] = ()
    everywhere: frozenset[str] = frozenset()
    repos: tuple[str, ...] = ()
    token_source: str = ""

    @property
    def token(self) -> str:
        """The token in words: whose, of which kind, and where it was found."""
        kind = "fine-grained token" if self.writable is not None else "token"
        return f"the {kind} of {self.name}" + (f", from {self.token_source}," if self.token_source else "")

    @property
    def keyless(self) -> bool:
        """Whether this is a trusted publisher, not a person."""
        return self.kind == "app"

    @property
    def token_kind(self) -> str:
        """In words."""
        if self.keyless:
            return "keyless, for one repo"
        return {"fineGrained": "fine-grained", None: "of unknown role"}.get(self.token_role, str(self.token_role))

    def may_write(self, repo_id: str) -> bool:
        """Whether the token's own permissions include writing to the repo, whatever its user's are."""
        return self._permits(_WRITES, repo_id)

    def may_discuss(self, repo_id: str) -> bool:
        """Whether they include opening a pull request."""
        return self._permits(_DISCUSSES, repo_id)

    def _permits(self, enough: frozenset[str], repo_id: str) -> bool:
        if self.keyless:
            return not self.repos or repo_id in self.repos
        if self.token_role != "fineGrained":  # noqa: S105 -- a role
            return self.token_role != "read"  # noqa: S105
        scoped = any(enough & scope.permissions for scope in self.scopes if scope.covers(repo_id))
        return scoped or bool(enough & self.everywhere)

    def open_namespaces(self) -> list[str]:
        """The namespaces in which the token may create repos, as far as the hub tells."""
        if self.token_role == "read" or self.keyless:  # noqa: S105 -- a role
            return []
        blocked = {org.name for org in self.organisations if org.restrictions}
        spaces = {
            self.name,
            *(org for org, role in self.orgs.items() if role is None or role in WRITING_ROLES),
        } - blocked
        return sorted(spaces if self.writable is None else spaces & self.writable)

    def open_repos(self) -> list[str]:
        """The single repos that the token may write to, beside those namespaces."""
        scoped = [scope.name for scope in self.scopes if scope.kind == "model" and _WRITES & scope.permissions]
        spaces = self.open_namespaces()
        return sorted({*self.repos, *(name for name in scoped if name.partition("/")[0] not in spaces)})


def identity_of(body: Mapping[str, Any]) -> Identity:
    """The identity in a whoami-v2 answer."""
    auth = _mapping(body.get("auth"))
    access = _mapping(auth.get("accessToken"))
    organisations = tuple(_organisation(org) for org in _mappings(body.get("orgs")) if org.get("name"))
    orgs = {org.name: org.role for org in organisations}
    role = access.get("role")
    scopes: tuple[Scope, ...] = ()
    everywhere: frozenset[str] = frozenset()
    writable = None
    if role == "fineGrained":
        fine = _mapping(access.get("fineGrained"))
        scopes = tuple(_scope(scope) for scope in _mappings(fine.get("scoped")))
        everywhere = _texts(fine.get("global"))
        writable = frozenset(
            scope.name for scope in scopes if scope.kind in ("user", "org") and _WRITES & scope.permissions
        )
        if _WRITES & everywhere:
            writable |= {str(body["name"]), *orgs}
    app = body.get("type") == "app"
    entities = _mappings(_mapping(body.get("scope")).get("entities"))
    repos = tuple(str(entity["name"]) for entity in entities if entity.get("type") == "model" and entity.get("name"))
    name = str(body["name"])
    return Identity(
        # The commits and pull requests of a trusted publisher are those of the namespace.
        name=name.partition("/")[0] if app else name,
        token_role=role,
        orgs=orgs,
        writable=writable,
        kind="app" if app else "user",
        fullname=str(body.get("fullname") or ""),
        organisations=organisations,
        token_name=access.get("displayName"),
        expires=auth.get("expiresAt"),
        scopes=scopes,
        everywhere=everywhere,
        repos=repos,
    )


def _organisation(org: Mapping[str, Any]) -> Organisation:
    groups = {
        str(group["name"]): str(group.get("role")) for group in _mappings(org.get("resourceGroups")) if "name" in group
    }
    name = str(org["name"])
    restrictions = tuple(sorted(_texts(org.get("securityRestrictions"))))
    return Organisation(name, str(org.get("fullname") or name), org.get("roleInOrg"), restrictions, groups)


def _scope(scope: Mapping[str, Any]) -> Scope:
    entity = _mapping(scope.get("entity"))
    return Scope(str(entity.get("type") or ""), str(entity.get("name") or ""), _texts(scope.get("permissions")))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _texts(value: Any) -> frozenset[str]:
    return frozenset(item for item in value if isinstance(item, str)) if isinstance(value, list) else frozenset()
