"""The server is killed with SIGKILL amid real pushes: nothing committed is lost, and what was cut off works again.

Four lanes run side by side, one for each way that files travel. Each kills its own server at seeded moments, checks
the data folder while no server runs on it, starts another on the same folder and port, and pushes the same again.
HUBPUB_KILLS is the number of kills in each lane.
"""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import CommitOperationAdd, HfApi
from support.killable_hub import TOKEN, Nursery, Server, nursery
from support.running_hub import TestHub

from hubpub.hub.store.fsck import fsck
from hubpub.hub.store.garbage import collect_garbage

REPO_ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("HUBPUB_KILLS", "10"))
REPO = "acme/model"
Files = dict[str, bytes]

# The client's own: it hands httpx a file object where that wants something else.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
    pytest.mark.skipif(os.name != "posix", reason="servers are forked"),
]


def through_lfs(random: random.Random, stem: str) -> Files:
    return {f"{stem}/{number}.bin": random.randbytes(150_000) for number in range(3)}


def in_parts(random: random.Random, stem: str) -> Files:
    return {f"{stem}/parts.bin": random.randbytes(2_500_000)}


def through_xet(random: random.Random, stem: str) -> Files:
    return {f"{stem}/{number}.bin": random.randbytes(400_000) for number in range(2)} | {f"{stem}/a.txt": stem.encode()}


def many_small(random: random.Random, stem: str) -> Files:
    return {f"{stem}/{number}.txt": f"{stem} {random.random()}".encode() for number in range(150)}


LANES = {"lfs": through_lfs, "parts": in_parts, "xet": through_xet, "small": many_small}


@dataclass
class Lane:
    name: str
    make: Callable[[random.Random, str], Files]
    nursery: Nursery
    root: Path
    server: Server = field(init=False)
    acknowledged: dict[str, Files] = field(default_factory=dict)
    cut_off: int = 0

    def start(self, port: int = 0) -> None:
        self.server = self.nursery.start(self.root, port)

    def push(self, stem: str, files: Files) -> str:
        api = HfApi(endpoint=self.server.endpoint, token=TOKEN)
        lfs = self.name in ("lfs", "parts")
        adds = [CommitOperationAdd(path, io.BytesIO(data) if lfs else data) for path, data in files.items()]
        return api.create_commit(REPO, adds, commit_message=stem).oid

    def run(self) -> None:
        chance = random.Random(self.name)
        self.start()
        HfApi(endpoint=self.server.endpoint, token=TOKEN).create_repo(REPO)
        started = time.monotonic()
        files = self.make(chance, "first")
        self.acknowledged[self.push("first", files)] = files
        # About as long as a push takes: kept to that, so that most kills find one under way.
        usual = min(time.monotonic() - started, 0.5)
        for number in range(KILLS):
            usual *= 1.1 if self.round(f"{number:03}", chance, chance.uniform(0, usual)) else 0.6
        assert self.cut_off >= KILLS // 3, "most pushes were over before the server was killed"
        self.read_back()
        self.server.kill()
        self.clean()

    def round(self, stem: str, chance: random.Random, delay: float) -> bool:
        """Push, kill after `delay` seconds, check, restart, finish; returns whether the push was cut off."""
        files = self.make(chance, stem)
        with ThreadPoolExecutor(1) as pool:
            pushing = pool.submit(self.push, stem, files)
            time.sleep(delay)
            self.server.kill()
            cut_off = not pushing.done()
            self.cut_off += cut_off
            report = fsck(self.root)
            assert report.damage == []
            assert report.notes == []
            self.start(self.server.port)
            try:
                oid = pushing.result()
            except Exception:
                # The client gave up. Otherwise it tried again by itself, and that worked.
                oid = self.push(stem, files)
        self.acknowledged[oid] = files
        return cut_off

    def read_back(self) -> None:
        api = HfApi(endpoint=self.server.endpoint, token=TOKEN)
        history = [commit.commit_id for commit in api.list_repo_commits(REPO)]
        assert set(self.acknowledged) <= set(history)
        with tempfile.TemporaryDirectory() as folder:
            local = Path(api.snapshot_download(REPO, local_dir=folder))
            assert not api.verify_repo_checksums(REPO, local_dir=local).mismatches
            for files in self.acknowledged.values():
                for path, data in files.items():
                    assert (local / path).read_bytes() == data
            there = {path.relative_to(local).as_posix() for path in files_of(local)}
        pushed = {path for files in self.acknowledged.values() for path in files}
        assert there == pushed | {".gitattributes"}

    def clean(self) -> None:
        """What the kills have left goes, and nothing else."""
        before = fsck(self.root)
        collect_garbage(self.root, age=0)
        after = fsck(self.root)
        assert after.damage == []
        assert after.checked == before.checked
        assert list((self.root / "scratch").iterdir()) == []


def files_of(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts)


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Each lane is a process: the client's connections are one for all threads, and closed when one of them is cut."""
    folders = os.pathsep.join((str(REPO_ROOT), str(REPO_ROOT / "tests")))
    lanes = {
        name: subprocess.Popen(
            [sys.executable, __file__, name, str(tmp_path / name)],
            env={**os.environ, "PYTHONPATH": folders},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in LANES
    }
    said = {name: lane.communicate()[1][-3000:] for name, lane in lanes.items()}
    assert {name: said[name] for name, lane in lanes.items() if lane.returncode} == {}


def test_what_a_kill_between_two_writes_leaves_stands_in_nobodys_way(hub: TestHub) -> None:
    api, root = hub.api(), hub.hub.root
    api.create_repo(REPO)
    content = random.Random(1).randbytes(100_000)
    first = CommitOperationAdd("m.bin", content)
    api.preupload_lfs_files(REPO, [first])
    # Of a xet file: its record, but not yet which file has its SHA-256.
    sha256 = first.upload_info.sha256.hex()
    (root / "xet" / "sha256" / sha256[:2] / sha256).unlink()
    # Of an upload: the content, but not yet the note that it is this repo's.
    folder = root / "repos" / "models" / "acme" / "model"
    (folder / "lfs" / sha256[:2] / sha256).unlink()
    # Of a branch `a/b` that is deleted: the folder that it was in.
    (folder / "git" / "refs" / "heads" / "a" / "b").mkdir(parents=True)
    # Of a pack: all but its index, and git's own lock files.
    (folder / "git" / "objects" / "pack" / "pack-0.pack").write_bytes(b"PACK")
    (folder / "git" / "refs" / "heads" / "main.lock").touch()
    (folder / "git" / "objects" / "pack" / "pack-0.idx.lock").touch()
    api.create_commit(REPO, [CommitOperationAdd("m.bin", content)], commit_message="again")
    api.create_branch(REPO, branch="a")
    assert hub.read(REPO, "m.bin", revision="a") == content
    assert fsck(root).damage == []


def _main(name: str, root: str) -> None:
    with nursery() as servers:
        Lane(name, LANES[name], servers, Path(root)).run()


if __name__ == "__main__":
    _main(*sys.argv[1:])
