"""What a card's text says of the training: hyper-parameters, versions, hardware and time.

Two kinds of facts. A `Stated` value stands behind its name, in a bullet, a row of a table or an assignment, so that it
can be compared and corrected. The questions below (`names_hardware`, ...) ask whether a card mentions a thing at all,
in whatever words and also in code: they err on the side of yes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from hubpub.card.document import Card
from hubpub.card.parts import bare, part
from hubpub.card.tables import tables
from hubpub.core.pattern import Pattern

# A label, as transformers, sentence-transformers, TRL and people write it -> the argument of TrainingArguments.
_LABELS = {
    "learning_rate": "learning_rate",
    "lr": "learning_rate",
    "peak_learning_rate": "learning_rate",
    "train_batch_size": "train_batch_size",
    "per_device_train_batch_size": "per_device_train_batch_size",
    "per_device_batch_size": "per_device_train_batch_size",
    "batch_size_per_device": "per_device_train_batch_size",
    "batch_size": "batch_size",
    "training_batch_size": "batch_size",
    "eval_batch_size": "eval_batch_size",
    "per_device_eval_batch_size": "per_device_eval_batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "gradient_accumulation": "gradient_accumulation_steps",
    "num_epochs": "num_train_epochs",
    "num_train_epochs": "num_train_epochs",
    "number_of_epochs": "num_train_epochs",
    "epochs": "num_train_epochs",
    "training_epochs": "num_train_epochs",
    "epochs_planned": "num_train_epochs",
    "n_epochs": "num_train_epochs",
    "training_steps": "max_steps",
    "max_steps": "max_steps",
    "steps_planned": "max_steps",
    "warmup_steps": "warmup_steps",
    "lr_scheduler_warmup_steps": "warmup_steps",
    "warmup_ratio": "warmup_ratio",
    "lr_scheduler_warmup_ratio": "warmup_ratio",
    "weight_decay": "weight_decay",
    "seed": "seed",
    "random_seed": "seed",
    "manual_seed": "seed",
}
_NUMBER = r"(?P<number>\d{1,15}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,3})?)"
_LINE = Pattern(
    r"^[ \t>]*(?:[-*+][ \t]+)?[*_`]{0,3}(?P<name>[A-Za-z][\w -]{0,40}?)[*_`]{0,3}[ \t]*[:=][ \t]*[*_`]{0,3}[ \t]*"
    + _NUMBER
    + r"[*_`]{0,3}[ \t\r]*$",
    re.MULTILINE,
)
_CELL = Pattern(rf"[*_`]{{0,3}}{_NUMBER}[*_`]{{0,3}}")
_NAME = Pattern(r"[^a-z0-9]+")

_WORD = Pattern(r"[a-z0-9]+")
_DURATIONS = frozenset(["epoch", "epochs", "step", "steps", "iterations", "updates"])
_DURATION = Pattern(
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twenty|single|million)\b)[^\n]{0,30}?"
    r"(?:epoch|steps|iterations|updates)|(?:epochs?|steps|iterations)\W[^\n]{0,30}?\d"
)
_FRAMEWORKS = frozenset(
    [
        "transformers",
        "pytorch",
        "torch",
        "tensorflow",
        "tf",
        "keras",
        "jax",
        "flax",
        "datasets",
        "tokenizers",
        "accelerate",
        "peft",
        "trl",
        "fairseq",
        "diffusers",
        "spacy",
        "learn",
        "sklearn",
        "paddle",
        "paddlepaddle",
        "paddlenlp",
        "python",
        "flair",
        "cuda",
        "unsloth",
        "axolotl",
        "nemo",
        "espnet",
        "mxnet",
        "timm",
        "deepspeed",
        "megatron",
        "lm",
        "simpletransformers",
        "xgboost",
        "lightgbm",
        "stt",
        "deepspeech",
        "mlx",
        "farm",
        "haystack",
        "trax",
        "ultralytics",
        "tensorrt",
        "vllm",
    ]
)
_VERSION = r"(?:[\s_-]version)?[\s`*|:=<>~@v(\[\]-]{0,12}\d{1,4}\.\d"
_MACHINES = frozenset(
    [
        "gpu",
        "gpus",
        "tpu",
        "tpus",
        "cpu",
        "cpus",
        "npu",
        "npus",
        "ipu",
        "ipus",
        "hpu",
        "a100",
        "a100s",
        "h100",
        "h100s",
        "h200",
        "h200s",
        "h800",
        "a800",
        "b200",
        "gh200",
        "gb200",
        "v100",
        "v100s",
        "p100",
        "p100s",
        "t4",
        "l4",
        "l40",
        "l40s",
        "a10",
        "a10g",
        "a40",
        "a6000",
        "k80",
        "m60",
        "p4",
        "rtx",
        "gtx",
        "titan",
        "tesla",
        "geforce",
        "quadro",
        "dgx",
        "gaudi",
        "gaudi2",
        "gaudi3",
        "trainium",
        "inferentia",
        "habana",
        "ascend",
        "cerebras",
        "jetson",
        "xeon",
        "epyc",
        "ryzen",
        "threadripper",
        "macbook",
        "imac",
        "raspberry",
        "colab",
        "kaggle",
        "lumi",
        "leonardo",
        "marenostrum",
        "supercomputer",
        "supercomputers",
        "cluster",
        "clusters",
        "nvidia",
        "vram",
        "tfrc",
        "trc",
        "azure",
        "aws",
        "gcp",
        "sagemaker",
        "hardware",
        "laptop",
        "workstation",
        "silicon",
        "mi250",
        "mi250x",
        "mi300",
        "mi300x",
        "mi325x",
        "tpuv3",
        "tpuv4",
        "tpuv5e",
        "4090",
        "3090",
        "2080ti",
        "1080ti",
        "5090",
    ]
)
_TIMES = Pattern(r"\d*(?:h|hr|hrs|hour|hours|min|mins|minute|minutes|day|days|week|weeks|month|months|secs?|seconds?)")
_TIME = Pattern(
    r"(?:\d|\b(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|few|half|several)\b)[\d.,]{0,12}[\s~+*-]{0,3}"
    r"(?:hr?s?|hours?|mins?|minutes?|days?|weeks?|months?|secs?|seconds?)(?![a-z])"
    r"|(?:time|duration|runtime|took|hours?|minutes|seconds|days)\W[^\n]{0,40}?\d"
)
_CLOCK = Pattern(r"\d:\d\d:\d\d|\d\s?(?:小时|分钟|時間)|train_runtime")
_ENERGY = frozenset(
    [
        "co2",
        "co2eq",
        "carbon",
        "kwh",
        "mwh",
        "emission",
        "emissions",
        "energy",
        "electricity",
        "footprint",
        "watt",
        "watts",
        "codecarbon",
        "environmental",
    ]
)
_CJK = {
    "learning rate": ("学习率", "学習率"),
    "batch size": ("批次", "批量", "バッチ"),
    "epochs": ("轮", "エポック", "步"),
    "seed": ("随机种子", "シード"),
    "hardware": ("显卡", "显存"),
    "energy": ("碳排放", "能耗", "co₂", "co_2", "co~2~"),
}
_LONGEST = 1 << 20
_ENOUGH_WORDS = 40


class Stated(NamedTuple):
    """A hyper-parameter that stands behind its name.

    Attributes:
        name: of the argument in TrainingArguments; "train_batch_size" and "batch_size" where it is open which is meant.
        value: the number.
        text: its digits as written.
        start: their offset in the card.
    """

    name: str
    value: float
    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset behind the digits."""
        return self.start + len(self.text)


@lru_cache(maxsize=8)
def stated_hyperparameters(card: Card) -> tuple[Stated, ...]:
    """The numbers behind their names in bullets, tables of two columns and lines such as `seed = 42`; not in code."""
    return tuple(sorted(_stated(card), key=lambda stated: stated.start))


def _stated(card: Card) -> Iterator[Stated]:
    for block in card.blocks:
        if block.kind == "text":
            for found in _LINE.finditer(card.text, block.start, block.end):
                yield from _value(found["name"], found["number"], found.start("number"))
    for table in tables(card):
        if len(table.header) == 2:
            for row in (table.header, *table.rows):
                if len(row) == 2 and (match := _CELL.fullmatch(row[1].text)):
                    yield from _value(row[0].text, match["number"], row[1].start + match.start("number"))


def _value(label: str, number: str, start: int) -> Iterator[Stated]:
    name = _LABELS.get(_NAME.sub("_", label.casefold()).strip("_"))
    if name:
        yield Stated(name, float(number), number, start)


@lru_cache(maxsize=8)
def _text(card: Card) -> str:
    """The body in lower case, code included, without placeholders and comments."""
    return bare(card.text[card.front_matter.body_start :][:_LONGEST]).lower()


@lru_cache(maxsize=8)
def _words(card: Card) -> frozenset[str]:
    return frozenset(_WORD.findall(_text(card)))


def _has(card: Card, what: str) -> bool:
    return any(word in _text(card) for word in _CJK[what])


@lru_cache(maxsize=8)
def names_settings(card: Card) -> frozenset[str]:
    """Which of "learning rate", "batch size", "epochs" and "seed" the card mentions."""
    words, text = _words(card), _text(card)
    asked = {
        "learning rate": bool(words & {"lr", "lrs"}) or ("learning" in words and bool(words & {"rate", "rates"})),
        "batch size": bool(words & {"batchsize", "bsz", "bs"}) or ("batch" in words and "size" in words),
        "epochs": bool(words & _DURATIONS) and bool(_DURATION.search(text)),
        "seed": bool(words & {"seed", "seeds"}),
    }
    return frozenset(name for name, found in asked.items() if found or _has(card, name))


def names_versions(card: Card) -> bool:
    """Whether the card gives the version of a framework."""
    text = _text(card)
    return any(re.search(name + _VERSION, text) for name in sorted(_words(card) & _FRAMEWORKS))


def names_hardware(card: Card) -> bool:
    """Whether the card mentions any machine."""
    return bool(_words(card) & _MACHINES) or _has(card, "hardware")


def names_time(card: Card) -> bool:
    """Whether the card mentions any duration."""
    text = _text(card)
    if _CLOCK.search(text):
        return True
    return any(_TIMES.fullmatch(word) for word in _words(card)) and bool(_TIME.search(text))


def names_energy(card: Card) -> bool:
    """Whether the card mentions energy or emissions, in its text or its metadata."""
    data = card.front_matter.hub_data or {}
    return "co2_eq_emissions" in data or bool(_words(card) & _ENERGY) or _has(card, "energy")


@lru_cache(maxsize=8)
def describes_training(card: Card) -> bool:
    """Whether the card tells how the model was trained, in more than a sentence or a link."""
    if len(names_settings(card) & {"learning rate", "batch size", "epochs"}) >= 2:
        return True
    procedure = part(card, "training-procedure")
    return procedure is not None and len(re.findall(r"\w{2,}", procedure.text)) >= _ENOUGH_WORDS
