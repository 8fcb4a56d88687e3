"""Tokenizers as save_pretrained of transformers writes them, beside the configuration of their model.

Run as a module with the folder to write to: transformers is imported in a process of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from support.models import bytelevel, wordpiece
from support.tokenizer_kinds import byte_fallback, unigram

ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
FIRST = {"bos_token_id": 0, "eos_token_id": 0}


def main(folder: Path) -> None:
    """Write one folder for each class, named by the model type."""
    import transformers

    for name, (class_name, arguments, architecture, ids) in kinds().items():
        tokenizer = getattr(transformers, class_name)(**arguments)
        settings = {"vocab_size": len(tokenizer), "architectures": [architecture], **ids}
        transformers.AutoConfig.for_model(name, **settings).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        loaded = transformers.AutoTokenizer.from_pretrained(folder / name)
        assert len(loaded) == len(tokenizer), name


def kinds() -> dict[str, tuple[str, dict[str, Any], str, dict[str, int]]]:
    """Model type: tokenizer class, its arguments, the model's class, and ids of its configuration."""
    words = {"vocab": model(wordpiece())["vocab"]}
    pieces = model(byte_fallback())
    llama = {"vocab": pieces["vocab"], "merges": pairs(pieces)}
    rest = [token for token in pieces["vocab"] if token not in ("<unk>", "<s>", "</s>")]
    gemma = {token: number for number, token in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *rest])}
    qwen = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    whisper = {"pad_token_id": 0, "decoder_start_token_id": 1}
    return {
        "bert": ("BertTokenizer", words, "BertForMaskedLM", {}),
        "distilbert": ("DistilBertTokenizer", words, "DistilBertForSequenceClassification", {}),
        "electra": ("BertTokenizer", words, "ElectraForPreTraining", {}),
        "roberta": ("RobertaTokenizer", bytes_with(*ROBERTA), "RobertaForSequenceClassification", {}),
        "bart": ("BartTokenizer", bytes_with(*ROBERTA), "BartForConditionalGeneration", {}),
        "gpt2": ("GPT2Tokenizer", bytes_with("<|endoftext|>"), "GPT2LMHeadModel", FIRST),
        "gpt_neox": ("GPTNeoXTokenizer", bytes_with("<|endoftext|>", "<|padding|>"), "GPTNeoXForCausalLM", FIRST),
        "qwen2": ("Qwen2Tokenizer", bytes_with(*qwen), "Qwen2ForCausalLM", FIRST),
        "whisper": ("WhisperTokenizer", bytes_with(*qwen), "WhisperForConditionalGeneration", FIRST | whisper),
        "llama": ("LlamaTokenizer", llama, "LlamaForCausalLM", {}),
        "gemma": ("GemmaTokenizer", {"vocab": gemma, "merges": pairs(pieces)}, "GemmaForCausalLM", {}),
        "t5": ("T5Tokenizer", pieces_with("<pad>", "</s>", "<unk>"), "T5ForConditionalGeneration", {}),
        "pegasus": ("PegasusTokenizer", pieces_with("<pad>", "</s>", "<unk>"), "PegasusForConditionalGeneration", {}),
        "xlm-roberta": ("XLMRobertaTokenizer", pieces_with(*ROBERTA), "XLMRobertaForMaskedLM", {}),
        "mbart": ("MBartTokenizer", pieces_with(*ROBERTA[:4]), "MBartForConditionalGeneration", {}),
        "albert": (
            "AlbertTokenizer",
            pieces_with("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"),
            "AlbertForMaskedLM",
            {},
        ),
        "deberta-v2": (
            "DebertaV2Tokenizer",
            pieces_with("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"),
            "DebertaV2ForSequenceClassification",
            {},
        ),
        "clip_text_model": ("CLIPTokenizer", clip(), "CLIPTextModel", {}),
    }


def model(tokenizer: Any) -> dict[str, Any]:
    """The model of a tokenizer.json."""
    found: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return found


def pairs(document: dict[str, Any]) -> list[tuple[str, ...]]:
    """Merges as the classes take them."""
    return [tuple(merge) for merge in document["merges"]]


def bytes_with(*special: str) -> dict[str, Any]:
    """A byte-level vocabulary behind these tokens."""
    document = model(bytelevel())
    rest = [token for token in document["vocab"] if not (token.startswith("<") and len(token) > 2)]
    return {"vocab": {token: number for number, token in enumerate([*special, *rest])}, "merges": pairs(document)}


def pieces_with(*special: str) -> dict[str, Any]:
    """Unigram pieces behind these tokens."""
    rest = [tuple(piece) for piece in model(unigram())["vocab"] if not piece[0].startswith("<")]
    return {"vocab": [*((token, 0.0) for token in special), *rest]}


def clip() -> dict[str, Any]:
    """Letters, each within and at the end of a word."""
    letters = [token for token in model(bytelevel())["vocab"] if len(token) == 1]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return {"vocab": {token: number for number, token in enumerate(tokens)}, "merges": []}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
