"""`hubpub check --fix` through the real command: what is mended, what is not, and that twice is once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from hubpub.cli.main import main
from hubpub.core.findings import Edit, Finding, Fix, Severity
from hubpub.fix.apply import plan_fixes, write_fixes

INDEX = "model.safetensors.index.json"


def check(folder: Path, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as done:
        main(["check", str(folder), *arguments])
    out, err = capsys.readouterr()
    return int(str(done.value.code)), out, err


def edit_index(change: Callable[[dict[str, dict[str, object]]], object]) -> Callable[[Path], object]:
    def defect(folder: Path) -> None:
        document = json.loads((folder / INDEX).read_text())
        change(document)
        (folder / INDEX).write_text(json.dumps(document))

    return defect


DEFECTS = {
    "no index": lambda folder: (folder / INDEX).unlink(),
    "no JSON": lambda folder: (folder / INDEX).write_text('{"weight_map": {,}}'),
    "a tensor too many": edit_index(lambda index: index["weight_map"].update(ghost="model-00001-of-00003.safetensors")),
    "a tensor too few": edit_index(lambda index: index["weight_map"].popitem()),
    "no total size": edit_index(lambda index: index.pop("metadata")),
    "another total size": edit_index(lambda index: index["metadata"].update(total_size=1)),
    "no weight map": edit_index(lambda index: index.pop("weight_map")),
}


@pytest.fixture
def sharded(chat_lm_sharded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(chat_lm_sharded, tmp_path / "model"))


@pytest.mark.parametrize("name", DEFECTS)
def test_an_index_is_rebuilt(name: str, sharded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads((sharded / INDEX).read_text())
    DEFECTS[name](sharded)
    broken = (sharded / INDEX).read_bytes() if (sharded / INDEX).exists() else None
    found = json.loads(check(sharded, "--json", capsys=capsys)[1])["findings"]
    assert {finding["path"] for finding in found} == {INDEX}
    code, _, err = check(sharded, "--diff", capsys=capsys)
    assert f"+++ b/{INDEX}" in err
    assert ((sharded / INDEX).read_bytes() if (sharded / INDEX).exists() else None) == broken, "--diff writes nothing"
    code, out, err = check(sharded, "--fix", capsys=capsys)
    assert code == 0
    assert "no findings" in out
    assert f"rebuild {INDEX}" in err
    after = json.loads((sharded / INDEX).read_text())
    assert after["weight_map"] == before["weight_map"]
    assert after["metadata"]["total_size"] == before["metadata"]["total_size"]
    once = (sharded / INDEX).read_bytes()
    assert check(sharded, "--fix", capsys=capsys)[2] == ""
    assert (sharded / INDEX).read_bytes() == once


def test_an_index_is_not_made_up(sharded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shard is missing: nobody knows what was in it."""
    (sharded / "model-00002-of-00003.safetensors").unlink(missing_ok=True)
    max(sharded.glob("model-*.safetensors")).unlink()
    (sharded / INDEX).unlink()
    assert check(sharded, "--fix", capsys=capsys)[0] == 1
    assert not (sharded / INDEX).exists()


def test_what_is_no_directory_is_not_fixed(sharded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", sharded)
    code, _, err = check(Path(archive), "--fix", capsys=capsys)
    assert code == 2
    assert "directory of this machine" in err


def finding(*edits: Edit, safe: bool = True) -> Finding:
    return Finding("FILE001", "n", Severity.ERROR, "m", fix=Fix("d", safe, edits))


def test_edits_that_meet_are_left_for_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("eins\r\nzwei ü\n".encode())
    first = finding(Edit("a.txt", 0, 4, "one"))
    same = finding(Edit("a.txt", 0, 4, "one"))
    meets = finding(Edit("a.txt", 3, 8, "x"), Edit("b.txt", 0, 0, "new"))
    other = finding(Edit("a.txt", 6, 10, "two"))
    beyond = finding(Edit("a.txt", 6, 400, ""))
    planned = plan_fixes(tmp_path, [first, same, meets, other, beyond])
    assert planned.findings == (first, same, other)
    write_fixes(tmp_path, planned)
    assert (tmp_path / "a.txt").read_bytes() == "one\r\ntwo ü\n".encode()
    assert not (tmp_path / "b.txt").exists()


def test_unsafe_fixes_are_asked_for(tmp_path: Path) -> None:
    unsafe = finding(Edit("b.txt", 0, 0, "x"), safe=False)
    assert plan_fixes(tmp_path, [unsafe]).findings == ()
    write_fixes(tmp_path, plan_fixes(tmp_path, [unsafe], unsafe=True))
    assert (tmp_path / "b.txt").read_text() == "x"


def test_links_and_other_encodings_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("x")
    (tmp_path / "link.txt").symlink_to("real.txt")
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe")
    for name in ("link.txt", "latin.txt"):
        assert plan_fixes(tmp_path, [finding(Edit(name, 0, 1, "y"))]).findings == ()


def rename_all(path: Path, change: Callable[[str], str]) -> None:
    state = load_file(path)
    save_file({change(name): tensor for name, tensor in state.items()}, path, metadata={"format": "pt"})


def wrap_shards(folder: Path) -> None:
    for shard in folder.glob("model-*.safetensors"):
        rename_all(shard, "module.{}".format)
    edit_index(lambda index: index.update(weight_map={f"module.{k}": v for k, v in index["weight_map"].items()}))(
        folder
    )


def test_names_of_a_wrapper_are_stripped_into_a_new_file(
    plain_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(plain_model, tmp_path / "model"))
    weights = folder / "model.safetensors"
    before = load_file(weights)
    rename_all(weights, "_orig_mod.{}".format)
    broken = weights.read_bytes()
    code, out, err = check(folder, "--fix", capsys=capsys)
    assert code == 1
    assert "--fix --unsafe-fixes mends 1" in out
    assert weights.read_bytes() == broken, "not without --unsafe-fixes"
    code, _, err = check(folder, "--fix", "--unsafe-fixes", "--diff", capsys=capsys)
    assert f"rename in model.safetensors: _orig_mod.{next(iter(before))} -> " in err
    assert weights.read_bytes() == broken
    code, out, err = check(folder, "--fix", "--unsafe-fixes", capsys=capsys)
    assert (code, "fixed WEIGHT063" in err) == (0, True)
    after = load_file(weights)
    assert after.keys() == before.keys()
    assert all(after[name].equal(before[name]) for name in before)
    assert (folder / "model.safetensors.orig").read_bytes() == broken
    assert check(folder, "--fix", "--unsafe-fixes", capsys=capsys)[0] == 0, "twice is once"


def test_names_in_shards_and_their_index_are_stripped(
    sharded: Path, chat_lm_sharded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrap_shards(sharded)
    code, out, _ = check(sharded, "--fix", "--unsafe-fixes", "--json", capsys=capsys)
    assert (code, json.loads(out)["counts"]["error"]) == (0, 0)
    was, now = (json.loads((folder / INDEX).read_text())["weight_map"] for folder in (chat_lm_sharded, sharded))
    assert now == was
    for shard in chat_lm_sharded.glob("model-*.safetensors"):
        assert load_file(sharded / shard.name).keys() == load_file(shard).keys()


def test_a_file_that_was_kept_aside_is_not_lost(
    plain_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(plain_model, tmp_path / "model"))
    rename_all(folder / "model.safetensors", "module.{}".format)
    (folder / "model.safetensors.orig").write_bytes(b"mine")
    broken = (folder / "model.safetensors").read_bytes()
    code, _, err = check(folder, "--fix", "--unsafe-fixes", capsys=capsys)
    assert (code, "move it away" in err) == (2, True)
    assert (folder / "model.safetensors").read_bytes() == broken
    assert (folder / "model.safetensors.orig").read_bytes() == b"mine"
    assert sorted(path.name for path in folder.glob(".*")) == []


def test_names_that_would_collide_are_left() -> None:
    from hubpub.model.safetensors import Tensor
    from hubpub.model.shapes import unwrapped_names

    names = ["module.a", "module.b", "module.base_layer.c", "module._orig_mod.a"]
    assert unwrapped_names({name: Tensor(name, "F32", (1,), 0, 4) for name in names}) is None
