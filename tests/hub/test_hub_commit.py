"""Committing with the real client: all at once, or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete
from huggingface_hub.errors import BadRequestError, EntryNotFoundError, HfHubHTTPError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile, RepoFolder
from support.running_hub import READER, StartHub, TestHub

from hubpub.hub import Limits

REPO = "acme/model"


def add(path: str, content: str | bytes = "x") -> CommitOperationAdd:
    return CommitOperationAdd(path, content.encode() if isinstance(content, str) else content)


def paths(hub: TestHub, revision: str = "main") -> set[str]:
    return set(hub.api().list_repo_files(REPO, revision=revision))


@pytest.fixture
def repo(hub: TestHub) -> TestHub:
    hub.api().create_repo(REPO)
    return hub


def test_new_repo_starts_with_gitattributes(hub: TestHub) -> None:
    api = hub.api()
    url = api.create_repo(REPO)
    assert (str(url), url.repo_id) == (f"{hub.endpoint}/{REPO}", REPO)
    assert api.create_repo(REPO, exist_ok=True) == url
    with pytest.raises(HfHubHTTPError, match="You already created this model repo") as refused:
        api.create_repo(REPO)
    assert refused.value.response.status_code == 409
    assert paths(hub) == {".gitattributes"}
    attributes = hub.read(REPO, ".gitattributes")
    assert b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n" in attributes


def test_600_small_files_are_one_commit(repo: TestHub) -> None:
    api = repo.api()
    operations = [add(f"part-{index % 7}/file-{index}.txt", f"{index}") for index in range(600)]
    made = api.create_commit(REPO, operations, commit_message="all of it")
    history = api.list_repo_commits(REPO)
    assert [commit.title for commit in history] == ["all of it", "initial commit"]
    assert history[0].commit_id == made.oid
    assert history[0].authors == ["alice"]
    assert len(paths(repo)) == 601
    assert repo.read(REPO, "part-3/file-10.txt") == b"10"


def test_equal_files_and_folders_are_stored_once(repo: TestHub) -> None:
    operations = [add(f"folder-{index}/same.txt", "same") for index in range(100)]
    repo.api().create_commit(REPO, operations, commit_message="m")
    assert len(paths(repo)) == 101


def test_stale_parent_is_refused_and_nothing_changes(repo: TestHub) -> None:
    api = repo.api()
    parent = api.model_info(REPO).sha
    api.create_commit(REPO, [add("a.txt")], commit_message="first", parent_commit=parent)
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as refused:
        api.create_commit(REPO, [add("b.txt")], commit_message="second", parent_commit=parent)
    assert refused.value.response.status_code == 412
    assert paths(repo) == {".gitattributes", "a.txt"}


def test_shortened_parent_is_accepted(repo: TestHub) -> None:
    api = repo.api()
    parent = api.model_info(REPO).sha
    assert parent
    api.create_commit(REPO, [add("a.txt")], commit_message="m", parent_commit=parent[:7])
    assert "a.txt" in paths(repo)


def test_concurrent_commits_lose_nothing(repo: TestHub) -> None:
    def publish(number: int) -> str:
        return repo.api().create_commit(REPO, [add(f"{number}.txt")], commit_message=f"commit {number}").oid

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(publish, range(24)))
    history = [commit.commit_id for commit in repo.api().list_repo_commits(REPO)]
    assert set(made) <= set(history)
    assert len(history) == 25
    assert {f"{number}.txt" for number in range(24)} <= paths(repo)


def test_of_commits_on_one_parent_exactly_one_wins(repo: TestHub) -> None:
    parent = repo.api().model_info(REPO).sha

    def publish(number: int) -> int:
        try:
            repo.api().create_commit(REPO, [add(f"{number}.txt")], commit_message="m", parent_commit=parent)
        except HfHubHTTPError as error:
            return error.response.status_code
        return 200

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(publish, range(8))) == [200] + [412] * 7


def test_a_busy_repo_says_so(start_hub: StartHub) -> None:
    hub = start_hub(limits=Limits(lock_wait=0.1))
    hub.api().create_repo(REPO)
    lock = FileLock(hub.hub.root / "locks" / "models--acme--model")
    with lock, pytest.raises(HfHubHTTPError, match="Another commit operation is in progress") as refused:
        hub.api().create_commit(REPO, [add("a.txt")], commit_message="m")
    assert refused.value.response.status_code == 409
    hub.api().create_commit(REPO, [add("a.txt")], commit_message="m")


def test_reader_sees_the_old_tree_or_the_new(repo: TestHub) -> None:
    api = repo.api()
    old = paths(repo)
    new = old | {f"{index}.txt" for index in range(400)}
    seen: list[set[str]] = []
    done = threading.Event()

    def poll() -> None:
        while not done.is_set():
            seen.append(paths(repo))

    reader = threading.Thread(target=poll)
    reader.start()
    api.create_commit(REPO, [add(f"{index}.txt") for index in range(400)], commit_message="m")
    done.set()
    reader.join()
    seen.append(paths(repo))
    assert len(seen) > 2
    assert all(tree in (old, new) for tree in seen)
    assert seen[-1] == new


def test_deletions(repo: TestHub) -> None:
    api = repo.api()
    api.create_commit(REPO, [add("a.txt"), add("dir/b.txt"), add("dir/sub/c.txt")], commit_message="m")
    api.create_commit(REPO, [CommitOperationDelete("a.txt"), CommitOperationDelete("dir/sub/")], commit_message="m")
    assert paths(repo) == {".gitattributes", "dir/b.txt"}
    api.delete_file("dir/b.txt", REPO)
    assert [entry.path for entry in api.list_repo_tree(REPO, recursive=True)] == [".gitattributes"]
    before = api.model_info(REPO).sha
    with pytest.raises(EntryNotFoundError, match="A file with this name doesn't exist"):
        api.create_commit(REPO, [CommitOperationDelete("a.txt"), add("z.txt")], commit_message="m")
    assert api.model_info(REPO).sha == before


def test_a_file_cannot_become_a_folder_unnoticed(repo: TestHub) -> None:
    api = repo.api()
    api.create_commit(REPO, [add("a"), add("dir/b")], commit_message="m")
    with pytest.raises(BadRequestError, match="a is a file"):
        api.create_commit(REPO, [add("a/b")], commit_message="m")
    with pytest.raises(BadRequestError, match="it is a folder"):
        api.create_commit(REPO, [add("dir")], commit_message="m")
    api.create_commit(REPO, [CommitOperationDelete("a"), add("a/b")], commit_message="m")
    assert "a/b" in paths(repo)


def test_unchanged_files_make_no_commit(repo: TestHub) -> None:
    api = repo.api()
    operations = lambda: [add("a.txt", "same"), add("model.safetensors", b"\0" * 100_000)]  # noqa: E731
    first = api.create_commit(REPO, operations(), commit_message="m")
    again = api.create_commit(REPO, operations(), commit_message="m")
    assert again.oid == first.oid
    assert len(api.list_repo_commits(REPO)) == 2


def test_server_side_copy(repo: TestHub) -> None:
    api = repo.api()
    api.create_commit(REPO, [add("a.safetensors", b"\1" * 50_000), add("a.txt", "text")], commit_message="m")
    copies = [CommitOperationCopy("a.safetensors", "b/b.safetensors"), CommitOperationCopy("a.txt", "b.txt")]
    api.create_commit(REPO, copies, commit_message="copy")
    files = {entry.path: entry for entry in api.list_repo_tree(REPO, recursive=True)}
    source, copied = files["a.safetensors"], files["b/b.safetensors"]
    assert isinstance(source, RepoFile)
    assert isinstance(copied, RepoFile)
    assert source.lfs == copied.lfs
    assert copied.size == 50_000


def test_pull_request_leaves_the_branch_alone(repo: TestHub) -> None:
    api = repo.api()
    head = api.model_info(REPO).sha
    made = api.create_commit(
        REPO, [add("a.txt"), add("m.bin", b"\0" * 5000)], commit_message="proposed", create_pr=True
    )
    assert (made.pr_revision, made.pr_num) == ("refs/pr/1", 1)
    assert made.pr_url == f"{repo.endpoint}/{REPO}/discussions/1"
    assert api.model_info(REPO).sha == head
    assert paths(repo, "refs/pr/1") == {".gitattributes", "a.txt", "m.bin"}
    api.create_commit(REPO, [add("b.txt")], commit_message="more", revision="refs/pr/1")
    assert "b.txt" in paths(repo, "refs/pr/1")
    second = api.create_commit(REPO, [add("c.txt")], commit_message="m", create_pr=True, parent_commit=made.oid)
    assert second.pr_num == 2
    assert "a.txt" in paths(repo, "refs/pr/2")
    pulls = api.list_repo_refs(REPO, include_pull_requests=True).pull_requests
    assert [pull.ref for pull in pulls or []] == ["refs/pr/1", "refs/pr/2"]


def test_commit_needs_a_branch(repo: TestHub) -> None:
    api = repo.api()
    api.create_tag(REPO, tag="v1")
    for revision in ("nowhere", "v1", api.model_info(REPO).sha):
        with pytest.raises(RevisionNotFoundError):
            api.create_commit(REPO, [add("a.txt")], commit_message="m", revision=revision)


def test_large_file_that_was_not_uploaded_here_is_refused(repo: TestHub) -> None:
    """Knowing the hash of a file in another, private, repo is no way to read it."""
    from huggingface_hub import get_session

    api = repo.api()
    api.create_repo("acme/secret", private=True)
    api.create_commit("acme/secret", [add("s.bin", b"\0secret" * 1000)], commit_message="m")
    (info,) = api.get_paths_info("acme/secret", ["s.bin"])
    assert isinstance(info, RepoFile)
    assert info.lfs is not None
    body = (
        '{"key":"header","value":{"summary":"steal"}}\n'
        f'{{"key":"lfsFile","value":{{"path":"s.bin","algo":"sha256","oid":"{info.lfs.sha256}"}}}}\n'
    )
    headers = {"Authorization": "Bearer hf_alice"}
    answer = get_session().post(f"{repo.endpoint}/api/models/{REPO}/commit/main", content=body, headers=headers)
    assert answer.status_code == 400
    assert "an LFS pointer pointed to a file that does not exist" in answer.text
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{info.lfs.sha256}\nsize {info.lfs.size}\n"
    api.create_commit(REPO, [add("s.txt", pointer)], commit_message="m")
    assert repo.read(REPO, "s.txt") == pointer.encode()


def test_bad_metadata_stops_the_commit(repo: TestHub) -> None:
    with pytest.raises(ValueError, match=r"Invalid metadata in README.md"):
        repo.api().create_commit(REPO, [add("README.md", "---\nlicense: [1\n---\n# hi\n")], commit_message="m")
    assert paths(repo) == {".gitattributes"}


def test_gitignore_in_the_repo_is_honoured(repo: TestHub) -> None:
    api = repo.api()
    api.create_commit(REPO, [add(".gitignore", "*.log\nbuild/\n")], commit_message="m")
    api.create_commit(REPO, [add("a.log"), add("build/b.txt"), add("c.txt")], commit_message="m")
    assert paths(repo) == {".gitattributes", ".gitignore", "c.txt"}


def test_tree_listing(repo: TestHub) -> None:
    api = repo.api()
    api.create_commit(REPO, [add("a.txt"), add("dir/b c.txt"), add("dir/sub/d.txt")], commit_message="first")
    api.create_commit(REPO, [add("dir/b c.txt", "changed")], commit_message="second")
    flat = {entry.path: entry for entry in api.list_repo_tree(REPO, expand=True)}
    assert set(flat) == {".gitattributes", "a.txt", "dir"}
    assert isinstance(flat["dir"], RepoFolder)
    titles = {path: entry.last_commit.title for path, entry in flat.items() if entry.last_commit}
    assert titles == {".gitattributes": "initial commit", "a.txt": "first", "dir": "second"}
    below = [entry.path for entry in api.list_repo_tree(REPO, path_in_repo="dir/sub")]
    assert below == ["dir/sub/d.txt"]
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(REPO, path_in_repo="nowhere"))
    with pytest.raises(RevisionNotFoundError):
        list(api.list_repo_tree(REPO, revision="nowhere"))


def test_long_listings_come_in_pages(repo: TestHub) -> None:
    api = repo.api()
    api.create_commit(REPO, [add(f"d/{index:04}.txt") for index in range(2300)], commit_message="m")
    listed = [entry.path for entry in api.list_repo_tree(REPO, recursive=True)]
    assert len(listed) == len(set(listed)) == 2302
    assert [entry.path for entry in api.list_repo_tree(REPO, "d")] == sorted(set(listed) - {".gitattributes", "d"})
    for index in range(60):
        api.create_commit(REPO, [add("n.txt", str(index))], commit_message=str(index))
    assert len(api.list_repo_commits(REPO)) == 62


def test_branches_and_tags(repo: TestHub) -> None:
    api = repo.api()
    head = api.model_info(REPO).sha
    api.create_branch(REPO, branch="dev/x")
    api.create_commit(REPO, [add("a.txt")], commit_message="m", revision="dev/x")
    assert paths(repo, "dev/x") == {".gitattributes", "a.txt"}
    assert paths(repo) == {".gitattributes"}
    api.create_tag(REPO, tag="v1", revision="dev/x", tag_message="release one")
    api.create_tag(REPO, tag="v0", revision=(head or "")[:8])
    refs = api.list_repo_refs(REPO)
    tip = api.model_info(REPO, revision="dev/x").sha
    assert {branch.name: branch.target_commit for branch in refs.branches} == {"main": head, "dev/x": tip}
    assert {tag.name: tag.target_commit for tag in refs.tags} == {"v0": head, "v1": tip}
    for again in (lambda: api.create_tag(REPO, tag="v1"), lambda: api.create_branch(REPO, branch="dev/x")):
        with pytest.raises(HfHubHTTPError, match="already exists") as refused:
            again()
        assert refused.value.response.status_code == 409
    api.create_tag(REPO, tag="v1", exist_ok=True)
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_branch(REPO, branch="dev")
    assert refused.value.response.status_code == 409
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(REPO, tag="v2", revision="nowhere")
    api.delete_tag(REPO, tag="v1")
    api.delete_branch(REPO, branch="dev/x")
    api.create_branch(REPO, branch="dev")
    with pytest.raises(HfHubHTTPError, match="Cannot delete refs/heads/main"):
        api.delete_branch(REPO, branch="main")
    with pytest.raises(RevisionNotFoundError):
        api.delete_branch(REPO, branch="nowhere")
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_branch(REPO, branch="../../x")
    assert refused.value.response.status_code == 400


def test_missing_file_is_a_cacheable_absence(repo: TestHub, tmp_path: Path) -> None:
    api = repo.api()
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(REPO, "tokenizer.json", cache_dir=tmp_path)
    assert list(tmp_path.rglob(".no_exist/*/tokenizer.json"))
    with pytest.raises(RevisionNotFoundError):
        repo.read(REPO, "config.json", revision="nowhere")
    assert not api.file_exists(REPO, "config.json")


def test_identity(hub: TestHub) -> None:
    me = hub.api().whoami()
    assert (me["name"], me["auth"]["accessToken"]["role"]) == ("alice", "write")
    assert [(org["name"], org["roleInOrg"]) for org in me["orgs"]] == [("acme", "admin")]
    assert hub.api(READER).whoami()["auth"]["accessToken"]["role"] == "read"
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        hub.api("hf_nobody").whoami()


def test_info_and_listing(repo: TestHub) -> None:
    api = repo.api()
    api.create_repo("acme/other", repo_type="dataset")
    api.create_commit(REPO, [add("m.bin", b"\0" * 1000), add("a.txt")], commit_message="m")
    info = api.model_info(REPO, files_metadata=True)
    files = {item.rfilename: item for item in info.siblings or []}
    assert set(files) == {".gitattributes", "a.txt", "m.bin"}
    assert files["m.bin"].size == 1000
    assert files["m.bin"].lfs is not None
    assert files["m.bin"].lfs.sha256 == "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"
    assert files["a.txt"].lfs is None
    assert info.author == "acme"
    assert [model.id for model in api.list_models(author="acme")] == [REPO]
    assert [item.id for item in api.list_datasets()] == ["acme/other"]
    assert api.dataset_info("acme/other").sha
    api.delete_repo(REPO)
    assert not api.repo_exists(REPO)
    assert list(api.list_models()) == []
    api.create_repo(REPO)
    assert paths(repo) == {".gitattributes"}
