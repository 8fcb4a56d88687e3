"""`hubpub serve --fsck` names what is damaged; `--gc` removes what no commit names, and nothing else."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from hubpub.core.errors import UsageError
from hubpub.hub import parse_org, parse_token, running
from hubpub.hub.store.fsck import Damage, fsck
from hubpub.hub.store.garbage import collect_garbage

# The client's own: it hands httpx a file object where that wants something else.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
REPO_ROOT = Path(__file__).parents[2]
TOKEN = "hf_fsck"
NOISE = bytes(os.urandom(300_000))


def serving(root: Path) -> object:
    return running(root, tokens=[parse_token(f"{TOKEN}=alice")], orgs=[parse_org("acme=alice:admin")])


def client(endpoint: str) -> HfApi:
    return HfApi(endpoint=endpoint, token=TOKEN)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with one repo: files in loose objects, a pack, LFS and xet; a tag, a branch, a discussion, a redirect."""
    root = tmp_path_factory.mktemp("stored") / "hub"
    with serving(root) as hub:  # type: ignore[attr-defined]
        api = client(hub.endpoint)
        api.create_repo("acme/model")
        small = [CommitOperationAdd(f"small/{number}.txt", f"{number}".encode()) for number in range(80)]
        api.create_commit("acme/model", small, commit_message="a pack")
        # One file object among them sends the whole commit through LFS.
        large = [CommitOperationAdd("lfs.bin", io.BytesIO(NOISE + b"lfs")), CommitOperationAdd("loose.txt", b"loose")]
        api.create_commit("acme/model", large, commit_message="through LFS")
        api.create_commit("acme/model", [CommitOperationAdd("xet.bin", NOISE + b"xet")], commit_message="through xet")
        api.create_tag("acme/model", tag="v1", tag_message="one")
        api.create_branch("acme/model", branch="dev")
        api.create_discussion("acme/model", title="?")
        api.create_repo("acme/old")
        api.move_repo("acme/old", "acme/new")
    return root


@pytest.fixture
def root(stored: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    copy = tmp_path / "hub"
    subprocess.run(["cp", "-a", str(stored), str(copy)], check=True)
    return copy


def only(root: Path, pattern: str) -> Path:
    found = sorted(path for path in root.glob(pattern) if path.is_file())
    assert found, pattern
    return max(found, key=lambda path: path.stat().st_size)


def flip(path: Path, at: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(data)


def fsck_command(root: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "hubpub", "serve", "--root", str(root), *arguments],
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nothing_is_damaged_and_nothing_is_written(root: Path) -> None:
    before = contents(root)
    code, out, err = fsck_command(root, "--fsck", "--json")
    report = json.loads(out)
    assert (code, err, report["ok"], report["damage"], report["notes"]) == (0, "", True, [], [])
    assert report["schema"] == "hubpub.fsck/1"
    checked = report["checked"]
    assert checked["repos"] == 2
    assert checked["large files"] == 2
    assert checked["packs"] == 1
    assert checked["xorbs"] >= 1
    assert checked["tags"] == 1
    assert checked["blobs"] >= 83
    assert checked["bytes"] == 2 * len(NOISE) + 6
    assert contents(root) == before
    code, out, _ = fsck_command(root, "--fsck")
    assert code == 0
    assert out.endswith("nothing is damaged\n")


MODEL = "repos/models/acme/model"


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("lfs/*/*", "lfs"),
        ("xet/xorbs/*/*", "xorb"),
        ("xet/files/*/*", "xet-file"),
        ("xet/sha256/*/*", "xet-file"),
        (f"{MODEL}/git/objects/[0-9a-f]*/*", "git-object"),
        (f"{MODEL}/git/objects/pack/*.pack", "pack"),
        (f"{MODEL}/git/objects/pack/*.idx", "pack"),
        (f"{MODEL}/git/refs/heads/main", "git-object"),
        (f"{MODEL}/git/refs/heads/dev", "git-object"),
        (f"{MODEL}/git/refs/tags/v1", "git-object"),
        (f"{MODEL}/git/HEAD", "ref"),
    ],
)
def test_a_flipped_bit_is_found_and_named(root: Path, pattern: str, kind: str) -> None:
    path = only(root, pattern)
    if "refs" in pattern:
        oid = path.read_text()
        path.write_text(("0" if oid[0] != "0" else "1") + oid[1:])
    else:
        flip(path)
    report = fsck(root)
    assert kind in {item.kind for item in report.damage}
    if kind != "git-object":
        assert str(path.relative_to(root)) in {item.where for item in report.damage}
    if kind in ("lfs", "xorb", "xet-file"):
        name = "lfs.bin" if kind == "lfs" else "xet.bin"
        assert {item.needed_by for item in report.damage} == {f"models/acme/model: {name} at refs/heads/dev"}


def test_the_command_says_what_is_damaged(root: Path) -> None:
    path = only(root, "lfs/*/*")
    flip(path)
    code, out, _ = fsck_command(root, "--fsck")
    assert code == 1
    assert f"damaged lfs: {path.relative_to(root)}: its content has another sha256" in out
    assert "needed by models/acme/model: lfs.bin at refs/heads/dev" in out
    assert out.endswith("1 damaged\n")
    code, out, _ = fsck_command(root, "--fsck", "--json")
    assert (code, json.loads(out)["ok"]) == (1, False)


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("hub.json", "store"),
        (f"{MODEL}/repo.json", "repo"),
        (f"{MODEL}/discussions/*.json", "discussion"),
        ("moved/*/*/*.json", "redirect"),
        (f"{MODEL}/git/refs/heads/main", "ref"),
        ("xet/files/*/*", "xet-file"),
    ],
)
def test_cut_off_files(root: Path, pattern: str, kind: str) -> None:
    path = only(root, pattern)
    path.write_bytes(path.read_bytes()[:10])
    report = fsck(root)
    assert (kind, str(path.relative_to(root))) in {(item.kind, item.where) for item in report.damage}


@pytest.mark.parametrize(
    ("pattern", "kind", "what"),
    [
        ("lfs/*/*", "lfs", "it is missing, and did not come through xet either"),
        ("xet/xorbs/*/*", "xorb", "it is missing"),
        ("xet/files/*/*", "xet-file", "it is missing"),
        (f"{MODEL}/repo.json", "repo", "it is missing"),
        (f"{MODEL}/git/refs/heads/main", "ref", "it is missing"),
    ],
)
def test_missing_files(root: Path, pattern: str, kind: str, what: str) -> None:
    path = only(root, pattern)
    path.unlink()
    found = [Damage(item.kind, item.where, item.what) for item in fsck(root).damage]
    assert found == [Damage(kind, str(path.relative_to(root)), what)]


def test_a_missing_object_names_the_file_that_is_lost(root: Path) -> None:
    git = root / MODEL / "git"
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(git), "rev-parse", "main:loose.txt"],
        capture_output=True,
        text=True,
        check=True,
    )
    oid = listing.stdout.strip()
    path = git / "objects" / oid[:2] / oid[2:]
    path.unlink()
    where = f"{MODEL}/git {oid}"
    needed_by = "models/acme/model: loose.txt at refs/heads/dev"
    assert fsck(root).damage == [Damage("git-object", where, "it is missing", needed_by)]


def test_what_is_no_data_folder(tmp_path: Path) -> None:
    for arguments in (["--fsck"], ["--gc"]):
        code, _, err = fsck_command(tmp_path / "nowhere", *arguments)
        assert code == 2
        assert "does not hold a hub's data" in err
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "hub.json").write_text('{"format": "hubpub.hub/99", "store": "x", "secret": "00"}')
    with pytest.raises(UsageError, match="hub/99"):
        fsck(tmp_path)


# Garbage


def make_old(root: Path) -> None:
    past = time.time() - 3 * 24 * 3600
    for path in root.rglob("*"):
        os.utime(path, (past, past))


def upload(api: HfApi, name: str) -> None:
    """Send large files without committing them."""
    lfs = CommitOperationAdd(f"{name}-lfs.bin", io.BytesIO(NOISE[::-1] + f"{name} lfs".encode()))
    api.preupload_lfs_files("acme/model", [lfs])
    xet = CommitOperationAdd(f"{name}-xet.bin", NOISE[100:-100:2] + f"{name} xet".encode())
    api.preupload_lfs_files("acme/model", [xet])


def test_gc_keeps_what_is_committed_and_removes_the_rest(root: Path) -> None:
    with serving(root) as hub:  # type: ignore[attr-defined]
        api = client(hub.endpoint)
        upload(api, "orphan")
        api.create_branch("acme/model", branch="gone")
        add = [CommitOperationAdd("gone.bin", io.BytesIO(b"\0gone" * 1000))]
        api.create_commit("acme/model", add, commit_message="on a branch", revision="gone")
        api.delete_branch("acme/model", branch="gone")
        add = [CommitOperationAdd("pr.bin", io.BytesIO(b"\0pr" * 1000))]
        proposed = api.create_commit("acme/model", add, commit_message="proposed", create_pr=True)
        api.create_commit(
            "acme/model", [CommitOperationAdd("lfs.bin", io.BytesIO(b"\0new" * 1000))], commit_message="replace"
        )
    before = contents(root)
    assert collect_garbage(root).removed == {}
    assert contents(root).keys() - before.keys() == set()
    make_old(root)
    with serving(root) as hub:  # type: ignore[attr-defined]
        upload(client(hub.endpoint), "recent")
    recent = set(contents(root)) - set(before)
    (root / "scratch" / "parts-0").write_bytes(b"x" * 1000)
    os.utime(root / "scratch" / "parts-0", (0, 0))
    code, out, err = fsck_command(root, "--gc", "--json")
    report = json.loads(out)
    assert (code, err) == (0, "")
    assert report["removed"]["lfs files"] == 2
    # The record of the file, and the note of which file has its SHA-256.
    assert report["removed"]["xet files"] == 2
    assert report["removed"]["xorbs"] == 1
    assert report["removed"]["scratch"] == 1
    assert report["freed"] > len(NOISE)
    assert recent - {"hub.json"} <= set(contents(root))
    assert fsck(root).damage == []
    assert collect_garbage(root).removed == {}
    with serving(root) as hub:  # type: ignore[attr-defined]
        api = client(hub.endpoint)
        history = api.list_repo_commits("acme/model")
        for revision, path, content in (
            ("v1", "lfs.bin", NOISE + b"lfs"),
            ("v1", "xet.bin", NOISE + b"xet"),
            (history[1].commit_id, "lfs.bin", NOISE + b"lfs"),
            ("main", "lfs.bin", b"\0new" * 1000),
            (proposed.oid, "pr.bin", b"\0pr" * 1000),
        ):
            found = api.hf_hub_download("acme/model", path, revision=revision, local_dir=root.parent / revision)
            assert Path(found).read_bytes() == content
        # What went can be uploaded again, whatever the client remembers of the store.
        upload(api, "orphan")
        for add in (
            CommitOperationAdd("again.bin", NOISE[100:-100:2] + b"orphan xet"),
            CommitOperationAdd("gone.bin", io.BytesIO(b"\0gone" * 1000)),
        ):
            api.create_commit("acme/model", [add], commit_message="again")
    report = fsck(root)
    assert (report.damage, report.checked["large files"]) == ([], 6)


def test_gc_does_not_run_beside_a_server(root: Path) -> None:
    make_old(root)
    with serving(root):  # type: ignore[attr-defined]
        with pytest.raises(UsageError, match="a hub is running on"):
            collect_garbage(root)
        assert fsck(root).ok
    collect_garbage(root)


@pytest.mark.parametrize(
    "damage",
    [
        lambda root: only(root, f"{MODEL}/git/refs/heads/main").unlink(),
        lambda root: only(root, f"{MODEL}/git/refs/tags/v1").write_text("?"),
        lambda root: flip(only(root, f"{MODEL}/git/objects/[0-9a-f]*/*")),
        lambda root: [path.write_text("{") for path in root.glob("xet/files/*/*")],
        lambda root: [path.write_text("?") for path in root.glob("xet/sha256/*/*")],
    ],
    ids=["no main", "a ref", "an object", "a xet record", "a xet mapping"],
)
def test_gc_leaves_a_damaged_store_alone(root: Path, damage: Callable[[Path], object]) -> None:
    with serving(root) as hub:  # type: ignore[attr-defined]
        upload(client(hub.endpoint), "orphan")
    damage(root)
    make_old(root)
    before = contents(root)
    with pytest.raises(UsageError, match=r"is damaged|cannot be read"):
        collect_garbage(root)
    assert contents(root) == before


def test_wrong_usage(root: Path) -> None:
    for arguments in (["--fsck", "--gc"], ["--json"]):
        assert fsck_command(root, *arguments)[0] == 2


def test_what_gc_took_is_not_there_to_commit(root: Path) -> None:
    with serving(root) as hub:  # type: ignore[attr-defined]
        api = client(hub.endpoint)
        add = CommitOperationAdd("late.bin", io.BytesIO(b"\0late" * 1000))
        api.preupload_lfs_files("acme/model", [add])
    make_old(root)
    collect_garbage(root)
    with serving(root) as hub, pytest.raises(HfHubHTTPError, match="pointed to a file that does not exist"):  # type: ignore[attr-defined]
        client(hub.endpoint).create_commit("acme/model", [add], commit_message="late")
