"""Discussions and pull requests with the real client."""

from __future__ import annotations

import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.community import (
    DiscussionComment,
    DiscussionCommit,
    DiscussionStatusChange,
    DiscussionTitleChange,
    DiscussionWithDetails,
)
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RepositoryNotFoundError
from support.running_hub import ALICE, BOB, CAROL, READER, StartHub, TestHub

REPO = "acme/model"


def put(api: HfApi, path: str, content: str, revision: str = "main", *, create_pr: bool = False) -> str:
    operation = CommitOperationAdd(path, content.encode())
    made = api.create_commit(REPO, [operation], commit_message=f"put {path}", revision=revision, create_pr=create_pr)
    return made.pr_revision or made.oid


def refused(status: int, call: object, *arguments: object) -> HfHubHTTPError:
    assert callable(call)
    with pytest.raises(HfHubHTTPError) as error:
        call(*arguments)
    assert error.value.response.status_code == status
    return error.value


def details(api: HfApi, number: int) -> DiscussionWithDetails:
    return api.get_discussion_details(REPO, number)


@pytest.fixture
def repo(hub: TestHub) -> TestHub:
    hub.api().create_repo(REPO)
    put(hub.api(), "a.txt", "one\ntwo\nthree\n")
    return hub


def test_a_discussion_from_opening_to_closing(repo: TestHub) -> None:
    bob, alice = repo.api(BOB), repo.api()
    found = bob.create_discussion(REPO, " Which data? ", description="What was it **trained** on?")
    assert (found.num, found.title, found.status, found.author) == (1, "Which data?", "open", "bob")
    assert (found.is_pull_request, found.git_reference, found.diff) == (False, None, None)
    assert found.url == f"{repo.endpoint}/{REPO}/discussions/1"
    said = alice.comment_discussion(REPO, 1, "Wikipedia <script>")
    assert (said.author, said.content) == ("alice", "Wikipedia <script>")
    assert "<script>" not in said.rendered
    alice.rename_discussion(REPO, 1, "Which training data?")
    alice.change_discussion_status(REPO, 1, "closed", comment="answered")
    events = details(bob, 1).events
    assert [type(event) for event in events] == [
        DiscussionComment,
        DiscussionComment,
        DiscussionTitleChange,
        DiscussionComment,
        DiscussionStatusChange,
    ]
    assert isinstance(events[2], DiscussionTitleChange)
    assert (events[2].old_title, events[2].new_title) == ("Which data?", "Which training data?")
    assert details(bob, 1).status == "closed"
    assert bob.change_discussion_status(REPO, 1, "open").new_status == "open"
    refused(400, alice.merge_pull_request, REPO, 1)
    refused(404, bob.get_discussion_details, REPO, 2)


def test_comments_are_edited_and_hidden(repo: TestHub) -> None:
    bob = repo.api(BOB)
    bob.create_discussion(REPO, "Title", description="d")
    said = bob.comment_discussion(REPO, 1, "fisrt")
    changed = bob.edit_discussion_comment(REPO, 1, said.id, "first")
    assert (changed.content, changed.edited, changed.number_of_edits) == ("first", True, 1)
    assert (changed.edit_history[0]["raw"], changed.last_edited_by) == ("fisrt", "bob")
    refused(403, repo.api().edit_discussion_comment, REPO, 1, said.id, "mine")
    with pytest.warns(UserWarning, match="irreversible"):
        refused(403, repo.api(CAROL).hide_discussion_comment, REPO, 1, said.id)
    with pytest.warns(UserWarning, match="irreversible"):
        gone = repo.api().hide_discussion_comment(REPO, 1, said.id)
    assert gone.hidden
    assert "first" not in str(details(bob, 1).events)
    refused(403, bob.edit_discussion_comment, REPO, 1, said.id, "back")
    refused(404, bob.edit_discussion_comment, REPO, 1, "0" * 24, "x")


def test_who_may_open_and_change(repo: TestHub) -> None:
    carol = repo.api(CAROL)
    refused(403, repo.api(READER).create_discussion, REPO, "Title")
    with pytest.raises(HfHubHTTPError):
        repo.api(token=False).create_discussion(REPO, "Title")
    repo.api().update_repo_settings(REPO, private=True)
    assert repo.api(BOB).create_discussion(REPO, "From a reader").num == 1
    refused(403, carol.rename_discussion, REPO, 1, "Not mine")
    refused(403, carol.change_discussion_status, REPO, 1, "closed")
    with pytest.raises(RepositoryNotFoundError):
        list(repo.api(token=False).get_repo_discussions(REPO))
    with pytest.raises(BadRequestError):
        carol.create_discussion(REPO, "two\nlines")
    with pytest.raises(HfHubHTTPError, match="at most"):
        carol.comment_discussion(REPO, 1, "x" * 70_000)


def test_listing_with_filters_and_pages(repo: TestHub) -> None:
    alice, bob = repo.api(), repo.api(BOB)
    for number in range(28):
        (alice if number % 2 else bob).create_discussion(REPO, f"number {number + 1}")
    alice.create_pull_request(REPO, "a draft")
    alice.change_discussion_status(REPO, 3, "closed")
    every = [found.num for found in alice.get_repo_discussions(REPO)]
    assert every == list(range(29, 0, -1))

    def numbers(**filters: str) -> list[int]:
        return [found.num for found in alice.get_repo_discussions(REPO, **filters)]  # type: ignore[arg-type]

    assert numbers(discussion_type="pull_request") == [29]
    assert len(numbers(discussion_type="discussion")) == 28
    assert numbers(discussion_status="closed") == [3]
    assert 29 in numbers(discussion_status="open")
    assert numbers(author="bob", discussion_status="all") == list(range(27, 0, -2))


def test_a_draft_is_committed_to_opened_and_merged(repo: TestHub) -> None:
    bob, alice = repo.api(BOB), repo.api()
    draft = bob.create_pull_request(REPO, "Better text", description="see diff")
    assert (draft.status, draft.git_reference, draft.target_branch) == ("draft", "refs/pr/1", "refs/heads/main")
    assert draft.conflicting_files == []
    put(bob, "a.txt", "one\n2\nthree\n", "refs/pr/1")
    put(bob, "new/b.txt", "b", "refs/pr/1")
    refused(403, put, repo.api(CAROL), "c.txt", "c", "refs/pr/1")
    refused(403, put, bob, "c.txt", "c")
    found = details(alice, 1)
    subjects = [event.summary for event in found.events if isinstance(event, DiscussionCommit)]
    assert subjects == ["put a.txt", "put new/b.txt"]
    assert found.diff is not None
    assert "-two\n+2\n" in found.diff
    assert "diff --git a/new/b.txt b/new/b.txt\nnew file mode 100644\n" in found.diff
    error = refused(409, alice.merge_pull_request, REPO, 1)
    assert "change its status to open first" in str(error)
    bob.change_discussion_status(REPO, 1, "open")
    refused(403, bob.merge_pull_request, REPO, 1)
    before = put(alice, "other.txt", "meanwhile")
    alice.merge_pull_request(REPO, 1, comment="thank you")
    merged = details(bob, 1)
    assert merged.status == "merged"
    history = alice.list_repo_commits(REPO)
    assert merged.merge_commit_oid == history[0].commit_id
    assert history[0].title == "Better text (#1)"
    assert "- put a.txt (" in history[0].message
    assert history[1].commit_id == before
    assert set(alice.list_repo_files(REPO)) == {".gitattributes", "a.txt", "new/b.txt", "other.txt"}
    assert repo.read(REPO, "a.txt") == b"one\n2\nthree\n"
    assert merged.diff == found.diff
    refused(409, alice.merge_pull_request, REPO, 1)
    refused(409, alice.change_discussion_status, REPO, 1, "closed")


def test_a_pull_request_by_create_commit_is_open_at_once(repo: TestHub) -> None:
    alice, bob = repo.api(), repo.api(BOB)
    bob.create_discussion(REPO, "numbers are shared")
    assert put(bob, "b.txt", "b", create_pr=True) == "refs/pr/2"
    found = details(alice, 2)
    assert (found.title, found.status, found.author) == ("put b.txt", "open", "bob")
    refs = alice.list_repo_refs(REPO, include_pull_requests=True)
    assert [ref.ref for ref in refs.pull_requests or []] == ["refs/pr/2"]
    alice.merge_pull_request(REPO, 2)
    assert repo.read(REPO, "b.txt") == b"b"


def test_opened_and_merged_at_once_nothing_is_lost(repo: TestHub) -> None:
    def propose(number: int) -> str:
        return put(repo.api(), f"{number}.txt", str(number), create_pr=True)

    with ThreadPoolExecutor(8) as pool:
        revisions = list(pool.map(propose, range(12)))
        assert sorted(revisions) == sorted(f"refs/pr/{number}" for number in range(1, 13))
        list(pool.map(lambda number: repo.api().merge_pull_request(REPO, number), range(1, 13)))
    assert {f"{number}.txt" for number in range(12)} <= set(repo.api().list_repo_files(REPO))
    assert len(repo.api().list_repo_commits(REPO)) == 14
    assert {found.status for found in repo.api().get_repo_discussions(REPO)} == {"merged"}


def test_text_that_is_no_unicode_is_kept_as_far_as_it_is(repo: TestHub) -> None:
    body = b'{"title": "half \\ud83d of a character", "description": "d", "pullRequest": false}'
    address = f"{repo.endpoint}/api/models/{REPO}/discussions"
    request = urllib.request.Request(address, body, {"Authorization": f"Bearer {ALICE}"}, method="POST")
    with urllib.request.urlopen(request) as response:
        assert response.status == 200
    assert details(repo.api(), 1).title == "half ? of a character"


def test_conflicts_are_named_and_not_merged(repo: TestHub) -> None:
    alice = repo.api()
    put(alice, "a.txt", "theirs", create_pr=True)
    alice.create_commit(
        REPO,
        [CommitOperationDelete("a.txt"), CommitOperationAdd("same.txt", b"s"), CommitOperationAdd("x/y.txt", b"y")],
        commit_message="delete",
        create_pr=True,
    )
    put(alice, "a.txt", "ours")
    put(alice, "same.txt", "s")
    put(alice, "x", "a file now")
    assert details(alice, 1).conflicting_files == ["a.txt"]
    assert details(alice, 2).conflicting_files == ["a.txt", "x/y.txt"]
    head = alice.model_info(REPO).sha
    error = refused(409, alice.merge_pull_request, REPO, 2)
    assert error.response.json()["filesWithConflicts"] == ["a.txt", "x/y.txt"]
    assert alice.model_info(REPO).sha == head
    assert details(alice, 2).status == "open"
    put(alice, "a.txt", "ours", "refs/pr/1")
    assert details(alice, 1).conflicting_files == []
    alice.merge_pull_request(REPO, 1)
    assert repo.read(REPO, "a.txt") == b"ours"


def test_a_reader_publishes_large_files_into_their_pull_request(repo: TestHub) -> None:
    bob = repo.api(BOB)
    bob.create_pull_request(REPO, "weights")
    data = bytes(range(256)) * 400
    put_large = CommitOperationAdd("m.safetensors", data)
    bob.create_commit(REPO, [put_large], commit_message="weights", revision="refs/pr/1")
    assert repo.read(REPO, "m.safetensors", revision="refs/pr/1") == data
    found = details(repo.api(), 1)
    assert found.diff is not None
    assert "+oid sha256:" in found.diff
    bob.super_squash_history(REPO, branch="refs/pr/1", commit_message="squashed")
    assert [commit.title for commit in bob.list_repo_commits(REPO, revision="refs/pr/1")] == ["squashed"]
    repo.api().super_squash_history(REPO)
    bob.change_discussion_status(REPO, 1, "open")
    repo.api().merge_pull_request(REPO, 1)
    assert repo.read(REPO, "m.safetensors") == data


def test_pages_of_discussions(repo: TestHub) -> None:
    def page(path: str, token: str = "") -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(repo.endpoint + path, headers=headers)) as response:
                assert "script" not in response.headers["Content-Security-Policy"]
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    api = repo.api()
    assert "none yet" in page(f"/{REPO}/discussions")[1]
    api.create_discussion(REPO, "<b>Which</b> data?", description="<script>alert(1)</script>")
    put(repo.api(BOB), "a.txt", "<i>theirs</i>", create_pr=True)
    put(api, "a.txt", "ours")
    status, listed = page(f"/{REPO}/discussions")
    assert status == 200
    assert "&lt;b&gt;Which&lt;/b&gt; data?" in listed
    assert f'href="/{REPO}/discussions/2"' in listed
    said = page(f"/{REPO}/discussions/1")[1]
    assert "&lt;script&gt;alert(1)" in said
    assert "<script>" not in said
    proposed = page(f"/{REPO}/discussions/2")[1]
    assert "+&lt;i&gt;theirs&lt;/i&gt;" in proposed
    assert "conflicts with refs/heads/main in a.txt" in proposed
    assert page(f"/{REPO}/discussions/3")[0] == page(f"/{REPO}/discussions/x")[0] == 404
    api.update_repo_settings(REPO, private=True)
    assert page(f"/{REPO}/discussions/1")[0] == page(f"/{REPO}/discussions")[0] == 404
    assert page(f"/{REPO}/discussions/1", ALICE)[0] == 200
    api.move_repo(REPO, "acme/renamed")
    assert "alert(1)" in page(f"/{REPO}/discussions/1", ALICE)[1]
    assert page(f"/{REPO}", ALICE)[0] == 200


def test_discussions_survive_a_restart(start_hub: StartHub, tmp_path: Path) -> None:
    first = start_hub(tmp_path / "data")
    api = first.api()
    api.create_repo(REPO)
    put(api, "b.txt", "b", create_pr=True)
    api.create_discussion(REPO, "Ünïcode 🙂", description="d")
    again = start_hub(tmp_path / "data").api()
    assert [found.title for found in again.get_repo_discussions(REPO)] == ["Ünïcode 🙂", "put b.txt"]


def test_a_merge_that_was_cut_short_is_what_the_branch_says(start_hub: StartHub, tmp_path: Path) -> None:
    """The server is killed between moving the branch and noting it, or just before."""
    root = tmp_path / "data"
    hub = start_hub(root)
    api = hub.api()
    api.create_repo(REPO)
    before = api.model_info(REPO).sha
    put(api, "b.txt", "b", create_pr=True)
    file = root / "repos/models/acme/model/discussions/1.json"
    was_open = file.read_text()
    api.merge_pull_request(REPO, 1)
    merged = api.model_info(REPO).sha
    pending = was_open.replace('"merge_commit": null', f'"merge_commit": "{merged}"')
    assert pending != was_open
    file.write_text(pending)
    assert (details(api, 1).status, details(api, 1).merge_commit_oid) == ("merged", merged)
    refused(409, api.merge_pull_request, REPO, 1)
    (root / "repos/models/acme/model/git/refs/heads/main").write_text(f"{before}\n")
    assert (details(api, 1).status, details(api, 1).merge_commit_oid) == ("open", None)
    api.merge_pull_request(REPO, 1)
    assert hub.read(REPO, "b.txt") == b"b"
    (root / "repos/models/acme/model/git/refs/pr/1").unlink()
    refused(404, details, api, 1)
    assert api.create_discussion(REPO, "Next").num == 2
