"""One defect each in a sound model: the report names that defect, with its file and severity, and nothing else."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.judging import judge_folder as judge
from support.weights import header_of, write_raw, write_safetensors

from hubpub.core.findings import Finding

Defect = Callable[[Path], object]
Expected = list[tuple[str, str, str]]

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0f" * 32 + b"\nsize 117979485\n"
TWO = {"a": ("F32", (4, 4)), "b": ("F32", (4,))}


def config(model: Path, **changes: Any) -> None:
    """Rewrite config.json; a value of None removes the key."""
    path = model / "config.json"
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))


def header(model: Path, change: Callable[[dict[str, Any]], object], data: int | None = None) -> None:
    """Write model.safetensors with a header that was changed."""
    document, size = header_of(TWO)
    change(document)
    write_raw(model / "model.safetensors", document, size if data is None else data)


def write(name: str, content: str | bytes) -> Defect:
    def defect(model: Path) -> None:
        path = model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return defect


def remove(*names: str) -> Defect:
    def defect(model: Path) -> None:
        for name in names:
            (model / name).unlink()

    return defect


def link(name: str, target: str) -> Defect:
    return lambda model: (model / name).symlink_to(target)


def cut(name: str, size: int) -> Defect:
    return lambda model: os.truncate(model / name, (model / name).stat().st_size - size)


def fifo(model: Path) -> None:
    os.mkfifo(model / "pipe")


def unix_socket(model: Path) -> None:
    here = Path.cwd()
    os.chdir(model)  # the path of a socket may have at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("sock")
    finally:
        os.chdir(here)


def huge(name: str, size: int) -> Defect:
    def defect(model: Path) -> None:
        with (model / name).open("wb") as file:
            file.truncate(size)

    return defect


class Call:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


def call(what: Any, *arguments: Any, protocol: int = 2) -> bytes:
    return pickle.dumps(Call(what, *arguments), protocol)


SAFE, WEIGHTS = "model.safetensors", "model.safetensors"
BIN = "pytorch_model.bin"
# Made up for these tests, and put together here so that no scanner takes this file for a leak.
HF_TOKEN = "hf_" + "qWnTzKvbMxPdLsRgHcJyFwEuAoIiXtYrBk"
KEYS = {
    "hugging-face": HF_TOKEN,
    "aws-id": "AKIA" + "Q3EGRIZ7MWP2LTKX",
    "aws-secret": "aws_secret_access_key = " + "k9Zq/Tb3+WvNcR7pXj2LmYhD5sFgUa8EoIe1KtQw",
    "github": "ghp_" + "R7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb3Wv",
    "openai": "sk-proj-" + "R7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb3WvNcBz_aQ",
    "anthropic": "sk-ant-api03-" + "R7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb3Wv" * 2,
    "slack": "xoxb-" + "281934750126-4819203847561-R7pXj2LmYhD5sFgUa8EoIe1K",
    "wandb": "wandb_api_key: " + "9f3c27d1a4be058691c7f2ad3e4b5c60718293af",
    "google": "AIza" + "SyD7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb",
    "private-key": "-----BEGIN RSA "
    + "PRIVATE KEY-----\n"
    + "MIIEpAIBAAKCAQEA7pXj2LmYhD5sFgUa8EoIe1KtQwk9ZqTb3WvNcR\n" * 3,
}

DEFECTS: dict[str, tuple[Defect, Expected]] = {
    "symlink out": (link("notes.txt", "/etc/passwd"), [("FILE001", "error", "notes.txt")]),
    "symlink to a directory outside": (link("etc", "/etc"), [("FILE001", "error", "etc")]),
    "broken symlink": (link("gone.txt", "nowhere.txt"), [("FILE002", "error", "gone.txt")]),
    "fifo": (fifo, [("FILE003", "error", "pipe")]),
    "socket": (unix_socket, [("FILE003", "error", "sock")]),
    "symlink loop to the parent": (link("loop", "."), [("FILE008", "error", "loop")]),
    "symlink loop to itself": (link("loop", "loop"), [("FILE008", "error", "loop")]),
    "line break in a name": (write("a\nb.txt", "x"), [("FILE009", "error", "a\\nb.txt")]),
    "lfs pointer for weights": (write(SAFE, POINTER), [("FILE005", "error", SAFE)]),
    "lfs pointer for tokenizer.json": (write("tokenizer.json", POINTER), [("FILE005", "error", "tokenizer.json")]),
    "lfs pointer for config.json": (write("config.json", POINTER), [("FILE005", "error", "config.json")]),
    "optimizer": (write("optimizer.pt", b"\x80\x02}."), [("FILE006", "warning", "optimizer.pt")]),
    "random state": (write("rng_state_0.pth", b"\x80\x02}."), [("FILE006", "warning", "rng_state_0.pth")]),
    "training arguments": (write("training_args.bin", b"\x80\x02}."), [("FILE006", "warning", "training_args.bin")]),
    "checkpoint": (
        lambda model: shutil.copytree(model, model / "checkpoint-500"),
        [("FILE006", "warning", "checkpoint-500/")],
    ),
    "tensorboard": (write("runs/Nov01/events.out.tfevents.17.host", b"x"), [("FILE006", "warning", "runs/")]),
    "desktop": (write(".DS_Store", b"\0\0\0\1Bud1"), [("FILE007", "warning", ".DS_Store")]),
    "download cache": (
        lambda model: [write(f".cache/huggingface/download/{n}.lock", "")(model) for n in range(5)],
        [("FILE007", "warning", ".cache/huggingface/")],
    ),
    "git": (write(".git/HEAD", "ref: refs/heads/main"), [("FILE007", "warning", ".git/")]),
    "python cache": (write("sub/__pycache__/a.pyc", b"\0"), [("FILE007", "warning", "sub/__pycache__/")]),
    "editor backup": (write("README.md.orig", "x"), [("FILE007", "warning", "README.md.orig")]),
    "no config": (remove("config.json"), [("CONF001", "error", "config.json")]),
    "trailing comma": (write("config.json", '{"model_type": "bert",\n}'), [("CONF002", "error", "config.json")]),
    "config is HTML": (write("config.json", "<!doctype html>"), [("CONF002", "error", "config.json")]),
    "config of 1 GB": (huge("config.json", 10**9), [("CONF002", "error", "config.json")]),
    "config nested 100,000 deep": (write("config.json", '{"a":' * 10**5), [("CONF002", "error", "config.json")]),
    "generation config": (write("generation_config.json", "{,}"), [("CONF002", "error", "generation_config.json")]),
    "duplicate key": (
        write("generation_config.json", '{"max_length": 1,\n "max_length": 2}'),
        [("CONF002", "warning", "generation_config.json")],
    ),
    "no model type": (lambda model: config(model, model_type=None), [("CONF003", "error", "config.json")]),
    "no architectures": (lambda model: config(model, architectures=None), [("CONF004", "warning", "config.json")]),
    "no weights": (remove(SAFE), [("WEIGHT001", "error", "")]),
    "empty weights": (write(SAFE, b""), [("WEIGHT002", "error", SAFE)]),
    "weights cut short": (cut(SAFE, 1000), [("WEIGHT002", "error", SAFE)]),
    "header length of 2^62": (
        lambda model: write_raw(model / SAFE, b"{}", 64, length=1 << 62),
        [("WEIGHT002", "error", SAFE)],
    ),
    "header past the end": (
        lambda model: write_raw(model / SAFE, b"{}", 64, length=10**6),
        [("WEIGHT002", "error", SAFE)],
    ),
    "overlap": (
        lambda model: header(model, lambda h: h["b"].update(data_offsets=[48, 64]), data=64),
        [("WEIGHT002", "error", SAFE)],
    ),
    "hole": (
        lambda model: header(model, lambda h: h["b"].update(data_offsets=[128, 144]), data=144),
        [("WEIGHT002", "error", SAFE)],
    ),
    "trailing bytes": (lambda model: header(model, lambda h: None, data=4096), [("WEIGHT002", "error", SAFE)]),
    "unknown dtype": (
        lambda model: header(model, lambda h: h["a"].update(dtype="F17")),
        [("WEIGHT002", "error", SAFE)],
    ),
    "shape too large": (
        lambda model: header(model, lambda h: h["a"].update(shape=[8, 4])),
        [("WEIGHT002", "error", SAFE)],
    ),
    "duplicate tensor": (
        lambda model: write_raw(
            model / SAFE,
            b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' * 1
            + b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
            1,
        ),
        [("WEIGHT002", "error", SAFE)],
    ),
    "header is not JSON": (lambda model: write_raw(model / SAFE, b"{nonsense}", 8), [("WEIGHT002", "error", SAFE)]),
    "saved HTML page": (write(SAFE, "<!DOCTYPE html><html>404</html>"), [("WEIGHT002", "error", SAFE)]),
    "no tokenizer": (
        remove("tokenizer.json", "tokenizer_config.json"),
        [("TOKEN001", "error", "tokenizer.json")],
    ),
    "no vocabulary": (remove("tokenizer.json"), [("TOKEN001", "error", "tokenizer.json")]),
    "empty vocabulary": (
        write("tokenizer.json", '{"model": {"type": "WordPiece", "vocab": {}}}'),
        [("TOKEN001", "error", "tokenizer.json")],
    ),
    "tokenizer.json cut in half": (cut("tokenizer.json", 2000), [("TOKEN002", "error", "tokenizer.json")]),
    "tokenizer_config.json": (write("tokenizer_config.json", "{"), [("TOKEN002", "error", "tokenizer_config.json")]),
    "os.system": (write(BIN, call(os.system, "true")), [("CODE001", "error", BIN)]),
    "os.system, protocol 0": (write(BIN, call(os.system, "true", protocol=0)), [("CODE001", "error", BIN)]),
    "pickle in a pickle": (write(BIN, call(pickle.loads, call(os.system, "true"))), [("CODE001", "error", BIN)]),
    "dotted attribute": (
        write(BIN, b"\x80\x04\x8c\x13torch.serialization\x94\x8c\x09os.system\x94\x93\x8c\x04true\x85R."),
        [("CODE001", "error", BIN)],
    ),
    "shell gadget of torch": (
        write(BIN, b"\x80\x04\x8c\x17torch.utils.collect_env\x94\x8c\x03run\x94\x93\x8c\x04true\x85R."),
        [("CODE001", "error", BIN)],
    ),
    "opcodes that cannot be followed": (write(BIN, b"\x80\x04cbuiltins\neval\n\x93."), [("CODE001", "error", BIN)]),
    "several pickles in a row": (
        write("state.pt", pickle.dumps(1) + pickle.dumps(2) + call(os.system, "true")),
        [("CODE001", "error", "state.pt")],
    ),
    "pickle with another extension": (
        write("vocab_cache.xyz", call(os.system, "true")),
        [("CODE001", "error", "vocab_cache.xyz")],
    ),
    "pickle in place of safetensors": (
        write(SAFE, call(os.system, "true")),
        [("CODE001", "error", SAFE), ("WEIGHT002", "error", SAFE)],
    ),
    "unknown import": (
        write(BIN, b"\x80\x04\x8c\x09acme_made\x94\x8c\x05thing\x94\x93)R."),
        [("CODE001", "warning", BIN)],
    ),
    "malicious optimizer": (
        write("optimizer.pt", call(os.system, "true")),
        [("CODE001", "error", "optimizer.pt"), ("FILE006", "warning", "optimizer.pt")],
    ),
    "pickle only": (
        lambda model: (remove(SAFE)(model), write(BIN, pickle.dumps({}, 2))(model)),
        [("CODE002", "warning", BIN)],
    ),
    "token in a config": (lambda model: config(model, token=HF_TOKEN), [("SECRET001", "error", "config.json")]),
    "token in safetensors metadata": (
        lambda model: write_safetensors(model / SAFE, TWO, {"format": "pt", "by": HF_TOKEN}),
        [("SECRET001", "error", SAFE)],
    ),
    ".env": (write(".env", f"OPENAI_API_KEY={KEYS['openai']}\n"), [("SECRET002", "error", ".env")]),
    "private key file": (write("id_rsa", KEYS["private-key"]), [("SECRET002", "error", "id_rsa")]),
    "service account": (
        write("service-account.json", json.dumps({"private_key": KEYS["private-key"]})),
        [("SECRET002", "error", "service-account.json")],
    ),
    **{
        f"secret: {name}": (write("notes.md", f"# Notes\n\n{key}\n"), [("SECRET001", "error", "notes.md")])
        for name, key in KEYS.items()
    },
}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, model: Path) -> None:
    control = judge(model)
    assert control == []
    defect, expected = DEFECTS[name]
    defect(model)
    found = judge(model)
    assert [(f.rule, f.severity.value, f.path or "") for f in found if isinstance(f, Finding)] == expected
    assert len(found) == len(expected), "nothing was skipped"
    for finding in found:
        assert isinstance(finding, Finding)
        assert finding.hint
        assert "\n" not in finding.message
        if finding.path:
            assert finding.path in finding.message


def test_finding_has_the_line_of_broken_json(model: Path) -> None:
    write("config.json", '{\n  "model_type": "bert",\n}\n')(model)
    [finding] = judge(model)
    assert isinstance(finding, Finding)
    assert (finding.line, finding.column) == (2, 23) or (finding.line, finding.column) == (3, 1)


def test_no_secret_is_ever_shown(model: Path) -> None:
    write("notes.md", "\n".join(KEYS.values()))(model)
    shown = json.dumps([finding.to_json() for finding in judge(model) if isinstance(finding, Finding)])
    assert "hf_q…(37 characters)" in shown or "hf_q\\u2026(37 characters)" in shown
    for key in KEYS.values():
        for part in key.split():
            assert part[6:] not in shown or len(part) < 12


@pytest.mark.parametrize(
    "text",
    [
        "hf_" + "x" * 34,
        "hf_...",
        "token=<your token>",
        "hf_YourTokenGoesHereAndNowhereElseOk0",
        "AKIAIOSFODNN7EXAMPLE",
        "huggingface_hf_model_name_with_many_parts",
        "sk-learn-compatible-estimators-are-nice-to-have-here",
        "WANDB_API_KEY=$WANDB_API_KEY",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "sha256:" + "9f3c27d1a4be058691c7f2ad3e4b5c60718293af" * 2,
    ],
)
def test_placeholder_is_no_secret(text: str, model: Path) -> None:
    write("notes.md", text)(model)
    assert judge(model) == []


@pytest.mark.parametrize("name", [".env.example", ".env", "cert.pem", "credentials.json"])
def test_file_without_a_secret_is_no_secret_file(name: str, model: Path) -> None:
    write(name, {".env": "# nothing yet\n", ".env.example": "KEY=abc\n"}.get(name, "{}"))(model)
    assert judge(model) == []


@pytest.mark.parametrize("name", ["pytorch_model.bin", "data.dat"])
def test_noise_is_no_pickle(name: str, model: Path) -> None:
    write(name, bytes(range(255, -1, -1)) * 100)(model)
    assert [found for found in judge(model) if not isinstance(found, Finding) or found.rule != "WEIGHT044"] == []


def test_cache_snapshot_is_one_finding(plain_model: Path, tmp_path: Path) -> None:
    """models--acme--m/snapshots/REVISION holds only links to ../../blobs/."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(plain_model.iterdir())):
        shutil.copy(path, blobs / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    found = [finding for finding in judge(snapshot) if isinstance(finding, Finding)]
    assert [finding.rule for finding in found] == ["FILE001"]
    assert "copy" in (found[0].hint or "")


def test_link_inside_the_folder_is_a_file(model: Path) -> None:
    (model / "blobs").mkdir()
    (model / "config.json").rename(model / "blobs" / "c")
    (model / "config.json").symlink_to("blobs/c")
    assert judge(model) == []


def test_many_problems_of_one_pickle_are_one_finding(model: Path) -> None:
    write(BIN, b"\x80\x02cos\nsystem\ncsubprocess\nrun\ncbuiltins\neval\ncshutil\nrmtree\n.")(model)
    [finding] = judge(model)
    assert isinstance(finding, Finding)
    assert "and 1 more" in finding.message
