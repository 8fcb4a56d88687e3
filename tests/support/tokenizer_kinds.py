"""Tokenizers of every algorithm, made in a moment with the tokenizers library, and changes to saved ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.models import CHAT_TEMPLATE, TEXT, bytelevel, wordpiece
from support.weights import write_safetensors
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON file in place."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def grow_vocabulary(folder: Path, size: int) -> None:
    """Add words to tokenizer.json until it has `size` tokens."""

    def grow(document: dict[str, Any]) -> None:
        vocabulary = document["model"]["vocab"]
        vocabulary |= {f"word{number}": number for number in range(len(vocabulary), size)}

    edit(folder / "tokenizer.json", grow)


def byte_fallback() -> Tokenizer:
    """A BPE as of Llama 2: spaces become ▁, and bytes stand for what is unknown."""
    special = ["<unk>", "<s>", "</s>"]
    pieces = [*special, *(f"<0x{byte:02X}>" for byte in range(256))]
    letters = sorted({letter for line in TEXT for letter in line.replace(" ", "▁")})
    vocabulary = {piece: number for number, piece in enumerate([*pieces, *letters])}
    merges = []
    for pair in (("t", "h"), ("th", "e"), ("▁", "the"), ("i", "n")):
        if set(pair) <= vocabulary.keys():
            vocabulary["".join(pair)] = len(vocabulary)
            merges.append(pair)
    model = models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def unigram() -> Tokenizer:
    """A Unigram as of T5 and XLM-R."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer


def word_level(words: list[str] | None = None) -> Tokenizer:
    """Whole words; of the words given, or of those in `TEXT`."""
    found = words or sorted({word for line in TEXT for word in line.split()})
    vocabulary = {word: number for number, word in enumerate(["<pad>", "<unk>", *found])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<pad>", "<unk>"])
    return tokenizer


def amino_acids() -> Tokenizer:
    """A letter for each amino acid: to it English is all unknown, and rightly so."""
    tokenizer = word_level(list("ACDEFGHIKLMNPQRSTVWY"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return tokenizer


def characters() -> Tokenizer:
    """A BPE without merges: a token for each character."""
    letters = sorted({letter for line in TEXT for letter in line})
    vocabulary = {letter: number for number, letter in enumerate(["<pad>", "<unk>", *letters])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.add_special_tokens(["<pad>", "<unk>"])
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


BUILT: dict[str, Callable[[], Tokenizer]] = {
    "byte-level BPE": bytelevel,
    "BPE with byte fallback": byte_fallback,
    "WordPiece": wordpiece,
    "Unigram": unigram,
    "WordLevel": word_level,
    "amino acids": amino_acids,
    "characters": characters,
}
"""Makers of sound tokenizers, by what they are."""


def saved(folder: Path, tokenizer: Tokenizer, **settings: Any) -> Path:
    """A folder that holds the tokenizer alone, as PreTrainedTokenizerFast saves it."""
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast"} | settings
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def save_chat(folder: Path) -> Path:
    """A tiny Llama with a ChatML template, written without torch: eos_token is "<|im_end|>"."""
    tokenizer = bytelevel()
    size = tokenizer.get_vocab_size()
    roles = {"pad_token": "<pad>", "bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"}
    saved(folder, tokenizer, **roles, model_max_length=128)
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 3}
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": size, "hidden_size": 8}
    (folder / "config.json").write_text(json.dumps(config | ids))
    (folder / "generation_config.json").write_text(json.dumps(ids))
    write_safetensors(folder / "model.safetensors", {"model.embed_tokens.weight": ("F32", (size, 8))})
    return folder
