"""Tokenizers: sound ones of every kind give no finding; a defect gives the finding that names it, and no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import saved_tokenizers as saved_tokenizer_classes
from support.judging import judge_folder
from support.tokenizer_kinds import BUILT, amino_acids, edit, grow_vocabulary, save_chat, saved
from support.weights import write_safetensors

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import model_rules

Defect = Callable[[Path], object]
Expected = list[tuple[str, str, str]]

JSON, CONFIG, SETTINGS = "tokenizer.json", "config.json", "tokenizer_config.json"
GENERATION, MAP = "generation_config.json", "special_tokens_map.json"


def judge(folder: Path, depth: Depth = Depth.QUICK) -> list[Finding | Skip]:
    """What the TOKEN rules say."""
    subject = ModelFolder.open(folder)
    rules = [rule for rule in model_rules if rule.code.startswith("TOKEN") and depth.includes(rule.depth)]
    return [found for rule in rules for found in rule.run(subject)]


def brief(found: list[Finding | Skip]) -> Expected:
    return [(each.rule, each.severity.value, each.path or "") for each in found if isinstance(each, Finding)]


def change(name: str, **values: Any) -> Defect:
    """Set keys of a JSON file; None removes one."""

    def defect(folder: Path) -> None:
        def apply(document: dict[str, Any]) -> None:
            document |= values
            for key in [key for key, value in values.items() if value is None]:
                del document[key]

        edit(folder / name, apply)

    return defect


def in_model(**values: Any) -> Defect:
    return lambda folder: edit(folder / JSON, lambda document: document["model"].update(values))


def add(content: str, number: int, special: bool = True) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": number, "content": content, **flags, "special": special}


def adding(*tokens: tuple[str, int]) -> Defect:
    entries = [add(content, number) for content, number in tokens]
    return lambda folder: edit(folder / JSON, lambda document: document["added_tokens"].extend(entries))


def write(name: str, content: str | bytes) -> Defect:
    return lambda folder: (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def write_json(name: str, **document: Any) -> Defect:
    return write(name, json.dumps(document))


def both(*defects: Defect) -> Defect:
    return lambda folder: [defect(folder) for defect in defects]


def vocabulary(folder: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((folder / JSON).read_text())["model"]["vocab"]
    return found


def to_vocab_txt(folder: Path) -> None:
    found = vocabulary(folder)
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in sorted(found, key=found.__getitem__)))


def legacy(folder: Path) -> None:
    """BERT as of 2019: vocab.txt without tokenizer.json."""
    to_vocab_txt(folder)
    (folder / JSON).unlink()


def shift_vocab_txt(folder: Path) -> None:
    to_vocab_txt(folder)
    lines = (folder / "vocab.txt").read_text().splitlines(keepends=True)
    lines[20:40] = reversed(lines[20:40])
    (folder / "vocab.txt").write_text("".join(lines))


def save_toy(folder: Path) -> None:
    special = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    edit(folder / JSON, lambda document: document["model"].update(vocab=special))
    edit(folder / "config.json", lambda document: document.update(vocab_size=30522))
    write_safetensors(folder / "model.safetensors", {"bert.embeddings.word_embeddings.weight": ("F32", (30522, 8))})


def more_words(number: int) -> Defect:
    return lambda folder: grow_vocabulary(folder, len(vocabulary(folder)) + number)


SIZE = 167
TWENTY = tuple((f"<new{number}>", SIZE + number) for number in range(20))
MISSING_CLASS = change(SETTINGS, tokenizer_class="NoSuchTokenizer")
PROCESSOR = {
    "type": "BertProcessing",
    "sep": ["[SEP]", 102],
    "cls": ["[CLS]", 2],
}

BERT: dict[str, tuple[Defect, Expected]] = {
    "20 added tokens past the embedding": (adding(*TWENTY), [("TOKEN003", "error", JSON)]),
    "20 words past the embedding": (more_words(20), [("TOKEN003", "error", JSON)]),
    "added token with an id past the embedding": (adding(("<x>", 5000)), [("TOKEN003", "error", JSON)]),
    "image token past the embedding of a text model": (adding(("<image>", SIZE)), [("TOKEN003", "info", JSON)]),
    "pad token not in the vocabulary": (
        change(SETTINGS, pad_token="[PADX]"),
        [("TOKEN004", "error", SETTINGS)],
    ),
    "further special token not in the vocabulary": (
        change(SETTINGS, extra_special_tokens=["<ent>"]),
        [("TOKEN004", "error", SETTINGS)],
    ),
    "role in special_tokens_map.json not in the vocabulary": (
        write_json(MAP, sep_token={"content": "<sep>", "lstrip": False}),
        [("TOKEN004", "error", MAP), ("TOKEN007", "warning", MAP)],
    ),
    "padding id past the embedding": (change(CONFIG, pad_token_id=99999), [("TOKEN005", "error", CONFIG)]),
    "padding id of another token": (change(CONFIG, pad_token_id=3), [("TOKEN007", "warning", CONFIG)]),
    "class that does not exist": (MISSING_CLASS, [("TOKEN008", "error", SETTINGS)]),
    "vocabulary that is not read": (
        both(legacy, change(SETTINGS, tokenizer_class="AlbertTokenizer")),
        [("TOKEN009", "error", "vocab.txt")],
    ),
    "vocabulary that the generic class does not read": (
        both(legacy, change(SETTINGS, tokenizer_class="PreTrainedTokenizerFast"), change(CONFIG, model_type="esmfold")),
        [("TOKEN009", "error", "vocab.txt")],
    ),
    "toy vocabulary": (save_toy, [("TOKEN010", "error", JSON)]),
    "post-processor": (change(JSON, post_processor=PROCESSOR), [("TOKEN011", "error", JSON)]),
    "two words with one id": (
        lambda folder: in_model(vocab=vocabulary(folder) | {"dog": 20})(folder),
        [("TOKEN012", "warning", JSON)],
    ),
    "ids that are no numbers": (
        lambda folder: in_model(vocab=vocabulary(folder) | {"dog": "20"})(folder),
        [("TOKEN012", "error", JSON)],
    ),
    "negative id": (
        lambda folder: in_model(vocab=vocabulary(folder) | {"dog": -1})(folder),
        [("TOKEN012", "error", JSON)],
    ),
    "unknown token not in the vocabulary": (in_model(unk_token="<oov>"), [("TOKEN013", "error", JSON)]),
    "added token under another id": (adding(("the", 3)), [("TOKEN014", "error", JSON)]),
    "added_tokens_decoder": (
        change(SETTINGS, added_tokens_decoder={"7": add("[SEP]", 7)}),
        [("TOKEN015", "warning", SETTINGS)],
    ),
    "added_tokens_decoder past the embedding": (
        change(SETTINGS, added_tokens_decoder={"167": add("<zz>", 167)}),
        [("TOKEN015", "error", SETTINGS)],
    ),
    "added_tokens.json": (
        write_json("added_tokens.json", **{"[CLS]": 9}),
        [("TOKEN015", "warning", "added_tokens.json")],
    ),
    "model_max_length": (change(SETTINGS, model_max_length=512), [("TOKEN016", "warning", SETTINGS)]),
    "truncation": (
        change(JSON, truncation={"max_length": 16, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}),
        [("TOKEN017", "warning", JSON)],
    ),
    "class of another algorithm": (
        change(SETTINGS, tokenizer_class="GPT2Tokenizer"),
        [("TOKEN018", "warning", JSON)],
    ),
    "vocab.txt in latin-1": (
        both(legacy, write("vocab.txt", "[PAD]\n[UNK]\nGrüße\n".encode("latin-1"))),
        [("TOKEN020", "error", "vocab.txt")],
    ),
    "pad token not in vocab.txt": (
        both(legacy, change(SETTINGS, pad_token="[PADX]")),
        [("TOKEN004", "error", SETTINGS)],
    ),
}

CHAT: dict[str, tuple[Defect, Expected]] = {
    "eos of the configurations is another token": (
        both(change(CONFIG, eos_token_id=2), change(GENERATION, eos_token_id=2)),
        [("TOKEN006", "error", GENERATION)],
    ),
    "eos of config.json alone, and no generation_config.json": (
        both(lambda folder: (folder / GENERATION).unlink(), change(CONFIG, eos_token_id=1)),
        [("TOKEN006", "error", CONFIG)],
    ),
    "bos": (change(GENERATION, bos_token_id=2), [("TOKEN007", "warning", GENERATION)]),
    "eos past the embedding": (change(GENERATION, eos_token_id=[3, 70000]), [("TOKEN005", "error", GENERATION)]),
    "start of the decoder past the embedding": (
        change(GENERATION, decoder_start_token_id=70000),
        [("TOKEN005", "error", GENERATION)],
    ),
    "eos by special_tokens_map.json": (
        both(
            write_json(MAP, eos_token="<|endoftext|>"),
            change(
                SETTINGS,
                added_tokens_decoder={
                    str(number): add(token, number)
                    for number, token in enumerate(["<pad>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"])
                },
            ),
        ),
        [("TOKEN007", "warning", MAP)],
    ),
    "merges of unknown tokens": (
        lambda folder: edit(folder / JSON, lambda document: document["model"]["merges"].append(["zz", "yy"])),
        [("TOKEN013", "error", JSON)],
    ),
    "a merge of three": (
        lambda folder: edit(folder / JSON, lambda document: document["model"]["merges"].append(["a", "b", "c"])),
        [("TOKEN013", "error", JSON)],
    ),
    "same token added twice": (adding(("<pad>", 7)), [("TOKEN014", "error", JSON)]),
}


@pytest.mark.parametrize("name", BERT)
def test_defect_of_a_classifier(name: str, model: Path) -> None:
    assert judge_folder(model) == []
    defect, expected = BERT[name]
    defect(model)
    assert_named(judge_folder(model), expected)


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    """A chat model that the test may break."""
    return save_chat(tmp_path / "chat")


@pytest.mark.parametrize("name", CHAT)
def test_defect_of_a_chat_model(name: str, chat: Path) -> None:
    assert judge(chat) == []
    defect, expected = CHAT[name]
    defect(chat)
    assert_named(judge(chat), expected)


def assert_named(found: list[Finding | Skip], expected: Expected) -> None:
    assert brief(found) == expected
    assert len(found) == len(expected), "nothing was skipped"
    for finding in found:
        assert isinstance(finding, Finding)
        assert finding.hint
        assert "\n" not in finding.message
        assert finding.path in finding.message


@pytest.mark.parametrize(
    ("eos", "generation"),
    [
        (3, [3, 1]),  # Qwen: a list with both
        (1, 3),  # Yi: config.json has the end of a text, generation_config.json that of a turn
        ([1, 3], [3]),
        (None, 3),
        (-1, [1, 3]),
    ],
)
def test_ways_to_end_a_text_that_are_right(eos: Any, generation: Any, chat: Path) -> None:
    edit(chat / CONFIG, lambda document: document.update(eos_token_id=eos))
    edit(chat / GENERATION, lambda document: document.update(eos_token_id=generation))
    assert judge(chat) == []


def test_template_that_closes_turns_with_what_generation_stops_at(chat: Path) -> None:
    """The tokenizer's eos_token stayed that of the base model; answers end all the same."""
    edit(chat / SETTINGS, lambda document: document.update(eos_token="<|endoftext|>"))
    assert judge(chat) == []


def test_ids_are_those_of_the_vocabulary_where_a_model_has_more_rows(model: Path) -> None:
    write_safetensors(model / "model.safetensors", {"bert.embeddings.word_embeddings.weight": ("F32", (192, 8))})
    edit(model / CONFIG, lambda document: document.update(vocab_size=192))
    edit(model / SETTINGS, lambda document: document.update(extra_special_tokens=["<ent>"]))
    assert brief(judge(model)) == [("TOKEN004", "info", SETTINGS)]


@pytest.mark.parametrize("kind", BUILT)
def test_sound_tokenizer_of_each_kind(kind: str, tmp_path: Path) -> None:
    assert judge(saved(tmp_path / "tokenizer", BUILT[kind]()), Depth.DEEP) == []


def test_small_vocabulary_of_characters_beside_a_large_embedding(tmp_path: Path) -> None:
    folder = saved(tmp_path / "protein", amino_acids())
    config = {"model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": 30522}
    (folder / CONFIG).write_text(json.dumps(config))
    assert judge(folder, Depth.DEEP) == []


@pytest.mark.parametrize(
    "name",
    [
        "BertTokenizerFast",
        "PreTrainedTokenizerFast",
        "TokenizersBackend",
        "DistilBertTokenizer",
        "RetriBertTokenizerFast",
    ],
)
def test_class_that_exists_or_once_did(name: str, model: Path) -> None:
    edit(model / SETTINGS, lambda document: document.update(tokenizer_class=name))
    assert judge(model) == []


def test_class_of_the_folders_own_code(model: Path) -> None:
    own = {"tokenizer_class": "MyTokenizer", "auto_map": {"AutoTokenizer": ["tokenization_my.MyTokenizer", None]}}
    edit(model / SETTINGS, lambda document: document.update(own))
    assert judge(model) == []


@pytest.mark.parametrize(
    ("model_type", "name", "expected"),
    [("bert", "AntiBERTy", [("TOKEN001", "warning", "tokenizer.json")]), ("clip", "OwnTower", []), (None, "Own", [])],
)
def test_class_of_its_own_without_a_tokenizer(model_type: str, name: str, expected: Expected, model: Path) -> None:
    for file in [*model.glob("tokenizer*"), *model.glob("special_tokens_map.json"), *model.glob("vocab*")]:
        file.unlink()
    change("config.json", model_type=model_type, architectures=[name])(model)
    assert brief(judge(model)) == expected


def test_legacy_vocabulary_is_as_good(model: Path) -> None:
    legacy(model)
    assert judge(model) == []
    [skip] = judge(model, Depth.DEEP)
    assert skip == Skip("round trip of sample texts with vocab.txt", "only tokenizer.json is tried")


def test_merges_missing(tmp_path: Path) -> None:
    chat = save_chat(tmp_path / "chat")
    (chat / "vocab.json").write_text(json.dumps(vocabulary(chat)))
    (chat / JSON).unlink()
    edit(chat / SETTINGS, lambda document: document.update(tokenizer_class="GPT2Tokenizer"))
    edit(chat / CONFIG, lambda document: document.update(model_type="gpt2"))
    assert brief(judge(chat)) == [("TOKEN009", "error", "merges.txt")]
    (chat / "merges.txt").write_text("#version: 0.2\nt h\nq z\n")
    assert brief(judge(chat)) == [("TOKEN013", "error", "merges.txt")]
    (chat / "merges.txt").write_text("#version: 0.2\nt h e\n")
    [finding] = judge(chat)
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.line) == ("TOKEN013", 2)


DEEP: dict[str, tuple[Callable[[Path], Path], Defect, Expected]] = {}


def deep(name: str, base: Callable[[Path], Path], defect: Defect, *expected: tuple[str, str, str]) -> None:
    DEEP[name] = (base, defect, list(expected))


def bert(folder: Path) -> Path:
    from support.models import save_plain

    save_plain(folder)
    return folder


def tokenizer(kind: str) -> Callable[[Path], Path]:
    return lambda folder: saved(folder, BUILT[kind]())


deep("vocab.txt of another order", bert, shift_vocab_txt, ("TOKEN019", "error", "vocab.txt"))
deep(
    "merges.txt of another model",
    save_chat,
    write("merges.txt", "#version: 0.2\nt h\n"),
    ("TOKEN019", "error", "merges.txt"),
)
deep(
    "vocab.json of another model",
    save_chat,
    write_json("vocab.json", a=0, b=1),
    ("TOKEN019", "error", "vocab.json"),
)
deep("spiece.model cut short", bert, write("spiece.model", b"\n\x0e\n\x05<unk>"), ("TOKEN019", "error", "spiece.model"))
deep("unknown kind", bert, change(JSON, pre_tokenizer={"type": "NoSuchThing"}), ("TOKEN030", "error", JSON))
deep("no pre-tokenizer", bert, change(JSON, pre_tokenizer=None), ("TOKEN031", "error", JSON))
deep(
    "no lower-casing and no letters",
    tokenizer("WordLevel"),
    change(JSON, normalizer={"type": "Replace", "pattern": {"String": "e"}, "content": "§"}, pre_tokenizer=None),
    ("TOKEN031", "error", JSON),
)
deep("no decoder", save_chat, change(JSON, decoder=None), ("TOKEN032", "error", JSON))
deep(
    "normalizer that drops letters",
    save_chat,
    change(JSON, normalizer={"type": "Replace", "pattern": {"String": "o"}, "content": ""}),
    ("TOKEN032", "error", JSON),
)
deep(
    "no byte-fallback decoder",
    tokenizer("BPE with byte fallback"),
    change(JSON, decoder=None),
    ("TOKEN032", "error", JSON),
)
deep(
    "special token that is never found",
    save_chat,
    lambda folder: edit(
        folder / JSON,
        lambda document: (
            document["added_tokens"][3].update(normalized=True),
            document.update(normalizer={"type": "Replace", "pattern": {"String": "im_end"}, "content": "x"}),
        ),
    ),
)


def test_a_folder_whose_name_is_no_text_is_as_sound(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"mod\xe8le")
    saved(tmp_path / "tokenizer", BUILT[next(iter(BUILT))]()).rename(folder)
    assert judge(folder, Depth.DEEP) == []


@pytest.mark.parametrize("name", DEEP)
def test_defect_that_a_trial_finds(name: str, tmp_path: Path) -> None:
    base, defect, expected = DEEP[name]
    folder = base(tmp_path / "model")
    assert judge(folder, Depth.DEEP) == []
    shutil.copy(folder / JSON, tmp_path / "before.json")
    defect(folder)
    found = judge(folder, Depth.DEEP)
    assert brief(found) == expected
    assert all(isinstance(each, Finding) and each.path in each.message for each in found)


def split_at(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def test_pattern_that_takes_for_ever_is_named_and_waited_for_no_longer(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubpub.model.tokenizer_trial._PROCESSOR_SECONDS", 2)
    edit(model / JSON, lambda document: document.update(pre_tokenizer=split_at("[ab .]{0,1500}[ab .]{0,1500}[^ab .]")))
    assert brief(judge(model, Depth.DEEP)) == [("TOKEN035", "error", JSON)]


def test_pattern_that_the_library_gives_up_on(model: Path) -> None:
    edit(model / JSON, lambda document: document.update(pre_tokenizer=split_at("([a-z ]+)+§")))
    [finding] = judge(model, Depth.DEEP)
    assert isinstance(finding, Finding)
    assert finding.rule == "TOKEN030"
    assert "retry-limit" in finding.message


def test_trial_that_could_not_be_made_is_a_skip(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.model.tokenizer_trial._MEMORY", 16 << 20)
    [skip] = judge(model, Depth.DEEP)
    assert isinstance(skip, Skip)
    assert skip.what == "round trip of sample texts with tokenizer.json"


@pytest.fixture(scope="session")
def saved_tokenizers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tokenizers saved by transformers, each in a folder of its model type."""
    folder = tmp_path_factory.mktemp("saved_tokenizers")
    done = subprocess.run(
        [sys.executable, "-m", "support.saved_tokenizers", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", saved_tokenizer_classes.kinds())
def test_saved_by_transformers(name: str, saved_tokenizers: Path) -> None:
    assert judge(saved_tokenizers / name, Depth.DEEP) == []
