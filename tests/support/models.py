"""Tiny real models. Run as a script it saves those that need torch: `python models.py FOLDER`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXT = [
    "The quick brown fox jumps over the lazy dog.",
    "A model that nobody can load is not released.",
    "Was hilft ein Modell, das niemand laden kann?",
    "Checks come first, then the card, then one commit.",
    "good great fine lovely, bad poor awful terrible",
] * 20

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def wordpiece() -> Tokenizer:
    """A BERT tokenizer trained on `TEXT`."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        TEXT, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def bytelevel(special: Sequence[str] = ("<pad>", "<|endoftext|>", "<|im_start|>", "<|im_end|>")) -> Tokenizer:
    """A byte-level BPE tokenizer, by default with ChatML's tokens, trained on `TEXT`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(special),
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def bert_config(vocabulary: int) -> dict[str, Any]:
    """What save_pretrained writes for a tiny classifier, without torch."""
    return {
        "architectures": ["BertForSequenceClassification"],
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_size": 32,
        "id2label": {"0": "negative", "1": "positive"},
        "intermediate_size": 64,
        "label2id": {"negative": 0, "positive": 1},
        "max_position_embeddings": 64,
        "model_type": "bert",
        "num_attention_heads": 2,
        "num_hidden_layers": 1,
        "pad_token_id": 0,
        "transformers_version": "5.23.0",
        "type_vocab_size": 2,
        "vocab_size": vocabulary,
    }


def bert_tensors(vocabulary: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The tensors of `bert_config`."""
    hidden, wide = 32, 64
    shapes: dict[str, tuple[int, ...]] = {
        "bert.embeddings.word_embeddings.weight": (vocabulary, hidden),
        "bert.embeddings.position_embeddings.weight": (64, hidden),
        "bert.embeddings.token_type_embeddings.weight": (2, hidden),
        "bert.embeddings.LayerNorm.weight": (hidden,),
        "bert.embeddings.LayerNorm.bias": (hidden,),
        "bert.pooler.dense.weight": (hidden, hidden),
        "bert.pooler.dense.bias": (hidden,),
        "classifier.weight": (2, hidden),
        "classifier.bias": (2,),
    }
    layer = "bert.encoder.layer.0."
    for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
        shapes |= {f"{layer}{name}.weight": (hidden, hidden), f"{layer}{name}.bias": (hidden,)}
    shapes |= {f"{layer}intermediate.dense.weight": (wide, hidden), f"{layer}intermediate.dense.bias": (wide,)}
    shapes |= {f"{layer}output.dense.weight": (hidden, wide), f"{layer}output.dense.bias": (hidden,)}
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        shapes |= {f"{layer}{name}.weight": (hidden,), f"{layer}{name}.bias": (hidden,)}
    return {name: ("F32", shape) for name, shape in shapes.items()}


def save_plain(folder: Path) -> None:
    """A tiny BERT classifier with a trained tokenizer, saved without torch and transformers."""
    from support.weights import write_safetensors

    folder.mkdir()
    tokenizer = wordpiece()
    vocabulary = tokenizer.get_vocab_size()
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
    settings = {"tokenizer_class": "BertTokenizer", "model_max_length": 64, "do_lower_case": True}
    settings |= {f"{role}_token": token for role, token in special.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))
    (folder / "config.json").write_text(json.dumps(bert_config(vocabulary), indent=2))
    write_safetensors(folder / "model.safetensors", bert_tensors(vocabulary), filled=True)


def save_bert_classifier(folder: Path) -> None:
    """A tiny BERT classifier, by save_pretrained."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    tokenizer = BertTokenizer(tokenizer_object=wordpiece(), model_max_length=64)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        id2label={0: "negative", 1: "positive"},
        label2id={"negative": 0, "positive": 1},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def save_chat_lm(folder: Path, shard_size: str | None = None) -> None:
    """A tiny Llama with a ChatML template, by save_pretrained; sharded when `shard_size` is given."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytelevel(), pad_token="<pad>", bos_token="<|endoftext|>", eos_token="<|im_end|>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.chat_template = CHAT_TEMPLATE
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder, **({"max_shard_size": shard_size} if shard_size else {}))
    tokenizer.save_pretrained(folder)


def save_torch_files(folder: Path) -> None:
    """Harmless files as torch.save writes them: weights in both formats, optimizer, scheduler, random state."""
    import random

    import numpy
    import torch

    folder.mkdir()
    layer = torch.nn.Linear(3, 3)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    half = torch.nn.Linear(600, 600).bfloat16()
    torch.save(half.state_dict(), folder / "pytorch_model.bin")
    torch.save(half.state_dict(), folder / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    torch.save(scheduler.state_dict(), folder / "scheduler.pt")
    states = {"python": random.getstate(), "numpy": numpy.random.get_state(), "cpu": torch.random.get_rng_state()}
    torch.save(states, folder / "rng_state.pth")
    parameter = torch.nn.Parameter(torch.ones(2))
    torch.save({"p": parameter, "size": torch.Size([1]), "dtype": torch.float16}, folder / "mixed.pt")


def save_both_formats(folder: Path) -> None:
    """The classifier beside it also as pytorch_model.bin; one tensor lies transposed in memory there."""
    import shutil

    import torch
    from safetensors.torch import load_file

    shutil.copytree(folder.parent / "bert_classifier", folder)
    tensors = load_file(folder / "model.safetensors")
    query = "bert.encoder.layer.0.attention.self.query.weight"
    tensors[query] = tensors[query].t().contiguous().t()
    tensors["bert.embeddings.position_ids"] = torch.arange(64)[None]
    torch.save(tensors, folder / "pytorch_model.bin")


def main(folder: Path) -> None:
    """Save the models that need torch, each in a folder of its fixture's name."""
    import torch

    torch.manual_seed(0)
    save_bert_classifier(folder / "bert_classifier")
    save_both_formats(folder / "both_formats")
    save_chat_lm(folder / "chat_lm")
    save_chat_lm(folder / "chat_lm_sharded", "40KB")
    save_torch_files(folder / "torch_files")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
