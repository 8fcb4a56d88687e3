from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import tokenizer_kinds
from support.models import bytelevel, save_plain, wordpiece
from support.profile_folders import edit
from tokenizers import Tokenizer

from hubpub.card.facts.collect import card_facts
from hubpub.card.facts.tokenizer import TokenizerFacts, tokenizer_facts
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder


def facts_of(folder: Path) -> TokenizerFacts:
    return tokenizer_facts(ModelFolder.open(folder))


@pytest.mark.parametrize(
    ("tokenizer", "kind"),
    [
        (wordpiece, "WordPiece"),
        (bytelevel, "byte-level BPE"),
        (tokenizer_kinds.byte_fallback, "BPE with byte fallback"),
        (tokenizer_kinds.unigram, "Unigram"),
        (tokenizer_kinds.word_level, "word level"),
        (tokenizer_kinds.characters, "character level"),
        (tokenizer_kinds.amino_acids, "character level"),
    ],
)
def test_the_kind_and_the_real_vocabulary(tokenizer: object, kind: str, tmp_path: Path) -> None:
    made: Tokenizer = tokenizer()  # type: ignore[operator]
    facts = facts_of(tokenizer_kinds.saved(tmp_path / "t", made))
    assert facts.kind == kind
    assert facts.fast
    assert facts.vocabulary == made.get_vocab_size(with_added_tokens=True)
    for token in facts.special:
        assert token.content is not None
        assert token.id == made.token_to_id(token.content)


def test_added_tokens_are_counted_and_listed(tmp_path: Path) -> None:
    made = wordpiece()
    before = made.get_vocab_size()
    made.add_special_tokens(["<new>", "<newer>"])
    facts = facts_of(tokenizer_kinds.saved(tmp_path / "t", made))
    assert (facts.vocabulary, facts.added_tokens) == (before + 2, 2)
    assert {token.content for token in facts.special} >= {"<new>", "<newer>"}


def test_many_special_tokens_are_counted_and_some_shown(tmp_path: Path) -> None:
    made = bytelevel()
    made.add_special_tokens([f"<extra_{number}>" for number in range(50)])
    facts = facts_of(tokenizer_kinds.saved(tmp_path / "t", made, eos_token="<|im_end|>"))
    assert facts.special[0].role == "eos_token"
    assert len(facts.special) == 12
    assert facts.special_total == 54


def test_a_tokenizer_without_tokenizer_json_is_told_by_its_files(tmp_path: Path) -> None:
    save_plain(tmp_path / "bert")
    made = wordpiece()
    words = sorted(made.get_vocab(), key=made.get_vocab().__getitem__)
    (tmp_path / "bert" / "tokenizer.json").unlink()
    (tmp_path / "bert" / "vocab.txt").write_text("\n".join(words) + "\n")
    facts = facts_of(tmp_path / "bert")
    assert (facts.kind, facts.fast, facts.vocabulary) == ("WordPiece", True, len(words))
    assert dict(facts.sources)["vocabulary"] == "vocab.txt"
    assert {token.role: token.id for token in facts.special}["mask_token"] == made.token_to_id("[MASK]")


def test_a_tokenizer_of_bytes_needs_no_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "ByT5Tokenizer", "eos_token": "</s>"}')
    facts = facts_of(tmp_path)
    assert (facts.kind, facts.vocabulary, facts.fast) == ("byte level", None, False)


def test_no_limit_is_none(tmp_path: Path) -> None:
    folder = tokenizer_kinds.saved(tmp_path / "t", wordpiece(), model_max_length=int(1e30))
    assert facts_of(folder).longest is None
    edit(folder / "tokenizer_config.json", model_max_length=512)
    assert facts_of(folder).longest == 512


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"model": {"type": "BPE", "vocab": 3}}), ""])
def test_a_broken_tokenizer_is_none(content: str, tmp_path: Path) -> None:
    folder = tokenizer_kinds.saved(tmp_path / "t", wordpiece())
    (folder / "tokenizer.json").write_text(content)
    assert facts_of(folder).vocabulary is None


def test_what_transformers_runs_in_python_is_slow(tmp_path: Path) -> None:
    config = {"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "Wav2Vec2CTCTokenizer"}))
    (tmp_path / "vocab.json").write_text(json.dumps({"<pad>": 0, "<unk>": 1, "|": 2, "a": 3}))
    facts = card_facts(ModelFolder.open(tmp_path), repo_id=None, settings=CardSettings())
    assert facts.sources["tokenizer.fast"] == "vocab.json"
    assert facts.tokenizer.fast is False
    assert "| Implementation | slow |" in render_card(facts)
