"""Sound model folders to put one defect into. Run as a script it saves them: `python controls.py FOLDER`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from support import models
from support.corpus.editing import Stored, write_tensors
from support.formats import GgufTensors, gguf

BERT, MASKED_LM, CHAT, SHARDED = "bert_classifier", "bert_masked_lm", "chat_llama", "chat_llama_sharded"
BF16, GPT2, ADAPTER, GGUF = "chat_llama_bf16", "gpt2", "lora_adapter", "gguf"
BIN, BOTH = "torch_bin", "safetensors_and_bin"
CONTROLS = (BERT, MASKED_LM, CHAT, SHARDED, BF16, GPT2, ADAPTER, GGUF, BIN, BOTH)

TRAINING = "training_files"
"""Beside the controls: what a trainer leaves in a folder. It is no model."""

RANK = 4

_CARD = """---
license: apache-2.0
language:
- en
tags:
- tests
{metadata}
---

# Acme {title}

## Model description

A {title} that is small enough to be saved, changed and checked in a few milliseconds; it was never trained on data.

## Intended uses & limitations

It is meant for tests of programs that read model folders, and for nothing else: its answers are random numbers.

## How to use

```{language}
{snippet}
```

## Limitations and bias

Its weights are random, so that whatever it says of a text, of people or of anything else means nothing at all.

## Training data

None: the weights are the random numbers that its configuration gives them, and the tokenizer saw 12 sentences.

## Training procedure

It was not trained. The weights were drawn once from a normal distribution with the seed 0, and saved as they are.

## Evaluation results

| data set | accuracy |
|---|---|
| twelve sentences of the tests | 0.50 |
"""


def save_controls(folder: Path) -> None:
    """Save every control in a folder of its name, in a process of its own: it needs torch."""
    done = subprocess.run([sys.executable, __file__, folder], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr


def write_card(folder: Path, title: str, snippet: str, language: str = "python", **metadata: str) -> None:
    """A card with which nothing is wrong."""
    lines = "\n".join(f"{key}: {value}" for key, value in metadata.items())
    (folder / "README.md").write_text(_CARD.format(title=title, snippet=snippet, language=language, metadata=lines))


def _card(folder: Path, title: str, task: str) -> None:
    snippet = f'from transformers import pipeline\n\nask = pipeline("{task}", model="acme/{folder.name}")'
    write_card(folder, title, snippet, library_name="transformers", pipeline_tag=task)


def save_berts(folder: Path) -> None:
    """A classifier with three labels and a masked language model."""
    from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertTokenizer

    tokenizer = BertTokenizer(tokenizer_object=models.wordpiece(), model_max_length=64)
    labels = ("negative", "neutral", "positive")
    settings = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
    }
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: at for at, label in enumerate(labels)}}
    BertForSequenceClassification(BertConfig(**settings, **named)).save_pretrained(folder / BERT)
    BertForMaskedLM(BertConfig(**settings)).save_pretrained(folder / MASKED_LM)
    for name in (BERT, MASKED_LM):
        tokenizer.save_pretrained(folder / name)
    _card(folder / BERT, "classifier", "text-classification")
    _card(folder / MASKED_LM, "masked language model", "fill-mask")


def save_llamas(folder: Path) -> None:
    """An untied chat model: in one file, in shards, and in bfloat16."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=models.bytelevel(),
        pad_token="<pad>",
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
        model_max_length=128,
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    tokenizer.chat_template = models.CHAT_TEMPLATE
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
    model.save_pretrained(folder / CHAT)
    model.save_pretrained(folder / SHARDED, max_shard_size="40KB")
    model.to(torch.bfloat16).save_pretrained(folder / BF16)
    for name in (CHAT, SHARDED, BF16):
        tokenizer.save_pretrained(folder / name)
        _card(folder / name, "chat model", "text-generation")


def save_gpt2(folder: Path) -> None:
    """A GPT-2, whose linear layers store [in, out], with tied embeddings and no chat."""
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

    end = "<|endoftext|>"
    backend = models.bytelevel((end,))
    tokenizer = GPT2Tokenizer(
        tokenizer_object=backend, bos_token=end, eos_token=end, unk_token=end, model_max_length=64
    )
    at = tokenizer.eos_token_id
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=at, eos_token_id=at
    )
    GPT2LMHeadModel(config).save_pretrained(folder / GPT2)
    tokenizer.save_pretrained(folder / GPT2)
    _card(folder / GPT2, "language model", "text-generation")


def save_torch_copies(folder: Path) -> None:
    """The classifier as pytorch_model.bin alone, and as both."""
    import torch
    from safetensors.torch import load_file

    for name in (BIN, BOTH):
        shutil.copytree(folder / BERT, folder / name)
        torch.save(load_file(folder / BERT / "model.safetensors"), folder / name / "pytorch_model.bin")
    (folder / BIN / "model.safetensors").unlink()


def save_training_files(folder: Path) -> None:
    """What transformers' Trainer leaves beside a model."""
    import torch
    from transformers import TrainingArguments

    (folder / TRAINING).mkdir()
    layer = torch.nn.Linear(4, 4)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    arguments = object.__new__(TrainingArguments)  # its constructor asks for accelerate
    arguments.__dict__.update(output_dir="out", learning_rate=2e-5, num_train_epochs=3)
    states = {"python": (3, (1, 2, 3), None), "cpu": torch.random.get_rng_state()}
    for name, what in {
        "optimizer.pt": optimizer.state_dict(),
        "scheduler.pt": scheduler.state_dict(),
        "rng_state.pth": states,
        "training_args.bin": arguments,
    }.items():
        torch.save(what, folder / TRAINING / name)


def save_adapter(folder: Path) -> None:
    """A LoRA adapter for the attention of a Llama, as peft lays it out."""
    target = folder / ADAPTER
    target.mkdir()
    numbers = np.random.default_rng(0)
    tensors = {}
    for layer in range(2):
        for name, rows in (("q_proj", 32), ("v_proj", 16)):
            stem = f"base_model.model.model.layers.{layer}.self_attn.{name}.lora_"
            for part, shape in (("A", (RANK, 32)), ("B", (rows, RANK))):
                data = numbers.normal(0, 0.02, shape).astype("<f4").tobytes()
                tensors[f"{stem}{part}.weight"] = Stored("F32", shape, data)
    write_tensors(target / "adapter_model.safetensors", tensors)
    settings: dict[str, Any] = {
        "alpha_pattern": {},
        "auto_mapping": None,
        "base_model_name_or_path": "acme/chat_llama",
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "lora_alpha": 16,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "peft_version": "0.21.2",
        "r": RANK,
        "rank_pattern": {},
        "revision": None,
        "target_modules": ["q_proj", "v_proj"],
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": False,
    }
    (target / "adapter_config.json").write_text(json.dumps(settings, indent=2))
    snippet = (
        "# pip install peft\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
        'base = AutoModelForCausalLM.from_pretrained("acme/chat_llama")\n'
        'model = PeftModel.from_pretrained(base, "acme/lora_adapter")'
    )
    task = "text-generation"
    base = {"base_model": "acme/chat_llama", "base_model_relation": "adapter"}
    write_card(target, "adapter", snippet, library_name="peft", pipeline_tag=task, **base)


def save_gguf(folder: Path) -> None:
    """A Llama of one block as llama.cpp converts it, with tokenizer and chat template."""
    target = folder / GGUF
    target.mkdir()
    (target / "model-f32.gguf").write_bytes(gguf_model())
    task = "text-generation"
    write_card(target, "chat model for llama.cpp", "llama-cli --model model-f32.gguf", "bash", pipeline_tag=task)


def gguf_model(**changes: Any) -> bytes:
    """The file of the GGUF control; `changes` are arguments of `gguf`, and `template`, the chat template."""
    template = changes.pop("template", models.CHAT_TEMPLATE)
    shapes = gguf_shapes(len(_vocabulary()))
    values = np.random.default_rng(0).normal(0, 0.02, sum(int(np.prod(shape)) for _, shape in shapes.values()))
    head = gguf(shapes, _gguf_metadata(template), **changes, data=False)
    return head + values.astype("<f4").tobytes()


def gguf_shapes(vocabulary: int) -> GgufTensors:
    """The tensors of the GGUF control, the fastest dimension first; each has a multiple of 32 bytes."""
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (32, vocabulary), "output_norm.weight": (32,)}
    block = {"attn_q": (32, 32), "attn_k": (32, 16), "attn_v": (32, 16), "attn_output": (32, 32), "attn_norm": (32,)}
    block |= {"ffn_gate": (32, 64), "ffn_up": (32, 64), "ffn_down": (64, 32), "ffn_norm": (32,)}
    shapes |= {f"blk.0.{name}.weight": shape for name, shape in block.items()}
    return {name: ("F32", shape) for name, shape in (shapes | {"output.weight": (32, vocabulary)}).items()}


def _vocabulary() -> list[str]:
    ids = models.bytelevel().get_vocab()
    return sorted(ids, key=ids.__getitem__)


def _merges() -> Sequence[str]:
    pairs = json.loads(models.bytelevel().to_str())["model"]["merges"]
    return [" ".join(pair) for pair in pairs]


def _gguf_metadata(template: str) -> dict[str, Any]:
    tokens = _vocabulary()
    return {
        "general.architecture": "llama",
        "general.name": "Acme chat model",
        "llama.block_count": 1,
        "llama.context_length": 128,
        "llama.embedding_length": 32,
        "llama.feed_forward_length": 64,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.attention.layer_norm_rms_epsilon": 1e-6,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.merges": _merges(),
        "tokenizer.ggml.bos_token_id": tokens.index("<|endoftext|>"),
        "tokenizer.ggml.eos_token_id": tokens.index("<|im_end|>"),
        "tokenizer.ggml.padding_token_id": tokens.index("<pad>"),
        "tokenizer.chat_template": template,
    }


def main(folder: Path) -> None:
    """Save them all."""
    import torch

    torch.manual_seed(0)
    for save in (save_berts, save_llamas, save_gpt2, save_torch_copies, save_training_files, save_adapter, save_gguf):
        save(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
