from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.formats import field
from support.run_files import files_of, wandb_file, wandb_item

from hubpub.model.run_facts import read_run_facts
from hubpub.model.wandb_file import WandbFile, read_wandb_file
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


OFFLINE = "wandb/offline-run-20260102_030405-abc123/"


def logged(step: int, **values: object) -> bytes:
    items = b"".join(wandb_item(name.replace("__", "."), value) for name, value in values.items())
    return field(2, items + field(2, field(1, step)))


GIT = field(1, "https://me:ghp_secret@github.com/me/train.git") + field(2, "a" * 40)
RUN = field(1, "abc123") + field(4, wandb_item("learning_rate", 2e-5) + wandb_item("seed", 42)) + field(13, "host")
WHO = field(5, "--token=hf_secret") + field(10, "me@example.org")
MEMORY = field(21, field(1, 1 << 40)) + field(24, field(2, 80 << 30))
MACHINE = field(16, 52) + field(18, "NVIDIA H100") + field(19, 8) + MEMORY
RECORDS = (
    field(17, RUN),
    field(26, field(2, "CPython 3.11.7") + field(9, GIT) + WHO + MACHINE),
    field(5, wandb_item("num_train_epochs", 3)),
    *(logged(step, loss=1 / (step + 1), eval__f1=step, note="x", _runtime=step) for step in range(2000)),
    field(4, "x" * 100_000),
    field(3, wandb_item("loss", 0.25) + wandb_item("eval", {"f1": 0.5})),
    field(18, field(2, 61)),
)


def test_an_offline_run() -> None:
    contents = {OFFLINE + "run-abc123.wandb": wandb_file(*RECORDS), OFFLINE + "files/requirements.txt": REQUIREMENTS}
    (run,), unread = read_wandb_runs(files_of(contents))
    assert unread == ()
    assert run.directory == OFFLINE
    assert {fact.key: fact.value for fact in run.summary} == {"loss": 0.25, "eval.f1": 0.5}
    assert {curve.name: (curve.count, curve.points[1], curve.last) for curve in run.curves} == {
        "loss": (2000, (1, 0.5), 1 / 2000),
        "eval.f1": (2000, (1, 1), 1999),
    }
    assert run.seconds is not None
    assert run.seconds.value == 61
    assert run.commit is not None
    assert run.commit.value == "a" * 40
    assert run.config is not None
    assert {fact.name: fact.value for fact in run.config.settings} == {
        "learning_rate": 2e-05,
        "seed": 42,
        "num_train_epochs": 3,
    }
    assert {fact.name: fact.value for fact in run.hardware} == {
        "gpu": "NVIDIA H100",
        "cpu_count": 52,
        "gpu_count": 8,
        "memory": 1 << 40,
        "gpu_memory": 80 << 30,
    }
    assert {fact.name for fact in run.software} == {"python", "torch", "sentence-transformers"}
    assert "secret" not in repr(run)
    assert "example.org" not in repr(run)


def test_the_files_of_an_online_run_come_before_its_log() -> None:
    contents = {HERE + "wandb-summary.json": '{"loss": 1}', HERE[:-6] + "run-abc123.wandb": wandb_file(*RECORDS)}
    (run,), _ = read_wandb_runs(files_of(contents))
    assert [fact.value for fact in run.summary] == [1]


def offline(content: bytes) -> WandbFile:
    return read_wandb_file(lambda: io.BytesIO(content), "run-a.wandb")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is no file of wandb"),
        (wandb_file(*RECORDS)[:-2], "is cut short"),
        (wandb_file() + b"\1\0\0\0\1\0\x09x", "is damaged"),
        (wandb_file(b"\x0b"), "holds what is no record"),
        (wandb_file(*RECORDS[:3]) + bytes(500), None),
    ],
)
def test_broken_logs(content: bytes, problem: str | None) -> None:
    assert (offline(content).problem or "None").startswith(str(problem))


@given(st.lists(st.tuples(st.integers(0, 700), st.binary(max_size=4)), max_size=5), st.integers(0, 800))
def test_any_log_is_answered(changes: list[tuple[int, bytes]], end: int) -> None:
    content = wandb_file(*RECORDS[:8])
    for at, new in changes:
        content = content[:at] + new + content[at + len(new) :]
    offline(content[:end])


def test_a_log_of_many_fields_takes_no_time() -> None:
    started = time.process_time()
    assert offline(wandb_file(*[field(2, field(1, 1) * 100_000)] * 50)).problem
    assert time.process_time() - started < 10
