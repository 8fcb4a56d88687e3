"""The hub that a child asks in place of the network: what is in the cache is there, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from hubpub.model.children.cached_hub import CachedHub

COMMIT = "a" * 40


@pytest.fixture
def hub(tmp_path: Path) -> httpx2.Client:
    repo = tmp_path / "models--acme--model"
    files = repo / "snapshots" / COMMIT
    (files / "chat").mkdir(parents=True)
    (files / "config.json").write_text("{}")
    (files / "chat" / "tools.jinja").write_text("text")
    (repo / "refs" / "releases").mkdir(parents=True)
    (repo / "refs" / "releases" / "v1").write_text(COMMIT)
    (tmp_path / "models--gpt2" / "snapshots" / COMMIT).mkdir(parents=True)
    (tmp_path / "models--gpt2" / "snapshots" / COMMIT / "config.json").write_text("[]")
    return httpx2.Client(transport=CachedHub(tmp_path), base_url="http://hub.invalid")


@pytest.mark.parametrize("revision", [COMMIT, "releases%2Fv1"])
def test_a_file_that_is_there_has_its_commit_and_its_bytes(hub: httpx2.Client, revision: str) -> None:
    head = hub.head(f"/acme/model/resolve/{revision}/chat/tools.jinja")
    assert (head.status_code, head.headers["X-Repo-Commit"], head.headers["Content-Length"]) == (200, COMMIT, "4")
    assert hub.get(f"/acme/model/resolve/{revision}/chat/tools.jinja").text == "text"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/acme/model/resolve/{COMMIT}/absent.json", "EntryNotFound"),
        ("/acme/model/resolve/main/config.json", "RevisionNotFound"),
        (f"/acme/other/resolve/{COMMIT}/config.json", "RepoNotFound"),
        (f"/api/models/acme/model/tree/{COMMIT}/absent", "EntryNotFound"),
        ("/api/models/acme/other/revision/main", "RepoNotFound"),
        ("/api/models/acme/other", "RepoNotFound"),
        ("/api/models/acme/model", "RevisionNotFound"),
        ("/api/models/", "RepoNotFound"),
        ("/-/resolve/main/config.json", "RepoNotFound"),
    ],
)
def test_what_is_not_there_is_told_as_a_hub_tells_it(hub: httpx2.Client, path: str, code: str) -> None:
    answer = hub.get(path)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, code)


@pytest.mark.parametrize("path", ["/api/whoami-v2", "/", f"/api/models/acme/model/commits/{COMMIT}"])
def test_it_knows_nothing_else(hub: httpx2.Client, path: str) -> None:
    assert hub.get(path).status_code == 404


def test_files_are_listed(hub: httpx2.Client) -> None:
    info = hub.get(f"/api/models/acme/model/revision/{COMMIT}").json()
    assert info["sha"] == COMMIT
    assert info["siblings"] == [{"rfilename": "chat/tools.jinja"}, {"rfilename": "config.json"}]
    tree = hub.get(f"/api/models/acme/model/tree/{COMMIT}").json()
    assert [(entry["type"], entry["path"]) for entry in tree] == [("directory", "chat"), ("file", "config.json")]
    whole = hub.get(f"/api/models/acme/model/tree/{COMMIT}", params={"recursive": "true"}).json()
    assert [entry["path"] for entry in whole] == ["chat/tools.jinja", "config.json"]


def test_a_repo_may_have_no_namespace(hub: httpx2.Client) -> None:
    assert json.loads(hub.get(f"/gpt2/resolve/{COMMIT}/config.json").text) == []
    assert hub.get(f"/api/models/gpt2/revision/{COMMIT}").json()["id"] == "gpt2"
