"""What is read of tokenizer files: numbers, ids and classes, whatever is in the file."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import bytelevel, wordpiece
from support.tokenizer_kinds import BUILT, save_chat
from tokenizers import Tokenizer

from hubpub.model.embedding import position_room, token_room
from hubpub.model.folder import ModelFolder
from hubpub.model.jsonfile import JsonFile, parse_json
from hubpub.model.sentencepiece import NotSentencePieceError, parse_sentencepiece
from hubpub.model.special_tokens import read_model_ids, read_special_tokens
from hubpub.model.tokenizer_class import auto_class, class_of, generates_text, is_former_class
from hubpub.model.tokenizer_json import TokenizerJson, digest_tokenizer_json
from hubpub.model.vocabulary import Vocabulary, Wanted, read_merges, read_tekken, read_tiktoken, vocabulary_of
from hubpub.model.vocabulary_compare import compare, fast_vocabulary
from hubpub.model.vocabulary_files import read_vocabulary


def digest(document: Any, *tokens: str, ids: tuple[int, ...] = ()) -> TokenizerJson:
    return digest_tokenizer_json(JsonFile(document), Wanted(frozenset(tokens), frozenset(ids)))


@pytest.mark.parametrize("kind", BUILT)
def test_numbers_are_those_of_the_library(kind: str) -> None:
    tokenizer = BUILT[kind]()
    vocabulary = tokenizer.get_vocab()
    found = digest(json.loads(tokenizer.to_str()), *vocabulary, ids=tuple(vocabulary.values()))
    assert found.length == tokenizer.get_vocab_size()
    assert found.vocabulary == tokenizer.get_vocab_size(with_added_tokens=False)
    assert found.ids == vocabulary
    assert found.tokens == {number: token for token, number in vocabulary.items()}
    assert found.largest == max(vocabulary.values())
    assert found.misfit is None
    assert found.unknown_merges == 0


@pytest.mark.parametrize("again", [False, True])
def test_added_tokens_get_the_ids_that_the_library_gives_them(again: bool) -> None:
    document = json.loads(wordpiece().to_str())
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    entries = [("<a>", 5000), ("the", 3), ("<b>", 9), *([("<a>", 6000)] if again else [])]
    document["added_tokens"] += [{"id": number, "content": content, **flags} for content, number in entries]
    library = Tokenizer.from_str(json.dumps(document)).get_vocab()
    found = digest(document)
    assert {token.content: token.id for token in found.added} == {
        token.content: library[token.content] for token in found.added
    }
    assert found.length == len(library)
    assert found.again == ((("<a>", 5000, 6000),) if again else ())


def test_kinds_of_steps_and_settings() -> None:
    found = digest(json.loads(bytelevel().to_str()))
    assert (found.algorithm, found.byte_level, found.byte_fallback) == ("BPE", True, False)
    found = digest(json.loads(wordpiece().to_str()))
    assert (found.algorithm, found.unk_token) == ("WordPiece", "[UNK]")
    assert found.posted == (("[CLS]", 2), ("[SEP]", 3))
    assert found.steps["pre_tokenizer"] == ("BertPreTokenizer",)


@pytest.mark.parametrize(
    ("model", "algorithm"),
    [
        ({"vocab": {"a": 0}, "merges": []}, "BPE"),
        ({"vocab": [["a", 0.0]], "unk_id": 0}, "Unigram"),
        ({"vocab": {"a": 0}, "max_input_chars_per_word": 100}, "WordPiece"),
        ({"vocab": {"a": 0}}, "WordLevel"),
        ({}, None),
    ],
)
def test_algorithm_of_files_that_do_not_name_it(model: dict[str, Any], algorithm: str | None) -> None:
    assert digest({"model": model}).algorithm == algorithm


def text(most: int) -> st.SearchStrategy[str]:
    return st.text("ab1 <>▁\n\ud800", max_size=most)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(allow_nan=False) | text(4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text(4), inner, max_size=4),
    max_leaves=8,
)
VOCABULARY = st.dictionaries(text(3), st.integers(0, 9) | JUNK, max_size=6)
MODEL = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["BPE", "Unigram", "WordPiece", "WordLevel"]) | JUNK,
        "vocab": VOCABULARY | st.lists(st.tuples(text(3), st.floats()).map(list) | JUNK, max_size=5) | JUNK,
        "merges": st.lists(text(4) | st.lists(text(3), max_size=3) | JUNK, max_size=4) | JUNK,
        "unk_token": JUNK,
        "unk_id": JUNK,
        "continuing_subword_prefix": JUNK,
    },
)
ADDED = st.lists(
    st.fixed_dictionaries({}, optional={"id": st.integers(-1, 20) | JUNK, "content": text(3) | JUNK}) | JUNK,
    max_size=5,
)
PROCESSOR = JUNK | st.fixed_dictionaries(
    {"type": st.sampled_from(["Sequence", "BertProcessing", "TemplateProcessing"])},
    optional={
        "processors": JUNK,
        "cls": JUNK,
        "sep": JUNK,
        "special_tokens": st.dictionaries(text(2), JUNK),
    },
)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional={
        "model": MODEL | JUNK,
        "added_tokens": ADDED | JUNK,
        "post_processor": PROCESSOR,
        "normalizer": JUNK,
        "truncation": JUNK,
        "padding": JUNK,
    },
)


@given(DOCUMENT)
@settings(deadline=2000)
def test_any_document_is_digested(document: Any) -> None:
    found = digest(document, "a", ids=(0, 1))
    assert found.length >= 0
    fast_vocabulary(document)
    for name in ("merges.txt", "vocab.txt", "vocab.json", "spiece.model"):
        compare(name, b"\na b\n", document, {"a": 0})


@given(JUNK, JUNK, JUNK)
@settings(deadline=2000)
def test_any_small_file_is_read(config: Any, second: Any, added: Any) -> None:
    files = [JsonFile(each if isinstance(each, dict) else None) for each in (config, second, added)]
    read_special_tokens(*files)
    read_model_ids(files[0], files[1])
    read_tekken(config)


@given(st.binary(max_size=200))
@settings(deadline=2000)
def test_any_bytes_are_a_vocabulary_or_a_problem(data: bytes) -> None:
    for name in ("vocab.txt", "vocab.json", "spiece.model", "qwen.tiktoken", "tekken.json", "tokenizer.model"):
        assert isinstance(read_vocabulary(name, data, Wanted()), Vocabulary)
    read_merges(data)


def piece(text: bytes, kind: int | None = None) -> bytes:
    inner = b"\n" + bytes([len(text)]) + text + b"\x15\0\0\0\0" + (b"" if kind is None else b"\x18" + bytes([kind]))
    return b"\n" + bytes([len(inner)]) + inner


SPIECE = piece(b"<unk>", 2) + piece(b"<s>", 3) + piece("▁the".encode()) + piece(b"<0x0A>", 6) + b"\x12\x02\x18\x02"


def test_sentencepiece() -> None:
    model = parse_sentencepiece(SPIECE)
    assert model.pieces == ("<unk>", "<s>", "▁the", "<0x0A>")
    assert model.kinds == {"unknown": 1, "control": 1, "normal": 1, "byte": 1}
    assert model.special == {"<unk>": 0, "<s>": 1}
    assert (model.algorithm, model.byte_fallback) == ("BPE", False)


def test_sentencepiece_with_fields_in_another_order() -> None:
    inner = b"\x18\x03" + b"\n\x03<s>"
    model = parse_sentencepiece(piece(b"<unk>", 2) + b"\n" + bytes([len(inner)]) + inner + piece(b"a") + b"\x1a\x00")
    assert model.pieces == ("<unk>", "<s>", "a")
    assert model.kinds["control"] == 1


@pytest.mark.parametrize(
    "data", [b"", b"\n", SPIECE[:-1], SPIECE[:20], b"<!doctype html>", b"\x80\x02}.", b"\n\x02\n\xff"]
)
def test_what_is_no_sentencepiece_model(data: bytes) -> None:
    with pytest.raises(NotSentencePieceError):
        parse_sentencepiece(data)


@given(st.binary(max_size=100) | st.binary(max_size=40).map(lambda tail: SPIECE + tail))
@settings(deadline=2000)
def test_any_bytes_are_a_sentencepiece_model_or_not(data: bytes) -> None:
    with contextlib.suppress(NotSentencePieceError):
        assert parse_sentencepiece(data).pieces


def test_sentencepiece_of_256_000_pieces_is_quick() -> None:
    data = b"".join(piece(f"piece{number}".encode()) for number in range(256_000))
    started = time.process_time()
    assert len(parse_sentencepiece(data).pieces) == 256_000
    assert time.process_time() - started < 2


def test_tiktoken_and_tekken() -> None:
    assert read_tiktoken(b"IQ== 0\nIg== 1\n") == Vocabulary(size=2, largest=1)
    problem = read_tiktoken(b"IQ== 0\nnot base64\n").problem
    assert problem is not None
    assert problem.line == 2
    good = {"config": {"default_vocab_size": 3, "default_num_special_tokens": 1}, "vocab": [{}, {}]}
    assert read_tekken(good) == Vocabulary(size=3, largest=2)
    assert read_tekken({"config": {"default_vocab_size": 9}, "vocab": [{}]}).problem is not None


def test_llama_3_tokenizer_model_is_a_list_of_tiktoken() -> None:
    assert read_vocabulary("tokenizer.model", b"IQ== 0\nIg== 1\n", Wanted()).size == 2


def test_shared_ids() -> None:
    found = vocabulary_of({"a": 0, "b": 0, "c": 5}, Wanted())
    assert found.shared == ((0, "a", "b"),)
    assert (found.shared_count, found.largest) == (1, 5)


@pytest.mark.parametrize(
    ("model_type", "declared", "byte_level", "name"),
    [
        ("albert", None, False, "AlbertTokenizer"),
        ("bert", "BertTokenizerFast", False, "BertTokenizer"),
        ("bert", "PreTrainedTokenizerFast", False, "TokenizersBackend"),
        ("llama", "LlamaTokenizer", True, "TokenizersBackend"),
        ("bert", "NoSuchTokenizer", False, "TokenizersBackend"),
        ("modernbert", "BertTokenizer", False, "TokenizersBackend"),
        ("made_up", None, False, "TokenizersBackend"),
    ],
)
def test_class_that_auto_tokenizer_takes(model_type: str, declared: str | None, byte_level: bool, name: str) -> None:
    chosen = auto_class(model_type, declared, byte_level=byte_level)
    assert chosen is not None
    assert chosen.name == name


def test_classes() -> None:
    bert = class_of("BertTokenizerFast")
    assert bert is not None
    assert (bert.vocabularies, bert.algorithm, bert.toy) == (("vocab.txt",), "WordPiece", 5)
    assert class_of("NoSuchTokenizer") is None
    assert is_former_class("RetriBertTokenizerFast")
    assert generates_text(["LlamaForCausalLM"])
    assert not generates_text(["BertForSequenceClassification"])
    assert not generates_text(["MusicgenForCausalLM"])
    assert auto_class(None, None, byte_level=False) is None


def test_room(plain_model: Path, tmp_path: Path) -> None:
    folder = ModelFolder.open(plain_model)
    room = token_room(folder.weights, "", folder.config)
    assert room is not None
    assert (room.rows, room.path, room.what) == (167, "model.safetensors", "bert.embeddings.word_embeddings.weight")
    positions = position_room(folder.weights, "")
    assert positions is not None
    assert positions.rows == 64
    chat = save_chat(tmp_path / "chat")
    (chat / "model.safetensors").unlink()
    nested = JsonFile({"text_config": {"vocab_size": 300}, "decoder": {"vocab_size": 20}, "additional_vocab_size": 2})
    room = token_room(ModelFolder.open(chat).weights, "", nested)
    assert room is not None
    assert room.rows == 302


def test_a_large_tokenizer_is_digested_and_not_kept() -> None:
    vocabulary = [[f"▁piece{number}", -float(number)] for number in range(250_000)]
    data = json.dumps({"model": {"type": "Unigram", "vocab": vocabulary, "unk_id": 0}, "added_tokens": []}).encode()
    document = parse_json(data)
    started = time.process_time()
    found = digest_tokenizer_json(document, Wanted(frozenset(["▁piece7"]), frozenset([9])))
    assert time.process_time() - started < 2
    assert (found.length, found.ids, found.tokens) == (250_000, {"▁piece7": 7}, {9: "▁piece9"})
