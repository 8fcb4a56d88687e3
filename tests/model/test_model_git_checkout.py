from __future__ import annotations

import os
from pathlib import Path

import pytest
from dulwich import porcelain
from hypothesis import given
from hypothesis import strategies as st

from hubpub.model.git_checkout import GitCheckout, read_git_checkout, web_address

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def checkout(root: Path, **files: str) -> GitCheckout | None:
    for name, content in files.items():
        path = root / ".git" / name.replace("__", "/").replace("packed_refs", "packed-refs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return read_git_checkout(root)


def test_a_real_checkout(tmp_path: Path) -> None:
    with porcelain.init(tmp_path) as repo:
        config = repo.get_config()
        config.set((b"remote", b"origin"), b"url", b"https://me:ghp_secret@github.com/me/train.git")
        config.set((b"remote", b"backup"), b"url", b"/mnt/backup")
        config.write_to_path()
        identity = b"A <a@example.org>"
        commit = porcelain.commit(repo, b"x", author=identity, committer=identity).decode()
    found = read_git_checkout(tmp_path)
    assert found is not None
    assert (found.commit, found.branch) == (commit, "master")
    assert found.commit_path == ".git/refs/heads/master"
    assert (found.remote, found.remote_path) == ("https://github.com/me/train", ".git/config")


def test_packed_and_detached(tmp_path: Path) -> None:
    packed = f"# pack-refs with: peeled\n{'a' * 40} refs/heads/mainly\n{COMMIT} refs/heads/main\n^{'b' * 40}\n"
    found = checkout(tmp_path, HEAD="ref: refs/heads/main\n", packed_refs=packed)
    assert found == GitCheckout(COMMIT, ".git/packed-refs", "main")
    assert checkout(tmp_path, HEAD=COMMIT + "\n") == GitCheckout(COMMIT, ".git/HEAD")


def test_a_worktree(tmp_path: Path) -> None:
    main, tree = tmp_path / "main", tmp_path / "tree"
    checkout(main, HEAD="ref: refs/heads/main\n", refs__heads__main="a" * 40, refs__heads__topic=COMMIT)
    checkout(main, config='[remote "origin"]\n\turl = git@gitlab.com:group/sub/train.git\n')
    checkout(main, worktrees__tree__HEAD="ref: refs/heads/topic\n", worktrees__tree__commondir="../..\n")
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/tree\n")
    found = read_git_checkout(tree)
    assert found is not None
    assert (found.commit, found.branch, found.remote) == (COMMIT, "topic", "https://gitlab.com/group/sub/train")


def test_nothing_there(tmp_path: Path) -> None:
    assert read_git_checkout(tmp_path) is None
    assert read_git_checkout(tmp_path / "missing") is None
    (tmp_path / ".git").write_text("gitdir: /nowhere\0\n")
    assert read_git_checkout(tmp_path) is None


@pytest.mark.parametrize(
    "head",
    [
        "",
        "ref: refs/heads/main",
        "ref: refs/heads/../../secret",
        "ref: refs/heads/.invalid",
        "x" * 40,
        "ref: /etc/passwd",
    ],
)
def test_without_a_commit(tmp_path: Path, head: str) -> None:
    found = checkout(tmp_path, HEAD=head, config="[core]\n")
    assert found is not None
    assert found.commit is None


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git" / "HEAD")
    assert read_git_checkout(tmp_path) is None


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/me/train.git", "https://github.com/me/train"),
        ("https://x-access-token:ghp_abc@github.com/me/train", "https://github.com/me/train"),
        ("https://oauth2:hf_abc@huggingface.co/me/model/", "https://huggingface.co/me/model"),
        ("http://GitHub.com/me/train?token=abc#x", "https://github.com/me/train"),
        ("ssh://git@git.example.org:2222/me/train.git", "https://git.example.org/me/train"),
        ("git@github.com:me/train.git", "https://github.com/me/train"),
        ("github.com:me/train", "https://github.com/me/train"),
        ("/home/me/train", None),
        ("../train", None),
        ("file:///home/me/train", None),
        ("server:me/train.git", None),
        ("https://10.0.0.3/me/train", None),
        ("git@gitlab.corp.internal:me/train", None),
        ("C:/repos/train", None),
        ("https://github.com/", None),
        ("https://[::1/me/x", None),
        ("https://github.com/me/train:secret@x", None),
        ("", None),
    ],
)
def test_web_addresses(remote: str, address: str | None) -> None:
    assert web_address(remote) == address


@given(st.text(max_size=80), st.sampled_from(["", "https://", "git@", "ssh://a:b@"]))
def test_no_name_or_password_survives(text: str, start: str) -> None:
    address = web_address(start + text)
    assert address is None or ("@" not in address and address.startswith("https://"))


def test_only_a_sole_remote_stands_in_for_origin(tmp_path: Path) -> None:
    one = '[remote "hf"]\n  url = "https://hf.co/me/x" ; comment\n[branch "main"]\n  remote = hf\n'
    found = checkout(tmp_path, HEAD=COMMIT, config=one)
    assert found is not None
    assert found.remote == "https://hf.co/me/x"
    found = checkout(tmp_path, HEAD=COMMIT, config=one + '[remote "b"] url = https://b.org/me/x\n')
    assert found is not None
    assert found.remote is None
