"""One defect each in the names and contents of a sound model's files: the report names that, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.defects import Defect, Expected, all_of, hole, remove, write
from support.judging import judge_folder as judge

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.rules import file_names

CONFLICT = "<<<<<<< HEAD\n{}\n=======\n[]\n>>>>>>> main\n"
HTML = "<!DOCTYPE html>\n<html><head><title>404</title></head></html>"
DENIED = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
ANNEX = "/annex/objects/SHA256E-s1234--" + "0f" * 32 + ".bin\n"


def one(code: str, severity: str, path: str) -> Expected:
    return [(code, severity, path)]


def both_cases(model: Path) -> None:
    write("model_card.txt", "a")(model)
    write("Model_Card.txt", "b")(model)
    if len(list(model.glob("*odel_?ard.txt"))) < 2:
        pytest.skip("this file system does not tell the cases apart")


def conflict_in(name: str) -> Defect:
    return write(name, CONFLICT)


DEFECTS: dict[str, tuple[Defect, Expected]] = {
    "two cases": (both_cases, one("FILE010", "warning", "Model_Card.txt")),
    "directories of two cases": (
        all_of(write("Extra/a.txt", "a"), write("extra/a.txt", "b"), write("extra/b.txt", "c")),
        one("FILE010", "warning", "Extra/"),
    ),
    "device": (write("aux.json", "{}"), one("FILE011", "warning", "aux.json")),
    "device as a directory": (
        all_of(write("con/a.txt", "a"), write("con/b.txt", "b")),
        one("FILE011", "warning", "con"),
    ),
    "colon": (write("step=10:loss.txt", "a"), one("FILE011", "warning", "step=10:loss.txt")),
    "trailing dot": (write("notes.", "a"), one("FILE011", "warning", "notes.")),
    "leading space": (write(" notes.txt", "a"), one("FILE011", "warning", " notes.txt")),
    "decomposed": (write("Mode\u0300le.txt", "a"), one("FILE012", "warning", "Mode\u0300le.txt")),
    "composed and decomposed": (
        all_of(write("Mode\u0300le.txt", "a"), write("Mod\u00e8le.txt", "b")),
        one("FILE010", "warning", "Mode\u0300le.txt"),
    ),
    "huge file": (hole("data.raw", 600 * 10**9), one("FILE014", "error", "data.raw")),
    "large file": (hole("data.raw", 300 * 10**9), one("FILE014", "info", "data.raw")),
    "empty vocabulary beside tokenizer.json": (write("vocab.txt", ""), one("FILE015", "error", "vocab.txt")),
    "empty template": (write("chat_template.jinja", ""), one("FILE015", "error", "chat_template.jinja")),
    "conflict in config.json": (conflict_in("config.json"), one("FILE016", "error", "config.json")),
    "conflict in tokenizer_config.json": (
        conflict_in("tokenizer_config.json"),
        one("FILE016", "error", "tokenizer_config.json"),
    ),
    "conflict in notes": (write("notes.md", "# N\n\n" + CONFLICT), one("FILE016", "error", "notes.md")),
    "conflict with CRLF": (
        write("vocab.txt", CONFLICT.replace("\n", "\r\n")),
        one("FILE016", "error", "vocab.txt"),
    ),
    "page for ONNX": (write("onnx/model.onnx", HTML), one("FILE017", "error", "onnx/model.onnx")),
    "page for a vocabulary": (write("vocab.txt", HTML), one("FILE017", "error", "vocab.txt")),
    "page for an image": (write("plot.png", HTML), one("FILE017", "error", "plot.png")),
    "AccessDenied": (write("spiece.model", DENIED), one("FILE017", "error", "spiece.model")),
    "404": (write("merges.txt", "404: Not Found"), one("FILE017", "error", "merges.txt")),
    "gated": (
        write("spiece.model", "Access to model acme/m is restricted. You must be authenticated to access it."),
        one("FILE017", "error", "spiece.model"),
    ),
    "error of an API": (
        write("preprocessor_config.json", '{"error": "Repository not found"}'),
        one("FILE017", "error", "preprocessor_config.json"),
    ),
    "page for other JSON": (write("results.json", HTML), one("FILE017", "error", "results.json")),
    "annex": (write("onnx/model.onnx", ANNEX), one("FILE017", "error", "onnx/model.onnx")),
    "git-xet": (write("spiece.model", "# xet version 0\nfilesize = 5\n"), one("FILE017", "error", "spiece.model")),
    "pointer with CRLF": (
        write("vocab.txt", "version https://git-lfs.github.com/spec/v1\r\noid sha256:" + "0f" * 32 + "\r\nsize 5\r\n"),
        one("FILE017", "error", "vocab.txt"),
    ),
    "zero bytes": (write("notes.txt", bytes(500)), one("FILE017", "error", "notes.txt")),
    "zero bytes for a config": (write("config.json", bytes(500)), one("CONF002", "error", "config.json")),
    "program": (write("tool.exe", b"MZ\x90\0"), one("FILE018", "info", "tool.exe")),
    "library": (write("lib/kernel.so", b"\x7fELF\2\1\1\0"), one("FILE018", "info", "lib/kernel.so")),
    "archive": (write("model.tar.gz", b"\x1f\x8b\x08\0\0"), one("FILE018", "info", "model.tar.gz")),
    "UTF-16": (write("vocab.txt", "[PAD]\n".encode("utf-16")), one("FILE019", "error", "vocab.txt")),
    "byte order mark": (write("vocab.txt", b"\xef\xbb\xbf[PAD]\n"), one("FILE019", "warning", "vocab.txt")),
    "data": (hole("data/train-00000.parquet", 9 * 10**6), one("FILE020", "info", "data/train-00000.parquet")),
    "lightning": (write("last.ckpt", b"\x80\x02}."), one("FILE021", "warning", "last.ckpt")),
    "lightning by epoch": (
        write("epoch=3-step=99.ckpt", b"\x80\x02}."),
        one("FILE021", "warning", "epoch=3-step=99.ckpt"),
    ),
    "gitignore": (write(".gitignore", "# mine\n*.safetensors\n"), one("FILE022", "warning", ".gitignore")),
    "gitattributes": (write(".gitattributes", "*.bin\n"), one("FILE023", "info", ".gitattributes")),
    "gitattributes without ONNX": (
        all_of(write(".gitattributes", "*.bin filter=lfs -text\n"), hole("big.msgpack", 20 * 10**6)),
        one("FILE023", "info", ".gitattributes"),
    ),
}
LEFTOVERS = {
    "nohup.out": "FILE006",
    "train.log": "FILE006",
    "slurm-1234.out": "FILE006",
    "optimizer.bin": "FILE006",
    "scheduler.bin": "FILE006",
    "scaler.pt": "FILE006",
    "sampler.bin": "FILE006",
    "random_states_0.pkl": "FILE006",
    "pytorch_model_fsdp.bin": "FILE006",
    "zero_pp_rank_0_mp_rank_00_model_states.pt": "FILE006",
    "mp_rank_00_model_states.pt": "FILE006",
    "core.4711": "FILE007",
    ".bash_history": "FILE007",
    "model.safetensors.lock": "FILE007",
    "model.safetensors.aria2": "FILE007",
}
LEFTOVER_DIRECTORIES = {
    "checkpoint_3": "FILE006",
    "wandb": "FILE006",
    "mlruns": "FILE006",
    "lightning_logs": "FILE006",
    "pytorch_model_fsdp_0": "FILE006",
    ".hydra": "FILE006",
    ".ipynb_checkpoints": "FILE007",
    "venv": "FILE007",
    "node_modules": "FILE007",
}
DEFECTS |= {name: (write(name, b"\x80\x02}."), one(code, "warning", name)) for name, code in LEFTOVERS.items()}
DEFECTS |= {
    name: (write(f"{name}/a.txt", "a"), one(code, "warning", f"{name}/")) for name, code in LEFTOVER_DIRECTORIES.items()
}


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, model: Path) -> None:
    assert judge(model) == []
    defect, expected = DEFECTS[name]
    defect(model)
    found = judge(model)
    assert [(f.rule, f.severity.value, f.path or "") for f in found if isinstance(f, Finding)] == expected
    assert len(found) == len(expected)
    for finding in found:
        assert isinstance(finding, Finding)
        assert finding.hint
        assert finding.path in finding.message
        assert "\n" not in finding.message


SOUND: dict[str, Defect] = {
    "headings of Markdown": write("notes.md", "Title\n=======\n\n> quote\n>> quote\n"),
    "a vocabulary with markers": write("vocab.txt", "[PAD]\n[UNK]\n=======\n<<<<<<<\n>>>>>>>\n"),
    "a page": write("demo.html", HTML),
    "a drawing": write("plot.svg", '<?xml version="1.0"?><svg/>'),
    "OpenVINO": write("openvino/model.xml", '<?xml version="1.0"?><net/>'),
    "JSON about errors": write("eval.json", '{"error": 0.12, "loss": 0.5}'),
    "an empty package": write("code/__init__.py", ""),
    "a lock of a package manager": write("uv.lock", "version = 1\n"),
    "a file with spaces": write("my notes.txt", "a"),
    "composed": write("Mod\u00e8le.txt", "a"),
    "small data": write("test.csv", "a,b\n1,2\n"),
    "gitignore of leftovers": write(".gitignore", "*.ckpt\noptimizer.pt\n__pycache__/\n!model.safetensors\n"),
    "gitattributes of the Hub": write(
        ".gitattributes", "*.safetensors filter=lfs diff=lfs merge=lfs -text\nsaved_model/**/* filter=lfs -text\n"
    ),
    "binary": write("stats.dat", bytes([0, 1, 2, 3]) * 100),
    "checkpoints by other names": write("checkpoint.txt", "see card"),
    "Windows newlines": write("vocab.txt", "[PAD]\r\n[UNK]\r\n"),
}


@pytest.mark.parametrize("name", SOUND)
def test_no_false_alarm(name: str, model: Path) -> None:
    SOUND[name](model)
    assert judge(model) == []


def test_a_page_in_place_of_json_is_called_a_page(model: Path) -> None:
    write("config.json", HTML)(model)
    [finding] = judge(model)
    assert isinstance(finding, Finding)
    assert finding.message == "config.json is not JSON but an HTML page"


def test_a_conflict_in_the_index_is_one_finding(sharded: Path) -> None:
    conflict_in("model.safetensors.index.json")(sharded)
    codes = [finding.rule for finding in judge(sharded) if isinstance(finding, Finding)]
    assert codes.count("FILE016") == 1
    assert "FILE016" in codes
    assert not [f for f in judge(sharded) if isinstance(f, Finding) and "not JSON" in f.message]


def test_a_conflict_has_its_line(model: Path) -> None:
    write("notes.md", "a\nb\n" + CONFLICT)(model)
    [finding] = judge(model)
    assert isinstance(finding, Finding)
    assert finding.line == 3


def test_what_is_too_long_to_be_searched_is_told(model: Path) -> None:
    write("corpus.txt", b"words " * (3 << 20))(model)
    [skip] = judge(model)
    assert isinstance(skip, Skip)
    assert "corpus.txt" in skip.what


def test_limits_of_the_hub(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        write(f"parts/{number}.txt", "a")(model)
    monkeypatch.setattr(file_names, "MOST_FILES", 10)
    monkeypatch.setattr(file_names, "MOST_ENTRIES", 10)
    found = [finding for finding in judge(model) if isinstance(finding, Finding)]
    assert [(f.rule, f.path) for f in found] == [("FILE014", None), ("FILE014", "parts/")]


def test_a_path_too_long(model: Path) -> None:
    path = model
    for _ in range(8):
        path = path / ("d" * 130)
        os.mkdir(path)  # noqa: PTH102
    (path / "a.txt").write_text("a")
    [finding] = judge(model)
    assert isinstance(finding, Finding)
    assert finding.rule == "FILE013"
    assert "1,0" in finding.message


@pytest.mark.parametrize("name", ["merges.txt", "special_tokens_map.json", "generation_config.json"])
def test_the_only_cause_is_told(name: str, model: Path) -> None:
    """A page in place of a file that has a reader, or has none, is one finding."""
    write(name, HTML)(model)
    assert len(judge(model)) == 1
    remove(name)(model)
    assert judge(model) == []
