"""Where a push goes: the hub's endpoint, the token for it, and the repo id."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from hubpub.core.errors import AuthError, UsageError

_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Target:
    """A hub and the right to write to it.

    Attributes:
        endpoint: base URL, without a trailing slash.
        token: never shown; not part of the repr. None where nobody is signed in.
        token_source: where the token was found, in words.
    """

    endpoint: str
    token: str | None = field(repr=False)
    token_source: str

    @property
    def sends_token_in_clear(self) -> bool:
        """Whether the token would cross a network unencrypted."""
        url = urlsplit(self.endpoint)
        return self.token is not None and url.scheme == "http" and url.hostname not in _LOOPBACK


def find_target(hub: str | None, environ: Mapping[str, str] = os.environ, *, token_needed: bool = True) -> Target:
    """The hub that `--hub` names, or the one huggingface_hub would use (`HF_ENDPOINT`, else the public Hub).

    A token that `hf auth login` stored is for the hub it was given for: it is only used when `--hub` is absent or
    names that same hub. Another hub needs its token in `HF_TOKEN`. Public repos can be read without one.

    Raises:
        UsageError: the URL is not one.
        AuthError: there is no token for that hub, and one is needed.
    """
    from huggingface_hub import constants

    default = constants.ENDPOINT.rstrip("/")
    endpoint = parse_endpoint(hub) if hub else default
    if endpoint == default:
        token, source = _stored_token(environ)
    else:
        token, source = environ.get("HF_TOKEN") or None, "HF_TOKEN"
    if not token and not token_needed:
        return Target(endpoint=endpoint, token=None, token_source="nowhere")  # noqa: S106 -- in words
    if not token:
        raise AuthError(
            f"no token for {endpoint}",
            "set HF_TOKEN to a token that may write there"
            + (", or run `hf auth login`" if endpoint == default else "")
            + "; `--hub local` needs none",
        )
    return Target(endpoint=endpoint, token=token.strip(), token_source=source)


def parse_endpoint(url: str) -> str:
    """The base URL without a trailing slash.

    Raises:
        UsageError: it is not an http(s) URL of a host, or it carries a user name or password.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or parts.username or parts.query or parts.fragment:
        raise UsageError(
            f"{url!r} is not the URL of a hub", "give --hub local, or a URL such as https://hub.example.org"
        )
    return url.rstrip("/")


def _stored_token(environ: Mapping[str, str]) -> tuple[str | None, str]:
    from huggingface_hub import errors, get_token

    if environ.get("HF_OIDC_RESOURCE"):
        source = "OIDC token exchange (HF_OIDC_RESOURCE)"
    elif environ.get("HF_TOKEN"):
        source = "HF_TOKEN"
    elif environ.get("HUGGING_FACE_HUB_TOKEN"):
        source = "HUGGING_FACE_HUB_TOKEN"
    else:
        source = "the token file of `hf auth login`"
    try:
        return get_token(), source
    except errors.OIDCError as error:
        raise AuthError(
            f"HF_OIDC_RESOURCE is set, but no token could be had: {error}",
            "mend the CI job's OIDC settings, or unset HF_OIDC_RESOURCE",
        ) from error


def repo_name(folder: Path, name: str | None) -> str:
    """The name part of the repo id: `name`, or the folder's own name.

    Raises:
        UsageError: it is not a name that the Hub accepts.
    """
    candidate = name if name is not None else folder.resolve().name
    if _is_part(candidate):
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
    if slash and _is_part(namespace) and _is_part(name):
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
    if _is_part(org):
        return org
    raise UsageError(f"{org!r} is not the name of an organisation", f"give its name as in its URL; {_REPO_ID_RULE}")


_REPO_ID_RULE = "a name has 1 to 96 of A-Z a-z 0-9 _ . -, starts and ends with a letter, digit or _, no '--' or '..'"


def _is_part(part: str) -> bool:
    """The Hub's rule for one part of a repo id, as huggingface_hub's `validate_repo_id` states it."""
    return bool(_PART.fullmatch(part)) and "--" not in part and ".." not in part and not part.endswith(".git")
