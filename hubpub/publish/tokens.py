"""Which token is used, and where it was found; a token is never part of a message.

The order, of which the first that has one decides: `--token-file`; the exchange of a CI job's id token (`--keyless`,
or `HF_OIDC_RESOURCE`); `HF_TOKEN`, or its older name that huggingface_hub still reads; the file that `hf auth login`
wrote; the keyring's entry for the hub; Colab's secret `HF_TOKEN`. The file and Colab's secret are for the one hub that
huggingface_hub talks to: another one gets a token only if it was named for it.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubpub.core.errors import AuthError

# `_get_token_from_environment`:
# https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_auth.py
VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
KEYRING_USER = "hubpub"
_LARGEST_FILE = 16 << 10
_PUBLIC_HUBS = ("https://huggingface.co", "https://hf.co")
_OF_THE_HUB = ("hf_", "api_")
_OTHER_KINDS = {
    "ghp_": "GitHub",
    "gho_": "GitHub",
    "ghs_": "GitHub",
    "github_pat_": "GitHub",
    "glpat-": "GitLab",
    "pypi-": "PyPI",
    "npm_": "npm",
    "sk-": "OpenAI or Anthropic",
    "xox": "Slack",
    "AKIA": "AWS",
    "ya29.": "Google",
    "dckr_pat_": "Docker",
}
_QUOTES = "'\"`‘’“”"
_LIKE_ONE = re.compile(r"(?:hf|api)_[A-Za-z0-9]{20,}")
_PLACEHOLDER = re.compile(r"hf_(?:x+|X+|\.+|\*+|…|<.*|your_?token.*|token)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A token, and where it was found, in words."""

    text: str = field(repr=False)
    source: str


def given_token(environ: Mapping[str, str], endpoint: str, file: Path | None) -> FoundToken | None:
    """The token that somebody named for this command: in a file, or in the environment.

    Raises:
        AuthError: it is none, and why.
    """
    if file is not None:
        return FoundToken(checked_token(_read(file), f"--token-file {file}", endpoint), f"--token-file {file}")
    # The older name says nothing of a hub other than the public one, for which it was made.
    for name in VARIABLES if endpoint == default_endpoint() else VARIABLES[:1]:
        if environ.get(name):
            return FoundToken(checked_token(environ[name], name, endpoint), name)
    return None


def stored_token(endpoint: str) -> FoundToken | None:
    """The token that is kept on this machine, or in its notebook service, for that hub.

    Raises:
        AuthError: there is one that cannot be used, and why.
    """
    default = endpoint == default_endpoint()
    found = (_file_token() if default else None) or _keyring_token(endpoint) or (_colab_token() if default else None)
    return FoundToken(checked_token(found.text, found.source, endpoint), found.source) if found else None


def default_endpoint() -> str:
    """The hub that huggingface_hub talks to: `HF_ENDPOINT`, else the public one."""
    from huggingface_hub import constants

    return constants.ENDPOINT.rstrip("/")


def checked_token(text: str, source: str, endpoint: str) -> str:
    """The token without the line break that editors leave at its end.

    Raises:
        AuthError: it cannot be one of the hub: pasted with something around it, or made for something else.
    """
    token = text.strip()
    problem = _problem(token, endpoint)
    if problem:
        raise AuthError(
            f"the token from {source} cannot be used: {problem[0]}", f"{problem[1]}; nothing was sent", layer="token"
        )
    return token


def _problem(token: str, endpoint: str) -> tuple[str, str] | None:
    """(what is wrong with a token, what to do about it); None if it may be one."""
    copy = "copy it anew from the hub's settings"
    if not token:
        return "it is empty", copy
    if token[0] in _QUOTES or token[-1] in _QUOTES:
        return "it is in quotes", "take away the quotes"
    if token.lower().startswith(("bearer ", "token ", "authorization:")):
        return "a word stands before it, as in an HTTP header", "leave that word out"
    if any(character.isspace() for character in token):
        return "it has white space in it, so it may be several lines", copy
    if not (token.isascii() and token.isprintable()):
        return "it has characters that no token has", copy
    if "=" in token.split("_")[0] or token.startswith(("HF_TOKEN", "HUGGING")):
        return "it is an assignment, not a value", "leave out the part up to the ="
    if _PLACEHOLDER.fullmatch(token):
        return "it is a placeholder", copy
    if token.startswith("eyJ") and token.count(".") == 2:
        return "it is an id token (a JWT), which a hub exchanges for a token", "give --keyless, and see docs/keyless.md"
    other = next((name for start, name in _OTHER_KINDS.items() if token.startswith(start)), None)
    if other:
        return f"it looks like one of {other}", "make one in the hub's settings, under access tokens"
    if endpoint in _PUBLIC_HUBS and not token.startswith(_OF_THE_HUB):
        return "tokens of this hub begin with hf_", copy
    return None


def _read(file: Path) -> str:
    if _LIKE_ONE.fullmatch(str(file)) and not file.exists():
        raise AuthError(
            "--token-file names no file, and what it names looks like the token itself",
            "write the token into a file and give the name of that, or set HF_TOKEN",
            layer="token",
        )
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_FILE + 1)
        if len(content) <= _LARGEST_FILE:
            return content.decode("utf-8-sig")
        problem = "it is too large for one"
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        problem = "it is not a text"
    raise AuthError(
        f"there is no token in --token-file {file}: {problem}",
        "name a file that holds the token and nothing else",
        layer="token",
    )


def _file_token() -> FoundToken | None:
    """That of `hf auth login`; huggingface_hub reads it, because it also renews those that expire."""
    from huggingface_hub import constants, errors, get_token

    path = Path(constants.HF_TOKEN_PATH)
    try:
        if not path.is_file():
            return None
        text = get_token()
    except errors.OIDCError:  # the exchange is asked for elsewhere
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise AuthError(
            f"the token file {_short(path)} cannot be read: {getattr(error, 'strerror', None) or 'it is not a text'}",
            "run `hf auth login` again, or set HF_TOKEN",
            layer="token",
        ) from error
    return FoundToken(text, f"token file {_short(path)}") if text else None


def _keyring_token(endpoint: str) -> FoundToken | None:
    """The entry of user `hubpub` for the service that is the hub's address: it names the hub it is for."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        text = keyring.get_password(endpoint, KEYRING_USER)
    except Exception:  # a keyring that is locked, or has no backend, is none; backends raise what they like
        return None
    return FoundToken(text, f"keyring ({endpoint})") if isinstance(text, str) and text else None


def _colab_token() -> FoundToken | None:
    """The notebook's secret, which its user may refuse to show."""
    try:
        from google.colab import userdata
    except ImportError:
        return None
    secrets: Any = userdata
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = secrets.get("HF_TOKEN")
    except Exception:  # not there, or not granted: the module has an exception for each
        return None
    return FoundToken(text, "Colab secret HF_TOKEN") if isinstance(text, str) and text else None


def _short(path: Path) -> str:
    """The path with ~ for the home directory."""
    home = os.path.expanduser("~")  # noqa: PTH111 -- without an exception where there is none
    text = str(path)
    return "~" + text.removeprefix(home) if home != "/" and text.startswith(home + os.sep) else text
