"""Requests of every kind, from nearly valid to garbage: no 5xx, no hang, and nothing from outside the data folder.

The seed is fixed, so that a run says the same every time. HUBPUB_FUZZ_EXAMPLES=20000 searches for longer, and
elsewhere each time.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.requests_of_all_kinds import Sent, bodies, commit_bodies, ranges, routes, sent
from support.running_hub import ALICE, TestHub, hubs
from support.wire import PATIENCE, Exchange, exchange

from hubpub.hub import Limits
from hubpub.hub.web import http_protocol

KNOWN = "acme/known"
CANARY = "only-outside-of-the-data-folder"
CONTENT = b"".join(b"%d\n" % number for number in range(200))
ONE_BYTE = {"oid": hashlib.sha256(b"x").hexdigest(), "size": 1}
IN_PARTS = {"oid": hashlib.sha256(b"y").hexdigest(), "size": 20_000}
LONGER = int(os.environ.get("HUBPUB_FUZZ_EXAMPLES", "0"))


def thorough(examples: int) -> settings:
    """How much to try: so many examples in CI, more on demand."""
    return settings(
        max_examples=LONGER or examples,
        derandomize=not LONGER,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


class Target:
    """A hub to send requests to, the values that its addresses are made of, and what it logged."""

    def __init__(self, hub: TestHub, values: dict[str, list[str]], errors: list[str]) -> None:
        self.hub = hub
        self.values = values
        self.errors = errors

    def __repr__(self) -> str:
        return "the hub"

    @property
    def host(self) -> str:
        return self.hub.endpoint.removeprefix("http://")

    def send(self, request: bytes, *, framed: bool = True) -> Exchange:
        """Send a request and check what holds for every answer."""
        answer = exchange(self.hub.endpoint, request, half_close=not framed)
        shown = request[:300]
        assert answer.status < 500, (shown, answer.raw[:500])
        assert answer.status or not framed, (shown, answer.raw[:500])
        assert answer.seconds < PATIENCE
        assert answer.header("x-evil") is None, shown
        assert CANARY.encode() not in answer.raw, shown
        assert self.secret not in answer.raw, shown
        logged = self.errors.copy()
        self.errors.clear()
        assert logged == [], shown
        return answer

    def get(self, path: str, *headers: str, token: str = ALICE) -> Exchange:
        head = [f"GET {path} HTTP/1.1", f"Host: {self.host}", "Connection: close", f"Authorization: Bearer {token}"]
        return self.send("\r\n".join([*head, *headers]).encode() + b"\r\n\r\n")

    def post(self, path: str, body: bytes, *headers: str) -> Exchange:
        head = [f"POST {path} HTTP/1.1", f"Host: {self.host}", "Connection: close", f"Authorization: Bearer {ALICE}"]
        lines = [*head, f"Content-Length: {len(body)}", *headers]
        return self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    @property
    def secret(self) -> bytes:
        secret: str = json.loads((self.hub.hub.root / "hub.json").read_bytes())["secret"]
        return secret.encode()


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A hub with something of everything, in a folder beside files that nobody may read."""
    base = tmp_path_factory.mktemp("base")
    for name in ("hub.json", "outside.txt", "config"):
        (base / name).write_text(CANARY)
    before = {path: path.read_bytes() for path in base.rglob("*")}
    errors = _Errors()
    loggers = [logging.getLogger(name) for name in ("hubpub.hub", "uvicorn.error", "asyncio")]
    for logger in loggers:
        logger.addHandler(errors)
    with hubs(tmp_path_factory) as start:
        hub = start(base / "root", Limits(multipart_from=10_000))
        yield Target(hub, fill(hub), errors.messages)
        assert httpx2.get(f"{hub.endpoint}/healthz").status_code == 200
        assert list((hub.hub.root / "scratch").glob("[0-9a-f]*")) == []
    for logger in loggers:
        logger.removeHandler(errors)
    root = base / "root"
    assert {path: path.read_bytes() for path in base.rglob("*") if root not in path.parents and path != root} == before
    assert [path for path in root.rglob("*") if path.is_symlink()] == []


def fill(hub: TestHub) -> dict[str, list[str]]:
    """Make two repos and a dataset, and return what their addresses are made of."""
    api = hub.api()
    files = {"README.md": b"---\nlicense: mit\n---\n", "sub/a.txt": CONTENT, "model.safetensors": CONTENT * 500}
    for repo in (KNOWN, "acme/model"):
        api.create_repo(repo)
        added = [CommitOperationAdd(path, content) for path, content in files.items()]
        oid = api.create_commit(repo, added, commit_message="m").oid
        api.create_tag(repo, tag="v1")
        api.create_commit(repo, [CommitOperationAdd("p.txt", b"p")], commit_message="p", create_pr=True)
    api.create_repo(KNOWN, repo_type="dataset")
    head = api.get_hf_file_metadata(url=f"{hub.endpoint}/{KNOWN}/resolve/main/model.safetensors")
    assert head.xet_file_data is not None
    file_hash = head.xet_file_data.file_hash
    signed_in = {"Authorization": f"Bearer {ALICE}"}
    reads = httpx2.get(f"{hub.endpoint}/api/models/{KNOWN}/xet-read-token/main", headers=signed_in).json()
    writes = httpx2.get(f"{hub.endpoint}/api/models/acme/model/xet-write-token/main", headers=signed_in).json()
    return {
        "ns": ["acme"],
        "name": ["known"],
        "rev": ["main", "refs/pr/1", "v1", oid],
        "ref": ["main", "v1", "b"],
        "revisions": ["v1..main", f"{oid}...main"],
        "path": ["README.md", "sub/a.txt", "model.safetensors", "sub"],
        "capability": capabilities(hub, head.etag or "", reads),
        "store": [json.loads((hub.hub.root / "hub.json").read_bytes())["store"]],
        "hash": [file_hash],
        "prefix": ["default"],
        "number": ["1"],
        "num": ["1"],
        "status": ["pending", "accepted"],
        "token": [ALICE],
        "cas token": [reads["accessToken"], writes["accessToken"]],
    }


def capabilities(hub: TestHub, oid: str, reads: dict[str, str]) -> list[str]:
    """Of each address that a hub hands out for uploads and downloads, the part that is the right to use it."""
    addresses = []
    for operation, found in (("download", {"oid": oid, "size": 1}), ("upload", ONE_BYTE), ("upload", IN_PARTS)):
        batch = {"operation": operation, "objects": [found], "transfers": ["basic", "multipart"]}
        url = f"{hub.endpoint}/{KNOWN}.git/info/lfs/objects/batch"
        answer = httpx2.post(url, json=batch, headers={"Authorization": f"Bearer {ALICE}"}).json()
        addresses += [action["href"] for action in answer["objects"][0]["actions"].values()]
    cas = {"Authorization": f"Bearer {reads['accessToken']}"}
    info = hub.api().get_paths_info(KNOWN, "model.safetensors")[0]
    parts = httpx2.get(f"{reads['casUrl']}/v2/reconstructions/{info.xet_hash}", headers=cas).json()  # type: ignore[union-attr]
    addresses += [fetch["url"] for fetches in parts["xorbs"].values() for fetch in fetches]
    return [address.rpartition("/")[2] for address in addresses]


@thorough(900)
@given(st.data())
def test_any_request_gets_an_answer(target: Target, data: st.DataObject) -> None:
    reads = [route for route in routes() if "GET" in route.methods]
    writes = [route for route in routes() if "GET" not in route.methods]
    written = target.values | {"name": ["model"]}
    chosen: Sent = data.draw(st.one_of(sent(target.host, reads, target.values), sent(target.host, writes, written)))
    target.send(chosen.raw, framed=chosen.framed)


@thorough(250)
@given(commit_bodies)
def test_any_commit_is_made_or_refused(target: Target, body: bytes) -> None:
    answer = target.post("/api/models/acme/model/commit/main", body, "Content-Type: application/x-ndjson")
    assert answer.status in (200, 400, 404, 409, 412, 413)
    assert isinstance(json.loads(answer.body), dict)
    listed = target.get("/api/models/acme/model/tree/main?recursive=true&limit=1000")
    assert listed.status == 200
    for entry in json.loads(listed.body):
        assert not re.search(r"(^|/)(\.\.?|\.git|)(/|$)", entry["path"]), entry


TAKES_JSON = """
/api/models/acme/model/preupload/main /api/models/acme/model/paths-info/main /api/models/acme/model/branch/x
/api/models/acme/model/tag/main /api/models/acme/model/super-squash/b /api/models/acme/model/discussions
/api/models/acme/model/discussions/1/comment /api/models/acme/model/discussions/1/status
/api/models/acme/model/discussions/1/title /acme/model.git/info/lfs/objects/batch /api/validate-yaml
/api/repos/create /oauth/token
"""


@thorough(300)
@given(st.sampled_from(TAKES_JSON.split()), bodies)
def test_any_body_gets_an_answer(target: Target, path: str, body: bytes) -> None:
    answer = target.post(path, body, "Content-Type: application/json")
    json.loads(answer.body or b"null")


@thorough(150)
@given(st.sampled_from(["resolve/main/sub/a.txt", "resolve/main/model.safetensors", "raw/main/sub/a.txt"]), ranges)
def test_a_range_is_that_part_of_the_file_or_refused(target: Target, tail: str, asked: str) -> None:
    answer = target.get(f"/{KNOWN}/{tail}", f"Range: {asked}")
    content = CONTENT * 500 if "model" in tail else CONTENT
    if answer.status == 206:
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.header("content-range") or "")
        assert found is not None
        first, last, size = map(int, found.groups())
        assert size == len(content)
        assert answer.body == content[first : last + 1]
        assert answer.header("content-length") == str(len(answer.body))
    elif answer.status == 416:
        assert answer.header("content-range") == f"bytes */{len(content)}"
    else:
        # A header that is no range at all is not HTTP either when it holds a control character.
        assert (answer.status, answer.body) in ((200, content), (400, b"Invalid HTTP request received."))


@thorough(150)
@given(st.text(max_size=60), st.sampled_from(["resolve", "raw", "tree", "blob"]))
def test_a_path_is_a_file_of_the_repo_or_nothing(target: Target, path: str, verb: str) -> None:
    from urllib.parse import quote

    encoded = quote(path.encode("utf-8", "surrogatepass"), safe="/")
    answer = target.get(f"/{KNOWN}/{verb}/main/{encoded}")
    assert answer.status in (200, 404), answer.raw[:300]


@thorough(200)
@given(st.binary(max_size=400), st.integers(0, 200), st.integers(0, 200))
def test_damaged_http_is_refused(target: Target, noise: bytes, start: int, length: int) -> None:
    body = b'{"name":"x"}'
    whole = (
        f"POST /api/repos/create HTTP/1.1\r\nHost: {target.host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
    target.send(whole[:start] + noise + whole[start + length :], framed=False)


@thorough(80)
@given(st.one_of(bodies.map(gzip.compress), st.binary(max_size=100)), st.sampled_from(["version=2", "version=0", ""]))
def test_any_request_of_git_gets_an_answer(target: Target, body: bytes, version: str) -> None:
    headers = ("Content-Encoding: gzip", f"Git-Protocol: {version}")
    answer = target.post(f"/{KNOWN}.git/git-upload-pack", body, *headers)
    assert answer.status in (200, 400, 413)


def test_a_head_is_bounded(target: Target) -> None:
    start = f"GET /healthz HTTP/1.1\r\nHost: {target.host}\r\nConnection: close\r\n".encode()
    many = b"".join(b"X-%d: y\r\n" % number for number in range(50_000))
    for rest in (b"X: " + b"y" * 1_000_000, many, many + b"\r\n", b"X" * 1_000_000):
        answer = target.send(start + rest, framed=False)
        assert answer.status in (0, 400, 431)
    chunked = f"POST /api/repos/create HTTP/1.1\r\nHost: {target.host}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for rest in (b"0\r\nX: " + b"y" * 1_000_000, b"0\r\n" + many, b"2;x=" + b"y" * 1_000_000):
        answer = target.send(chunked + rest, framed=False)
        assert answer.status in (0, 400, 401, 431)
    long_target = f"GET /{'x' * 200_000} HTTP/1.1\r\nHost: {target.host}\r\nConnection: close\r\n\r\n".encode()
    assert target.send(long_target, framed=False).status in (0, 400, 404, 414, 431)
    assert target.send(start + b"\r\n").status == 200


def test_a_head_has_to_arrive_in_time(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)
    for begun in (b"", b"\r\n", b"GET / HT", f"GET / HTTP/1.1\r\nHost: {target.host}\r\n".encode()):
        answer = exchange(target.hub.endpoint, begun)
        assert (answer.status, answer.raw) == (0, b"")
        assert 0.2 < answer.seconds < 2


def test_a_request_names_one_host(target: Target) -> None:
    for hosts in ("", f"Host: {target.host}\r\nHost: {target.host}\r\n", f"Host: {target.host}\r\nHost: evil\r\n"):
        answer = target.send(f"GET /healthz HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n".encode())
        assert answer.status in (400, 421)


def test_json_is_bounded(target: Target) -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    for body in (json.dumps({"name": deep}).encode(), b'{"name":' + b"[" * 10**6, b'{"name":' + b"1" * 10**6 + b"}"):
        assert target.post("/api/repos/create", body).status == 400


@pytest.mark.parametrize("pattern", ["*a*a*a*a*a*b", "*a*a*b%d", "*a*b%d", "**/a**/a**/b%d"])
def test_patterns_that_take_long_to_match_are_bounded(target: Target, pattern: str) -> None:
    ignore = "\n".join(pattern.replace("%d", str(number)) for number in range(5000))
    body = {"files": [{"path": "a" * 250, "size": 1, "sample": "YQ=="}], "gitIgnore": ignore}
    answer = target.post("/api/models/acme/model/preupload/main", json.dumps(body).encode())
    assert answer.status == 200, answer.raw[:300]


def test_other_sites_may_not_read_with_a_visitors_credentials(target: Target) -> None:
    for method in ("GET", "OPTIONS"):
        request = f"{method} /api/models/{KNOWN} HTTP/1.1\r\nHost: {target.host}\r\nConnection: close\r\n"
        request += "Origin: https://evil.example\r\nAccess-Control-Request-Method: DELETE\r\n\r\n"
        answer = target.send(request.encode())
        assert answer.header("access-control-allow-credentials") is None
        assert answer.header("access-control-allow-origin") in (None, "*")


def test_links_in_the_data_folder_lead_nowhere(target: Target, tmp_path: Path) -> None:
    (tmp_path / "git").mkdir()
    (tmp_path / "repo.json").write_text(CANARY)
    link = target.hub.hub.root / "repos" / "models" / "acme" / "linked"
    link.symlink_to(tmp_path)
    try:
        assert target.get("/api/models/acme/linked").status == 404
        assert target.get("/acme/linked/resolve/main/x").status == 404
        assert target.get("/api/models?author=acme").status == 200
    finally:
        link.unlink()
