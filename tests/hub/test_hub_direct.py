"""Large bodies that a thread moves past the event loop: answered, bounded, made to fail and counted like small ones."""

from __future__ import annotations

import hashlib
import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import get_session
from support.running_hub import ALICE, TestHub

from hubpub.hub import parse_token, running
from hubpub.hub.web import direct, http_protocol

REPO = "alice/model"
DATA = random.Random(5).randbytes(3 << 20)


@pytest.fixture
def repo(hub: TestHub) -> TestHub:
    hub.api().create_repo(REPO)
    return hub


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies may stand still for half a second."""
    monkeypatch.setattr(direct, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(http_protocol, "STALL_SECONDS", 0.5)


def upload_path(hub: TestHub, data: bytes) -> str:
    """Where the hub wants `data` uploaded to."""
    answer = get_session().post(
        f"{hub.endpoint}/{REPO}.git/info/lfs/objects/batch",
        headers={"Authorization": f"Bearer {ALICE}"},
        json={"operation": "upload", "objects": [{"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}]},
    )
    return urlsplit(answer.json()["objects"][0]["actions"]["upload"]["href"]).path


def is_stored(hub: TestHub, data: bytes) -> bool:
    answer = get_session().post(
        f"{hub.endpoint}/{REPO}.git/info/lfs/objects/batch",
        headers={"Authorization": f"Bearer {ALICE}"},
        json={"operation": "upload", "objects": [{"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}]},
    )
    return "actions" not in answer.json()["objects"][0]


def connect(hub: TestHub) -> closing[socket.socket]:
    address = urlsplit(hub.endpoint)
    return closing(socket.create_connection((address.hostname, address.port), timeout=20))


def head(hub: TestHub, line: str, *headers: str) -> bytes:
    host = urlsplit(hub.endpoint).netloc
    return "\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode()


def answers(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Status and body of each answer until the hub ends the connection."""
    file = connection.makefile("rb")
    while status_line := file.readline():
        length = 0
        while (line := file.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        yield int(status_line.split()[1]), file.read(length)


def test_requests_before_and_behind_a_large_body(repo: TestHub) -> None:
    health, last = head(repo, "GET /healthz"), head(repo, "GET /healthz", "Connection: close")
    put = head(repo, f"PUT {upload_path(repo, DATA)}", f"Content-Length: {len(DATA)}")
    with connect(repo) as connection:
        connection.sendall(health + put + DATA + health + last)
        assert [status for status, _ in answers(connection)] == [200, 200, 200, 200]
    assert is_stored(repo, DATA)


@pytest.mark.parametrize("step", [1000, 100_000, 1 << 20])
def test_a_body_in_pieces(repo: TestHub, step: int) -> None:
    put = head(repo, f"PUT {upload_path(repo, DATA)}", f"Content-Length: {len(DATA)}", "Connection: close")
    with connect(repo) as connection:
        connection.sendall(put)
        for start in range(0, len(DATA), step):
            connection.sendall(DATA[start : start + step])
        assert next(answers(connection))[0] == 200
    assert is_stored(repo, DATA)


def test_a_chunked_body_has_no_announced_length(repo: TestHub) -> None:
    put = head(repo, f"PUT {upload_path(repo, DATA)}", "Transfer-Encoding: chunked", "Connection: close")
    with connect(repo) as connection:
        connection.sendall(put)
        for start in range(0, len(DATA), 1 << 18):
            block = DATA[start : start + (1 << 18)]
            connection.sendall(b"%x\r\n%b\r\n" % (len(block), block))
        connection.sendall(b"0\r\n\r\n")
        assert next(answers(connection))[0] == 200
    assert is_stored(repo, DATA)


def test_a_client_that_waits_to_be_told_to_go_on(repo: TestHub) -> None:
    lines = f"Content-Length: {len(DATA)}", "Expect: 100-continue", "Connection: close"
    with connect(repo) as connection:
        connection.sendall(head(repo, f"PUT {upload_path(repo, DATA)}", *lines))
        assert connection.recv(1 << 10) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(DATA)
        assert next(answers(connection))[0] == 200


def test_other_content_than_announced(repo: TestHub) -> None:
    put = head(repo, f"PUT {upload_path(repo, DATA)}", f"Content-Length: {len(DATA)}")
    with connect(repo) as connection:
        connection.sendall(put + bytes(len(DATA)) + head(repo, "GET /healthz", "Connection: close"))
        found = list(answers(connection))
    assert [status for status, _ in found] == [400, 200]
    assert "sha256" in json.loads(found[0][1])["error"]
    assert not is_stored(repo, DATA)


def test_a_longer_body_than_announced_is_refused_unread(repo: TestHub) -> None:
    with connect(repo) as connection:
        connection.sendall(head(repo, f"PUT {upload_path(repo, DATA)}", f"Content-Length: {len(DATA) + 1}"))
        assert next(answers(connection))[0] == 413


def test_a_client_that_goes_in_the_middle(repo: TestHub) -> None:
    put = head(repo, f"PUT {upload_path(repo, DATA)}", f"Content-Length: {len(DATA)}")
    for _ in range(3 * direct._MOST_AT_ONCE):
        with connect(repo) as connection:
            connection.sendall(put + DATA[: len(DATA) // 2])
    test_a_body_in_pieces(repo, 1 << 20)
    assert list((repo.hub.root / "scratch").iterdir()) == []


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sent", [0, 100, 1 << 20, len(DATA) - 100], ids=["nothing", "little", "much", "nearly all"])
def test_a_body_that_stands_still_is_given_up(repo: TestHub, sent: int) -> None:
    put = head(repo, f"PUT {upload_path(repo, DATA)}", f"Content-Length: {len(DATA)}")
    with connect(repo) as connection:
        connection.sendall(put + DATA[:sent])
        started = time.monotonic()
        try:
            ended = connection.recv(1) == b""
        except ConnectionError:
            ended = True
    assert ended
    assert 0.3 < time.monotonic() - started < 5


def test_slow_uploads_do_not_keep_others_waiting(repo: TestHub) -> None:
    put = head(repo, f"PUT {upload_path(repo, DATA)}", f"Content-Length: {len(DATA)}")
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(repo)) for _ in range(direct._MOST_AT_ONCE + 4)]
        for connection in slow:
            connection.sendall(put + DATA[:10_000])
        time.sleep(0.2)
        test_a_body_in_pieces(repo, 1 << 20)
        for connection in slow[-6:]:
            connection.sendall(DATA[10_000:])
            assert next(answers(connection))[0] == 200


def test_large_answers_in_a_pipeline(repo: TestHub) -> None:
    test_requests_before_and_behind_a_large_body(repo)  # so that it is there as a plain file, not in xet alone
    repo.api().upload_file(path_or_fileobj=DATA, path_in_repo="m.bin", repo_id=REPO)
    get = f"GET /{REPO}/resolve/main/m.bin"
    part = len(DATA) - (1 << 20)
    with connect(repo) as connection:
        connection.sendall(
            head(repo, get)
            + head(repo, get, f"Range: bytes={part}-")
            + head(repo, "GET /healthz")
            + head(repo, get, "Connection: close")
        )
        found = list(answers(connection))
    assert [status for status, _ in found] == [200, 206, 200, 200]
    assert found[0][1] == found[3][1] == DATA
    assert found[1][1] == DATA[part:]


def test_a_client_that_goes_while_it_is_answered(repo: TestHub, caplog: pytest.LogCaptureFixture) -> None:
    repo.api().upload_file(path_or_fileobj=DATA * 8, path_in_repo="m.bin", repo_id=REPO)
    get = head(repo, f"GET /{REPO}/resolve/main/m.bin")
    for _ in range(3 * direct._MOST_AT_ONCE):
        with connect(repo) as connection:
            connection.sendall(get)
            connection.recv(1 << 10)
    assert repo.read(REPO, "m.bin") == DATA * 8
    assert caplog.records == []


def test_what_a_fault_does_to_a_large_answer(repo: TestHub) -> None:
    repo.api().upload_file(path_or_fileobj=DATA, path_in_repo="m.bin", repo_id=REPO)
    repo.hub.faults("resolve: truncate bytes=1000 first=1")
    with connect(repo) as connection:
        connection.sendall(head(repo, f"GET /{REPO}/resolve/main/m.bin", "Connection: close"))
        assert next(answers(connection)) == (200, DATA[:1000])


def test_bytes_that_pass_the_event_loop_are_counted(repo: TestHub) -> None:
    def moved(way: str) -> float:
        text = get_session().get(f"{repo.endpoint}/metrics").text
        return float(text.partition(f'hubpub_body_bytes_total{{direction="{way}"}} ')[2].split()[0])

    received, sent = moved("in"), moved("out")
    test_large_answers_in_a_pipeline(repo)
    assert moved("in") - received >= 2 * len(DATA)
    assert moved("out") - sent >= 2 * len(DATA)


def test_a_hub_that_stops_does_not_wait_for_an_upload() -> None:
    with ExitStack() as stack:
        with running(tokens=[parse_token(f"{ALICE}=alice:write")]) as hub:
            found = TestHub(hub, hub.root)
            found.api().create_repo(REPO)
            connection = stack.enter_context(connect(found))
            connection.sendall(
                head(found, f"PUT {upload_path(found, DATA)}", f"Content-Length: {len(DATA)}") + DATA[:1000]
            )
            time.sleep(0.2)
            started = time.monotonic()
        assert time.monotonic() - started < 12
