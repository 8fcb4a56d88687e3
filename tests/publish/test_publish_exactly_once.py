"""What a push says while it waits, what an unfinished one leaves, and what the next one makes of it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi
from support.running_hub import ALICE, TestHub
from support.tiny_release import fresh_weights, look, save_tiny

from hubpub.core.errors import AuthError, ConflictError, HubError, UsageError
from hubpub.core.rule import Depth
from hubpub.publish.card import last_published_card
from hubpub.publish.client import HubClient
from hubpub.publish.http import Patience
from hubpub.publish.journal import Entry, Journal
from hubpub.publish.local import LocalFile
from hubpub.publish.prepare import PushOptions, prepare
from hubpub.publish.push import push
from hubpub.publish.refusals import requested_wait
from hubpub.publish.release_id import carries, with_release_id
from hubpub.publish.staged import CommitLimits
from hubpub.publish.target import Target
from hubpub.publish.upload import groups

REPO = "acme/model"
QUICK = Patience(connect=5, answer=2, commit=2, stall=3, attempts=3, pause=0.01)


def client(hub: TestHub, patience: Patience = QUICK) -> HubClient:
    return HubClient(Target(hub.endpoint, ALICE, "the test"), patience)


def options(folder: Path, **more: Any) -> PushOptions:
    return PushOptions(folder, "model", "acme", depth=Depth.QUICK, **more)


def silent(_message: str) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "model", "first")


# ---- waiting ----


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit": '"api";r=0;t=55', "retry-after": "7"}, 55),
        ({"ratelimit": '"api";r=3;t=55', "retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "Mon, 01 Jan 2001 00:00:00 GMT"}, 0),
        ({}, None),
    ],
)
def test_how_long_a_hub_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert requested_wait(headers) == seconds


def test_a_date_to_wait_for() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 95 < (requested_wait({"retry-after": then}) or 0) <= 100


def test_a_rate_limit_is_kept_to_and_told(hub: TestHub, folder: Path) -> None:
    hub.hub.faults("commit: 429 retry_after=1 first=1")
    said: list[str] = []
    begun = time.monotonic()
    assert push(options(folder), client(hub), said.append).published
    assert time.monotonic() - begun > 1
    assert "the hub asks to wait 1 s" in said


def test_who_asks_for_an_hour_is_not_waited_for(hub: TestHub, folder: Path) -> None:
    hub.hub.faults("whoami: 429 retry_after=3600")
    with pytest.raises(HubError) as caught:
        push(options(folder), client(hub), silent)
    assert caught.value.next_step == "wait 3,600 s, then run the same command again"


def test_pauses_grow_and_vary() -> None:
    pauses = [Patience().before(number) for number in range(2, 12)]
    assert all(0.5 * 0.5 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(pauses[:5]))
    assert pauses[-1] <= Patience().longest_pause
    assert len(set(pauses)) == len(pauses)


# ---- uploading ----


def test_groups_are_bounded() -> None:
    files = [
        LocalFile(str(number), b"", size, "", 0) for number, size in enumerate([15 * 10**9, 6 * 10**9] + [1] * 250)
    ]
    assert [len(group) for group in groups(files)] == [1, 100, 100, 51]


def children() -> set[str]:
    found: set[str] = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the thread has ended meanwhile
            found.update((task / "children").read_text().split())
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at /proc")
@pytest.mark.parametrize("xet", [True, False])
def test_an_upload_that_stalls_is_ended(
    hub: TestHub, folder: Path, monkeypatch: pytest.MonkeyPatch, *, xet: bool
) -> None:
    monkeypatch.setattr("hubpub.publish.upload._has_xet", lambda: xet)
    fresh_weights(folder)
    hub.hub.faults("xorb-put: stall", "lfs-put: stall")
    before = children()
    with pytest.raises(HubError, match=r"moved (for|within) 1\.5 s"):
        push(options(folder), client(hub, Patience(stall=1.5, attempts=2, pause=0.01)), silent)
    assert not children() - before
    hub.hub.faults()
    assert push(options(folder), client(hub), silent).published


def test_an_upload_ends_with_its_parent(hub: TestHub, folder: Path) -> None:
    request = {
        "endpoint": hub.endpoint, "repo_id": REPO, "revision": "main", "token": ALICE, "headers": {}, "stall": 60,
        "xet": True, "groups": [[{"path": "a", "source": str(folder / "notes.txt"), "sha256": "0" * 64, "size": 5}]],
    }  # fmt: skip
    hub.hub.faults("xet-write-token: stall")
    with subprocess.Popen(
        [sys.executable, "-c", "from hubpub.publish.sender import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdin is not None
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1)
        child.stdin.close()
        assert child.wait(30) == 1


def test_a_refused_upload_names_the_permission(hub: TestHub, folder: Path) -> None:
    fresh_weights(folder)
    hub.hub.faults("xet-write-token: 403")
    with pytest.raises(AuthError, match="cannot upload to acme/model"):
        push(options(folder), client(hub), silent)


# ---- who sees a new repo ----


def test_a_new_repo_is_hidden_until_its_release_is_verified(hub: TestHub, folder: Path) -> None:
    hub.hub.faults("commit: 503")
    with pytest.raises(HubError):
        push(options(folder), client(hub), silent)
    seen = look(hub.endpoint, REPO, ALICE)
    assert seen is not None
    assert (seen.private, set(seen.files)) == (True, {".gitattributes"})
    hub.hub.faults()
    plan = prepare(options(folder), client(hub), silent).plan
    assert (plan.creates_repo, plan.private) == (False, False)
    push(options(folder), client(hub), silent)
    seen = look(hub.endpoint, REPO, ALICE)
    assert seen is not None
    assert not seen.private


@pytest.mark.parametrize("private", [True, False])
def test_a_repo_that_somebody_made_keeps_its_visibility(hub: TestHub, folder: Path, *, private: bool) -> None:
    hub.api().create_repo(REPO, private=private)
    assert push(options(folder), client(hub), silent).plan.private is private
    assert hub.api().model_info(REPO).private is private


def test_a_repo_that_was_hidden_on_purpose_meanwhile_stays_hidden(hub: TestHub, folder: Path) -> None:
    hub.hub.faults("commit: 503")
    with pytest.raises(HubError):
        push(options(folder), client(hub), silent)
    hub.hub.faults()
    hub.api().upload_file(path_or_fileobj=b"theirs", path_in_repo="theirs.txt", repo_id=REPO)
    assert push(options(folder), client(hub), silent).plan.private
    assert hub.api().model_info(REPO).private


def test_who_may_not_make_it_public_is_told_what_is_done(hub: TestHub, folder: Path) -> None:
    hub.hub.faults("settings: 403")
    with pytest.raises(AuthError, match="is published, verified, and still private"):
        push(options(folder), client(hub), silent)
    hub.hub.faults()
    receipt = push(options(folder), client(hub), silent)
    assert (receipt.published, hub.api().model_info(REPO).private) == (False, False)


# ---- what an earlier run has done ----


def test_a_release_that_landed_before_others_changed_the_branch_is_known_again(hub: TestHub, folder: Path) -> None:
    hub.hub.faults("tag: 503")
    with pytest.raises(HubError):
        push(options(folder, tag="v1"), client(hub), silent)
    hub.hub.faults()
    hub.api().upload_file(path_or_fileobj=b"{}\n", path_in_repo="config.json", repo_id=REPO)
    said: list[str] = []
    receipt = push(options(folder, tag="v1"), client(hub), said.append)
    assert any("an earlier run has published this already" in line for line in said)
    seen = look(hub.endpoint, REPO, ALICE)
    assert seen is not None
    assert [commit.oid for commit in seen.history][1] == receipt.commit == seen.tags["v1"]
    assert (len(seen.history), receipt.published) == (3, False)


def test_a_tag_on_the_same_files_is_the_tag(hub: TestHub, folder: Path) -> None:
    first = push(options(folder, tag="v1"), client(hub), silent)
    api = hub.api()
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=REPO)
    api.delete_file("x.txt", REPO)
    assert push(options(folder, tag="v1"), client(hub), silent).commit != first.commit
    (folder / "notes.txt").write_text("other")
    with pytest.raises(ConflictError, match="has a tag v1 already"):
        push(options(folder, tag="v1"), client(hub), silent)


def test_a_saved_plan_does_not_go_on_top_of_others(hub: TestHub, folder: Path, tmp_path: Path) -> None:
    """What was signed off is that commit on that parent."""
    from hubpub.publish.saved import plan_document, read_plan

    push(options(folder), client(hub), silent)
    (folder / "notes.txt").write_text("second")
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan_document(prepare(options(folder), client(hub), silent).plan, options(folder))))

    class SomebodyElse(HubClient):
        def upload(self, *args: Any) -> None:
            hub.api().upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=REPO)

    saved = read_plan(file)
    with pytest.raises(ConflictError, match="alice committed"):
        push(saved.options, SomebodyElse(Target(hub.endpoint, ALICE, "")), silent, saved.expected)


def test_a_history_that_was_rewritten_is_a_conflict(hub: TestHub, folder: Path) -> None:
    push(options(folder), client(hub), silent)
    (folder / "notes.txt").write_text("second")

    class Squashes(HubClient):
        def upload(self, *args: Any) -> None:
            hub.api().super_squash_history(REPO)

    with pytest.raises(ConflictError, match="the history of main of acme/model was rewritten"):
        push(options(folder), Squashes(Target(hub.endpoint, ALICE, "")), silent)


def test_release_ids_are_trailers() -> None:
    card = "Published by hubpub.\n\nHubpub-Card: folder sha256:" + "0" * 64
    assert with_release_id(card, "abc").splitlines()[-2:] == [card.splitlines()[-1], "Hubpub-Release: abc"]
    assert with_release_id("Text.", "abc") == "Text.\n\nHubpub-Release: abc"
    assert carries("Text.\n\nHubpub-Release: abc", "", "abc")
    assert not carries("Hubpub-Release: abcd", "", "abc")
    assert not carries("It says Hubpub-Release: abc", "", "abc")


def test_the_journal(tmp_path: Path) -> None:
    journal = Journal("http://hub", REPO, "main", tmp_path, tmp_path / "journals")
    assert journal.read() is None
    journal.write(Entry("abc", "0" * 40, unveils=True))
    assert journal.note(staged=True) == Entry("abc", "0" * 40, unveils=True, staged=True) == journal.read()
    assert Journal("http://hub", REPO, "dev", tmp_path, tmp_path / "journals").read() is None
    file = next((tmp_path / "journals").iterdir())
    for broken in (b"", b"[]", b"\xff", b'{"schema": "hubpub.journal/1"}', file.read_bytes().replace(b"true", b"1")):
        file.write_bytes(broken)
        assert journal.read() is None
    os.utime(file, (0, 0))
    Journal("http://hub", REPO, "dev", tmp_path, tmp_path / "journals").write(Entry())
    assert not file.exists()
    journal.write(Entry())
    journal.close()
    assert journal.read() is None


def test_a_machine_without_a_cache_publishes_too(
    hub: TestHub, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert push(options(folder), client(hub), silent).published


# ---- more than one commit may hold ----

PARTS = CommitLimits(operations=2, part=2)


def requests(hub: TestHub) -> dict[int, str]:
    return {found.num: found.status for found in hub.api().get_repo_discussions(REPO)}


def test_a_release_in_parts_is_one_commit(hub: TestHub, folder: Path) -> None:
    receipt = push(options(folder, tag="v1"), client(hub), silent, limits=PARTS)
    history = hub.api().list_repo_commits(REPO)
    assert [commit.commit_id for commit in history][:-1] == [receipt.commit]
    assert requests(hub) == {1: "merged"}
    assert hub.api().list_repo_refs(REPO).tags[0].target_commit == receipt.commit
    # The next push knows which card this one published.
    published = last_published_card(client(hub).commits(REPO, "main"))
    assert published is not None
    assert published.sha256 == receipt.plan.card.to_json()["sha256"]
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Other\n")
    assert push(options(folder), client(hub), silent, limits=PARTS).published


@pytest.mark.parametrize(
    ("limits", "commits"),
    [
        (CommitLimits(large_files=1), 2),
        (CommitLimits(small_bytes=30), 2),
        (CommitLimits(operations=3, part=3), 2),
    ],
)
def test_which_limits_make_parts(hub: TestHub, folder: Path, limits: CommitLimits, commits: int) -> None:
    (folder / "more.npy").write_bytes(b"\0" * 10)
    push(options(folder), client(hub), silent, limits=limits)
    events = HfApi(endpoint=hub.endpoint, token=ALICE).get_discussion_details(REPO, 1).events
    assert sum(event.type == "commit" for event in events) == commits


def test_a_hub_that_is_too_slow_for_one_commit_gets_parts(hub: TestHub, folder: Path) -> None:
    hub.hub.faults("POST /api/models/acme/model/commit/main: 504")
    said: list[str] = []
    receipt = push(options(folder), client(hub), said.append, limits=CommitLimits(part=2))
    assert any("may be too many at once" in line for line in said)
    assert (receipt.published, len(hub.api().list_repo_commits(REPO))) == (True, 2)


@pytest.mark.parametrize("where", ["merge", "discussion-status", "GET /api/models/acme/model/tree/refs/pr/1"])
def test_parts_that_were_cut_short_are_gone_on_with(hub: TestHub, folder: Path, where: str) -> None:
    hub.hub.faults(f"{where}: 503")
    with pytest.raises(HubError):
        push(options(folder), client(hub), silent, limits=PARTS)
    assert requests(hub)[1] in ("draft", "open")
    hub.hub.faults()
    receipt = push(options(folder), client(hub), silent, limits=PARTS)
    assert receipt.published
    assert requests(hub) == {1: "merged"}
    assert len(hub.api().list_repo_commits(REPO)) == 2


@pytest.mark.parametrize("limits", [PARTS, None])
def test_parts_of_another_release_are_closed(hub: TestHub, folder: Path, limits: CommitLimits | None) -> None:
    hub.hub.faults("merge: 503")
    with pytest.raises(HubError):
        push(options(folder), client(hub), silent, limits=PARTS)
    hub.hub.faults()
    (folder / "notes.txt").write_text("another release")
    push(options(folder), client(hub), silent, limits=limits)
    assert requests(hub)[1] == "closed"
    assert set(requests(hub).values()) <= {"closed", "merged"}
    assert hub.read(REPO, "notes.txt") == b"another release"


def test_others_meanwhile_and_parts(hub: TestHub, folder: Path) -> None:
    push(options(folder), client(hub), silent)
    before = len(hub.api().list_repo_commits(REPO))

    class SomebodyElse(HubClient):
        path = "theirs.txt"

        def upload(self, *args: Any) -> None:
            hub.api().upload_file(path_or_fileobj=b"[]", path_in_repo=self.path, repo_id=REPO, commit_message="theirs")

    for name in ("notes.txt", "config.json", "more.txt"):
        (folder / name).write_text('{"of": 2}')
    other = SomebodyElse(Target(hub.endpoint, ALICE, ""), QUICK)
    push(options(folder), other, silent, limits=PARTS)
    assert [commit.title for commit in hub.api().list_repo_commits(REPO)][1] == "theirs"
    assert len(hub.api().list_repo_commits(REPO)) == before + 2
    for name in ("notes.txt", "more.txt", "most.txt"):
        (folder / name).write_text('{"of": 3}')
    other.path = "config.json"
    with pytest.raises(ConflictError, match=r"which changes config\.json"):
        push(options(folder), other, silent, limits=PARTS)
    assert requests(hub)[2] == "closed"
    assert "most.txt" not in hub.api().list_repo_files(REPO)


def test_parts_go_to_main_alone(hub: TestHub, folder: Path) -> None:
    hub.api().create_repo(REPO)
    hub.api().create_branch(REPO, branch="dev")
    with pytest.raises(UsageError, match="merges only into main"):
        push(options(folder, revision="dev"), client(hub), silent, limits=PARTS)
