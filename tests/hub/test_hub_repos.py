"""Repos with the real client: moving, copying, settings, spaces, history."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, HfApi
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from support.running_hub import BOB, CAROL, StartHub, TestHub

REPO = "acme/model"
WEIGHTS = bytes(range(256)) * 500


def put(api: HfApi, path: str, content: bytes, repo: str = REPO, revision: str = "main") -> str:
    operation = CommitOperationAdd(path, content)
    return api.create_commit(repo, [operation], commit_message=f"put {path}", revision=revision).oid


@pytest.fixture
def repo(hub: TestHub) -> TestHub:
    hub.api().create_repo(REPO)
    return hub


def compare(hub: TestHub, revisions: str) -> str:
    request = urllib.request.Request(f"{hub.endpoint}/api/models/{REPO}/compare/{revisions}")
    with urllib.request.urlopen(request) as response:
        text: bytes = response.read()
    return text.decode()


def test_a_moved_repo_is_found_by_its_old_name(repo: TestHub, tmp_path: Path) -> None:
    api = repo.api()
    put(api, "m.bin", WEIGHTS)
    put(api, "a b.txt", b"text")
    api.create_discussion(REPO, "moves along")
    api.move_repo(REPO, "acme/renamed")
    assert [model.id for model in api.list_models()] == ["acme/renamed"]
    info = api.model_info(REPO)
    assert info.id == "acme/renamed"
    assert repo.read(REPO, "m.bin") == WEIGHTS
    assert repo.read(REPO, "a b.txt") == b"text"
    assert "a b.txt" in api.list_repo_files(REPO)
    assert [found.title for found in api.get_repo_discussions(REPO)] == ["moves along"]
    assert Path(api.snapshot_download(REPO, cache_dir=tmp_path), "a b.txt").read_bytes() == b"text"
    put(api, "new.txt", b"by the old name")
    put(api, "m2.bin", WEIGHTS[::-1])
    api.move_repo("acme/renamed", "alice/mine")
    assert api.model_info(REPO).id == api.model_info("acme/renamed").id == "alice/mine"
    assert repo.read(REPO, "new.txt") == b"by the old name"


def test_git_and_lfs_addresses_of_a_moved_repo_lead_to_the_new_ones(repo: TestHub) -> None:
    repo.api().move_repo(REPO, "alice/new-name")
    connection = http.client.HTTPConnection(repo.endpoint.removeprefix("http://"))
    for method, old, new in (
        (
            "GET",
            f"/{REPO}.git/info/refs?service=git-upload-pack",
            "/alice/new-name.git/info/refs?service=git-upload-pack",
        ),
        (
            "GET",
            f"/{REPO}/resolve/refs%2Fheads%2Fmain/a%20b.txt",
            "/alice/new-name/resolve/refs%2Fheads%2Fmain/a%20b.txt",
        ),
        ("GET", f"/api/models/{REPO}", "/api/models/alice/new-name"),
        (
            "HEAD",
            f"/api/models/{REPO}/tree/main/x%2Fy?expand=true",
            "/api/models/alice/new-name/tree/main/x%2Fy?expand=true",
        ),
    ):
        connection.request(method, old)
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.headers["Location"]) == (307, new)
    connection.close()


def test_a_name_that_is_taken_again_leads_to_its_new_owner(repo: TestHub) -> None:
    api = repo.api()
    api.move_repo(REPO, "acme/renamed")
    api.create_repo(REPO)
    put(api, "other.txt", b"other")
    assert api.model_info(REPO).id == REPO
    api.delete_repo("acme/renamed")
    api.create_repo("acme/renamed")
    api.delete_repo(REPO)
    # Whoever looks for the deleted repo must not be given an unrelated one.
    assert not api.repo_exists(REPO)
    for target in ("acme/renamed", "alice/x"):
        with pytest.raises(HfHubHTTPError):
            api.move_repo(REPO, target)


def test_moves_that_are_refused(repo: TestHub) -> None:
    api = repo.api()
    api.create_repo("acme/other")
    with pytest.raises(HfHubHTTPError, match="A model repository called acme/other already exists") as refused:
        api.move_repo(REPO, "acme/other")
    assert refused.value.response.status_code == 409
    for token, target in ((BOB, "bob/mine"), (CAROL, "carol/mine")):
        with pytest.raises(HfHubHTTPError) as refused:
            repo.api(token).move_repo(REPO, target)
        assert refused.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError) as refused:
        api.move_repo(REPO, "bob/theirs")
    assert refused.value.response.status_code == 403
    assert api.model_info(REPO).id == REPO
    with pytest.raises(BadRequestError):
        api.move_repo(REPO, "acme/..x")


def test_the_old_name_of_a_private_repo_says_nothing(repo: TestHub) -> None:
    api = repo.api()
    api.move_repo(REPO, "acme/secret-name")
    api.update_repo_settings("acme/secret-name", private=True)
    for token in (False, "hf_dave"):
        with pytest.raises(HfHubHTTPError) as refused:
            repo.api(token).model_info(REPO)
        assert "secret-name" not in str(refused.value)
        assert "location" not in refused.value.response.headers


def test_moving_survives_a_restart(start_hub: StartHub, tmp_path: Path) -> None:
    api = start_hub(tmp_path / "data").api()
    api.create_repo(REPO)
    api.move_repo(REPO, "acme/renamed")
    assert start_hub(tmp_path / "data").api().model_info(REPO).id == "acme/renamed"


def test_settings(repo: TestHub) -> None:
    api = repo.api()
    put(api, "a.txt", b"a")
    api.update_repo_settings(REPO, gated="manual", private=False)
    assert (api.model_info(REPO).gated, api.model_info(REPO).private) == ("manual", False)
    with pytest.raises(HfHubHTTPError, match="restricted"):
        repo.read(REPO, "a.txt", token=False)
    api.update_repo_settings(REPO, gated=False, private=True)
    assert (api.model_info(REPO).gated, api.model_info(REPO).private) == (False, True)
    with pytest.raises(RepositoryNotFoundError):
        repo.api(token=False).model_info(REPO)


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_datasets_and_spaces_are_repos_in_full(hub: TestHub, kind: str) -> None:
    api = hub.api()
    url = api.create_repo(REPO, repo_type=kind, space_sdk="gradio" if kind == "space" else None)
    assert (str(url), url.repo_type) == (f"{hub.endpoint}/{kind}s/{REPO}", kind)
    operations = [CommitOperationAdd("data/x.bin", WEIGHTS), CommitOperationAdd("a.txt", b"a")]
    made = api.create_commit(REPO, operations, commit_message="m", repo_type=kind, create_pr=True)
    assert made.pr_num == 1
    api.merge_pull_request(REPO, 1, repo_type=kind)
    api.create_tag(REPO, tag="v1", repo_type=kind)
    api.move_repo(REPO, "acme/renamed", repo_type=kind)
    found = Path(api.hf_hub_download(REPO, "data/x.bin", repo_type=kind, revision="v1"))
    assert found.read_bytes() == WEIGHTS
    info = api.repo_info(REPO, repo_type=kind, files_metadata=True)
    assert info.id == "acme/renamed"
    assert {item.rfilename for item in info.siblings or []} >= {"data/x.bin", "a.txt", ".gitattributes"}
    assert not api.repo_exists("acme/renamed")
    api.delete_repo("acme/renamed", repo_type=kind)
    assert not api.repo_exists("acme/renamed", repo_type=kind)


def test_a_space_starts_with_its_sdk(hub: TestHub) -> None:
    api = hub.api()
    api.create_repo("alice/demo", repo_type="space", space_sdk="static")
    assert api.space_info("alice/demo").sdk == "static"
    assert [space.id for space in api.list_spaces(filter="static")] == ["alice/demo"]
    assert list(api.list_spaces(filter="gradio")) == []
    body = json.dumps({"name": "x", "organization": "alice", "type": "space", "sdk": "x\nevil: yes"}).encode()
    headers = {"Authorization": "Bearer hf_alice"}
    request = urllib.request.Request(f"{hub.endpoint}/api/repos/create", body, headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 400
    refused.value.close()


def test_duplicating_keeps_history_tags_and_large_files(repo: TestHub) -> None:
    api = repo.api()
    put(api, "m.bin", WEIGHTS)
    api.create_tag(REPO, tag="v1", tag_message="one")
    put(api, "b.txt", b"b")
    api.create_branch(REPO, branch="dev")
    api.create_pull_request(REPO, "stays behind")
    url = repo.api(BOB).duplicate_repo(REPO, "bob/copy")
    assert (str(url), url.files_copy_pending) == (f"{repo.endpoint}/bob/copy", False)
    assert [commit.commit_id for commit in api.list_repo_commits("bob/copy")] == [
        commit.commit_id for commit in api.list_repo_commits(REPO)
    ]
    assert repo.read("bob/copy", "m.bin", revision="v1") == WEIGHTS
    assert {branch.name for branch in api.list_repo_refs("bob/copy").branches} == {"main", "dev"}
    assert list(api.get_repo_discussions("bob/copy")) == []
    api.delete_repo(REPO)
    assert repo.read("bob/copy", "m.bin") == WEIGHTS
    put(repo.api(BOB), "c.txt", b"c", "bob/copy")
    with pytest.raises(HfHubHTTPError) as refused:
        repo.api(BOB).duplicate_repo("bob/copy", "bob/copy")
    assert refused.value.response.status_code == 409
    assert str(repo.api(BOB).duplicate_repo("bob/copy", "bob/copy", exist_ok=True)) == f"{repo.endpoint}/bob/copy"


def test_a_private_repo_is_duplicated_by_its_readers_only_and_stays_private(repo: TestHub) -> None:
    repo.api().update_repo_settings(REPO, private=True)
    repo.api(BOB).duplicate_repo(REPO, "bob/copy")
    assert repo.api(BOB).model_info("bob/copy").private
    with pytest.raises(RepositoryNotFoundError):
        repo.api(BOB).duplicate_repo("alice/nothing", "bob/nothing")


def test_files_are_copied_from_another_repo(repo: TestHub) -> None:
    api, bob = repo.api(), repo.api(BOB)
    put(api, "m.bin", WEIGHTS)
    put(api, "a.txt", b"a")
    bob.create_repo("bob/copy", repo_type="dataset")
    copies = [
        CommitOperationCopy(path, f"from/{path}", src_repo_id=REPO, src_repo_type="model")
        for path in ("m.bin", "a.txt")
    ]
    bob.create_commit("bob/copy", copies, commit_message="copy", repo_type="dataset")
    found = bob.hf_hub_download("bob/copy", "from/m.bin", repo_type="dataset")
    assert Path(found).read_bytes() == WEIGHTS


def test_large_files_are_shared_only_by_those_who_may_read_them(repo: TestHub) -> None:
    put(repo.api(), "m.bin", WEIGHTS)
    sha256 = repo.api().get_paths_info(REPO, "m.bin")[0].lfs.sha256  # type: ignore[union-attr]
    repo.api().update_repo_settings(REPO, gated="manual")
    repo.api(CAROL).create_repo("carol/mine")
    repo.api().create_repo("alice/mine")

    def share(source: str, files: list[dict[str, str]], token: str) -> dict[str, object]:
        body = json.dumps({"target": {"type": "model", "name": "carol/mine"}, "files": files}).encode()
        address = f"{repo.endpoint}/api/models/{source}/lfs-files/duplicate"
        request = urllib.request.Request(address, body, {"Authorization": f"Bearer {token}"}, method="POST")
        with urllib.request.urlopen(request) as response:
            answer: dict[str, object] = json.loads(response.read())
        return answer

    answer = share("alice/mine", [{"sha256": sha256}], CAROL)
    assert answer["failed"] == [{"sha256": sha256, "error": "alice/mine has no such file"}]
    repo.api().update_repo_settings(REPO, private=True)
    with pytest.raises(urllib.error.HTTPError) as refused:
        share(REPO, [{"sha256": sha256}], "hf_nobody")
    assert refused.value.code == 401
    refused.value.close()
    assert share(REPO, [{"sha256": sha256}], CAROL)["failed"] == []


def test_super_squash_leaves_other_refs_alone(repo: TestHub) -> None:
    api = repo.api()
    put(api, "m.bin", WEIGHTS)
    api.create_tag(REPO, tag="v1")
    api.create_branch(REPO, branch="dev")
    put(api, "b.txt", b"b")
    before = {entry.path for entry in api.list_repo_tree(REPO)}
    api.super_squash_history(REPO, commit_message="all in one")
    assert [commit.title for commit in api.list_repo_commits(REPO)] == ["all in one"]
    assert {entry.path for entry in api.list_repo_tree(REPO)} == before
    assert [commit.title for commit in api.list_repo_commits(REPO, revision="v1")] == ["put m.bin", "initial commit"]
    assert len(api.list_repo_commits(REPO, revision="dev")) == 2
    assert repo.read(REPO, "m.bin") == WEIGHTS
    with pytest.raises(RevisionNotFoundError):
        api.super_squash_history(REPO, branch="v1")
    with pytest.raises(HfHubHTTPError) as refused:
        repo.api(BOB).super_squash_history(REPO)
    assert refused.value.response.status_code == 403


def test_comparing_revisions(repo: TestHub) -> None:
    api = repo.api()
    put(api, "a.txt", b"one\ntwo\n")
    api.create_branch(REPO, branch="dev/x")
    put(api, "a.txt", b"one\n2\n", revision="dev/x")
    put(api, "m.bin", WEIGHTS, revision="dev/x")
    put(api, "n.txt", b"text" * 200 + b"\0", revision="dev/x")
    put(api, "main.txt", b"m")
    both = compare(repo, "main..dev%2Fx")
    assert "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n" in both
    assert "deleted file mode 100644" in both
    assert "+oid sha256:" in both
    assert "Binary files /dev/null and b/n.txt differ" in both
    since = compare(repo, "main...dev%2Fx")
    assert "main.txt" not in since
    assert "+2\n" in since
    assert compare(repo, "main..main") == ""
    for revisions, status in (("main", 400), ("main..nowhere", 404), ("..", 400)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            compare(repo, revisions)
        assert refused.value.code == status
        refused.value.close()


def test_formatted_commits(repo: TestHub) -> None:
    api = repo.api()
    api.create_commit(
        REPO, [CommitOperationAdd("a.txt", b"a")], commit_message="a <b>title</b>", commit_description="more & more"
    )
    commit = api.list_repo_commits(REPO, formatted=True)[0]
    assert (commit.title, commit.message) == ("a <b>title</b>", "more & more")
    assert commit.formatted_title == "a &lt;b&gt;title&lt;/b&gt;"
    assert commit.formatted_message == "more &amp; more"
    assert api.list_repo_commits(REPO)[0].formatted_title is None


def test_storage_of_a_namespace(repo: TestHub) -> None:
    api = repo.api()
    put(api, "m.bin", WEIGHTS)
    api.create_repo("acme/data", repo_type="dataset", private=True)
    found = {item.id: item for item in api.list_user_repos("acme")}
    assert found[REPO].storage > len(WEIGHTS)
    assert (found["acme/data"].type, found["acme/data"].visibility) == ("dataset", "private")
    assert list(api.list_user_repos()) == []
    with pytest.raises(HfHubHTTPError):
        list(api.list_user_repos("bob"))
