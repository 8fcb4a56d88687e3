from __future__ import annotations

import json

from support.run_files import files_of

from hubpub.model.trainer_results import read_trainer_results
from hubpub.model.trainer_state import parse_trainer_state, read_trainer_states

# As TrainerState.save_to_json of transformers 5.24 writes it.
STATE = {
    "best_global_step": 20,
    "best_metric": 0.75,
    "best_model_checkpoint": "/home/me/out/checkpoint-20",
    "epoch": 3.0,
    "eval_steps": 500,
    "global_step": 30,
    "is_world_process_zero": True,
    "log_history": [
        {"epoch": 1.0, "grad_norm": 1.5, "learning_rate": 2e-05, "loss": 0.9, "step": 10},
        {"epoch": 1.0, "eval_accuracy": 0.5, "eval_loss": 0.8, "eval_runtime": 0.1, "step": 10},
        {"epoch": 2.0, "grad_norm": float("nan"), "learning_rate": 1e-05, "loss": 0.4, "step": 20},
        {"epoch": 2.0, "eval_accuracy": 0.75, "eval_loss": 0.6, "step": 20},
        {"epoch": 3.0, "step": 30, "total_flos": 123.0, "train_loss": 0.65, "train_runtime": 4.5},
    ],
    "logging_steps": 10,
    "max_steps": 30,
    "num_input_tokens_seen": 0,
    "num_train_epochs": 3,
    "save_steps": 500,
    "stateful_callbacks": {},
    "total_flos": 123.0,
    "train_batch_size": 8,
    "trial_name": None,
}


def test_numbers_log_and_curves() -> None:
    state = parse_trainer_state(json.loads(json.dumps(STATE)), "trainer_state.json")
    assert {fact.name: fact.value for fact in state.facts} == {
        "global_step": 30,
        "max_steps": 30,
        "epoch": 3.0,
        "num_train_epochs": 3,
        "total_flos": 123.0,
        "train_batch_size": 8,
        "best_metric": 0.75,
        "best_global_step": 20,
        "logging_steps": 10,
        "eval_steps": 500,
        "save_steps": 500,
    }
    curves = {curve.name: curve.points for curve in state.curves}
    assert curves["loss"] == ((10, 0.9), (20, 0.4))
    assert curves["eval_accuracy"] == ((10, 0.5), (20, 0.75))
    assert curves["grad_norm"] == ((10, 1.5),)
    assert [entry.step for entry in state.evaluations] == [10, 20]
    assert state.best_evaluation is not None
    assert state.best_evaluation.index == 3


def test_the_best_checkpoint_is_a_name_and_no_path_of_the_machine() -> None:
    for path in ("/home/me/out/checkpoint-20", r"C:\Users\me\out\checkpoint-20", "checkpoint-20/"):
        state = parse_trainer_state({**STATE, "best_model_checkpoint": path}, "s.json")
        assert state.best_checkpoint is not None
        assert state.best_checkpoint.value == "checkpoint-20"


def test_a_checkpoint_speaks_only_where_the_run_does_not() -> None:
    content = json.dumps(STATE)
    run = {"trainer_state.json": content, "checkpoint-10/trainer_state.json": content}
    states, _ = read_trainer_states(files_of(run))
    assert [state.path for state in states] == ["trainer_state.json"]
    states, _ = read_trainer_states(
        files_of({f"out/checkpoint-{step}/trainer_state.json": content for step in (5, 100, 20)})
    )
    assert [state.path for state in states] == ["out/checkpoint-100/trainer_state.json"]


def test_odd_states_are_answered() -> None:
    for odd in (
        {"global_step": "30", "log_history": {"a": 1}},
        {"global_step": True, "log_history": [1, None, {"loss": "x"}, {"loss": 10**400, "step": -1}]},
        {"log_history": [{"loss": 1.0, "step": 2.5}], "best_metric": float("inf")},
    ):
        state = parse_trainer_state(odd, "s.json")
        assert state.facts == ()
        assert state.curves == ()


def test_a_broken_state_is_named() -> None:
    states, unread = read_trainer_states(files_of({"trainer_state.json": "{"}))
    assert states == ()
    assert [file.path for file in unread] == ["trainer_state.json"]


def test_results() -> None:
    contents = {
        "eval_results.json": '{"epoch": 3.0, "eval_loss": 0.6, "eval_accuracy": 0.75, "note": "x", "bad": NaN}',
        "all_results.json": '{"train_loss": 0.65}',
        "run/predict_results.json": '{"predict_bleu": 30.5}',
        "train_results.json": "[]",
        "my_results.json": '{"a": 1}',
    }
    results, unread = read_trainer_results(files_of(contents))
    assert [(file.path, file.of, [(fact.key, fact.value) for fact in file.values]) for file in results] == [
        ("all_results.json", "all", [("train_loss", 0.65)]),
        ("eval_results.json", "eval", [("epoch", 3.0), ("eval_loss", 0.6), ("eval_accuracy", 0.75)]),
        ("run/predict_results.json", "predict", [("predict_bleu", 30.5)]),
    ]
    assert [file.path for file in unread] == ["train_results.json"]
