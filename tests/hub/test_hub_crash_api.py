"""The server is killed with SIGKILL amid pull requests, merges, moves and copies: each is done or not done at all."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.killable_hub import TOKEN, Server, nursery

from hubpub.hub.store.fsck import fsck

KILLS = 12
FIRST_NAME, OTHER_NAME = "acme/one", "acme/two"


@dataclass
class Work:
    """What was asked of a server until it was killed, and what it had answered by then."""

    server: Server
    number: int
    name: str
    pull_request: int | None = None
    done: list[str] = field(default_factory=list)

    def run(self) -> None:
        """One of each; ends early when the server does."""
        try:
            path = f"{self.number}.txt"
            self.pull_request = propose(self.server, self.name, path)
            self.step("comment", f"{self.name}/discussions/{self.pull_request}/comment", comment="good")
            self.step("merge", f"{self.name}/discussions/{self.pull_request}/merge")
            self.step("duplicate", f"{self.name}/duplicate", repository=f"alice/copy-{self.number}")
            other = OTHER_NAME if self.name == FIRST_NAME else FIRST_NAME
            call(self.server, "repos/move", json.dumps({"fromRepo": self.name, "toRepo": other}))
            self.done.append("move")
        except (OSError, ValueError):
            return

    def step(self, name: str, path: str, **body: str) -> None:
        call(self.server, f"models/{path}", json.dumps(body))
        self.done.append(name)


def call(server: Server, path: str, body: str | None = None) -> Any:
    request = urllib.request.Request(
        f"{server.endpoint}/api/{path}",
        body.encode() if body is not None else None,
        {"Authorization": f"Bearer {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def propose(server: Server, repo: str, path: str) -> int:
    content = base64.b64encode(path.encode()).decode()
    lines = [
        {"key": "header", "value": {"summary": f"add {path}"}},
        {"key": "file", "value": {"path": path, "content": content, "encoding": "base64"}},
    ]
    answer = call(server, f"models/{repo}/commit/main?create_pr=1", "\n".join(map(json.dumps, lines)))
    return int(answer["pullRequestUrl"].rpartition("/")[2])


def check(server: Server, root: Path, work: Work) -> str:
    """Everything that was answered is there, and nothing is there by halves; returns the repo's present name."""
    assert fsck(root).damage == []
    there = [name for name in (FIRST_NAME, OTHER_NAME) if (root / "repos/models" / name).exists()]
    assert len(there) == 1
    name = there[0]
    for old in (FIRST_NAME, OTHER_NAME)[: 2 if "move" in work.done else 1]:
        assert call(server, f"models/{old}")["id"] == name
    files = {item["rfilename"] for item in call(server, f"models/{name}")["siblings"]}
    listed = call(server, f"models/{name}/discussions?type=pull_request")["discussions"]
    for item in listed:
        found = call(server, f"models/{name}/discussions/{item['num']}?diff=1")
        path = found["title"].removeprefix("add ")
        assert (found["status"] == "merged") is (path in files), found
        if item["num"] == work.pull_request:
            assert found["status"] == "merged" or "merge" not in work.done
            assert "comment" not in work.done or any(event["data"].get("latest") for event in found["events"][1:])
        if found["status"] == "open":
            call(server, f"models/{name}/discussions/{item['num']}/merge", "")
    if work.pull_request is not None:
        assert work.pull_request in {item["num"] for item in listed}
    copy = f"alice/copy-{work.number}"
    if "duplicate" in work.done or (root / "repos/models" / copy).exists():
        copied = {item["rfilename"] for item in call(server, f"models/{copy}")["siblings"]}
        assert f"{work.number}.txt" in copied
    return name


def test_killed_amid_merges_moves_and_copies(tmp_path: Path) -> None:
    chance = random.Random(7)
    root = tmp_path / "data"
    with nursery() as servers:
        server = servers.start(root)
        call(server, "repos/create", json.dumps({"organization": "acme", "name": "one"}))
        name, usual = FIRST_NAME, 0.3
        for number in range(KILLS):
            work = Work(server, number, name)
            running = threading.Thread(target=work.run)
            running.start()
            time.sleep(chance.uniform(0, usual))
            server.kill()
            running.join()
            usual *= 0.7 if "move" in work.done else 1.2
            server = servers.start(root, server.port)
            name = check(server, root, work)
        server.kill()
