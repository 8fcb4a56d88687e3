"""A chat model to try chat templates on, saved without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.models import CHAT_TEMPLATE, bytelevel
from support.weights import write_safetensors


def save_chat(folder: Path) -> None:
    """A Llama with ChatML's tokens and template: tokenizer, configs, and two tensors."""
    folder.mkdir()
    tokenizer = bytelevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<pad>"}
    settings["bos_token"] = "<|endoftext|>"
    vocabulary = tokenizer.get_vocab_size()
    config: dict[str, Any] = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": vocabulary}
    config |= {"hidden_size": 8, "eos_token_id": tokenizer.token_to_id("<|im_end|>"), "dtype": "float32"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    write_safetensors(folder / "model.safetensors", {"model.embed_tokens.weight": ("F32", (vocabulary, 8))})
