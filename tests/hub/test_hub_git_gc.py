"""`hubpub serve --gc` removes the git objects that nothing leads to, however often it is killed, and no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from dulwich.object_store import DiskObjectStore
from huggingface_hub import CommitOperationAdd, HfApi, get_session

from hubpub.core.errors import UsageError
from hubpub.hub import parse_org, parse_token, running
from hubpub.hub.store.fsck import fsck
from hubpub.hub.store.garbage import GcReport, collect_garbage
from hubpub.hub.store.reachable import reachable, read_bases, read_refs

REPO_ROOT = Path(__file__).parents[2]
TOKEN = "hf_gc"
MODEL = "repos/models/acme/model"
Objects = dict[str, bytes]


def serving(root: Path) -> object:
    return running(root, tokens=[parse_token(f"{TOKEN}=alice")], orgs=[parse_org("acme=alice:admin")])


def client(endpoint: str) -> HfApi:
    return HfApi(endpoint=endpoint, token=TOKEN)


def commit(api: HfApi, stem: str, count: int = 1, revision: str = "main") -> str:
    """A commit of that many files: one pack if they are many, loose objects if they are few."""
    files = [CommitOperationAdd(f"{stem}/{number}.txt", f"{stem} {number}".encode()) for number in range(count)]
    return api.create_commit("acme/model", files, commit_message=stem, revision=revision).oid


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with much that nothing leads to: a squashed branch, a squashed pull request, a deleted branch."""
    root = tmp_path_factory.mktemp("stored") / "hub"
    with serving(root) as hub:  # type: ignore[attr-defined]
        api = client(hub.endpoint)
        api.create_repo("acme/model")
        commit(api, "many", 80)
        commit(api, "few", 3)
        api.create_branch("acme/model", branch="gone")
        commit(api, "gone", 70, revision="gone")
        commit(api, "gone-too", 20, revision="gone")
        api.create_branch("acme/model", branch="kept")
        # A pack whose files stay and whose commit goes.
        commit(api, "more", 75, revision="kept")
        api.create_tag("acme/model", tag="v1", tag_message="one")
        commit(api, "few", 5)
        request = api.create_pull_request("acme/model", title="proposed")
        commit(api, "proposed", 2, revision="refs/pr/1")
        api.super_squash_history("acme/model", branch="main")
        api.super_squash_history("acme/model", branch="refs/pr/1")
        api.super_squash_history("acme/model", branch="kept")
        api.delete_branch("acme/model", branch="gone")
        assert request.num == 1
    return root


@pytest.fixture
def root(stored: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "hub"
    subprocess.run(["cp", "-a", str(stored), str(copy)], check=True)
    return copy


def age_by(root: Path, seconds: float) -> None:
    for path in root.rglob("*"):
        written = path.stat().st_mtime - seconds
        os.utime(path, (written, written))


def led_to(root: Path) -> Objects:
    """Every object that refs and pull requests lead to, with its content."""

    def damaged(*what: str) -> None:
        raise AssertionError(what)

    folder = root / MODEL
    refs = read_refs(folder / "git", damaged)
    objects = DiskObjectStore(folder / "git" / "objects")
    try:
        found = reachable(objects, refs | read_bases(folder, refs, damaged), damaged)
        return {item.oid: item.item.as_raw_string() for item in found}
    finally:
        objects.close()


def here(root: Path) -> set[str]:
    objects = DiskObjectStore(root / MODEL / "git" / "objects")
    try:
        return {oid.decode() for oid in objects}
    finally:
        objects.close()


def base_of(root: Path) -> str:
    return str(json.loads((root / MODEL / "discussions" / "1.json").read_bytes())["pull_request"]["base"])


def git(root: Path, *arguments: str) -> str:
    folder = root / MODEL / "git"
    command = ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_nothing_leads_to_goes(root: Path) -> None:
    before, needed = here(root), led_to(root)
    assert len(before) > len(needed)
    size = sum(path.stat().st_size for path in (root / MODEL / "git").rglob("*") if path.is_file())
    report = collect_garbage(root, age=0)
    assert report.removed == {"git objects": len(before) - len(needed)}
    assert here(root) == set(needed)
    assert led_to(root) == needed
    assert fsck(root).damage == []
    # git knows nothing of what a pull request started from.
    assert git(root, "fsck", "--full", "--unreachable").split() == ["unreachable", "commit", base_of(root)]
    left = sum(path.stat().st_size for path in (root / MODEL / "git").rglob("*") if path.is_file())
    assert report.freed == size - left
    assert collect_garbage(root, age=0).removed == {}
    assert list((root / "scratch").iterdir()) == []


def test_the_hub_serves_all_that_is_left(root: Path) -> None:
    with serving(root) as hub:  # type: ignore[attr-defined]
        before = client(hub.endpoint).get_discussion_details("acme/model", 1).diff
        history = [commit.commit_id for commit in client(hub.endpoint).list_repo_commits("acme/model", revision="v1")]
    gone = sorted(here(root) - led_to(root).keys())
    collect_garbage(root, age=0)
    with serving(root) as hub:  # type: ignore[attr-defined]
        api = client(hub.endpoint)
        # What the pull request started from is in the history of no ref.
        assert api.get_discussion_details("acme/model", 1).diff == before
        assert before is not None
        assert "proposed 1" in before
        assert len(api.list_repo_files("acme/model")) == 86
        assert [commit.commit_id for commit in api.list_repo_commits("acme/model", revision="v1")] == history
        for oid in gone:
            answer = get_session().get(
                f"{hub.endpoint}/api/models/acme/model/revision/{oid}", headers={"Authorization": f"Bearer {TOKEN}"}
            )
            assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, "RevisionNotFound")
        # And it takes what it had before.
        api.create_branch("acme/model", branch="gone")
        commit(api, "gone", 70, revision="gone")
        commit(api, "gone-too", 20, revision="gone")
        api.change_discussion_status("acme/model", 1, new_status="open")
        api.merge_pull_request("acme/model", 1)
        assert len(api.list_repo_files("acme/model")) == 88
    assert fsck(root).damage == []


def test_what_is_young_stays_and_all_that_it_leads_to(root: Path) -> None:
    everything = here(root)
    assert collect_garbage(root).removed == {}
    age_by(root, 3 * 24 * 3600)
    with serving(root) as hub:  # type: ignore[attr-defined]
        api = client(hub.endpoint)
        # Built on what is old: its tree has old files, its parent is old.
        api.create_branch("acme/model", branch="young", revision="v1")
        young = commit(api, "young", 2, revision="young")
        api.super_squash_history("acme/model", branch="young")
        api.delete_branch("acme/model", branch="young")
    report = collect_garbage(root)
    assert 0 < report.removed["git objects"] < len(everything)
    assert fsck(root).damage == []
    with serving(root) as hub:  # type: ignore[attr-defined]
        api = client(hub.endpoint)
        assert len(api.list_repo_files("acme/model", revision=young)) == 86
        assert "young" in [item.title for item in api.list_repo_commits("acme/model", revision=young)]
    age_by(root, 3 * 24 * 3600)
    collect_garbage(root)
    assert here(root) == led_to(root).keys()


def test_what_was_cut_off_goes(root: Path) -> None:
    collect_garbage(root, age=0)
    packs = root / MODEL / "git" / "objects" / "pack"
    before = {path.name for path in packs.iterdir()}
    for name in ("pack-0.pack", "pack-1.idx", "pack-2.idx.lock", "tmp_pack_3"):
        (packs / name).write_bytes(b"PACK")
    assert collect_garbage(root).removed == {}
    assert collect_garbage(root, age=0).removed == {"git leftovers": 4}
    assert {path.name for path in packs.iterdir()} == before


def test_a_damaged_pack_or_discussion_stops_it(root: Path) -> None:
    for pattern in ("git/objects/pack/*.idx", "discussions/1.json"):
        path = next((root / MODEL).glob(pattern))
        path.chmod(0o600)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        before = {path: path.stat() for path in root.rglob("*") if path.is_file()}
        with pytest.raises(UsageError, match="is damaged"):
            collect_garbage(root, age=0)
        assert {path for path in root.rglob("*") if path.is_file()} == before.keys()
        path.write_bytes(whole)
    collect_garbage(root, age=0)


KILLED = """
import os, shutil, sys
from pathlib import Path
from hubpub.hub.store.garbage import collect_garbage

stored, folder = map(Path, sys.argv[1:])
step = 0
while True:
    root = folder / str(step)
    shutil.copytree(stored, root, symlinks=True)
    child = os.fork()
    if child == 0:
        left = step

        def on_event(name, arguments):
            global left
            if name in ("os.rename", "os.remove", "os.truncate"):
                if left == 0:
                    os.kill(os.getpid(), 9)
                left -= 1

        sys.addaudithook(on_event)
        collect_garbage(root, age=0)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    step += 1
print(step)
"""


@pytest.mark.skipif(os.name != "posix", reason="processes are forked")
def test_killed_before_any_change_to_the_folder(root: Path, tmp_path: Path) -> None:
    """Killed before the first rename or removal, before the second, and so on until none was left."""
    (tmp_path / "killed").mkdir()
    needed = led_to(root)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), str(tmp_path / "killed")],
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    steps = int(done.stdout)
    assert steps > 30
    for step in range(steps):
        killed = tmp_path / "killed" / str(step)
        assert led_to(killed) == needed, step
        if step % 5 == 0:
            assert fsck(killed).damage == []
            assert commits_are_whole(killed)
            collect_garbage(killed, age=0)
            assert here(killed) == needed.keys()
            assert list((killed / "scratch").iterdir()) == []
            assert fsck(killed).damage == []


def commits_are_whole(root: Path) -> bool:
    """Whether every commit that is here, led to or not, has all its files and parents."""
    missing: list[str] = []
    objects = DiskObjectStore(root / MODEL / "git" / "objects")
    try:
        commits = {oid.decode(): oid.decode() for oid in objects if objects[oid].type_name == b"commit"}
        for _ in reachable(objects, commits, lambda oid, *_: missing.append(oid)):
            pass
    finally:
        objects.close()
    return not missing


def test_a_pack_is_flushed_before_the_old_one_goes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packs = {path.name for path in (root / MODEL).glob("git/objects/pack/*")}
    happened: list[str] = []
    rename, unlink, fsync = Path.replace, Path.unlink, os.fsync

    def replaced(path: Path, target: Path) -> Path:
        happened.append(f"there {target.suffix}" if target.parent.name == "pack" else "")
        return rename(path, target)

    def unlinked(path: Path, missing_ok: bool = False) -> None:
        happened.append(f"gone {path.suffix}" if path.name in packs else "")
        unlink(path, missing_ok=missing_ok)

    def flushed(descriptor: int) -> None:
        happened.append("flush")
        fsync(descriptor)

    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(Path, "unlink", unlinked)
    monkeypatch.setattr(os, "fsync", flushed)
    collect_garbage(root, age=0)
    told = [what for what in happened if what]
    whole = ["flush", "there .pack", "flush", "flush", "there .idx", "flush"]
    start = told.index("there .pack") - 1
    assert told[start : start + 9] == [*whole, "gone .idx", "flush", "gone .pack"]


@pytest.fixture
def packed(root: Path) -> Path:
    """As a person may have left it who ran git in the folder."""
    git(root, "pack-refs", "--all")
    git(root, "repack", "-a", "-d", "-k", "-q")
    return root


def test_what_git_itself_has_packed(packed: Path) -> None:
    needed = led_to(packed)
    assert len(here(packed)) > len(needed)
    report = collect_garbage(packed, age=0)
    assert isinstance(report, GcReport)
    assert here(packed) == needed.keys()
    assert led_to(packed) == needed
    assert fsck(packed).damage == []
    assert git(packed, "fsck", "--full", "--unreachable").split() == ["unreachable", "commit", base_of(packed)]
