"""Webhooks after a release: who is told, what, and that nothing they do harms the release."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from support.command import CommandHub
from support.running_hub import ALICE, TestHub
from support.secrets_kept import keeps
from support.tiny_release import save_tiny

from hubpub.core.errors import UsageError
from hubpub.publish.webhooks import check_webhooks, send_webhooks

URL = "https://hooks.example.org/services/T0/secretPath"
DOCUMENT = {"schema": "hubpub.release/1", "event": "published", "delivery": "d" * 32, "repo_id": "acme/model"}
SECRET = "theSecretOfTheWebhooks"


def send(*urls: str, secret: str | None = None) -> list[str | None]:
    return [item.problem for item in send_webhooks(urls, DOCUMENT, secret, pause=lambda _: None)]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/x",
        "http://127.0.0.1.example.org/",
        "ftp://hooks.example.org",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@hooks.example.org/",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/\nHost: x",
        "https://[bad",
        "",
    ],
)
def test_addresses_that_are_not_told(url: str) -> None:
    with pytest.raises(UsageError, match="webhook 1") as caught:
        check_webhooks([url])
    keeps(["user:pass", "127.0.0.1.example"], caught.value)


def test_addresses_that_are() -> None:
    urls = (URL, "http://127.0.0.1:8000/hook", "http://[::1]/")
    assert check_webhooks([*urls, URL]) == urls
    with pytest.raises(UsageError, match="too many"):
        check_webhooks(f"{URL}/{number}" for number in range(30))


@responses.activate
def test_the_message_is_signed() -> None:
    responses.post(URL, status=204)
    assert send(URL, secret=SECRET) == [None]
    request = responses.calls[0].request
    assert isinstance(request.body, bytes)
    expected = hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Hubpub-Signature-256"] == f"sha256={expected}"
    assert (request.headers["X-Hubpub-Event"], json.loads(request.body)) == ("published", DOCUMENT)
    keeps([SECRET], request.body, request.headers)
    assert send(URL) == [None]
    assert "X-Hubpub-Signature-256" not in responses.calls[1].request.headers


@responses.activate
def test_what_is_of_the_moment_is_tried_again() -> None:
    for status in (503, 429, 200):
        responses.post(URL, status=status)
    assert send(URL) == [None]
    assert len(responses.calls) == 3


@responses.activate
def test_what_fails() -> None:
    responses.post(URL, status=500)
    responses.post(f"{URL}/gone", status=410)
    responses.post(f"{URL}/dead", body=requests.ConnectionError(f"cannot reach {URL}/dead"))
    responses.post(f"{URL}/slow", body=requests.Timeout("slow"))
    found = send(URL, f"{URL}/gone", f"{URL}/dead", f"{URL}/slow")
    assert found == [
        "it answered 500",
        "it answered 410",
        "it does not answer (ConnectionError)",
        "it does not answer (Timeout)",
    ]
    assert len(responses.calls) == 3 + 1 + 3 + 3
    keeps(["secretPath"], *found)


@responses.activate
def test_redirects_stay_on_the_host() -> None:
    responses.post(URL, status=307, headers={"Location": "/moved"})
    responses.post("https://hooks.example.org/moved", status=200)
    assert send(URL) == [None]
    other = "https://evil.example.org/"
    for number, (status, location) in enumerate(
        [(307, other), (308, "http://hooks.example.org/"), (302, "/moved"), (307, f"{URL}/loop")]
    ):
        responses.post(f"{URL}/{number}", status=status, headers={"Location": location})
    responses.post(f"{URL}/loop", status=307, headers={"Location": f"{URL}/loop"})
    problems = send(*(f"{URL}/{number}" for number in range(4)))
    assert [str(problem).partition(",")[0] for problem in problems] == [
        "it sends the message to another host",
        "it sends the message to another host",
        "it answered 302",
        "it redirects without end",
    ]
    assert all("evil" not in str(call.request.url) for call in responses.calls)


@responses.activate
def test_a_password_of_netrc_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine hooks.example.org login me password ofMine\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    responses.post(URL, status=200)
    assert send(URL) == [None]
    assert "Authorization" not in responses.calls[0].request.headers


class Receiver:
    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], Any]] = []
        self.status = 200
        self.url = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((dict(self.headers), body))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield found
        server.shutdown()


def test_the_command_tells_of_a_release(hub: TestHub, receiver: Receiver, tmp_path: Path) -> None:
    command = CommandHub(hub.hub, hub.home)
    folder = save_tiny(tmp_path / "model", "a")
    settings = tmp_path / "hubpub.toml"
    settings.write_text(f'[release]\nwebhooks = ["{receiver.url}"]\n')
    push = ("push", folder, "--org", "acme", "--config", settings)
    quiet = command.hubpub(*push)
    assert (quiet.code, receiver.got) == (0, [])  # a checkout does not decide whom this machine talks to
    (folder / "notes.txt").write_text("b")
    run = command.hubpub(*push, "--webhooks", "--tag", "v1", "--json", HUBPUB_WEBHOOK_SECRET=SECRET)
    receipt = json.loads(run.stdout)
    headers, body = receiver.got[0]
    told = json.loads(body)
    assert (told["schema"], told["event"], told["commit"], told["tag"]) == (
        "hubpub.release/1",
        "published",
        receipt["commit"],
        "v1",
    )
    assert told["files"] == {"added": 0, "replaced": 1, "unchanged": 3, "kept": 1, "deleted": 0}
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hubpub-Signature-256"] == f"sha256={digest}"
    keeps([ALICE, SECRET, str(tmp_path), "notes.txt"], body.decode(), str(headers))
    keeps([ALICE, SECRET], run)


def test_a_webhook_that_fails_is_a_warning(hub: TestHub, receiver: Receiver, tmp_path: Path) -> None:
    receiver.status = 404
    command = CommandHub(hub.hub, hub.home)
    folder = save_tiny(tmp_path / "model", "a")
    run = command.hubpub("push", folder, "--org", "acme", "--quiet", "--webhook", receiver.url)
    assert run.code == 0, run.stderr
    assert run.stderr == "· warning: the webhook at 127.0.0.1 was not told: it answered 404; the release stands\n"
    wrong = command.hubpub("push", folder, "--org", "acme", "--webhook", "http://hooks.example.org/secretPath")
    assert (wrong.code, "secretPath" in wrong.stderr) == (2, False)
