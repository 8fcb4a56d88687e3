"""What is on the disk are real git repositories: git itself agrees."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from support.git_client import Git, needs_git
from support.running_hub import TestHub

REPO = "acme/model"


@needs_git
def test_git_finds_nothing_wrong(hub: TestHub, tmp_path: Path) -> None:
    api = hub.api()
    api.create_repo(REPO)
    many = [CommitOperationAdd(f"d{index % 5}/{index}.txt", f"{index % 50}".encode()) for index in range(300)]
    api.create_commit(REPO, many, commit_message="many", commit_description="as one pack")
    few = [CommitOperationAdd("m.bin", b"\0" * 9000), CommitOperationDelete("d0/")]
    made = api.create_commit(REPO, few, commit_message="few — as loose objects")
    api.create_commit(REPO, [CommitOperationAdd("z.txt", b"z")], commit_message="p", create_pr=True)
    api.create_tag(REPO, tag="v1", tag_message="release")
    folder = hub.hub.root / "repos" / "models" / "acme" / "model" / "git"
    git = Git(tmp_path)
    git("fsck", "--strict", "--full", cwd=folder)
    assert git("log", "--format=%s", "main", cwd=folder).splitlines() == [
        "few — as loose objects",
        "many",
        "initial commit",
    ]
    assert git("rev-parse", "v1^{commit}", cwd=folder).strip() == made.oid
    git("-c", "core.autocrlf=false", "clone", "-q", str(folder), "clone")
    assert (tmp_path / "clone" / "d1" / "1.txt").read_text() == "1"
    assert (tmp_path / "clone" / "m.bin").read_text().startswith("version https://git-lfs.github.com/spec/v1\n")
