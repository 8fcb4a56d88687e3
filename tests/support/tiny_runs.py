"""Folders as people leave them after training, made by real, tiny runs: `python tiny_runs.py FOLDER`.

Everything is offline: the tokenizers are trained on the spot, the models begin with random weights or with those of a
run before. Below FOLDER are then

- `acme/tiny-bert` and `acme/tiny-base`, a masked and a causal language model that others are fine-tuned from: their id
  is what those name as their base model,
- one folder per run, named as in `RUNS`,
- `data/NAME`, what the run was trained on, where that was files.

Those in `RECORDED` were trained with hubpub's own callback.
"""

from __future__ import annotations

import csv
import os
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # before transformers reads them
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from support.models import CHAT_TEMPLATE
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

BERT, BASE = "acme/tiny-bert", "acme/tiny-base"

GOOD = ("good", "great", "lovely", "fine", "wonderful")
BAD = ("bad", "poor", "awful", "boring", "terrible")
THINGS = ("film", "book", "song", "meal", "trip", "game", "play", "tour")
NAMES = ("Ada", "Alan", "Grace", "Emmy", "Carl", "Marie")
CITIES = ("London", "Paris", "Berlin", "Oslo", "Rome", "Madrid")
COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}
TAGS = ("O", "B-PER", "B-LOC")

REVIEWS = [
    (f"The {thing} was {word}.", label) for label, words in enumerate((BAD, GOOD)) for word in words for thing in THINGS
]
TRAVELS = [(name, city, f"{name} was born in {city} .") for name in NAMES for city in CITIES]
QUESTIONS = [(f"Where was {name} born?", f"{name} was born in {city}.") for name, city, _ in TRAVELS[::5]]
TEXTS = [text for text, _ in REVIEWS] + [text for *_, text in TRAVELS] + [part for pair in QUESTIONS for part in pair]


def wordpiece() -> Any:
    """A tokenizer for BERT, trained on the texts."""
    from transformers import BertTokenizer

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    return BertTokenizer(tokenizer_object=tokenizer, model_max_length=64)


def bytelevel(special: Sequence[str], ending: str | None = None, **roles: str) -> Any:
    """A byte-level BPE tokenizer, trained on the texts.

    Args:
        special: its special tokens, in order.
        ending: the token that ends every text.
        roles: `pad_token` and the like.
    """
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=450, special_tokens=list(special), show_progress=False, initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    if ending:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {ending}", pair=f"$A {ending} $B {ending}", special_tokens=[(ending, special.index(ending))]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128, **roles)


def arguments(folder: Path, cls: Any = None, **changes: Any) -> Any:
    """Training arguments for seconds on a CPU."""
    from transformers import TrainingArguments

    settings: dict[str, Any] = {
        "output_dir": str(folder),
        "per_device_train_batch_size": 16,
        "per_device_eval_batch_size": 16,
        "num_train_epochs": 4,
        "learning_rate": 3e-3,
        "logging_steps": 5,
        "eval_strategy": "epoch",
        "save_strategy": "no",
        "seed": 7,
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
        "dataloader_pin_memory": False,
    }
    return (cls or TrainingArguments)(**(settings | changes))


def finish(trainer: Any) -> None:
    """Train, evaluate, and save all that the example scripts of transformers save."""
    result = trainer.train()
    trainer.save_model()
    metrics = result.metrics | {"train_samples": len(trainer.train_dataset)}
    trainer.log_metrics("train", metrics)
    trainer.save_metrics("train", metrics)
    trainer.save_state()
    metrics = trainer.evaluate() | {"eval_samples": len(trainer.eval_dataset)}
    trainer.log_metrics("eval", metrics)
    trainer.save_metrics("eval", metrics)


def recorded(base_model: str | None = None, **data: Any) -> list[Any]:
    """The callback that records a run for its card.

    Args:
        base_model: the id of the repo that the folder stands for from which the weights were loaded.
        data: the data by split, as they are before they become tensors; nothing for those that the Trainer has.
    """
    from hubpub.training import CardCallback

    return [CardCallback(base_model=base_model, data=data or None)]


def halves(rows: Sequence[Any], share: float = 0.75) -> tuple[list[Any], list[Any]]:
    """Rows to train on and rows to evaluate on."""
    mixed = list(rows)
    random.Random(7).shuffle(mixed)
    return mixed[: int(len(mixed) * share)], mixed[int(len(mixed) * share) :]


def small_bert(vocabulary: int) -> Any:
    """The configuration of a BERT of some 20,000 parameters."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=0,
    )


def masked_lm(folder: Path) -> None:
    """A BERT that fills masks; `acme/tiny-bert`."""
    from datasets import Dataset
    from transformers import BertForMaskedLM, DataCollatorForLanguageModeling, Trainer

    tokenizer = wordpiece()
    train, evaluation = (Dataset.from_list([dict(tokenizer(text)) for text in part]) for part in halves(TEXTS))
    finish(
        Trainer(
            BertForMaskedLM(small_bert(len(tokenizer))),
            arguments(folder),
            DataCollatorForLanguageModeling(tokenizer),
            train_dataset=train,
            eval_dataset=evaluation,
            processing_class=tokenizer,
        )
    )


def text_classifier(folder: Path) -> None:
    """A classifier of reviews, fine-tuned from `acme/tiny-bert` on CSV files; the best of its checkpoints."""
    from datasets import load_dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding, Trainer

    files = {}
    for split, rows in zip(("train", "validation"), halves(REVIEWS), strict=True):
        files[split] = f"data/{folder.name}/{split}.csv"
        with Path(files[split]).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
    tokenizer = AutoTokenizer.from_pretrained(BERT)
    data = load_dataset("csv", data_files=files).map(
        lambda rows: tokenizer(rows["text"], truncation=True), batched=True
    )
    names = {0: "negative", 1: "positive"}
    model = AutoModelForSequenceClassification.from_pretrained(
        BERT, num_labels=2, id2label=names, label2id={name: number for number, name in names.items()}
    )
    best = {"save_strategy": "epoch", "save_total_limit": 1, "load_best_model_at_end": True}
    longer = {"num_train_epochs": 20, "per_device_train_batch_size": 8, "learning_rate": 1e-3}
    trainer = Trainer(
        model,
        arguments(folder, metric_for_best_model="accuracy", **best, **longer),
        DataCollatorWithPadding(tokenizer),
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        processing_class=tokenizer,
        compute_metrics=lambda output: {
            "accuracy": float((output.predictions.argmax(-1) == output.label_ids).mean()),
        },
        callbacks=recorded(BERT),
    )
    finish(trainer)


def token_classifier(folder: Path) -> None:
    """A tagger of names and places, fine-tuned from `acme/tiny-bert` on a data set saved by save_to_disk."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value, load_from_disk
    from transformers import AutoModelForTokenClassification, AutoTokenizer, DataCollatorForTokenClassification, Trainer

    features = Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=list(TAGS)))})
    rows = [{"tokens": text.split(), "ner_tags": ["B-PER", "O", "O", "O", "B-LOC", "O"]} for *_, text in TRAVELS]
    saved = DatasetDict(
        {
            split: Dataset.from_list(part, features=features)
            for split, part in zip(("train", "validation"), halves(rows), strict=True)
        }
    )
    saved.save_to_disk(f"data/{folder.name}")
    tokenizer = AutoTokenizer.from_pretrained(BERT)

    def encode(row: dict[str, Any]) -> dict[str, Any]:
        encoded = tokenizer(row["tokens"], is_split_into_words=True)
        words, labels = encoded.word_ids(), []
        for at, word in enumerate(words):
            first = word is not None and words[at - 1] != word
            labels.append(row["ner_tags"][word] if first else -100)
        return {**encoded, "labels": labels}

    def accuracy(output: Any) -> dict[str, float]:
        counted = output.label_ids != -100
        return {"accuracy": float((output.predictions.argmax(-1) == output.label_ids)[counted].mean())}

    data = load_from_disk(f"data/{folder.name}").map(encode)
    trainer = Trainer(
        AutoModelForTokenClassification.from_pretrained(
            BERT, id2label=dict(enumerate(TAGS)), label2id={tag: number for number, tag in enumerate(TAGS)}
        ),
        arguments(folder),
        DataCollatorForTokenClassification(tokenizer),
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        processing_class=tokenizer,
        compute_metrics=accuracy,
        callbacks=recorded(BERT, **saved),
    )
    finish(trainer)


def _llama(tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
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
    )


def _language_model(
    folder: Path, model: Any, tokenizer: Any, texts: Sequence[str], callbacks: Sequence[Any] = (), **changes: Any
) -> None:
    from datasets import Dataset
    from transformers import DataCollatorForLanguageModeling, Trainer

    train, evaluation = (Dataset.from_list([dict(tokenizer(text)) for text in part]) for part in halves(texts))
    trainer = Trainer(
        model,
        arguments(folder, **changes),
        DataCollatorForLanguageModeling(tokenizer, mlm=False),
        train_dataset=train,
        eval_dataset=evaluation,
        processing_class=tokenizer,
        callbacks=list(callbacks),
    )
    finish(trainer)


def causal_lm(folder: Path) -> None:
    """A Llama without a chat template; `acme/tiny-base`."""
    roles = {"pad_token": "<pad>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}
    tokenizer = bytelevel(("<pad>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"), "<|endoftext|>", **roles)
    _language_model(folder, _llama(tokenizer), tokenizer, TEXTS)


def chat_lm(folder: Path) -> None:
    """A Llama trained on conversations in its chat template."""
    import json

    tokenizer = bytelevel(
        ("<pad>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        pad_token="<pad>",
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    roles = ("user", "assistant")
    chats = [
        [{"role": role, "content": text} for role, text in zip(roles, pair, strict=True)] for pair in QUESTIONS * 4
    ]
    lines = "".join(json.dumps({"messages": chat}) + "\n" for chat in chats)
    Path(f"data/{folder.name}/train.jsonl").write_text(lines, encoding="utf-8")
    texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    _language_model(folder, _llama(tokenizer), tokenizer, texts, num_train_epochs=12)


def adapter(folder: Path) -> None:
    """A LoRA adapter for `acme/tiny-base`."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    settings = LoraConfig(
        task_type="CAUSAL_LM", r=4, lora_alpha=8, lora_dropout=0.05, target_modules=["q_proj", "v_proj"]
    )
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(BASE), settings)
    texts = [text for *_, text in TRAVELS]
    _language_model(folder, model, AutoTokenizer.from_pretrained(BASE), texts, callbacks=recorded())


def seq2seq(folder: Path) -> None:
    """A T5 that says where somebody was born."""
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = bytelevel(("<pad>", "</s>", "<unk>"), "</s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_ff=64,
        d_kv=8,
        num_layers=2,
        num_heads=4,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    _sequence_model(folder, T5ForConditionalGeneration(config), tokenizer)


def bart(folder: Path) -> None:
    """A BART that says where somebody was born."""
    from transformers import BartConfig, BartForConditionalGeneration

    roles = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>"}
    tokenizer = bytelevel(("<s>", "<pad>", "</s>"), "</s>", **roles)
    config = BartConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=128,
        forced_eos_token_id=None,
    )
    _sequence_model(folder, BartForConditionalGeneration(config), tokenizer)


def _sequence_model(folder: Path, model: Any, tokenizer: Any) -> None:
    from datasets import Dataset
    from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments

    rows = [dict(tokenizer(text, text_target=f"born in {city}")) for _, city, text in TRAVELS]
    train, evaluation = map(Dataset.from_list, halves(rows))

    def exact(output: Any) -> dict[str, float]:
        labels = output.label_ids
        labels[labels == -100] = tokenizer.pad_token_id
        predictions = output.predictions
        predictions[predictions == -100] = tokenizer.pad_token_id
        pairs = zip(
            *(tokenizer.batch_decode(ids, skip_special_tokens=True) for ids in (predictions, labels)), strict=True
        )
        return {"exact_match": sum(said == wanted for said, wanted in pairs) / len(labels)}

    how = {"predict_with_generate": True, "generation_max_length": 12, "eval_strategy": "no", "num_train_epochs": 40}
    finish(
        Seq2SeqTrainer(
            model,
            arguments(folder, Seq2SeqTrainingArguments, **how),
            DataCollatorForSeq2Seq(tokenizer, model),
            train_dataset=train,
            eval_dataset=evaluation,
            processing_class=tokenizer,
            compute_metrics=exact,
            callbacks=recorded(),
        )
    )


def embedder(folder: Path) -> None:
    """A sentence-transformers model, fine-tuned from `acme/tiny-bert` on pairs of reviews, saved as it saves itself."""
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
    from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

    pairs = [
        {"sentence1": one, "sentence2": two, "score": float(label == other)}
        for (one, label), (two, other) in zip(REVIEWS, REVIEWS[::-1][7:] + REVIEWS[:7], strict=True)
    ]
    train, evaluation = map(Dataset.from_list, halves(pairs))
    model = SentenceTransformer(BERT, device="cpu")
    evaluator = EmbeddingSimilarityEvaluator(
        evaluation["sentence1"], evaluation["sentence2"], evaluation["score"], name="reviews"
    )
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments(folder, SentenceTransformerTrainingArguments, num_train_epochs=2),
        train_dataset=train,
        eval_dataset=evaluation,
        loss=CosineSimilarityLoss(model),
        evaluator=evaluator,
        callbacks=recorded(BERT),
    )
    finish(trainer)


def image_classifier(folder: Path) -> None:
    """A ViT that tells colours apart, on generated pictures in folders named after their label."""
    import numpy
    from datasets import load_dataset
    from PIL import Image
    from transformers import AutoImageProcessor, Trainer, ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    noise = numpy.random.default_rng(7)
    for name, colour in COLOURS.items():
        for number in range(16):
            split = "validation" if number % 4 == 0 else "train"
            pixels = numpy.clip(noise.normal(colour, 25, (32, 32, 3)), 0, 255).astype("uint8")
            path = Path(f"data/{folder.name}/{split}/{name}/{number:02}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    processor = ViTImageProcessorPil(size={"height": 32, "width": 32})
    data = load_dataset("imagefolder", data_dir=f"data/{folder.name}")
    names = data["train"].features["label"].names
    config = ViTConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )

    def pixel_values(rows: dict[str, Any]) -> dict[str, Any]:
        pictures = [picture.convert("RGB") for picture in rows["image"]]
        return {"pixel_values": processor(pictures, return_tensors="pt")["pixel_values"], "labels": rows["label"]}

    trainer = Trainer(
        ViTForImageClassification(config),
        arguments(folder, remove_unused_columns=False),
        train_dataset=data["train"].with_transform(pixel_values),
        eval_dataset=data["validation"].with_transform(pixel_values),
        processing_class=processor,
        compute_metrics=lambda output: {
            "accuracy": float((output.predictions.argmax(-1) == output.label_ids).mean()),
        },
    )
    finish(trainer)
    assert AutoImageProcessor.from_pretrained(folder).size["height"] == 32


# In this order, as some begin with the weights of others.
RUNS: dict[str, Callable[[Path], None]] = {
    BERT: masked_lm,
    BASE: causal_lm,
    "text_classifier": text_classifier,
    "token_classifier": token_classifier,
    "chat_lm": chat_lm,
    "adapter": adapter,
    "seq2seq": seq2seq,
    "bart": bart,
    "embedder": embedder,
    "image_classifier": image_classifier,
}


RECORDED = ("text_classifier", "token_classifier", "adapter", "seq2seq", "bart", "embedder")


def main(root: Path) -> None:
    """Train all of them below `root`."""
    import torch
    import transformers

    torch.set_num_threads(1)
    os.chdir(root)  # where `acme/tiny-bert` is both a folder and the id that the models' files name
    for name, train in RUNS.items():
        transformers.set_seed(7)
        if "/" not in name:
            Path("data", name).mkdir(parents=True)
        train(Path(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
