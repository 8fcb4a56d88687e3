from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.linting import write_files

from hubpub.card import hyperparameters
from hubpub.card.claims import parameter_claims, spelt_alike, type_claims
from hubpub.card.document import Card
from hubpub.card.facts.training import Argument, read_training_run
from hubpub.model.folder import ModelFolder


def stated(text: str) -> list[tuple[str, str]]:
    return [(found.name, found.text) for found in hyperparameters.stated_hyperparameters(Card.parse(text))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- learning_rate: 5e-05\n- seed: 42\n", [("learning_rate", "5e-05"), ("seed", "42")]),
        ("- `per_device_train_batch_size`: 32", [("per_device_train_batch_size", "32")]),
        ("* **Learning rate:** 2e-5", [("learning_rate", "2e-5")]),
        ("| Parameter | Value |\n|---|---|\n| Epochs | 3 |\n", [("num_train_epochs", "3")]),
        ("| Epochs | 3 |\n|---|---|\n", [("num_train_epochs", "3")]),
        ("seed = 42", [("seed", "42")]),
        # not a number, several, in code, another thing
        ("- seed: None", []),
        ("- num_epochs: 3 (early stopping)", []),
        ("- learning_rate: 1e-5, 2e-5", []),
        ("```\nseed = 42\n```", []),
        ("- seed of doubt: 5", []),
    ],
)
def test_numbers_behind_their_names(text: str, wanted: list[tuple[str, str]]) -> None:
    assert stated(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("with a learning rate of 1e-4", {"learning rate"}),
        ("--per_gpu_train_batch_size 16 --num_train_epochs 3", {"batch size", "epochs"}),
        ("trained for three epochs", {"epochs"}),
        ("`set_seed(42)`", {"seed"}),
        ("学习率 2e-5,训练 3 轮", {"learning rate", "epochs"}),
        ("- learning rate: [More Information Needed]", set()),
        ("<!-- learning rate, batch size -->", set()),
        ("We learn at a good rate of steps", {"learning rate"} - {"learning rate"}),
        ("reseeded stepmothers", set()),
    ],
)
def test_what_a_card_mentions(text: str, wanted: set[str]) -> None:
    assert hyperparameters.names_settings(Card.parse(text)) == wanted


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        (
            hyperparameters.names_versions,
            ["Transformers 4.38.2", "PyTorch v2.1", "torch==2.1.0"],
            ["PyTorch", "version 2.1"],
        ),
        (hyperparameters.names_versions, ["| Transformers | 4.38 |"], ["Llama 3.1 with transformers"]),
        (
            hyperparameters.names_hardware,
            ["one A100 GPU", "TPU v3-8", "on Google Colab", "8 x H100"],
            ["a model", "T5"],
        ),
        (
            hyperparameters.names_time,
            ["took 3 hours", "1 h 12 min", "11h", "5:48:31", "half a day"],
            ["3 layers", "hm"],
        ),
        (hyperparameters.names_energy, ["12 kg CO2", "3 kWh"], ["powerful"]),
    ],
)
def test_questions(question, yes: list[str], no: list[str]) -> None:  # type: ignore[no-untyped-def]
    for text in yes:
        assert question(Card.parse(text)), text
    for text in no:
        assert not question(Card.parse(text)), text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("# acme/Foo-7B\n", [(7e9, True)]),
        ("# Foo-1.5B-Instruct\n", [(1.5e9, True)]),
        ("- **Parameters:** 110M\n", [(110e6, False)]),
        ("- Number of parameters: 66,955,010\n", [(66_955_010, False)]),
        ("| Parameters | 7.24 billion |\n|---|---|\n", [(7.24e9, False)]),
        ("- Params: ~350M params\n", [(350e6, False)]),
        # of a part, of experts, of another model, of a file
        ("# Mixtral-8x7B\n", []),
        ("# Qwen3-30B-A3B\n", []),
        ("# gemma-3n-E2B\n", []),
        ("# Foo-7B distilled into 1B\n", []),
        ("- Active parameters: 3B\n", []),
        ("- Trainable parameters: 4M\n", []),
        ("- Parameters: 7B of which 1B are trained\n", []),
        ("**Model size**: `418M`\n", []),
        ("It is distilled from a 7B parameter model.\n", []),
    ],
)
def test_claims_of_parameters(text: str, wanted: list[tuple[float, bool]]) -> None:
    found = parameter_claims(Card.parse(text))
    assert [(claim.count, claim.in_title) for claim in found] == [
        (pytest.approx(count), title) for count, title in wanted
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- Tensor type: BF16\n", ["BF16"]),
        ("- **dtype:** `torch.float16`\n", ["F16"]),
        ("| Weights dtype | fp32 |\n|---|---|\n", ["F32"]),
        # of the training, of an example
        ("- Training regime: fp16 mixed precision\n", []),
        ("- mixed_precision: fp16\n", []),
        ("- dtype: fp16 or bf16\n", []),
        ("```python\ndtype = float16\n```\n", []),
    ],
)
def test_claims_of_types(text: str, wanted: list[str]) -> None:
    assert [claim.dtype for claim in type_claims(Card.parse(text))] == wanted


@pytest.mark.parametrize(
    ("old", "dtype", "wanted"),
    [
        ("fp16", "BF16", "bf16"),
        ("FP16", "F32", "FP32"),
        ("float16", "BF16", "bfloat16"),
        ("F16", "BF16", "BF16"),
        ("bf16", "F16", "fp16"),
        ("half", "F32", "float32"),
        ("fp16", "I8", None),
    ],
)
def test_another_type_is_spelt_alike(old: str, dtype: str, wanted: str | None) -> None:
    assert spelt_alike(old, dtype) == wanted


def test_a_run_states_its_arguments_and_evaluations(tmp_path: Path) -> None:
    log = [
        {"eval_accuracy": 0.9, "step": 500},
        {"learning_rate": 1e-5, "step": 600},
        {"eval_accuracy": 0.92, "step": 1000},
    ]
    files = {
        "trainer_state.json": {"train_batch_size": 8, "num_train_epochs": 3, "log_history": log, "epoch": 2.5},
        "args.json": {"manual_seed": 4, "learning_rate": 2e-5, "train_batch_size": 16, "dropout": 0.1, "fp16": True},
        "test_results.json": {"test_accuracy": 0.88, "test_runtime": 3.0},
    }
    write_files(tmp_path, {name: json.dumps(content) for name, content in files.items()})
    run = read_training_run(ModelFolder.open(tmp_path))
    assert run.arguments == (
        Argument("learning_rate", 2e-5, "args.json"),
        Argument("seed", 4, "args.json"),
        Argument("per_device_train_batch_size", 16, "args.json"),
        Argument("num_train_epochs", 3, "trainer_state.json"),
    )
    assert [(e.path, e.step, e.metrics[0].value) for e in run.evaluations] == [
        ("test_results.json", None, 0.88),
        ("trainer_state.json", 500, 0.9),
        ("trainer_state.json", 1000, 0.92),
    ]
    assert (run.epochs_done, run.highest_rate, run.seconds) == (2.5, 1e-5, None)


QUESTIONS = (
    hyperparameters.names_settings,
    hyperparameters.names_versions,
    hyperparameters.names_hardware,
    hyperparameters.names_time,
    hyperparameters.names_energy,
    hyperparameters.describes_training,
    hyperparameters.stated_hyperparameters,
    parameter_claims,
    type_claims,
)


@given(st.text(st.sampled_from("-*_` |:=#1250.eEMB\nadstpyrh"), max_size=80))
def test_whatever_the_text_nothing_is_raised(text: str) -> None:
    card = Card.parse(text)
    for question in QUESTIONS:
        question(card)
    for found in hyperparameters.stated_hyperparameters(card):
        assert text[found.start : found.end] == found.text


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 400000 + "hours",
        "transformers " * 60000,
        "5" * 800000,
        "- parameters" + " " * 600000,
        "one epoch\n" * 30000,
        "<!--" * 200000,
        "a_" * 400000 + ": 5",
        "- dtype: " * 80000,
        "needed " + "- a: " * 150000,
    ],
)
def test_long_texts_take_no_longer_than_reading_them(text: str) -> None:
    card = Card.parse(text)
    started = time.process_time()
    for question in QUESTIONS:
        question(card)
    assert time.process_time() - started < 3
