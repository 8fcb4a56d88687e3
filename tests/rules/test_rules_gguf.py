"""GGUF files: one defect each in a sound folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.formats import gguf, sparse
from support.judging import judge_folder as judge

from hubpub.core.findings import Finding, Severity
from hubpub.model.folder import ModelFolder

NAME = "tiny-F32.gguf"
TOKENS = ["a", "b", "c", "d"]
SOUND: dict[str, Any] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.scores": [1.0] * 4,
    "tokenizer.ggml.token_type": [1] * 4,
    "tokenizer.ggml.eos_token_id": 3,
    "tokenizer.ggml.padding_token_id": 0xFFFFFFFF,
}
TENSORS = {"token_embd.weight": ("F32", (8, 4)), "output.weight": ("F32", (8, 4))}


def sound(folder: Path) -> Path:
    (folder / NAME).write_bytes(gguf(TENSORS, SOUND))
    return folder


def write(content: bytes, name: str = NAME) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def changed(**changes: Any) -> Callable[[Path], object]:
    """The sound file with metadata changed; None removes a key."""
    keys = SOUND | {key.replace("__", "."): value for key, value in changes.items()}
    return write(gguf(TENSORS, {key: value for key, value in keys.items() if value is not None}))


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0f" * 32 + b"\nsize 117979485\n"

DEFECTS: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    "bad magic": (write(b"XXXX" + gguf(TENSORS, SOUND)[4:]), "WEIGHT040", "error", "begins with b'XXXX'"),
    "another format": (write(b"PK\x03\x04" + bytes(50)), "WEIGHT040", "error", "is a zip archive, not GGUF"),
    "an error page": (write(b"<!DOCTYPE html><html>"), "WEIGHT040", "error", "is an HTML page, not GGUF"),
    "old format": (write(b"tjgg\x03\0\0\0" + bytes(90)), "WEIGHT040", "error", "in the old GGJT format"),
    "empty": (write(b""), "WEIGHT040", "error", "has 0 bytes"),
    "data cut short": (write(gguf(TENSORS, SOUND)[:-100]), "WEIGHT040", "error", "is cut short: 100 of 256 bytes"),
    "header cut short": (write(gguf(TENSORS, SOUND)[:150]), "WEIGHT040", "error", ""),
    "tensor count 2^60": (
        write(gguf(counts=(1 << 60, None))),
        "WEIGHT040",
        "error",
        "claims 1,152,921,504,606,846,976",
    ),
    "key count 2^60": (write(gguf(counts=(None, 1 << 60))), "WEIGHT040", "error", "metadata entries"),
    "overlap": (
        write(gguf(TENSORS, SOUND, offsets={"output.weight": 0})),
        "WEIGHT040",
        "error",
        "stores 'output.weight' over the bytes of 'token_embd.weight'",
    ),
    "hole": (write(gguf(TENSORS, SOUND, offsets={"output.weight": 256})), "WEIGHT040", "error", "a hole of 128 bytes"),
    "misaligned": (write(gguf(TENSORS, SOUND, offsets={"output.weight": 130})), "WEIGHT040", "error", "multiple of"),
    "out of order": (
        write(gguf(TENSORS, SOUND, offsets={"token_embd.weight": 128, "output.weight": 0})),
        "WEIGHT040",
        "error",
        "a hole of 128 bytes before 'token_embd.weight'",
    ),
    "version 99": (write(gguf(TENSORS, SOUND, version=99)), "WEIGHT040", "error", "is GGUF version 99"),
    "version 1": (write(gguf(TENSORS, SOUND, version=1)), "WEIGHT040", "error", "is GGUF version 1"),
    "lfs pointer": (write(POINTER), "FILE005", "error", "git-LFS pointer"),
    "a key twice": (
        write(gguf(TENSORS, [*SOUND.items(), ("general.name", "Other")])),
        "WEIGHT040",
        "error",
        "has the metadata key 'general.name' twice",
    ),
    "row that fills no block": (write(gguf({"a": ("Q4_0", (33, 2))})), "WEIGHT040", "error", "packs 32 at a time"),
    "alignment of 24": (changed(general__alignment=24), "WEIGHT040", "error", "general.alignment of 24"),
    "no architecture": (changed(general__architecture=None), "WEIGHT041", "error", "no general.architecture"),
    "more tokens than rows": (
        changed(
            tokenizer__ggml__tokens=[*TOKENS, "e"],
            tokenizer__ggml__scores=[1.0] * 5,
            tokenizer__ggml__token_type=[1] * 5,
        ),
        "WEIGHT041",
        "error",
        "has 5 tokens but 4 rows",
    ),
    "fewer scores than tokens": (changed(tokenizer__ggml__scores=[1.0]), "WEIGHT041", "error", "but 1 values"),
    "eos past the vocabulary": (changed(tokenizer__ggml__eos_token_id=4), "WEIGHT041", "error", "past its 4 tokens"),
    "part without its name": (changed(split__count=3, split__no=1), "WEIGHT042", "error", "is file 2 of 3"),
    "removed type": (
        write(gguf({"a": ("31", (32,))})),
        "WEIGHT043",
        "warning",
        "Q4_0_4_4, which llama.cpp has removed",
    ),
    "unknown type": (write(gguf({"a": ("999", (32,))})), "WEIGHT043", "info", "ggml type 999"),
    "vocabulary alone": (write(gguf({}, SOUND)), "WEIGHT043", "info", "a vocabulary of 4 tokens and no tensors"),
    "big endian": (write(gguf(TENSORS, SOUND, order=">")), "WEIGHT043", "info", "for big-endian machines"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, tmp_path: Path) -> None:
    assert judge(sound(tmp_path)) == []
    defect, rule, severity, words = DEFECTS[name]
    defect(tmp_path)
    [found] = [found for found in judge(tmp_path) if isinstance(found, Finding)]
    assert (found.rule, found.severity, found.path) == (rule, severity, NAME)
    assert words in found.message
    assert NAME in found.message


def splits(folder: Path, *, tensors: int = 2, names: tuple[str, str] = ("a", "b")) -> None:
    for number in range(2):
        keys = {"split.count": 2, "split.no": number, "split.tensors.count": tensors}
        keys = {"general.architecture": "llama", **keys} if number == 0 else keys
        content = gguf({names[number]: ("F32", (8,))}, keys)
        (folder / f"big-{number + 1:05d}-of-00002.gguf").write_bytes(content)


def test_split_files(tmp_path: Path) -> None:
    splits(tmp_path)
    assert judge(tmp_path) == []
    splits(tmp_path, tensors=3)
    [found] = judge(tmp_path)
    assert isinstance(found, Finding)
    assert (found.rule, found.path) == ("WEIGHT042", "big-00001-of-00002.gguf")
    assert "promises 3 tensors in 2 files with 2" in found.message
    splits(tmp_path, names=("a", "a"))
    [found] = judge(tmp_path)
    assert isinstance(found, Finding)
    assert "hold 1 tensor twice: a" in found.message


def test_a_renamed_and_a_missing_part(tmp_path: Path) -> None:
    splits(tmp_path)
    (tmp_path / "big-00002-of-00002.gguf").rename(tmp_path / "big-00003-of-00003.gguf")
    found = [(f.rule, f.path) for f in judge(tmp_path) if isinstance(f, Finding)]
    assert ("WEIGHT042", "big-00003-of-00003.gguf") in found
    (tmp_path / "big-00003-of-00003.gguf").unlink()
    assert [(f.rule, f.path) for f in judge(tmp_path) if isinstance(f, Finding)] == [
        ("WEIGHT004", "big-00002-of-00002.gguf")
    ]


@pytest.mark.parametrize(
    "content",
    [
        gguf({"first_stage_model.decoder.conv_in.weight": ("F16", (3, 3, 4, 8))}, {}),
        gguf({"v.patch_embd.weight": ("F16", (14, 14, 3, 8))}, {"general.architecture": "clip"}),
        gguf({"blk.0.attn_q.weight.in_sum2": ("F32", (8,))}, {"general.type": "imatrix"}),
        gguf({"a": ("F32", (3,)), "b": ("F32", (3,))}, SOUND | {"general.alignment": 64}, alignment=64),
        gguf(TENSORS, SOUND, version=2),
        gguf(TENSORS, SOUND) + bytes(1000),
    ],
    ids=["stable-diffusion.cpp", "projector", "imatrix", "alignment", "version 2", "padding"],
)
def test_other_sound_files(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert [found for found in judge(tmp_path) if getattr(found, "severity", None) is not Severity.INFO] == []


def test_a_sparse_terabyte(tmp_path: Path) -> None:
    tensors = {f"blk.{n}.ffn.weight": ("Q6_K", (1 << 16, 1 << 17)) for n in range(150)}
    head = gguf(tensors, SOUND, data=False)
    sparse(tmp_path / NAME, head, len(head) + 150 * (1 << 33) // 256 * 210)
    assert (tmp_path / NAME).stat().st_size > 10**12
    assert [f.rule for f in judge(tmp_path) if isinstance(f, Finding)] == ["FILE014"]  # too large for the Hub


def test_the_chat_template_is_a_fact(tmp_path: Path) -> None:
    keys = SOUND | {"tokenizer.chat_template": "{{ 1 }}", "tokenizer.chat_template.tool_use": "{{ 2 }}"}
    (tmp_path / NAME).write_bytes(gguf(TENSORS, keys))
    templates = ModelFolder.open(tmp_path).gguf[NAME].chat_templates
    assert templates == {"tokenizer.chat_template": "{{ 1 }}", "tokenizer.chat_template.tool_use": "{{ 2 }}"}
