"""Defects of duplicates, adapters, GGUF files and cards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from support.corpus.code import ESCAPE
from support.corpus.controls import ADAPTER, BERT, BOTH, GGUF, SHARDED, gguf_model, gguf_shapes
from support.corpus.editing import (
    Change,
    Defect,
    Stored,
    cut,
    numbers,
    read_tensors,
    remove,
    replace,
    stored,
    tensors,
    with_json,
    write,
    write_tensors,
)
from support.corpus.weights import POINTER, SHARDS
from support.models import CHAT_TEMPLATE

SETTINGS, LORA, MODEL, CARD = "adapter_config.json", "adapter_model.safetensors", "model-f32.gguf", "README.md"
LORA_B = "base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight"
OTHER = "model.layers.0.mlp.up_proj.weight"


def other_values(found: dict[str, Stored], name: str) -> None:
    found[name] = stored(numbers(found[name]) + np.float32(0.25))


def single_beside_shards(folder: Path) -> None:
    found: dict[str, Stored] = {}
    for shard in SHARDS:
        found |= read_tensors(folder / shard)
    other_values(found, OTHER)
    write_tensors(folder / "model.safetensors", found)


def zero_b(found: dict[str, Stored]) -> None:
    for name, tensor in found.items():
        if ".lora_B." in name:
            found[name] = tensor._replace(data=bytes(len(tensor.data)))


def head_bytes(at: int, new: bytes) -> Change:
    def change(folder: Path) -> None:
        raw = (folder / MODEL).read_bytes()
        (folder / MODEL).write_bytes(raw[:at] + new + raw[at + len(new) :])

    return change


def overlapping(folder: Path) -> None:
    """The second tensor's data begins where the first one's does."""
    names = list(gguf_shapes(1))
    (folder / MODEL).write_bytes(gguf_model(offsets={names[1]: 0}))


DUPLICATES = {
    "l01": Defect(
        "pytorch_model.bin and model.safetensors differ in values",
        BOTH,
        tensors(lambda found: other_values(found, "bert.encoder.layer.0.attention.self.query.weight")),
    ),
    "l03": Defect("model.safetensors AND a sharded index, with different values", SHARDED, single_beside_shards),
}

ADAPTERS = {
    "m01": Defect(
        "adapter_config.json without base_model_name_or_path",
        ADAPTER,
        with_json(SETTINGS, base_model_name_or_path=None),
    ),
    "m02": Defect(
        "base_model_name_or_path is a local path",
        ADAPTER,
        with_json(SETTINGS, base_model_name_or_path="/home/jane/models/llama"),
    ),
    "m03": Defect("adapter_config r=8, lora_A has 4 rows", ADAPTER, with_json(SETTINGS, r=8)),
    "m04": Defect("every lora_B is zero", ADAPTER, tensors(zero_b, LORA)),
    "m05": Defect("a lora_A with no lora_B", ADAPTER, tensors(lambda found: found.pop(LORA_B), LORA)),
    "m07": Defect("adapter_model.safetensors without adapter_config.json", ADAPTER, remove(SETTINGS)),
}

GGUFS = {
    "n01": Defect("bad magic", GGUF, head_bytes(0, b"GGXF")),
    "n02": Defect("tensor data cut short", GGUF, cut(MODEL, 4000)),
    "n03": Defect("tensor count 2^60", GGUF, head_bytes(8, (1 << 60).to_bytes(8, "little"))),
    "n04": Defect(
        "an SSTI payload in tokenizer.chat_template",
        GGUF,
        lambda folder: (folder / MODEL).write_bytes(gguf_model(template=ESCAPE + CHAT_TEMPLATE)),
    ),
    "n05": Defect("two tensors' data overlap", GGUF, overlapping),
    "n06": Defect("version 99", GGUF, head_bytes(4, (99).to_bytes(4, "little"))),
    "n07": Defect("a git-LFS pointer in place of the GGUF", GGUF, write(MODEL, POINTER)),
}


def without_front_matter(folder: Path) -> None:
    _, _, body = (folder / CARD).read_text().removeprefix("---\n").partition("\n---\n")
    (folder / CARD).write_text(body.lstrip())


CARDS = {
    "o01": Defect("no README.md", BERT, remove(CARD)),
    "o02": Defect("the front matter is not YAML", BERT, replace(CARD, "license: apache-2.0", "license: [apache-2.0")),
    "o03": Defect("no licence in the metadata", BERT, replace(CARD, "license: apache-2.0\n", "")),
    "o04": Defect("license: apache2", BERT, replace(CARD, "license: apache-2.0", "license: apache2")),
    "o05": Defect("README.md has 0 bytes", BERT, write(CARD, "")),
    "o06": Defect("no YAML front matter", BERT, without_front_matter),
    "o07": Defect(
        "pipeline_tag is not one that the Hub knows", BERT, replace(CARD, ": text-class", ": sentence-class")
    ),
    "o08": Defect(
        "base_model is a local path", BERT, replace(CARD, "tags:\n", "base_model: /home/jane/models/bert\ntags:\n")
    ),
    "o09": Defect(
        "the template's [More Information Needed] left in",
        BERT,
        replace(CARD, "## Training procedure\n\n", "## Training procedure\n\n[More Information Needed]\n\n"),
    ),
    "o10": Defect("language: english", BERT, replace(CARD, "language:\n- en\n", "language: english\n")),
}
