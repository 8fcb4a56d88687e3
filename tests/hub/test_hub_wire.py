"""What goes over the wire when no well-behaved client is at the other end."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from huggingface_hub import CommitOperationAdd
from support.running_hub import ALICE, StartHub, TestHub, hubs

from hubpub.hub import Limits

REPO = "acme/model"
HEADER = '{"key":"header","value":{"summary":"s"}}\n'
AUTH = f"Authorization: Bearer {ALICE}\r\n"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHub]:
    """One hub for the whole module: most of what is sent here is refused."""
    with hubs(tmp_path_factory) as start:
        hub = start()
        hub.api().create_repo(REPO)
        for proposed in (True, False):
            operations = [CommitOperationAdd("sub/a.txt", b"in sub"), CommitOperationAdd("p.svg", b"<svg/>")]
            hub.api().create_commit(REPO, operations, commit_message="m", create_pr=proposed)
        yield hub


@pytest.fixture
def wire(repo: TestHub) -> Iterator[Wire]:
    with closing(Wire(repo)) as connection:
        yield connection


class Wire:
    """One kept-alive connection on which requests are written as they are."""

    def __init__(self, hub: TestHub) -> None:
        address = urlsplit(hub.endpoint)
        self.host = address.netloc
        self._socket = socket.create_connection((address.hostname, address.port), timeout=20)

    def send(
        self, method: str, target: str, headers: str = AUTH, body: bytes = b"", host: str | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        head = f"{method} {target} HTTP/1.1\r\nHost: {host or self.host}\r\n{headers}"
        length = "" if "ontent-" in headers else f"Content-Length: {len(body)}\r\n"
        self._socket.sendall(f"{head}{length}\r\n".encode("latin-1") + body)
        answer = http.client.HTTPResponse(self._socket, method=method)
        answer.begin()
        with closing(answer):
            return answer.status, answer.headers, answer.read()

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize(
    "path",
    [
        "../../../../hub.json",
        "..%2F..%2F..%2F..%2Fhub.json",
        "%2e%2e/%2e%2e/repo.json",
        "sub/../../repo.json",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "sub%00/a.txt",
        ".git/config",
        "sub//a.txt",
        "%ff%fe",
        "a" * 3000,
        "/".join("d" * 200),
    ],
)
def test_no_path_leads_out_of_a_repo(wire: Wire, path: str) -> None:
    status, headers, body = wire.send("GET", f"/{REPO}/resolve/main/{path}")
    assert (status, headers["X-Error-Code"]) == (404, "EntryNotFound")
    assert b"hubpub.hub" not in body


@pytest.mark.parametrize(
    "target",
    [
        "/../../hub.json",
        "/%2e%2e/%2e%2e/resolve/main/hub.json",
        "/acme/..%2F..%2F..%2Fhub.json",
        "/api/models/../../hub.json",
        "/api/models/acme/..%2Fmodel",
        "/api/models/acme%2Fmodel/x/tree/main",
        "/cas/../hub.json",
        "/api/models/acme/model/revision/..%2F..%2Frepo.json",
        "/api/models/acme/model/revision/refs%2F..%2F..%2Frepo.json",
        "/api/models/acme/model/tree/main/%2e%2e",
        "//",
        "/api/models//",
        "/acme/model/resolve/HEAD%0d%0aX-Evil:%201/a",
    ],
)
def test_no_address_leads_out_of_the_data_folder(wire: Wire, target: str) -> None:
    status, headers, body = wire.send("GET", target)
    assert status == 404
    assert b"hubpub.hub/1" not in body
    assert headers["X-Evil"] is None


def test_revisions_are_one_encoded_segment(wire: Wire) -> None:
    status, headers, body = wire.send("GET", f"/{REPO}/resolve/refs%2Fpr%2F1/sub/a.txt")
    assert (status, body) == (200, b"in sub")
    assert len(headers["X-Repo-Commit"]) == 40
    status, _, body = wire.send("GET", f"/api/models/{REPO}/tree/refs%2Fpr%2F1/sub")
    assert [entry["path"] for entry in json.loads(body)] == ["sub/a.txt"]
    assert wire.send("GET", f"/{REPO}/resolve/refs/pr/1/sub/a.txt")[0] == 404


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a/../b", "a//b", ".git/config", "a/.GIT/x", "", ".", "a\nb", "a/" * 100 + "x", "x" * 300]
)
@pytest.mark.parametrize("key", ["file", "lfsFile", "deletedFile", "deletedFolder"])
def test_paths_that_no_commit_may_name(wire: Wire, key: str, path: str) -> None:
    value = {"path": path, "content": "", "encoding": "base64", "algo": "sha256", "oid": "0" * 64, "size": 1}
    lines = [{"key": "header", "value": {"summary": "s"}}, {"key": key, "value": value}]
    body = "\n".join(map(json.dumps, lines)).encode()
    status, _, answer = wire.send("POST", f"/api/models/{REPO}/commit/main", body=body)
    assert status in (400, 404) if key == "deletedFolder" else status == 400, answer
    assert "path" in json.loads(answer)["error"] or "doesn't exist" in json.loads(answer)["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'"x"',
        b"{}",
        b'{"key":"header"}',
        b'{"key":"header","value":{}}',
        b'{"key":"header","value":{"summary":"s","parentCommit":"zz"}}',
        b'{"key":"header","value":{"summary":"%b"}}' % (b"s" * 70_000),
        b'{"key":"file","value":{"path":"a","content":"","encoding":"base64"}}',
        b'{"key":"header","value":{"summary":"s"}}\n{"key":"other","value":{}}',
        b'{"key":"header","value":{"summary":"s"}}\n{"key":"file","value":{"path":"a","content":"%%%","encoding":"base64"}}',
        b'{"key":"header","value":{"summary":"s"}}\n{"key":"header","value":{"summary":"s"}}',
        b"[" * 100_000,
    ],
)
def test_malformed_commits(wire: Wire, body: bytes) -> None:
    status, _, answer = wire.send("POST", f"/api/models/{REPO}/commit/main", body=body)
    assert status == 400
    assert json.loads(answer)["error"]


@pytest.mark.parametrize(
    ("method", "tail"),
    [
        ("POST", "preupload/main"),
        ("POST", "branch/x"),
        ("POST", "tag/main"),
        ("PUT", "settings"),
        ("POST", "paths-info/main"),
    ],
)
@pytest.mark.parametrize("body", [b"\xff", b"[" * 100_000, b"[1]", b'{"files":1,"tag":1,"gated":1,"paths":1}'])
def test_malformed_bodies(wire: Wire, method: str, tail: str, body: bytes) -> None:
    headers = AUTH + f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    status, _, answer = wire.send(method, f"/api/models/{REPO}/{tail}", headers, body)
    assert status == 400 or (tail == "branch/x" and status == 200)
    json.loads(answer)


def test_the_connection_lives_on_after_a_refused_body(wire: Wire) -> None:
    body = b"x" * 3_000_000
    for _ in range(3):
        assert wire.send("POST", f"/api/models/{REPO}/commit/main", "", body)[0] == 401
        assert wire.send("POST", "/api/models/acme/nowhere/commit/main", AUTH, body)[0] == 404
        assert wire.send("PUT", "/lfs/object/forged", "", body)[0] == 403
    assert wire.send("GET", "/healthz")[0] == 200


def test_bodies_are_bounded(start_hub: StartHub) -> None:
    hub = start_hub(limits=Limits(json_body=1000, commit_body=5000, regular_file=100, commit_operations=3))
    hub.api().create_repo(REPO)
    header = b'{"key":"header","value":{"summary":"s"}}\n'
    delete = b'{"key":"deletedFile","value":{"path":"x"}}\n'
    big = b'{"key":"file","value":{"path":"a","encoding":"base64","content":"' + b"A" * 400 + b'"}}\n'
    with closing(Wire(hub)) as wire:
        target = f"/api/models/{REPO}/commit/main"
        assert wire.send("POST", target, body=header + b" " * 6000)[0] == 413
        assert wire.send("POST", target, body=header + big)[0] == 413
        assert wire.send("POST", target, body=header + delete * 4)[0] == 413
        assert wire.send("POST", "/api/repos/create", body=b" " * 1001)[0] == 413
        assert wire.send("GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("/api/repos/create", '{"name":"LONE"}', 400),
        (f"/api/models/{REPO}/commit/main", '{"key":"LONE","value":{}}', 400),
        (f"/api/models/{REPO}/commit/main", HEADER + '{"key":"deletedFile","value":{"path":"LONE"}}', 400),
        (f"/api/models/{REPO}/branch/b", '{"startingPoint":"LONE"}', 404),
        (f"/api/models/{REPO}/tag/main", '{"tag":"LONE"}', 400),
        (f"/api/models/{REPO}/preupload/main", '{"files":[{"path":"LONE","size":1}]}', 400),
        ("/api/validate-yaml", '{"content":"","repoType":"LONE"}', 400),
    ],
)
def test_text_that_is_not_unicode_is_refused_like_any_other(wire: Wire, target: str, body: str, status: int) -> None:
    found, _, answer = wire.send("POST", target, body=body.replace("LONE", "\\ud800").encode())
    assert (found, "error" in json.loads(answer)) == (status, True)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "a b", ""])
def test_requests_for_another_host_are_refused(wire: Wire, host: str) -> None:
    status, _, _ = wire.send("GET", "/healthz", host=host or " ")
    assert status in (400, 421)


def test_addresses_name_the_host_that_the_client_used(wire: Wire, repo: TestHub) -> None:
    port = wire.host.partition(":")[2]
    body = b'{"name":"other","organization":"acme"}'
    _, _, answer = wire.send("POST", "/api/repos/create", body=body, host=f"localhost:{port}")
    assert json.loads(answer)["url"] == f"http://localhost:{port}/acme/other"


def test_every_answer_has_a_request_id_and_every_refusal_a_code(wire: Wire) -> None:
    for target in (
        "/api/models/acme/nowhere",
        "/nobody/nothing/resolve/main/x",
        "/bert/resolve/main/x",
        "/api/models/x",
    ):
        status, headers, _ = wire.send("GET", target)
        assert (status, headers["X-Error-Code"]) == (404, "RepoNotFound")
        assert headers["X-Request-Id"]
        assert wire.send("GET", target, "")[0] == 401
    _, headers, _ = wire.send("GET", f"/api/models/{REPO}/revision/nowhere")
    assert headers["X-Error-Code"] == "RevisionNotFound"


def test_validate_yaml_answers_json_whatever_is_asked(wire: Wire) -> None:
    good = json.dumps({"content": "---\nlicense: mit\n---\n# hi", "repoType": "model"}).encode()
    bad = json.dumps({"content": "---\nlicense: [1\n---\n# hi", "repoType": "model"}).encode()
    status, _, answer = wire.send("POST", "/api/validate-yaml", "", good)
    assert (status, json.loads(answer)["errors"]) == (200, [])
    status, _, answer = wire.send("POST", "/api/validate-yaml", "", bad)
    assert status == 400
    assert json.loads(answer)["errors"][0]["message"]
    for body in (b"", b"{", b'{"content":1}', b'{"content":"","repoType":"\\ud800"}'):
        status, _, answer = wire.send("POST", "/api/validate-yaml", "", body)
        assert (status, "error" in json.loads(answer)) == (400, True)


def test_files_are_inert_in_a_browser(wire: Wire) -> None:
    _, headers, _ = wire.send("GET", f"/{REPO}/resolve/main/p.svg")
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]


def test_pages(wire: Wire, repo: TestHub) -> None:
    card = b"---\nlicense: mit\n---\n# <script>alert(1)</script>"
    repo.api().upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=REPO, commit_message="<b>card</b>")
    repo.api().create_repo("acme/secret", private=True)
    status, headers, home = wire.send("GET", "/", "")
    assert status == 200
    assert b'href="/acme/model"' in home
    assert b"secret" not in home
    assert "script" not in headers["Content-Security-Policy"]
    head = repo.api().model_info(REPO).sha
    for target in (f"/{REPO}", f"/{REPO}/tree/main", f"/{REPO}/commit/{head}"):
        status, _, page = wire.send("GET", target, "")
        assert status == 200
        assert b"&lt;b&gt;card" in page
        assert b"<script" not in page
        assert f"/{REPO}/resolve/{head}/sub/a.txt".encode() in page
    assert wire.send("GET", "/acme/secret", "")[0] == 404


def test_scratch_is_empty_after_all_that(wire: Wire, repo: TestHub) -> None:
    for body in (b"", b"x" * 100_000):
        wire.send("POST", f"/api/models/{REPO}/commit/main", body=body)
    assert list(Path(repo.hub.root, "scratch").iterdir()) == []
