"""What `hubpub inspect` says a model consists of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.weights import llama_shards, write_safetensors, write_shards

from hubpub.cli.main import main
from hubpub.model.folder import ModelFolder
from hubpub.model.inspection import Inspection, inspect_folder
from hubpub.report.inspection import render_inspection, short


def inspect(folder: Path) -> Inspection:
    return inspect_folder(ModelFolder.open(folder))


def test_repeated_modules_are_one(tmp_path: Path) -> None:
    write_shards(tmp_path, llama_shards(layers=12, hidden=64, intermediate=128, vocabulary=100, count=3))
    modules = inspect(tmp_path).modules
    layers = modules.children["model"].children["layers"]
    assert list(layers.children) == ["0-11"]
    [layer] = layers.children.values()
    assert layer.repeats == 12
    assert layer.parameters == layers.parameters
    assert modules.parameters == inspect(tmp_path).facts["parameters"]


def test_modules_that_differ_are_not_folded(tmp_path: Path) -> None:
    shapes = {f"h.{number}.w": ("F32", (4, 4 if number != 2 else 8)) for number in (0, 1, 2, 3, 10)}
    write_safetensors(tmp_path / "model.safetensors", shapes | {"h.3.extra": ("F16", (2,))})
    found = inspect(tmp_path).modules.children["h"].children
    assert list(found) == ["0-1", "2", "3", "10"]
    assert [child.repeats for child in found.values()] == [2, 1, 1, 1]
    assert found["3"].dtypes == {"F32": 16, "F16": 2}


def test_names_of_any_depth_and_length(tmp_path: Path) -> None:
    names = [".".join("a" * 5000), "", ".", "..", "x" * 10_000, "9" * 500, "layer.١"]
    write_safetensors(tmp_path / "model.safetensors", dict.fromkeys(names, ("F32", (1,))))
    assert inspect(tmp_path).modules.parameters == len(names)
    assert render_inspection(inspect(tmp_path), depth=64, tensors=True)


def test_memory_follows_from_the_number_of_parameters(plain_model: Path) -> None:
    found = inspect(plain_model)
    parameters = found.facts["parameters"]
    assert found.memory == {
        "float32": 4 * parameters,
        "bfloat16": 2 * parameters,
        "float16": 2 * parameters,
        "int8": parameters,
        "int4": parameters // 2,
    }


def test_a_folder_without_tensors(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    found = inspect(tmp_path)
    assert found.memory == {}
    text = render_inspection(found)
    assert "1 files" in text or "1 file," in text
    assert "module " not in text


def test_the_command(plain_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["inspect", str(plain_model), "--tensors", "--depth", "9"])
    out = capsys.readouterr().out
    assert done.value.code == 0
    assert "200 x 32" in out or " x 32" in out
    assert "BertForSequenceClassification" in out
    with pytest.raises(SystemExit):
        main(["inspect", str(plain_model), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "hubpub.inspection/1"
    assert document["modules"]["parameters"] == document["facts"]["parameters"]
    assert {file["path"] for file in document["files"]} == {path.name for path in plain_model.iterdir()}


@pytest.mark.parametrize(
    ("number", "text"), [(7, "7"), (1234, "1.23K"), (22_713_728, "22.7M"), (8_030_261_248, "8.03B"), (10**12, "1T")]
)
def test_numbers_as_people_say_them(number: int, text: str) -> None:
    assert short(number) == text
