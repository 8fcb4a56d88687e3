"""SECRET: keys and passwords that must not be published. No message shows one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.core.wording import size
from hubpub.model.folder import ModelFolder
from hubpub.model.secrets import find_secrets, has_private_key
from hubpub.model.walk import FileEntry
from hubpub.rules.registry import model_rules

_TEXT_LIMIT = 64 << 20
_ENGINE_LIMIT = 1 << 20
_SNIFFED = 4096
_MOST_PER_FILE = 5
_WEIGHTS = {".safetensors", ".bin", ".gguf", ".onnx", ".pt", ".pth", ".h5", ".msgpack", ".onnx_data", ".npz", ".ckpt"}

_KEY_FILES = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|_netrc|\.git-credentials|\.pgpass|\.htpasswd|\.pypirc|\.npmrc"
    r"|.+\.(?:p12|pfx|jks|keystore|kdbx|ppk)|\.?aws_credentials"
)
_ENV_FILE = re.compile(r"\.env(?:\..+)?|.+\.env")
_ENV_EXAMPLE = re.compile(r".*(?:example|sample|template|dist)$")
_MAY_HOLD_KEY = re.compile(r".+\.(?:pem|key)|(?:.*credentials.*|.*service[-_]?account.*)\.json", re.IGNORECASE)
_ENV_VALUE = re.compile(r"^\s*(?:export\s+)?[A-Za-z_]\w*\s*=\s*[\"']?[^\s\"'#]", re.MULTILINE)


@model_rules.rule(
    "SECRET001",
    "secret-in-file",
    Severity.ERROR,
    summary="A text file holds a token, key or password.",
    why="Published keys are found and used within minutes, and a deleted file stays in the history of the "
    "repository. The Hub itself refuses commits with a valid token of its own.",
    bad='"token": "hf_" followed by 34 letters, in config.json',
    good="the token stays in the environment: HF_TOKEN",
    hint="remove it, and revoke it at the service that issued it, as it may have been shared already",
    source="https://huggingface.co/docs/hub/security-secrets",
)
def secret_in_file(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Every text file, and the metadata of safetensors files; files that are secret as a whole are SECRET002's."""
    for entry, text in _texts(folder):
        if entry.size > _TEXT_LIMIT:
            yield Skip(f"SECRET001 on {entry.path}", f"only its first {size(_TEXT_LIMIT)} were searched")
        yield from _secrets(entry.path, text)
    for path, header in folder.weights.headers.items():
        for key, value in header.metadata.items():
            for secret in find_secrets(f"{key}={value}"):
                yield Problem(f"{path} holds {secret.kind} in its metadata: {secret.redacted}", path=path)


def _texts(folder: ModelFolder) -> Iterator[tuple[FileEntry, str]]:
    """The text files of the release, at most 64 MB of each; files that are secret as a whole are SECRET002's."""
    for entry in folder.release_files:
        if entry.suffix in _WEIGHTS or _secret_file(folder, entry):
            continue
        start = folder.start(entry.path, _SNIFFED)
        if b"\0" not in start:
            text = folder.text(entry.path, _TEXT_LIMIT) if entry.size > _SNIFFED else start.decode("utf-8", "replace")
            yield entry, text


def _secrets(path: str, text: str) -> Iterator[Problem]:
    for number, secret in enumerate(find_secrets(text)):
        if number == _MOST_PER_FILE:
            return
        line = text.count("\n", 0, secret.start) + 1
        column = secret.start - text.rfind("\n", 0, secret.start)
        yield Problem(f"{path} holds {secret.kind}: {secret.redacted}", path, line, column)


@model_rules.rule(
    "SECRET002",
    "secret-file",
    Severity.ERROR,
    summary="A file that is made to hold secrets is in the folder.",
    why="Uploaders publish it like any other (huggingface_hub 2.4 leaves out only .git and .cache/huggingface); its "
    "keys are then public, and stay in the history.",
    bad=".env, id_rsa, service-account.json with a private_key",
    good="such files stay outside of the model folder",
    hint="move it out of the folder, and revoke its keys if it was ever shared",
    source="https://huggingface.co/docs/hub/security-secrets",
)
def secret_file(folder: ModelFolder) -> Iterator[Problem]:
    """Files by their names; where the name is not enough, only with a key inside."""
    for entry in folder.release_files:
        reason = _secret_file(folder, entry)
        if reason is not None:
            yield Problem(f"{entry.path} {reason}", path=entry.path)


def _secret_file(folder: ModelFolder, entry: FileEntry) -> str | None:
    """Why a file as a whole is secret, as the end of a sentence."""
    if not entry.size:
        return None
    if _KEY_FILES.fullmatch(entry.name):
        return "is a file that keeps keys or passwords"
    if _ENV_FILE.fullmatch(entry.name) and not _ENV_EXAMPLE.fullmatch(entry.name):
        text = folder.text(entry.path, 1 << 20)
        return "sets environment variables, which is where keys are kept" if _ENV_VALUE.search(text) else None
    if _MAY_HOLD_KEY.fullmatch(entry.name):
        return "holds a private key" if has_private_key(folder.text(entry.path, 1 << 20)) else None
    return None


@model_rules.rule(
    "SECRET003",
    "secret-by-engine",
    Severity.WARNING,
    summary="The rules of betterleaks see a secret that hubpub's own patterns do not know.",
    why="hubpub looks for the keys of the services that people in this field use, with patterns that do not cry wolf; "
    "betterleaks has some two hundred more, for those who want them.",
    bad="a Twilio key in a notebook",
    good="keys stay in the environment",
    hint="look at the place; if it is a secret, remove it and revoke it, else --ignore SECRET003",
    source="https://pypi.org/project/pybetterleaks/",
    depth=Depth.DEEP,
)
def secret_by_engine(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Where `hubpub[secrets]` is installed; in small text files, and not on lines that SECRET001 names."""
    if find_spec("pybetterleaks") is None:
        return
    texts = {entry.path: text for entry, text in _texts(folder) if entry.size <= _ENGINE_LIMIT}
    known = {(path, problem.line) for path, text in texts.items() for problem in _secrets(path, text)}
    from hubpub.model.child import ask

    answer = ask("hubpub.model.children.secrets:scan", {"texts": texts}, seconds=60, memory=8 << 30)
    if answer.failure is not None:
        yield Skip("SECRET003", f"betterleaks {answer.failure}")
        return
    for found in answer.value:
        if (found["path"], found["line"]) not in known and not found["rule"].startswith("generic"):
            message = f"{found['path']} holds what looks like a secret ({found['rule']})"
            yield Problem(message, found["path"], found["line"], found["column"])
