"""What a hub tells: who a token belongs to, the files of a tree, the commits of a branch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

# A merged pull request keeps the titles of its commits, as a list, and nothing else of them.
_LISTED_TRAILER = re.compile(r"^- (Hubpub-[A-Za-z]+: .*) \([0-9a-f]{7,64}\)$", re.MULTILINE)

WRITING_ROLES = ("contributor", "write", "admin")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a token belongs to, from `GET /api/whoami-v2`.

    Attributes:
        name: the user's name, which is also a namespace.
        token_role: "read", "write", "fineGrained", or None where the hub does not say.
        orgs: role by organisation; None where the hub does not say.
        writable: namespaces that a fine-grained token names with `repo.write`; None for other tokens.
    """

    name: str
    token_role: str | None
    orgs: dict[str, str | None]
    writable: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repo's tree. `sha256` is set for LFS and xet files, `blob` (git's SHA-1) for all."""

    path: str
    size: int
    blob: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a branch."""

    oid: str
    title: str
    message: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class UploadMode:
    """How a file goes to the hub, from `POST preupload`.

    Attributes:
        large: through LFS or xet; the others are in the commit itself.
        ignored: a .gitignore has the hub drop it without a word.
    """

    large: bool
    ignored: bool


def identity_of(body: dict[str, Any]) -> Identity:
    """The parts of a whoami-v2 answer that decide where one may write; each may be absent."""
    access = (body.get("auth") or {}).get("accessToken") or {}
    orgs = {org["name"]: org.get("roleInOrg") for org in body.get("orgs") or [] if org.get("name")}
    role = access.get("role")
    writable = None
    if role == "fineGrained":
        fine = access.get("fineGrained") or {}
        writable = frozenset(
            scope["entity"]["name"].partition("/")[0]
            for scope in fine.get("scoped") or []
            if "repo.write" in (scope.get("permissions") or []) and (scope.get("entity") or {}).get("name")
        )
        if "repo.write" in (fine.get("global") or []):
            writable |= {body["name"], *orgs}
    return Identity(name=body["name"], token_role=role, orgs=orgs, writable=writable)


def file_of(item: dict[str, Any]) -> RemoteFile:
    """A file of `GET tree`."""
    lfs = item.get("lfs")
    return RemoteFile(item["path"], item["size"], item["oid"], lfs["oid"] if lfs else None)


def commit_of(item: dict[str, Any]) -> Commit:
    """A commit of `GET commits`."""
    authors = [author.get("user") or "" for author in item.get("authors") or []]
    message = _LISTED_TRAILER.sub(r"\1", item.get("message") or "")
    return Commit(item["id"], item.get("title") or "", message, ", ".join(filter(None, authors)))
