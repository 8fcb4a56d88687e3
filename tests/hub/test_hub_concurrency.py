"""Sixteen clients commit to one branch at once: no update is lost, and every accepted commit is in the history.

HUBPUB_ROUNDS is how often each of them does (20 in full).
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from huggingface_hub import CommitOperationAdd, get_session
from huggingface_hub.errors import HfHubHTTPError
from support.running_hub import TestHub

from hubpub.hub.store.fsck import fsck

CLIENTS = 16
ROUNDS = int(os.environ.get("HUBPUB_ROUNDS", "2"))
REPO = "acme/model"


@pytest.fixture
def hub(hub: TestHub) -> TestHub:
    hub.api().create_repo(REPO)
    hub.api().create_commit(REPO, [CommitOperationAdd("ledger.txt", b"")], commit_message="ledger")
    return hub


def history(hub: TestHub) -> list[str]:
    return [commit.commit_id for commit in hub.api().list_repo_commits(REPO)]


def test_commits_without_a_parent_all_land(hub: TestHub) -> None:
    together = threading.Barrier(CLIENTS)

    def client(name: int) -> list[str]:
        api = hub.api()
        made = []
        for turn in range(ROUNDS):
            together.wait()
            add = [CommitOperationAdd(f"{name}/{turn}.txt", f"{name} {turn}".encode())]
            add.append(CommitOperationAdd(f"{name}/last.bin", b"\0" + f"{name} {turn}".encode()))
            made.append(api.create_commit(REPO, add, commit_message=f"{name} {turn}").oid)
        return made

    with ThreadPoolExecutor(CLIENTS) as pool:
        made = [oid for oids in pool.map(client, range(CLIENTS)) for oid in oids]
    assert len(set(made)) == CLIENTS * ROUNDS
    assert set(history(hub)[:-2]) == set(made)
    files = hub.api().list_repo_files(REPO)
    assert {f"{name}/{turn}.txt" for name in range(CLIENTS) for turn in range(ROUNDS)} <= set(files)
    assert hub.read(REPO, f"7/{ROUNDS - 1}.txt") == f"7 {ROUNDS - 1}".encode()
    assert hub.read(REPO, "7/last.bin") == b"\0" + f"7 {ROUNDS - 1}".encode()
    assert fsck(hub.hub.root).damage == []


def test_read_change_write_with_a_parent_loses_no_update(hub: TestHub) -> None:
    """Each appends its lines to one file; a commit on a parent that is no longer the head is refused with 412."""
    refused: list[int] = []
    together = threading.Barrier(CLIENTS)

    def client(name: int) -> list[str]:
        api = hub.api()
        made = []
        for turn in range(ROUNDS):
            together.wait()
            while True:
                head = api.model_info(REPO).sha
                found = get_session().get(f"{hub.endpoint}/{REPO}/resolve/{head}/ledger.txt")
                text = found.content + f"{name} {turn}\n".encode()
                try:
                    add = [CommitOperationAdd("ledger.txt", text)]
                    made.append(api.create_commit(REPO, add, commit_message="append", parent_commit=head).oid)
                    break
                except HfHubHTTPError as error:
                    refused.append(error.response.status_code)
        return made

    with ThreadPoolExecutor(CLIENTS) as pool:
        made = [oid for oids in pool.map(client, range(CLIENTS)) for oid in oids]
    lines = hub.read(REPO, "ledger.txt").decode().splitlines()
    assert sorted(lines) == sorted(f"{name} {turn}" for name in range(CLIENTS) for turn in range(ROUNDS))
    assert set(history(hub)[:-2]) == set(made)
    assert refused
    assert set(refused) == {412}
    assert fsck(hub.hub.root).damage == []
