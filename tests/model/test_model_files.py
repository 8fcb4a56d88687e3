from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.run_files import event, files_of, scalar, scalar_tensor, text

from hubpub.core.errors import UsageError
from hubpub.core.pattern import Pattern
from hubpub.model.arrow_stream import read_arrow_rows
from hubpub.model.data_facts import read_data_facts
from hubpub.model.files import MOST_FILES, files_at, finite, line_of, whole
from hubpub.model.folder import ModelFolder
from hubpub.model.run_facts import read_run_facts


def test_a_directory_and_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("x")
    (tmp_path / "data" / "train.csv").write_text("a\n1\n")
    assert [entry.path for entry in files_at(tmp_path).entries] == ["data/train.csv"]
    single = files_at(tmp_path / "data" / "train.csv")
    assert read_data_facts(single, plain=True).sets[0].rows == 1


@pytest.mark.parametrize("what", ["missing", "fifo", "loop"])
def test_what_cannot_be_named(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "fifo":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    with pytest.raises(UsageError):
        files_at(path)


def test_files_of_a_kind_are_bounded() -> None:
    files = files_of({f"{number:04}/a.json": b"12345" for number in range(MOST_FILES + 5)})
    pattern = Pattern(r"a\.json")
    assert len(list(files.named(pattern))) == MOST_FILES
    assert len(list(files.named(pattern, total=14))) == 2


@pytest.mark.parametrize(
    ("value", "number", "count"),
    [
        (1, 1, 1),
        (True, None, None),
        (1.5, 1.5, None),
        (-1, -1, None),
        (float("nan"), None, None),
        (10**400, None, None),
    ],
)
def test_numbers(value: object, number: float | None, count: int | None) -> None:
    assert finite(value) == number
    assert whole(value) == count


def test_text_becomes_one_line() -> None:
    assert line_of(" a\n\tb ") == "a b"
    assert line_of(" \n") is None
    assert line_of(3) is None
    assert line_of("x" * 1000) == "x" * 500


def test_a_model_folder_tells_of_its_leftovers_too(plain_model: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    (run / "events.out.tfevents.1.host").write_bytes(event() + event(1, scalar("train/loss", 0.5)))
    (tmp_path / "checkpoint-5").mkdir()
    (tmp_path / "checkpoint-5" / "trainer_state.json").write_text('{"global_step": 5, "log_history": []}')
    facts = ModelFolder.open(tmp_path).run_facts
    assert [curve.name for curve in facts.events[0].curves] == ["train/loss"]
    assert facts.states[0].path == "checkpoint-5/trainer_state.json"
    assert not ModelFolder.open(plain_model).run_facts


def arrow() -> bytes:
    sink = pa.BufferOutputStream()
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.record_batch([[1, 2], ["x", "y"]], schema=schema))
    return bytes(sink.getvalue().to_pybytes())


SEEDS = {
    "runs/events.out.tfevents.1.h": event()
    + event(3, scalar("a", 1.0), scalar_tensor("b", 2.0), text("args/text_summary", '{"seed": 1}')),
    "trainer_state.json": b'{"global_step": 3, "log_history": [{"loss": 1.5, "step": 1}, {"eval_loss": 1, "step": 2}]}',
    "eval_results.json": b'{"eval_loss": 1.5, "epoch": 3.0}',
    "args.json": b'{"learning_rate": 1e-5, "num_train_epochs": 3, "seed": 42}',
    "config/a.yaml": b"base_model: a/b\ndatasets: [{path: c/d}]\nlearning_rate: 2e-4\nmicro_batch_size: 2\n",
    "emissions.csv": b"run_id,emissions,duration,gpu_model\nr,0.5,10,H100\n",
    "results_1.json": b'{"results": {"a": {"acc,none": 0.5}}, "configs": {"a": {}}, "versions": {"a": 1}}',
    "CITATION.cff": b"title: x\nauthors:\n- {family-names: a, given-names: b}\nyear: 2024\n",
    "d/state.json": b'{"_data_files": [{"filename": "a.arrow"}], "_split": "train"}',
    "d/dataset_info.json": b'{"features": {"a": {"dtype": "int64", "_type": "Value"}}, "splits": {"train": {}}}',
    "d/a.arrow": arrow(),
    "README.md": b"---\ndataset_info:\n  features: [{name: a, dtype: string}]\n  splits: [{name: train}]\n---\n",
    "plain/train.csv": b"a,b\n1,x\n",
    "plain/dev.jsonl": b'{"a": 1}\n{"a": null}\n',
}


def test_the_seeds_are_sound() -> None:
    files = files_of(SEEDS)
    run, data = read_run_facts(files), read_data_facts(files, plain=True)
    assert (run.unread, data.unread) == ((), ())
    assert len(data.sets) == 4
    parts = (run.states, run.results, run.configs, run.events, run.benchmarks, run.emissions, run.citation)
    assert all(parts)


@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 3), st.binary(max_size=4)), max_size=5),
    st.none() | st.integers(0, 700),
)
@settings(max_examples=400)
def test_whatever_is_broken_is_answered(path: str, changes: list[tuple[int, int, bytes]], end: int | None) -> None:
    content = SEEDS[path]
    for at, length, new in changes:
        content = content[:at] + new + content[at + length :]
    files = files_of({**SEEDS, path: content[:end]})
    run = read_run_facts(files)
    for state in run.states:
        assert state.best_evaluation is None or state.curves
    repr((run.hardware, run.software, read_data_facts(files, plain=True).sets))


def test_a_file_that_vanished_is_answered() -> None:
    files = files_of(SEEDS)

    def gone(path: str) -> object:
        raise FileNotFoundError(2, "No such file", path)

    missing = type(files)(files.entries, gone)  # type: ignore[arg-type]
    assert not read_run_facts(missing)
    assert read_data_facts(missing, plain=True).sets == ()


def test_arrow_rows_need_an_arrow_stream() -> None:
    with pytest.raises(ValueError, match="no Arrow stream"):
        read_arrow_rows(files_of({"a": b"x" * 100}).opener("a"))
