"""Where a push goes: the hub's endpoint, the token for it, and the repo id."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from hubpub.core.errors import AuthError, UsageError

_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Renewable(Protocol):
    """A token that changes as time goes on."""

    source: str

    def current(self) -> str:
        """The token to be used now."""

    def renewed(self, refused: str) -> bool:
        """Whether there is a newer one than that which a hub has refused."""


@dataclass(frozen=True, slots=True)
class TokenWish:
    """What somebody says of the token to be used.

    Attributes:
        file: that holds it.
        keyless: whether it is to be the one that a CI job's id token is exchanged for.
        repo_id: the repo that this one is for.
    """

    file: Path | None = None
    keyless: bool = False
    repo_id: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A hub and the right to write to it.

    Attributes:
        endpoint: base URL, without a trailing slash.
        token: never shown; not part of the repr. None where nobody is signed in.
        token_source: where the token was found, in words.
        renewable: the token, where it is one that is renewed.
    """

    endpoint: str
    token: str | None = field(repr=False)
    token_source: str
    renewable: Renewable | None = field(default=None, repr=False)

    @property
    def sends_token_in_clear(self) -> bool:
        """Whether the token would cross a network unencrypted."""
        url = urlsplit(self.endpoint)
        signed_in = self.token is not None or self.renewable is not None
        return signed_in and url.scheme == "http" and url.hostname not in _LOOPBACK


def find_target(
    hub: str | None,
    environ: Mapping[str, str] = os.environ,
    *,
    token_needed: bool = True,
    wish: TokenWish = TokenWish(),
) -> Target:
    """The hub that `--hub` names, or the one huggingface_hub would use (`HF_ENDPOINT`, else the public Hub).

    A token that `hf auth login` stored is for the hub it was given for: it is only used when `--hub` is absent or
    names that same hub. Another hub needs its token in `HF_TOKEN`, a file that the command names, or the keyring.
    Public repos can be read without one. The order is in `hubpub.publish.tokens`.

    Raises:
        UsageError: the URL is not one.
        AuthError: there is no token for that hub, and one is needed; or there is one that cannot be used.
    """
    from hubpub.publish.tokens import default_endpoint, given_token, stored_token

    endpoint = parse_endpoint(hub) if hub is not None else parse_endpoint(default_endpoint(), "HF_ENDPOINT")
    if wish.file is None and (wish.keyless or environ.get("HF_OIDC_RESOURCE")):
        return _keyless(endpoint, environ, wish)
    found = given_token(environ, endpoint, wish.file) or stored_token(endpoint)
    if found is not None:
        return Target(endpoint=endpoint, token=found.text, token_source=found.source)
    if not token_needed:
        return Target(endpoint=endpoint, token=None, token_source="nowhere")  # noqa: S106 -- in words
    raise AuthError(f"no token for {endpoint}", _where_to_get_one(endpoint, environ), layer="token")


def _keyless(endpoint: str, environ: Mapping[str, str], wish: TokenWish) -> Target:
    from hubpub.publish.keyless import KeylessToken

    resource = environ.get("HF_OIDC_RESOURCE") or wish.repo_id
    if not resource:
        raise UsageError("a keyless token is for one repo, and none is named", "name it with --repo-id NAMESPACE/NAME")
    if wish.repo_id and resource != wish.repo_id:
        raise UsageError(
            f"HF_OIDC_RESOURCE is {resource}, and the command is about {wish.repo_id}",
            "unset HF_OIDC_RESOURCE and give --keyless: the token is then for the repo of the command",
        )
    token = KeylessToken(endpoint, resource, environ)
    return Target(endpoint=endpoint, token=None, token_source=token.source, renewable=token)


def _where_to_get_one(endpoint: str, environ: Mapping[str, str]) -> str:
    from hubpub.publish.keyless import offers_id_token
    from hubpub.publish.tokens import default_endpoint

    ways = ["set HF_TOKEN to a token that may write there"]
    if endpoint == default_endpoint():
        ways.append("run `hf auth login`")
    if offers_id_token(environ):
        ways.append("give --keyless, since this is a CI job that may have an id token (docs/keyless.md)")
    return ", or ".join(ways) + "; `--hub local` needs none"


def parse_endpoint(url: str, variable: str | None = None) -> str:
    """The base URL without a trailing slash.

    Args:
        url: as it was given.
        variable: of the environment that it is from; None where it was an option.

    Raises:
        UsageError: it is not an http(s) URL of a host, or it carries a user name or password.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if valid and not (parts.username or parts.query or parts.fragment):
        return url.rstrip("/")
    if not url:
        raise UsageError(f"{variable or 'the address of the hub'} is empty", "give the URL of a hub, or nothing at all")
    shown = f"***@{url.rpartition('@')[2]}" if "@" in url else url
    form = "a URL such as https://hub.example.org" if "//" in url else f"https://{shown}, or http://{shown}"
    if variable:
        raise UsageError(f"{variable} is {shown!r}, which is not the URL of a hub", f"set it to {form}")
    raise UsageError(f"{shown!r} is not the URL of a hub", f"give --hub local, or {form}")


def repo_name(folder: Path, name: str | None) -> str:
    """The name part of the repo id: `name`, or the folder's own name.

    Raises:
        UsageError: it is not a name that the Hub accepts.
    """
    candidate = name if name is not None else folder.resolve().name
    if is_name(candidate):
        return candidate
    if name is not None:
        raise UsageError(f"{name!r} is not a repo name that the Hub accepts", _REPO_ID_RULE)
    raise UsageError(
        f"the folder's name {candidate!r} is not a repo name that the Hub accepts",
        "give one with --name NAME",
    )


def parse_repo_id(repo_id: str) -> tuple[str, str]:
    """Namespace and name of `namespace/name`.

    Raises:
        UsageError: it is not a repo id.
    """
    namespace, slash, name = repo_id.partition("/")
    if slash and is_name(namespace) and is_name(name):
        return namespace, name
    raise UsageError(f"{repo_id!r} is not a repo id", f"write namespace/name; {_REPO_ID_RULE}")


def parse_revision(address: str) -> tuple[str, str, str]:
    """Namespace, name and revision of `namespace/name@revision`; without one, `main`.

    Raises:
        UsageError: it is not a repo id, or the revision is empty.
    """
    repo_id, at, revision = address.partition("@")
    if at and not revision:
        raise UsageError(f"{address!r} names no revision", "write namespace/name@revision, or leave out the @")
    return *parse_repo_id(repo_id), revision or "main"


def parse_namespace(org: str) -> str:
    """`org` itself.

    Raises:
        UsageError: it is not the name of a user or an organisation.
    """
    if is_name(org):
        return org
    raise UsageError(f"{org!r} is not the name of an organisation", f"give its name as in its URL; {_REPO_ID_RULE}")


_REPO_ID_RULE = "a name has 1 to 96 of A-Z a-z 0-9 _ . -, starts and ends with a letter, digit or _, no '--' or '..'"


def is_name(part: str) -> bool:
    """Whether it can be one part of a repo id: the Hub's rule, as huggingface_hub's `validate_repo_id` states it."""
    return bool(_PART.fullmatch(part)) and "--" not in part and ".." not in part and not part.endswith(".git")
