from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.run_files import files_of

from hubpub.model.run_facts import read_run_facts
from hubpub.model.wandb_run import WandbRun, read_wandb_runs

HERE = "wandb/run-20260102_030405-abc123/files/"
SUMMARY = {
    "train/loss": 0.25,
    "eval": {"accuracy": 0.75, "deep": {"f1": 0.5}},
    "table": {"_type": "table-file", "size": 100, "sha256": "x"},
    "note": "x",
    "bad": float("nan"),
    "_runtime": 61,
    "_step": 100,
    "_wandb": {"runtime": 60.5},
}
METADATA = {
    "os": "Linux-6.1",
    "python": "CPython 3.11.7",
    "host": "secret-host",
    "username": "me",
    "email": "me@example.org",
    "args": ["--token", "hf_secret"],
    "program": "/home/me/train.py",
    "git": {"remote": "https://me:ghp_secret@github.com/me/train.git", "commit": "0123456789abcdef" * 2 + "01234567"},
    "gpu": "NVIDIA H100 80GB HBM3",
    "gpu_count": 8,
    "cpu_count": 52,
    "cpu_count_logical": 104,
    "memory": {"total": "1099511627776"},
    "gpu_nvidia": [{"name": "NVIDIA H100 80GB HBM3", "memoryTotal": "85520809984"}],
    "cudaVersion": "12.4",
}
CONFIG = """
_wandb:
    value:
        cli_version: 0.31.0
        python_version: 3.11.7
        huggingface_version: 5.24.0
learning_rate:
    value: 2e-05
num_train_epochs:
    value: 3
seed:
    desc: null
    value: 42
hub_token:
    value: hf_secret
"""
REQUIREMENTS = "torch==2.13.0+cpu\nnumpy==2.4.6\nsentence_transformers==6.2.0\n-e git+https://x@y/z\n"


def run_of(**files: object) -> WandbRun:
    named = {"summary": "wandb-summary.json", "metadata": "wandb-metadata.json"}
    contents = {HERE + named[name]: json.dumps(value) for name, value in files.items()}
    contents |= {HERE + "config.yaml": CONFIG, HERE + "requirements.txt": REQUIREMENTS}
    (run,), unread = read_wandb_runs(files_of(contents))
    assert unread == ()
    return run


def test_a_run() -> None:
    run = run_of(summary=SUMMARY, metadata=METADATA)
    assert run.directory == HERE
    assert {fact.key: fact.value for fact in run.summary} == {
        "train/loss": 0.25,
        "eval.accuracy": 0.75,
        "eval.deep.f1": 0.5,
    }
    assert run.seconds is not None
    assert (run.seconds.value, run.seconds.key) == (60.5, "_wandb.runtime")
    assert {fact.name: fact.value for fact in run.hardware} == {
        "gpu": "NVIDIA H100 80GB HBM3",
        "gpu_count": 8,
        "cpu_count": 52,
        "cpu_count_logical": 104,
        "memory": 1 << 40,
        "gpu_memory": 85520809984,
    }
    assert run.commit is not None
    assert (run.commit.value, run.commit.key) == (METADATA["git"]["commit"], "git.commit")  # type: ignore[index]
    assert run.remote is not None
    assert run.remote.value == "https://github.com/me/train"
    assert run.config is not None
    assert {fact.name: fact.value for fact in run.config.settings} == {
        "learning_rate": 2e-05,
        "num_train_epochs": 3,
        "seed": 42,
    }
    assert {(fact.name, fact.value, fact.line) for fact in run.software} == {
        ("python", "3.11.7", None),
        ("cuda", "12.4", None),
        ("transformers", "5.24.0", None),
        ("wandb", "0.31.0", None),
        ("torch", "2.13.0+cpu", 1),
        ("sentence-transformers", "6.2.0", 3),
    }


def test_nothing_of_the_person_or_the_machine_is_taken() -> None:
    shown = repr(run_of(summary=SUMMARY, metadata=METADATA))
    for private in ("secret", "me@example.org", "/home/me", "'me'", "train.py"):
        assert private not in shown


def test_the_last_run_counts_for_hardware() -> None:
    contents = {
        f"wandb/run-2026010{day}_030405-a/files/wandb-metadata.json": json.dumps({"gpu": name})
        for day, name in enumerate(("old", "new"), 1)
    }
    facts = read_run_facts(files_of(contents))
    assert [fact.value for fact in facts.hardware] == ["new"]
    assert len(facts.wandb) == 2


def test_a_config_elsewhere_is_not_taken_for_one_of_wandb() -> None:
    assert read_wandb_runs(files_of({"config.yaml": CONFIG, "requirements.txt": REQUIREMENTS})) == ((), ())


def test_broken_files_are_named() -> None:
    _, unread = read_wandb_runs(files_of({HERE + "wandb-summary.json": "[", HERE + "config.yaml": "a: ["}))
    assert len(unread) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(METADATA)), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*METADATA, *SUMMARY]), JSON, max_size=6))
def test_any_object_is_answered(document: dict[str, object]) -> None:
    run_of(metadata=document, summary=document)


@pytest.mark.parametrize("depth", [5, 400])
def test_depth(depth: int) -> None:
    document: dict[str, object] = {"x": 1}
    for _ in range(depth):
        document = {"a": document}
    assert len(run_of(summary=document).summary) == (depth < 8)
