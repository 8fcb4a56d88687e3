"""A large tokenizer.json is parsed once, and what was kept of it is never taken for another's."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.model import tokenizer_cache
from hubpub.model.folder import ModelFolder
from hubpub.model.jsonfile import parse_json
from hubpub.model.tokenizer_json import TokenizerJson, digest_tokenizer_json
from hubpub.model.vocabulary import Wanted

WORDS = {f"word{number}": number for number in range(40_000)}
MODEL: dict[str, Any] = {"type": "WordLevel", "vocab": WORDS, "unk_token": "word0"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a large tokenizer.json to which, as far as can be told, nobody has written lately."""
    monkeypatch.setattr("hubpub.model.stamp._RACY", -(10**12))
    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path / "cache"))
    made = tmp_path / "model"
    made.mkdir()
    save(made, MODEL)
    return made


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each tokenizer.json that was parsed."""
    done: list[str] = []
    really = ModelFolder.read_again

    def noted(self: ModelFolder, path: str, limit: int, top: type) -> object:
        if path == "tokenizer.json":
            done.append(path)
        return really(self, path, limit, top)

    monkeypatch.setattr(ModelFolder, "read_again", noted)
    return done


def save(root: Path, model: dict[str, Any], **more: Any) -> Path:
    path = root / "tokenizer.json"
    path.write_text(json.dumps({"model": model, "added_tokens": [], **more}))
    return path


def read(root: Path) -> TokenizerJson:
    found = ModelFolder.open(root).tokenizer.tokenizer_json
    assert found is not None
    return found


def entries(root: Path) -> list[Path]:
    return list((root.parent / "cache").rglob("tokenizers/*"))


def test_what_is_known_is_not_parsed_again(root: Path, parsed: list[str]) -> None:
    first = read(root)
    assert first.length == 40_000
    assert read(root) == first
    assert parsed == ["tokenizer.json"]


ADDED = [
    {"id": 40_000, "content": "<s>", "special": True},
    {"id": 7, "content": "</s>", "special": False},
    {"id": 8, "content": "</s>", "special": False},
    {"id": 9, "content": "\ud800", "special": True},
]
STEPS = {
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
    "pre_tokenizer": {"type": "ByteLevel"},
    "post_processor": {"type": "BertProcessing", "cls": ["word1", 1], "sep": ["word2", 3]},
    "truncation": {"max_length": 512},
    "padding": {"strategy": {"Fixed": 64}},
}


@pytest.mark.parametrize(
    "document",
    [
        {"model": MODEL, "added_tokens": ADDED, **STEPS},
        {"model": {"type": "BPE", "vocab": WORDS, "merges": [["word1", "nowhere"]], "byte_fallback": True}},
        {"model": {"type": "Unigram", "vocab": [[word, -1.0] for word in WORDS], "unk_id": 99_999}},
        {"model": {**MODEL, "vocab": {**WORDS, "again": 5}}},
        {"model": {**MODEL, "vocab": {**WORDS, "odd": -1}}},
        {"model": {**MODEL, "vocab": [[word] for word in WORDS]}},
        {"model": list(WORDS)},
        {"padding": list(WORDS)},
    ],
)
def test_every_part_comes_back(root: Path, parsed: list[str], document: dict[str, Any]) -> None:
    (root / "tokenizer_config.json").write_text(json.dumps({"bos_token": "word3", "eos_token": "</s>"}))
    (root / "config.json").write_text(json.dumps({"bos_token_id": 3, "eos_token_id": 7}))
    (root / "tokenizer.json").write_text(json.dumps(document))
    first = read(root)
    again = read(root)
    assert again == first
    assert parsed == ["tokenizer.json"]
    if document.get("post_processor"):
        assert (first.again, first.posted, first.tokens[3]) == (
            (("</s>", 7, 8),),
            (("word1", 1), ("word2", 3)),
            "word3",
        )
        assert (first.steps["normalizer"], first.truncation, first.padding) == (("NFC", "Lowercase"), 512, 64)


def test_a_file_that_is_no_json_is_known_as_such(root: Path, parsed: list[str]) -> None:
    path = root / "tokenizer.json"
    path.write_text(path.read_text()[:-1])
    first = read(root)
    assert first.problem is not None
    assert read(root) == first
    assert len(parsed) == 1


@given(
    st.dictionaries(st.text(max_size=3), st.integers(-1, 20), max_size=8),
    st.lists(st.fixed_dictionaries({"id": st.integers(0, 20), "content": st.text(max_size=2)}), max_size=4),
    st.frozensets(st.text(max_size=3), max_size=3),
    st.frozensets(st.integers(0, 20), max_size=3),
)
def test_any_answer_comes_back(
    vocabulary: dict[str, int], added: list[dict[str, Any]], tokens: frozenset[str], ids: frozenset[int]
) -> None:
    document = {"model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b"]}, "added_tokens": added}
    found = digest_tokenizer_json(parse_json(json.dumps(document).encode()), Wanted(tokens, ids))
    assert tokenizer_cache._of(json.dumps(tokenizer_cache._entry(found)).encode()) == found


@pytest.mark.parametrize("change", ["content", "content and its time", "another file in its place", "what is wanted"])
def test_what_has_changed_is_parsed_again(root: Path, parsed: list[str], change: str) -> None:
    read(root)
    path = root / "tokenizer.json"
    status, text = path.stat(), path.read_text()
    other = text.replace('"word7"', '"sword"')
    if change == "what is wanted":
        (root / "tokenizer_config.json").write_text(json.dumps({"bos_token": "word9"}))
        assert read(root).ids["word9"] == 9
    elif change == "another file in its place":
        (root.parent / "copy").write_text(other)
        (root.parent / "copy").replace(path)
    else:
        path.write_text(other)
    if change in ("content and its time", "another file in its place"):
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    if change != "what is wanted":
        (root / "tokenizer_config.json").write_text(json.dumps({"bos_token": "sword"}))
        assert read(root).ids["sword"] == 7
    assert len(parsed) == 2


def test_another_file_of_the_same_name_is_another(root: Path, parsed: list[str], tmp_path: Path) -> None:
    read(root)
    (tmp_path / "other").mkdir()
    save(tmp_path / "other", {**MODEL, "vocab": {**WORDS, "more": 40_000}})
    assert read(tmp_path / "other").length == 40_001


def test_other_code_parses_again(root: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    read(root)
    monkeypatch.setattr(tokenizer_cache, "_reader", lambda: "another version of it")
    read(root)
    assert len(parsed) == 2


def test_what_was_written_just_now_is_not_kept(root: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.model.stamp._RACY", 2_000_000_000)
    save(root, MODEL)
    read(root)
    assert entries(root) == []
    read(root)
    assert len(parsed) == 2


def test_what_changes_meanwhile_is_not_kept(root: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    really = ModelFolder.read_again

    def and_written(self: ModelFolder, path: str, limit: int, top: type) -> object:
        found = really(self, path, limit, top)
        save(root, {**MODEL, "vocab": {**WORDS, "more": 40_000}})
        return found

    monkeypatch.setattr(ModelFolder, "read_again", and_written)
    assert read(root).length == 40_000
    assert entries(root) == []


def test_small_files_are_not_kept(root: Path) -> None:
    save(root, {**MODEL, "vocab": {"a": 0}})
    read(root)
    assert entries(root) == []


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"model":{},"added":[]}', b"\xff", b'{"algorithm":1}']
)
def test_an_entry_of_another_form_is_worked_out_again(root: Path, parsed: list[str], body: bytes) -> None:
    first = read(root)
    [entry] = entries(root)
    entry.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    assert tokenizer_cache._of(body) is None
    assert read(root) == first
    assert len(parsed) == 2


def test_a_cache_that_takes_no_files_is_no_obstacle(
    root: Path, parsed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file")
    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path / "blocked"))
    assert read(root) == read(root)
    assert len(parsed) == 2


def test_what_cannot_be_opened_is_told(root: Path, parsed: list[str]) -> None:
    model = ModelFolder.open(root)
    (root / "tokenizer.json").unlink()
    found = model.tokenizer.tokenizer_json
    assert found is not None
    assert found.problem is not None
    assert "cannot be read" in found.problem.message
    assert entries(root) == []
