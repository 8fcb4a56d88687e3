"""Reading files through: hashes and values in one pass, whatever the files do meanwhile."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from support.weights import llama_shards, overwrite, write_safetensors, write_shards

from hubpub.model import digests
from hubpub.model.folder import ModelFolder
from hubpub.model.reading import BLOCK, CHANGED, Reading, read_through
from hubpub.model.reading_cache import ReadingCache
from hubpub.model.tensors import value_spans
from hubpub.model.values import Span


def nothing(_count: int) -> None:
    pass


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 511, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
def test_hash_of_any_size(size: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(np.random.default_rng(size).bytes(size))
    counts: list[int] = []
    with path.open("rb") as file:
        reading = read_through(file, [], counts.append)
    assert (reading.sha256, reading.size, reading.problem) == (sha256(path), size, None)
    assert sum(counts) == size


@pytest.mark.parametrize("offset", [8, 8 + 1, 8 + 33, BLOCK + 5])
def test_values_across_blocks_wherever_they_begin(offset: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=BLOCK // 2).astype(np.float32)  # two blocks long
    numbers[[0, BLOCK // 4, -1]] = np.nan, np.inf, -900
    path = tmp_path / "file"
    path.write_bytes(b"x" * offset + numbers.tobytes() + b"yz")
    with path.open("rb") as file:
        reading = read_through(file, [Span("a", "F32", offset, offset + numbers.nbytes)], nothing)
    assert reading.sha256 == sha256(path)
    assert reading.values["a"] == (1, 1, False, False, 900.0)


def test_a_source_that_is_no_file_of_the_system() -> None:
    reading = read_through(io.BytesIO(b"abc" * BLOCK), [], nothing)
    assert reading.sha256 == hashlib.sha256(b"abc" * BLOCK).hexdigest()
    assert reading.stamp is None


class Changing(io.FileIO):
    """A file that something happens to after the first block was read."""

    happens: Callable[[], object]

    def readinto(self, buffer: object) -> int | None:  # type: ignore[override]
        count = super().readinto(buffer)  # type: ignore[arg-type]
        if count:
            happens, self.happens = self.happens, lambda: None
            happens()
        return count


@pytest.mark.parametrize("happens", ["truncated", "grown", "written to", "replaced by a longer one"])
def test_a_file_that_changes_while_it_is_read(happens: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * BLOCK))

    def change() -> None:
        if happens == "truncated":
            os.truncate(path, BLOCK)
        elif happens == "written to":
            os.utime(path, ns=(1, 1))
        else:
            with path.open("ab") as file:
                file.write(b"more" if happens == "grown" else bytes(9 * BLOCK))

    with Changing(path) as file:
        file.happens = change
        reading = read_through(file, [Span("a", "F32", 8, 3 * BLOCK)], nothing)  # type: ignore[arg-type]
    assert (reading.sha256, reading.values, reading.problem) == (None, {}, CHANGED)
    assert reading.size <= 5 * BLOCK, "it is not followed for as long as it grows"


class Failing(io.BytesIO):
    def readinto(self, _buffer: object) -> int:  # type: ignore[override]
        raise OSError(5, "Input/output error")


def test_a_disk_that_fails() -> None:
    reading = read_through(Failing(b"x"), [], nothing)
    assert (reading.sha256, reading.problem) == (None, "cannot be read: Input/output error")


# The folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "model"
    root.mkdir()
    write_shards(root, llama_shards(layers=4, hidden=128, intermediate=256, vocabulary=3000, count=3), filled=True)
    (root / "config.json").write_text("{}")
    return root


def read(root: Path, cache: ReadingCache | None = None, **more: object) -> dict[str, Reading]:
    model = ModelFolder.open(root)
    return digests.read_all(
        model.release_files,
        spans=value_spans(model.tensor_files),
        open_file=model.open_file,
        directory=model.source.directory,
        cache=cache,
        **more,  # type: ignore[arg-type]
    )


def test_every_file_of_the_release_is_read(folder: Path) -> None:
    (folder / "optimizer.pt").write_bytes(b"left out")
    readings = ModelFolder.open(folder).readings
    assert {path: reading.sha256 for path, reading in readings.items()} == {
        path.name: sha256(path) for path in folder.iterdir() if path.name != "optimizer.pt"
    }
    model = ModelFolder.open(folder)
    for path, header in model.weights.headers.items():
        assert readings[path].values.keys() == header.tensors.keys()


def test_progress_adds_up_and_never_goes_back(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    model = ModelFolder.open(folder, progress=lambda done, total: seen.append((done, total)))
    assert model.readings
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)


def test_what_progress_raises_stops_the_reading(folder: Path) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(_done: int, _total: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        read(folder, progress=interrupt)
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_a_file_that_cannot_be_opened_any_more(folder: Path) -> None:
    model = ModelFolder.open(folder)
    assert model.weights.headers
    (folder / "config.json").unlink()
    assert (model.readings["config.json"].problem or "").startswith("cannot be read")


def test_of_a_broken_file_only_the_hash_is_told(folder: Path) -> None:
    path = folder / "model-00002-of-00003.safetensors"
    os.truncate(path, path.stat().st_size - 10)
    reading = read(folder)[path.name]
    assert (reading.sha256, reading.values) == (sha256(path), {})


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    import tracemalloc

    write_safetensors(tmp_path / "model.safetensors", {"a.weight": ("F32", (1 << 25,))})  # 128 MB
    model = ModelFolder.open(tmp_path)
    assert model.weights.headers
    tracemalloc.start()
    try:
        assert model.readings
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


# The cache


class Counting:
    """Opens files, and counts how many bytes are read of them."""

    def __init__(self, model: ModelFolder) -> None:
        self.model, self.opened = model, 0
        self.read = 0

    def __call__(self, path: str) -> BinaryIO:
        return _Counted(self.model.root / path, self)  # type: ignore[return-value]


class _Counted(io.FileIO):
    def __init__(self, path: Path, counting: Counting) -> None:
        super().__init__(path)
        self.counting = counting

    def readinto(self, buffer: object) -> int | None:  # type: ignore[override]
        count = super().readinto(buffer)  # type: ignore[arg-type]
        self.counting.read += count or 0
        return count


@pytest.fixture
def cache(tmp_path: Path) -> ReadingCache:
    return ReadingCache(tmp_path / "cache")


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model of one file of 4 MB that, as far as the cache can tell, nobody has written to lately."""
    monkeypatch.setattr("hubpub.model.stamp._RACY", -(10**12))
    root = tmp_path / "model"
    root.mkdir()
    write_safetensors(
        root / "model.safetensors", {"a.weight": ("F32", (1000, 1000)), "b": ("F16", (0, 3))}, filled=True
    )
    return root


def counted(root: Path, cache: ReadingCache) -> tuple[Reading, int]:
    """The reading, and how many bytes were read for it."""
    model = ModelFolder.open(root)
    counting = Counting(model)
    readings = digests.read_all(
        model.release_files, spans=value_spans(model.tensor_files), open_file=counting, directory=root, cache=cache
    )
    return readings["model.safetensors"], counting.read


def test_what_is_known_is_not_read_again(old: Path, cache: ReadingCache) -> None:
    first, read_first = counted(old, cache)
    second, read_second = counted(old, cache)
    assert read_first == (old / "model.safetensors").stat().st_size
    assert read_second == 0
    assert second == first
    assert first.sha256 == sha256(old / "model.safetensors")


def test_a_file_that_was_written_to_just_now_is_not_kept(
    old: Path, cache: ReadingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubpub.model.stamp._RACY", 2_000_000_000)
    os.utime(old / "model.safetensors")
    counted(old, cache)
    assert counted(old, cache)[1] > 0


def test_an_old_time_set_by_hand_is_not_believed(
    old: Path, cache: ReadingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubpub.model.stamp._RACY", 2_000_000_000)
    os.utime(old / "model.safetensors", ns=(10**18, 10**18))
    counted(old, cache)
    assert counted(old, cache)[1] > 0, "the inode changed just now"


@pytest.mark.parametrize("change", ["content", "content and its time", "another file in its place"])
def test_a_changed_file_is_read_again(change: str, old: Path, cache: ReadingCache) -> None:
    path = old / "model.safetensors"
    before, _ = counted(old, cache)
    status = path.stat()
    if change == "another file in its place":
        copy = old.parent / "copy"
        copy.write_bytes(path.read_bytes())
        overwrite(copy, "a.weight", b"\0\0\xc0\x7f")
        copy.replace(path)
    else:
        overwrite(path, "a.weight", b"\0\0\xc0\x7f")
    if change != "content":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after, read_after = counted(old, cache)
    assert read_after > 0
    assert after.sha256 == sha256(path) != before.sha256
    assert after.values["a.weight"].nan == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-5],
        lambda content: content.replace(b'"sha256":"', b'"sha256":"0'),
        lambda content: bytes(len(content)),
        lambda content: b"[" * 100_000,
        lambda content: content + b"x",
    ],
)
def test_a_damaged_entry_is_read_again(
    damage: Callable[[bytes], bytes], old: Path, cache: ReadingCache, tmp_path: Path
) -> None:
    counted(old, cache)
    [entry] = (tmp_path / "cache").rglob("*/*")
    entry.write_bytes(damage(entry.read_bytes()))
    reading, count = counted(old, cache)
    assert count > 0
    assert reading.sha256 == sha256(old / "model.safetensors")
    assert counted(old, cache)[1] == 0, "and mended"


def test_small_files_are_not_kept(tmp_path: Path, cache: ReadingCache, old: Path) -> None:
    (old / "config.json").write_text("{}")
    counted(old, cache)
    assert len(list((tmp_path / "cache").rglob("*/*"))) == 1


def test_the_cache_stays_small(tmp_path: Path, old: Path) -> None:
    content = (old / "model.safetensors").read_bytes()
    for number in range(5):
        (old / f"copy{number}.safetensors").write_bytes(content)
    small = ReadingCache(tmp_path / "cache", most_bytes=1000)
    read(old, small)
    kept = list((tmp_path / "cache").rglob("*/*"))
    assert 0 < len(kept) < 6
    assert sum(path.stat().st_size for path in kept) <= 1000


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path: Path, old: Path) -> None:
    (tmp_path / "blocked").write_text("a file, not a directory")
    blocked = ReadingCache(tmp_path / "blocked")
    assert counted(old, blocked)[0].sha256 == sha256(old / "model.safetensors")
    assert counted(old, blocked)[1] > 0


def test_many_writers_leave_one_whole_entry(tmp_path: Path, old: Path) -> None:
    caches = [ReadingCache(tmp_path / "cache") for _ in range(8)]
    threads = [threading.Thread(target=counted, args=(old, cache)) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(old, caches[0])[1] == 0
    assert len(list((tmp_path / "cache").rglob("*/*"))) == 1


def test_place_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: Path) -> None:
    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path / "mine"))
    read(old)
    assert list((tmp_path / "mine").rglob("*/*"))
