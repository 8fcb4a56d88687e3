from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from datasets import Dataset, DatasetDict
from datasets.data_files import get_data_patterns, resolve_pattern
from support.run_files import files_of

from hubpub.model.arrow_stream import read_arrow_rows
from hubpub.model.data_facts import DataFacts, read_data_facts
from hubpub.model.data_search import split_names
from hubpub.model.dataset_info import DataSet
from hubpub.model.files import files_at
from hubpub.model.folder import ModelFolder

FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
    "tokens": {"feature": {"dtype": "int64", "_type": "Value"}, "_type": "List"},
    "old": [{"dtype": "string", "_type": "Value"}],
    "box": {"x": {"dtype": "float32", "_type": "Value"}},
    "picture": {"_type": "Image"},
    "grid": {"shape": [2, 2], "dtype": "int32", "_type": "Array2D"},
}
COLUMNS = [
    ("text", "string"),
    ("label", "class_label"),
    ("tokens", "list of int64"),
    ("old", "list of string"),
    ("box", "struct"),
    ("picture", "image"),
    ("grid", "array2_d"),
]


def data_of(contents: dict[str, bytes | str], *, plain: bool = True) -> DataFacts:
    return read_data_facts(files_of(contents), plain=plain)


def one(facts: DataFacts) -> DataSet:
    (found,) = facts.sets
    return found


def arrow(rows: int, *, batches: int = 3) -> bytes:
    """A stream as `datasets` saves it."""
    sink = pa.BufferOutputStream()
    schema = pa.schema([("text", pa.string())], metadata={"huggingface": "{}"})
    with pa.ipc.new_stream(sink, schema) as writer:
        for number in range(batches):
            count = rows // batches + (rows % batches if number == 0 else 0)
            writer.write_batch(pa.record_batch([["x" * number] * count], schema=schema))
    return bytes(sink.getvalue().to_pybytes())


def saved(split: str | None, *names: str, splits: object = None) -> dict[str, str]:
    state = {"_data_files": [{"filename": name} for name in names], "_split": split, "_fingerprint": "x"}
    info = {"features": FEATURES, "license": "mit", "citation": "", "dataset_name": "imdb", "splits": splits}
    return {"state.json": json.dumps(state), "dataset_info.json": json.dumps(info)}


def under(directory: str, contents: dict[str, str]) -> dict[str, bytes | str]:
    return {f"{directory}/{name}": content for name, content in contents.items()}


def test_what_datasets_saves_is_counted_in_its_arrow_files() -> None:
    described = {"train": {"name": "train", "num_bytes": 9, "num_examples": 25_000}}  # before it was filtered
    contents: dict[str, bytes | str] = {"d/dataset_dict.json": '{"splits": ["train", "test"]}'}
    contents |= under(
        "d/train", saved(None, "data-00000-of-00002.arrow", "data-00001-of-00002.arrow", splits=described)
    )
    contents |= under("d/test", saved("test", "data-00000-of-00001.arrow"))
    contents |= {f"d/train/data-0000{number}-of-00002.arrow": arrow(1001) for number in range(2)}
    contents["d/test/data-00000-of-00001.arrow"] = arrow(10)
    found = one(data_of(contents))
    assert (found.path, found.form, found.name, found.rows) == ("d/", "saved data set", "imdb", 2012)
    assert [(split.name, split.rows, split.key) for split in found.splits] == [
        ("train", 2002, "_data_files"),
        ("test", 10, "_data_files"),
    ]
    assert [(column.name, column.type) for column in found.columns] == COLUMNS
    assert found.columns[1].classes == ("neg", "pos")
    assert [(fact.name, fact.value, fact.path) for fact in found.facts] == [
        ("license", "mit", "d/train/dataset_info.json")
    ]


def test_without_its_arrow_files_the_description_counts() -> None:
    splits = {"train": {"name": "train", "num_bytes": 9, "num_examples": 25}}
    found = one(data_of({**saved("train", "data-00000-of-00001.arrow", splits=splits)}))
    (split,) = found.splits
    assert (split.rows, split.bytes, split.path, split.key) == (25, 9, "dataset_info.json", "splits.train")
    broken: dict[str, bytes | str] = {**saved(None, "a.arrow"), "a.arrow": arrow(10)[:-30]}
    facts = data_of(broken)
    assert one(facts).rows is None
    assert [file.path for file in facts.unread] == ["a.arrow"]


def test_datasets_itself(tmp_path: Path) -> None:
    train = Dataset.from_dict({"text": ["a"] * 2500, "label": [0, 1] * 1250})
    DatasetDict(train=train, test=train.select(range(7))).save_to_disk(str(tmp_path / "d"))
    found = one(read_data_facts(files_at(tmp_path), plain=True))
    assert [(split.name, split.rows) for split in found.splits] == [("train", 2500), ("test", 7)]
    assert [(column.name, column.type) for column in found.columns] == [("text", "string"), ("label", "int64")]


@pytest.mark.parametrize("rows", [0, 1, 999, 70_000])
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_arrow_files_too(tmp_path: Path, rows: int, compression: str | None) -> None:
    table = pa.table({"a": list(range(rows)), "b": ["x"] * rows})
    pa.feather.write_feather(table, tmp_path / "a.feather", compression=compression or "uncompressed", chunksize=1000)
    assert read_arrow_rows(lambda: (tmp_path / "a.feather").open("rb")) == rows


def test_a_description_of_each_configuration() -> None:
    info = {"features": FEATURES, "splits": {"train": {"name": "train", "num_bytes": 1, "num_examples": 3}}}
    version = {"version_str": "1.0.0"}
    facts = data_of(
        {"dataset_infos.json": json.dumps({"a": info, "b": {**info, "version": version}, "c": 1})}, plain=False
    )
    assert [(found.config, found.rows) for found in facts.sets] == [("a", 3), ("b", 3)]
    assert facts.sets[1].facts[0].key == "b.version.version_str"
    registry = {"alpaca": {"hf_hub_url": "x", "columns": {"prompt": "a"}}}  # llama-factory's file of the same name
    assert not data_of({"dataset_info.json": json.dumps(registry)})


CARD = """---
license: cc-by-4.0
language: [en, fr]
pretty_name: My data
task_categories:
- text-classification
dataset_info:
- config_name: small
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
          '1': pos
  - name: ids
    sequence: int32
  - name: words
    list:
    - name: w
      dtype: string
  - name: meta
    struct:
    - name: a
      dtype: string
  splits:
  - name: train
    num_bytes: 100
    num_examples: 10
  download_size: 50
configs:
- config_name: small
  data_files: []
---
# My data
"""


def test_a_dataset_card() -> None:
    found = one(data_of({"README.md": CARD}))
    assert (found.form, found.name, found.config, found.rows) == ("dataset card", "My data", "small", 10)
    types = ["string", "class_label", "list of int32", "list", "struct"]
    assert [column.type for column in found.columns] == types
    assert found.columns[1].classes == ("neg", "pos")
    assert {(fact.name, fact.value, fact.key) for fact in found.facts} >= {
        ("license", "cc-by-4.0", "license"),
        ("language", "fr", "language.1"),
        ("download_size", 50, "dataset_info.0.download_size"),
    }
    assert found.splits[0].key == "dataset_info.0.splits.0"


def test_a_card_that_only_names_files() -> None:
    files = "data_files:\n  - {split: train, path: data/*.csv}\n  - {split: test, path: [a.csv, b.csv]}"
    found = one(data_of({"README.md": f"---\nconfigs:\n- config_name: main\n  {files}\n---\n"}))
    assert (found.config, found.rows) == ("main", None)
    assert [(split.name, split.files, split.key) for split in found.splits] == [
        ("train", ("data/*.csv",), "configs.0.data_files.0"),
        ("test", ("a.csv", "b.csv"), "configs.0.data_files.1"),
    ]


@pytest.mark.parametrize(
    "text",
    ["# x", "---\nlicense: mit\n---\n", "---\ntask_ids: x\npipeline_tag: fill-mask\n---\n", "---\nconfigs: [\n---\n"],
)
def test_other_cards_are_no_data(text: str) -> None:
    assert not data_of({"README.md": text})


def test_plain_files_by_split() -> None:
    contents: dict[str, bytes | str] = {
        "data/train.csv": 'text,label\n"a\nb",1\nc,0\n\n',
        "data/train_2.csv": "text,label\nd,1\n",
        "data/val.csv": gzip.compress(b"text,label\ne,0.5\n"),
        "data/README.md": "# x",
        "data/LICENSE.txt": "MIT",
        "data/frame.pkl": b"\x80\x04.",
        "data/archive.csv.zst": b"\x28",
    }
    facts = data_of(contents)
    found = one(facts)
    assert (found.path, found.form, found.rows) == ("data/", "csv", 4)
    assert [(split.name, split.rows, split.files) for split in found.splits] == [
        ("train", 3, ("data/train.csv", "data/train_2.csv")),
        ("validation", 1, ("data/val.csv",)),
    ]
    assert [(column.name, column.type) for column in found.columns] == [("text", "string"), ("label", "int64")]
    assert facts.pickled == ("data/frame.pkl",)
    assert [file.path for file in facts.unread] == ["data/archive.csv.zst"]


def test_in_a_model_folder_plain_files_are_no_data(plain_model: Path) -> None:
    folder = ModelFolder.open(plain_model)
    assert not folder.data_facts
    assert not folder.run_facts


def test_pointers_are_no_rows() -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 12345\n"
    facts = data_of({"train.csv": pointer})
    assert facts.sets == ()
    assert facts.unread[0].reason == "is a git-LFS pointer"


@pytest.mark.parametrize(
    "paths",
    [
        ["train.csv", "test.csv"],
        ["train.csv", "valid.csv", "test.csv"],
        ["my_train_file.csv", "my-dev.csv"],
        ["data/training/a.csv", "data/evaluation/a.csv"],
        ["a.csv", "b.csv"],
        ["data/train-00000-of-00001.csv", "data/custom-00000-of-00001.csv"],
        ["trainer.csv", "latest.csv"],
        ["split=train.csv", "x.test.csv"],
        ["train1.csv", "train_2.csv", "test 3.csv"],
    ],
)
def test_splits_are_those_of_datasets(paths: list[str], tmp_path: Path) -> None:
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("a\n1\n")
    wanted: dict[str, str] = {}
    for split, patterns in get_data_patterns(str(tmp_path)).items():
        for pattern in patterns:
            with contextlib.suppress(FileNotFoundError):
                found = resolve_pattern(pattern, str(tmp_path))
                wanted |= {str(Path(file).relative_to(tmp_path)): str(split) for file in found}
    assert {path: split for path, split in split_names(paths).items() if split != "other"} == wanted
