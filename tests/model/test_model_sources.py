"""Models that are no folder: archives, stores that fsspec knows, repos on a hub. The same report, little is fetched."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest
from support.running_hub import StartHub, TestHub, hubs
from support.weights import write_safetensors

import hubpub
from hubpub.core.errors import UsageError
from hubpub.model.folder import ModelFolder
from hubpub.model.window import rewinding

FORMATS = ("zip", "tar", "gztar", "bztar", "xztar")


def rules(report: hubpub.core.report.Report) -> list[tuple[str, str | None]]:  # type: ignore[name-defined]
    return [(finding.rule, finding.path) for finding in report.findings]


@pytest.fixture
def broken(plain_model: Path, tmp_path: Path) -> Path:
    """A model with a weight file that is cut short, a leftover, and a token in a nested file."""
    folder = tmp_path / "broken"
    shutil.copytree(plain_model, folder)
    os.truncate(folder / "model.safetensors", (folder / "model.safetensors").stat().st_size - 100)
    (folder / "runs").mkdir()
    (folder / "runs" / "events.out.tfevents.1.host").write_bytes(b"x")
    (folder / "notes").mkdir()
    (folder / "notes" / "a.md").write_text("hf_" + "qWnTzKvbMxPdLsRgHcJyFwEuAoIiXtYrBk")
    return folder


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("top", [True, False], ids=["in a folder", "flat"])
def test_an_archive_is_judged_like_the_folder(format_: str, top: bool, broken: Path, tmp_path: Path) -> None:
    base = ("broken",) if top else ()
    archive = shutil.make_archive(str(tmp_path / "packed"), format_, broken.parent if top else broken, *base)
    assert rules(hubpub.check(archive)) == rules(hubpub.check(broken)) != []
    assert hubpub.check(archive).facts == hubpub.check(broken).facts


@pytest.mark.parametrize("format_", FORMATS)
def test_a_sound_model_in_an_archive(format_: str, plain_model: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "packed"), format_, plain_model)
    assert hubpub.check(archive).findings == ()


@pytest.mark.parametrize("name", ["../up.txt", "/abs.txt", "a/../../b.txt", "C:/x.txt", "a\\b.txt", "a\nb.txt"])
def test_names_that_lead_out_of_an_archive(name: str, plain_model: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in plain_model.iterdir():
            archive.write(path, path.name)
        archive.writestr(name, "x")
    assert [rule for rule, _ in rules(hubpub.check(tmp_path / "a.zip"))] == ["FILE009"]


def test_links_devices_and_pipes_in_a_tar(plain_model: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(plain_model, "m")
        for name, kind in (("link", tarfile.SYMTYPE), ("pipe", tarfile.FIFOTYPE), ("null", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(f"m/{name}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    found = rules(hubpub.check(tmp_path / "a.tar"))
    assert found == [("FILE001", "link"), ("FILE003", "null"), ("FILE003", "pipe")]


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("config.json", "w") as file,
    ):
        for _ in range(1000):
            file.write(bytes(1 << 20))
    [message] = [
        f.message for f in hubpub.check(tmp_path / "a.zip").findings if f.path == "config.json" and f.rule == "CONF002"
    ]
    assert "1,048,576,000 bytes" in message


@pytest.mark.parametrize("name", ["cut.zip", "cut.tar", "cut.tar.gz", "noise.bin", "empty.zip"])
def test_what_is_no_archive(name: str, plain_model: Path, tmp_path: Path) -> None:
    content = {"noise.bin": b"noise" * 100, "empty.zip": b""}.get(name)
    if content is None:
        kind = {"cut.zip": "zip", "cut.tar": "tar", "cut.tar.gz": "gztar"}[name]
        packed = Path(shutil.make_archive(str(tmp_path / "whole"), kind, plain_model))
        content = packed.read_bytes()[: packed.stat().st_size // 2]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=name):
        hubpub.check(tmp_path / name)


def test_reading_backwards_in_a_stream() -> None:
    data = os.urandom(300_000)
    opened = 0

    def again() -> io.BytesIO:
        nonlocal opened
        opened += 1
        return io.BytesIO(data)

    with rewinding(again, len(data)) as file:
        for start, size in ((0, 10), (200_000, 50), (5, 70_000), (299_990, 100), (0, -1)):
            file.seek(start)
            assert file.read(size) == (data[start:] if size < 0 else data[start : start + size])
        assert file.seek(0, os.SEEK_END) == len(data)
        assert file.read() == b""
    assert opened <= 4


@pytest.fixture
def store() -> Iterator[Callable[[Path], str]]:
    """Puts a folder into fsspec's store in memory, and returns its address."""
    system = fsspec.filesystem("memory")

    def put(folder: Path) -> str:
        system.put(str(folder), f"/bucket/{folder.name}", recursive=True)
        return f"memory://bucket/{folder.name}"

    yield put
    system.rm("/bucket", recursive=True)


def test_a_store_is_judged_like_the_folder(store: Callable[[Path], str], broken: Path) -> None:
    assert rules(hubpub.check(store(broken))) == rules(hubpub.check(broken))


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("memory://bucket/nowhere", "nowhere"),
        ("nosuch://bucket/x", "Protocol not known: nosuch"),
        ("hf://justaname", "hf://namespace/name"),
        ("file:///nowhere", "does not exist"),
    ],
)
def test_addresses_without_a_model(address: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        hubpub.check(address)
    assert says in f"{raised.value.message} {raised.value.next_step}"


def test_what_is_elsewhere_has_no_directory(store: Callable[[Path], str], plain_model: Path) -> None:
    folder = ModelFolder.open(store(plain_model))
    assert folder.source.directory is None
    with pytest.raises(UsageError, match="directory of this machine"):
        _ = folder.root


@pytest.fixture(scope="module")
def start_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartHub]:
    with hubs(tmp_path_factory) as start:
        yield start


def check_on(hub: TestHub, *places: str) -> dict[str, object]:
    code = "import sys; from hubpub.cli.main import main; main(['check', *sys.argv[1:], '--json'])"
    return json.loads(hub.python(code, *places))  # type: ignore[no-any-return]


def test_a_repo_on_a_hub(start_hub: StartHub, plain_model: Path, tmp_path: Path) -> None:
    """Of 40 MB of weights little more than the header travels."""
    folder = tmp_path / "model"
    shutil.copytree(plain_model, folder)
    big = {f"t{number}": ("F32", (1000, 1000)) for number in range(10)}
    (folder / "model.safetensors").unlink()
    (folder / "config.json").write_text('{"hidden_size": 8, "dropout": 0.1}')
    write_safetensors(folder / "model.safetensors", big)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    hub = start_hub()
    api = hub.api()
    api.create_repo("alice/model", private=True)
    first = api.upload_folder(folder_path=folder, repo_id="alice/model", revision="main")
    api.create_tag("alice/model", tag="v1")
    api.delete_file("config.json", "alice/model")

    def sent() -> float:
        text = hub.python(
            "import os, urllib.request as u; print(u.urlopen(os.environ['HF_ENDPOINT'] + '/metrics').read().decode())"
        )
        return float(text.partition('hubpub_body_bytes_total{direction="out"} ')[2].split()[0])

    before = sent()
    report = check_on(hub, "hf://alice/model@v1")
    assert report["findings"] == []
    assert report["facts"]["parameters"] == 10_000_000  # type: ignore[index]
    assert sent() - before < 2_000_000
    assert check_on(hub, f"hf://alice/model@{first.oid}")["findings"] == []
    several = check_on(hub, "hf://alice/model@v1", str(folder))
    assert several["schema"] == "hubpub.reports/1"
    assert [entry["target"] for entry in several["reports"]] == ["hf://alice/model@v1", str(folder)]  # type: ignore[attr-defined, index]


def test_reading_from_front_to_back_takes_few_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says the same as the file, wherever it jumps in between."""
    from hubpub.model import remote

    write_safetensors(tmp_path / "model.safetensors", {"a": ("F32", (3 << 20,))}, filled=True)
    content = (tmp_path / "model.safetensors").read_bytes()
    system = fsspec.filesystem("memory", skip_instance_cache=True)
    system.pipe_file("/front/model.safetensors", content)
    monkeypatch.setattr(remote, "_STRETCH", 5 << 20)
    fetched = []
    cat_file = system.cat_file
    monkeypatch.setattr(
        system, "cat_file", lambda *a, **k: fetched.append((k["start"], k["end"])) or cat_file(*a, **k), raising=True
    )
    source = remote.RemoteSource(system, "/front")
    source.walk(prune=lambda _: False, leave_out=lambda _: False)
    with source.open("model.safetensors") as file:
        pieces = iter(lambda: file.read(1 << 20), b"")
        assert b"".join(pieces) == content
        assert len(fetched) == 3
        for offset in (0, 7_000_000, 6_999_990, len(content) - 3):
            file.seek(offset)
            assert file.read(100) == content[offset : offset + 100]
    assert len(fetched) == 3
