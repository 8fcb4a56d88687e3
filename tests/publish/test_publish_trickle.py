"""A hub that is never silent and never done: every call has an end all the same."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.running_hub import ALICE, TestHub
from support.tiny_release import fresh_weights, look, save_tiny

from hubpub.core.errors import HubError
from hubpub.core.rule import Depth
from hubpub.publish.bounds import Bound, within
from hubpub.publish.card import CardSource
from hubpub.publish.client import HubClient
from hubpub.publish.http import Http, Patience
from hubpub.publish.prepare import PushOptions
from hubpub.publish.push import push
from hubpub.publish.receipt import Receipt
from hubpub.publish.target import Target
from hubpub.publish.webhooks import send_webhooks

# No silence lasts as long as that: only the bounds on the whole can end a call.
QUICK = Patience(connect=5, answer=20, commit=20, whole=0.6, stall=0.6, attempts=2, pause=0.01)
REPO = "acme/model"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"

Serve = Callable[[socket.socket, threading.Event], None]


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """A server that does as it likes with each connection; its address."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                serve(connection, over)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)


def says(start: bytes) -> Serve:
    """Says so much at once, and after that one byte at a time, for ever."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(1 << 16)
        connection.sendall(start)
        while not over.wait(0.05):
            connection.sendall(b" ")

    return serve


def takes(connection: socket.socket, over: threading.Event) -> None:
    """Takes the request, a little at a time."""
    while not over.wait(0.05):
        connection.recv(16)


def http(endpoint: str, patience: Patience = QUICK) -> Http:
    return Http(Target(endpoint, ALICE, "the test"), patience, lambda _: None)


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nx-slow:", HEAD], ids=["head", "body"])
def test_an_answer_has_an_end(start: bytes) -> None:
    with server(says(start)) as endpoint:
        began = time.monotonic()
        with pytest.raises(HubError, match=r"no whole answer within 0\.6 s"):
            http(endpoint).get("/api/whoami-v2", doing="ask")
        assert 1.2 <= time.monotonic() - began < 6


def test_a_commit_that_is_hardly_taken_has_an_end() -> None:
    with server(takes) as endpoint:
        began = time.monotonic()
        with pytest.raises(HubError, match=r"moved (for|within) 0\.6 s"):
            http(endpoint).call("POST", "/api/commit", doing="commit", body=io.BytesIO(bytes(32 << 20)), again=False)
        assert time.monotonic() - began < 6


def test_a_commit_is_given_time_as_long_as_it_is_taken() -> None:
    size = 3 << 20
    taken = 0

    def slowly(connection: socket.socket, over: threading.Event) -> None:
        nonlocal taken
        while taken < size and not over.wait(0.002):
            taken += len(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")

    with server(slowly) as endpoint:
        began = time.monotonic()
        body = io.BytesIO(bytes(size))
        patience = replace(QUICK, whole=20)
        answer = http(endpoint, patience).call("POST", "/api/commit", doing="commit", body=body, again=False)
        assert (answer.json(), answer.request.headers["Content-Length"]) == ({}, str(size))
        assert time.monotonic() - began > QUICK.stall, "the server was too fast for this test"


def test_a_webhook_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.publish.webhooks._WHOLE", 0.3)
    with server(says(b"HTTP/1.1 200 OK\r\nx-slow:")) as endpoint:
        document: dict[str, Any] = {"event": "published", "delivery": "1"}
        (told,) = send_webhooks([endpoint], document, None, pause=lambda _: None)
        assert told.problem == "it does not answer (TimeoutError)"


# ---- a push ----


@pytest.fixture(autouse=True)
def no_faults_afterwards(hub: TestHub) -> Iterator[None]:
    yield
    hub.hub.faults()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = save_tiny(tmp_path / "model", "first")
    fresh_weights(made)
    return made


def publish(hub: TestHub, folder: Path, patience: Patience = QUICK) -> Receipt:
    options = PushOptions(folder, "model", "acme", tag="v1", depth=Depth.QUICK, card=CardSource.FOLDER)
    return push(options, HubClient(Target(hub.endpoint, ALICE, "the test"), patience), lambda _: None)


@pytest.mark.faults
@pytest.mark.parametrize(
    "place",
    [
        *("whoami", "create-repo", "revision", "preupload", "validate-yaml", "xet-write-token", "xorb-put", "shard"),
        *("commit", "tree", "refs", "tag", "settings"),
    ],
)
def test_a_hub_that_trickles_ends_a_push_and_the_next_one_publishes(hub: TestHub, folder: Path, place: str) -> None:
    hub.hub.faults(f"{place}: trickle seconds=0.05")
    began = time.monotonic()
    with pytest.raises(HubError, match=r"within 0\.6 s|for 0\.6 s"):
        publish(hub, folder)
    assert time.monotonic() - began < 30
    hub.hub.faults()
    receipt = publish(hub, folder, Patience())
    seen = look(hub.endpoint, REPO, ALICE)
    assert seen is not None
    assert [len(seen.of_release(str(receipt.plan.release))), seen.private] == [1, False]
    assert seen.tags == {"v1": receipt.commit}


@pytest.mark.parametrize("place", ["lfs-batch", "lfs-put"])
def test_an_upload_by_lfs_has_an_end(hub: TestHub, folder: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr("hubpub.publish.upload._has_xet", lambda: False)
    hub.hub.faults(f"{place}: trickle seconds=0.05")
    with pytest.raises(HubError, match=r"moved (for|within) 0\.6 s"):
        publish(hub, folder)


def test_one_that_trickles_once_is_asked_again(hub: TestHub, folder: Path) -> None:
    faults = hub.hub.faults(*(f"{place}: trickle seconds=0.05 first=1" for place in ("tree", "commit", "settings")))
    assert publish(hub, folder, replace(QUICK, attempts=4)).published
    assert faults.hits == 3


def test_a_download_has_an_end(hub: TestHub, folder: Path) -> None:
    (folder / "notes.txt").write_text("x" * 1500)
    commit = publish(hub, folder, Patience()).commit
    client = HubClient(Target(hub.endpoint, ALICE, "the test"), QUICK)
    for fault in ("trickle seconds=0.05", "slow rate=500"):
        hub.hub.faults(f"resolve: {fault}")
        with pytest.raises(HubError, match=r"moved (for|within) 0\.6 s"):
            b"".join(client.stream(REPO, "notes.txt", commit))


# ---- the bound itself ----


def test_who_looks_at_each_block_for_long_loses_no_time() -> None:
    bound = Bound(0.3, least=10)
    for _ in bound.received([b"1234"] * 4):
        time.sleep(0.2)
    assert bound.left > 0


def test_bytes_that_move_give_more_time_and_few_do_not() -> None:
    def few() -> Iterator[bytes]:
        while True:
            time.sleep(0.1)
            yield b"1"

    with pytest.raises(TimeoutError, match=r"less than 10 bytes moved within 0\.3 s"):
        list(Bound(0.3, least=10).received(few()))
    bound = Bound(0.3, least=10)
    for _ in range(5):
        time.sleep(0.1)
        list(bound.received([b"0123456789"]))


def test_what_comes_too_late_is_let_go() -> None:
    late = threading.Event()

    def work() -> threading.Event:
        time.sleep(0.2)
        return late

    with pytest.raises(TimeoutError):
        within(Bound(0.05), work, threading.Event.set)
    assert late.wait(5)


def test_an_error_of_the_work_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        within(Bound(5), fail)
