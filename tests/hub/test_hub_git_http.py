"""git clones and fetches over HTTP, with and without the newer protocol, and git-lfs brings what lies outside git."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from support.git_client import Git, needs_git, needs_git_lfs
from support.running_hub import ALICE, BOB, TestHub, hubs

REPO = "acme/model"
SECRET = "acme/secret"
DATASET = "acme/rows"
LARGE = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    """A hub with a public model, a private model and a dataset."""
    with hubs(tmp_path_factory) as start:
        hub = start()
        api = hub.api()
        api.create_repo(REPO)
        api.create_repo(SECRET, private=True)
        api.create_repo(DATASET, repo_type="dataset")
        many = [CommitOperationAdd(f"d{index % 7}/{index}.txt", f"{index}".encode()) for index in range(300)]
        first = api.create_commit(REPO, many, commit_message="many")
        api.create_tag(REPO, tag="v1", tag_message="annotated", revision=first.oid)
        more = [CommitOperationAdd("README.md", b"---\nlicense: mit\n---\n# hi\n"), CommitOperationDelete("d0/")]
        api.create_commit(REPO, more, commit_message="few — ünïcode")
        api.create_branch(REPO, branch="dev/x")
        api.create_commit(REPO, [CommitOperationAdd("p.txt", b"p")], commit_message="p", create_pr=True)
        api.upload_file(path_or_fileobj=b"hidden", path_in_repo="h.txt", repo_id=SECRET)
        api.upload_file(path_or_fileobj=b"a,b\n1,2\n", path_in_repo="t.csv", repo_id=DATASET, repo_type="dataset")
        hub.python(
            "import sys, huggingface_hub as h; h.HfApi().upload_file("
            "path_or_fileobj=sys.argv[2].encode() * 5000, path_in_repo='lfs.bin', repo_id=sys.argv[1])",
            REPO,
            "stored as LFS",
            env={"HF_HUB_DISABLE_XET": "1"},
        )
        api.upload_file(path_or_fileobj=LARGE, path_in_repo="xet.bin", repo_id=REPO)
        yield hub


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path)


def with_login(hub: TestHub, token: str, user: str = "anyone") -> str:
    return hub.endpoint.replace("://", f"://{user}:{token}@")


def loose_objects(git: Git, clone: Path) -> int:
    return int(git("count-objects", cwd=clone).split()[0])


@needs_git
@pytest.mark.parametrize("version", ["0", "1", "2"])
@pytest.mark.parametrize("suffix", ["", ".git"])
def test_clone(filled: TestHub, git: Git, version: str, suffix: str) -> None:
    git("-c", f"protocol.version={version}", "clone", "-q", f"{filled.endpoint}/{REPO}{suffix}", "c")
    clone = git.home / "c"
    git("fsck", "--strict", "--full", cwd=clone)
    head = filled.api().model_info(REPO).sha
    assert git("rev-parse", "HEAD", cwd=clone).strip() == head
    assert git("branch", "-r", "--format=%(refname:lstrip=3)", cwd=clone).split() == ["HEAD", "dev/x", "main"]
    assert git("cat-file", "-t", "v1", cwd=clone).strip() == "tag"
    assert (clone / "d1" / "1.txt").read_text() == "1"
    assert not (clone / "d0").exists()
    assert (clone / "xet.bin").read_text().startswith("version https://git-lfs.github.com/spec/v1\n")
    assert "few — ünïcode" in git("log", "--format=%s", cwd=clone)


@needs_git
def test_refs_of_pull_requests_can_be_fetched(filled: TestHub, git: Git) -> None:
    assert "refs/pr/1" in git("ls-remote", f"{filled.endpoint}/{REPO}")
    assert git("ls-remote", "--tags", f"{filled.endpoint}/{REPO}").split("\n")[1].endswith("refs/tags/v1^{}")
    git("init", "-q", "c")
    git("fetch", "-q", f"{filled.endpoint}/{REPO}", "refs/pr/1:pr", cwd=git.home / "c")
    assert git("show", "pr:p.txt", cwd=git.home / "c") == "p"


@needs_git
@pytest.mark.parametrize("version", ["0", "2"])
def test_fetch_brings_what_is_new(hub: TestHub, git: Git, version: str) -> None:
    api = hub.api()
    api.create_repo(REPO)
    # Enough commits that the client says what it has in more than one round, compressed.
    for index in range(40):
        api.upload_file(path_or_fileobj=f"{index}".encode(), path_in_repo="n.txt", repo_id=REPO)
    settings = ("-c", f"protocol.version={version}")
    git(*settings, "clone", "-q", f"{hub.endpoint}/{REPO}", "c")
    clone = git.home / "c"
    local = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    for index in range(30):
        git(*local, "commit", "-q", "--allow-empty", "-m", f"only here {index}", cwd=clone)
    api.upload_file(path_or_fileobj=b"new", path_in_repo="n.txt", repo_id=REPO)
    api.create_tag(REPO, tag="v2", tag_message="annotated")
    before = loose_objects(git, clone)
    git(*settings, "fetch", "-q", cwd=clone)
    assert git("show", "origin/main:n.txt", cwd=clone) == "new"
    assert git("show", "v2:n.txt", cwd=clone) == "new"
    # A commit, its tree, the file and the tag: nothing that the clone has already.
    assert loose_objects(git, clone) == before + 4
    git("fsck", "--strict", "--full", cwd=clone)
    assert git(*settings, "fetch", cwd=clone) == ""


@needs_git
@pytest.mark.parametrize("version", ["0", "2"])
def test_shallow_clones_can_be_deepened(filled: TestHub, git: Git, version: str) -> None:
    settings = ("-c", f"protocol.version={version}")
    git(*settings, "clone", "-q", "--depth", "1", f"{filled.endpoint}/{REPO}", "c")
    clone = git.home / "c"
    assert git("rev-list", "--count", "HEAD", cwd=clone).strip() == "1"
    git(*settings, "fetch", "-q", "--depth", "2", cwd=clone)
    assert git("rev-list", "--count", "HEAD", cwd=clone).strip() == "2"
    git(*settings, "fetch", "-q", "--unshallow", cwd=clone)
    assert git("rev-list", "--count", "HEAD", cwd=clone).strip() == "5"
    git("fsck", "--strict", "--full", cwd=clone)


@needs_git
def test_a_commit_can_be_fetched_by_its_id(filled: TestHub, git: Git) -> None:
    oid = filled.api().list_repo_commits(REPO)[2].commit_id
    git("init", "-q", "c")
    git("fetch", "-q", "--depth", "1", f"{filled.endpoint}/{REPO}", oid, cwd=git.home / "c")
    assert git("rev-parse", "FETCH_HEAD", cwd=git.home / "c").strip() == oid
    refused = git.run("fetch", "-q", f"{filled.endpoint}/{REPO}", "1" * 40, cwd=git.home / "c")
    assert refused.returncode != 0


@needs_git
def test_private_repos_need_a_token(filled: TestHub, git: Git) -> None:
    anonymous = git.run("clone", "-q", f"{filled.endpoint}/{SECRET}", "a")
    assert anonymous.returncode != 0
    assert "could not read Username" in anonymous.stderr
    wrong = git.run("clone", "-q", f"{with_login(filled, 'hf_wrong')}/{SECRET}", "w")
    assert "Authentication failed" in wrong.stderr
    git("clone", "-q", f"{with_login(filled, ALICE)}/{SECRET}", "c")
    assert (git.home / "c" / "h.txt").read_text() == "hidden"
    git("clone", "-q", f"{with_login(filled, '', user=BOB)}/{SECRET}", "user")
    header = f"http.extraHeader=Authorization: Bearer {ALICE}"
    git("-c", header, "clone", "-q", f"{filled.endpoint}/{SECRET}.git", "b")
    assert (git.home / "b" / "h.txt").read_text() == "hidden"
    missing = git.run("clone", "-q", f"{with_login(filled, ALICE)}/acme/nowhere", "n")
    assert "not found" in missing.stderr


@needs_git
def test_a_gated_repo_is_only_for_those_who_may_read_it(hub: TestHub, git: Git) -> None:
    hub.api().create_repo("alice/gated")
    hub.api().update_repo_settings("alice/gated", gated="manual")
    refused = git.run("clone", "-q", f"{with_login(hub, BOB)}/alice/gated", "c")
    assert "403" in refused.stderr
    git("clone", "-q", f"{with_login(hub, ALICE)}/alice/gated", "c")


@needs_git
def test_datasets(filled: TestHub, git: Git) -> None:
    git("clone", "-q", f"{filled.endpoint}/datasets/{DATASET}", "c")
    assert (git.home / "c" / "t.csv").read_text() == "a,b\n1,2\n"


@needs_git_lfs
def test_a_renamed_repo_is_still_found(hub: TestHub, git: Git) -> None:
    hub.api().create_repo(REPO)
    hub.api().upload_file(path_or_fileobj=LARGE, path_in_repo="m.bin", repo_id=REPO)
    hub.api().move_repo(REPO, "acme/renamed")
    git("lfs", "install", "--skip-repo")
    git("clone", "-q", f"{hub.endpoint}/{REPO}", "c", GIT_LFS_SKIP_SMUDGE="0")
    assert (git.home / "c" / "m.bin").read_bytes() == LARGE


@needs_git
def test_spaces(hub: TestHub, git: Git) -> None:
    hub.api().create_repo("acme/demo", repo_type="space", space_sdk="static")
    git("clone", "-q", f"{hub.endpoint}/spaces/acme/demo", "c")
    assert git("log", "--format=%s", cwd=git.home / "c").strip() == "initial commit"


@needs_git
def test_pushes_are_refused_with_a_reason(filled: TestHub, git: Git) -> None:
    git("clone", "-q", f"{with_login(filled, ALICE)}/{REPO}", "c")
    clone = git.home / "c"
    git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-q", "--allow-empty", "-m", "m", cwd=clone)
    pushed = git.run("push", "origin", "HEAD:main", cwd=clone)
    assert pushed.returncode != 0
    assert "takes no pushes" in pushed.stderr
    assert "403" in pushed.stderr


@needs_git_lfs
@pytest.mark.parametrize("repo", [REPO, "acme/copy"])
def test_git_lfs_brings_large_files(filled: TestHub, git: Git, repo: str) -> None:
    api = filled.api()
    if repo != REPO and not api.repo_exists(repo):
        api.create_repo(repo, private=True)
        api.upload_file(path_or_fileobj=LARGE, path_in_repo="xet.bin", repo_id=repo)
    git("clone", "-q", f"{with_login(filled, ALICE)}/{repo}", "c")
    clone = git.home / "c"
    git("lfs", "install", "--local", "--skip-smudge", cwd=clone)
    git("lfs", "pull", cwd=clone)
    assert (clone / "xet.bin").read_bytes() == LARGE
    if repo == REPO:
        assert (clone / "lfs.bin").read_text() == "stored as LFS" * 5000
    assert git("status", "--porcelain", cwd=clone) == ""
    git("lfs", "fsck", cwd=clone)


@needs_git_lfs
def test_a_clone_with_git_lfs_set_up_holds_the_content(filled: TestHub, git: Git) -> None:
    git("lfs", "install", "--skip-repo")
    git("clone", "-q", f"{filled.endpoint}/{REPO}", "c", GIT_LFS_SKIP_SMUDGE="0")
    assert (git.home / "c" / "xet.bin").read_bytes() == LARGE


def test_lfs_batch_takes_basic_and_asks_for_it(filled: TestHub) -> None:
    address = f"{filled.endpoint}/{SECRET}.git/info/lfs/objects/batch"
    body = {"operation": "download", "objects": []}
    refused = httpx2.post(address, json=body)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    assert httpx2.post(address, json=body, auth=("alice", ALICE)).status_code == 200
    assert httpx2.post(address, json=body, headers={"Authorization": "Basic %%%"}).status_code == 401
    # No other call takes it: a browser sends it along with whatever a page of another site asks for.
    create = httpx2.post(f"{filled.endpoint}/api/repos/create", json={"name": "x"}, auth=("alice", ALICE))
    assert create.status_code == 401


def line(text: str) -> bytes:
    return f"{len(text) + 5:04x}{text}\n".encode()


GZIP = {"Content-Encoding": "gzip"}
LS_REFS = line("command=ls-refs") + b"0001" + line("ref-prefix refs/heads/m") + b"0000"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (LS_REFS, {}, 200),
        (gzip.compress(LS_REFS), GZIP, 200),
        (gzip.compress(LS_REFS)[:-9], GZIP, 400),
        (zlib.compress(LS_REFS), GZIP, 400),
        (gzip.compress(b"0000" * 10_000_000), GZIP, 413),
        (LS_REFS, {"Content-Encoding": "br"}, 400),
        (b"", {}, 400),
        (b"0000", {}, 400),
        (b"000", {}, 400),
        (b"0004", {}, 400),
        (b"+00f", {}, 400),
        (b"fff0aaaa", {}, 400),
        (line("command=push") + b"0000", {}, 400),
        (line("command=fetch") + b"0001" + line("want " + "0" * 40) + line("done") + b"0000", {}, 400),
        (line("command=fetch") + b"0001" + line("want zz") + b"0000", {}, 400),
        (line("command=fetch") + b"0001" + line("deepen 0") + b"0000", {}, 400),
        (line("command=fetch") + b"0001" + line("filter blob:none") + b"0000", {}, 400),
        (line("command=fetch") + b"00010000", {}, 200),
        (line("want " + "0" * 40) + b"0000" + line("done"), {"Git-Protocol": "version=0"}, 400),
        (b"0000", {"Git-Protocol": "version=0"}, 200),
    ],
    ids=count(),
)
def test_requests_that_git_would_not_send(filled: TestHub, body: bytes, headers: dict[str, str], status: int) -> None:
    address = f"{filled.endpoint}/{REPO}.git/git-upload-pack"
    answer = httpx2.post(address, content=body, headers={"Git-Protocol": "version=2", **headers})
    assert answer.status_code == status, answer.text
    if body == LS_REFS and status == 200:
        assert answer.text.endswith(" refs/heads/main\n0000")


def test_a_request_may_name_only_so_many_commits(filled: TestHub) -> None:
    haves = b"".join(line(f"have {number:040x}") for number in range(50_001))
    body = line("command=fetch") + b"0001" + haves + b"0000"
    address = f"{filled.endpoint}/{REPO}.git/git-upload-pack"
    assert httpx2.post(address, content=body, headers={"Git-Protocol": "version=2"}, timeout=30).status_code == 413


def test_other_services_are_refused(filled: TestHub) -> None:
    for query in ("", "?service=git-receive-pack", "?service=git-upload-archive"):
        assert httpx2.get(f"{filled.endpoint}/{REPO}/info/refs{query}").status_code == 403
    assert httpx2.post(f"{filled.endpoint}/{REPO}/git-receive-pack").status_code == 403
