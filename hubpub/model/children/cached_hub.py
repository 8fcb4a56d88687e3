"""A hub without a network: it has what a cache of huggingface_hub has, and says of the rest that it is not there.

In huggingface_hub's own offline mode nobody can tell a file that a repo does not have from one that was not fetched,
and libraries give up where they would go on: an adapter's tokenizer cannot be loaded then, as there is no config.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.errors import HFValidationError
from huggingface_hub.file_download import repo_folder_name

_BLOCK = 1 << 20


def use_cached_hub(cache: Path) -> None:
    """Let huggingface_hub ask the cache in place of the network, for the rest of this process."""
    set_client_factory(lambda: httpx2.Client(transport=CachedHub(cache), trust_env=False))


class CachedHub(httpx2.BaseTransport):
    """Every file of every repo in the cache at the commits that are in it."""

    def __init__(self, cache: Path) -> None:
        """Take the directory of the cache."""
        self._cache = cache

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of a hub that has nothing else."""
        segments = [unquote(part) for part in request.url.raw_path.decode().partition("?")[0].split("/") if part]
        if segments[:2] == ["api", "models"]:
            return self._api(segments[2:], request.url.params.get("recursive", "").lower() in ("1", "true"))
        at = 2 if segments[2:3] == ["resolve"] else 1
        if segments[at : at + 1] == ["resolve"] and len(segments) > at + 2:
            return self._file("/".join(segments[:at]), segments[at + 1], "/".join(segments[at + 2 :]), request.method)
        return httpx2.Response(404)

    def _api(self, segments: list[str], recursive: bool) -> httpx2.Response:
        named = next((n for n in (2, 1) if self._repo("/".join(segments[:n]))), 2)
        repo_id, rest = "/".join(segments[:named]), segments[named:]
        verb, revision = rest[:2] if len(rest) > 1 else ("revision", "main")
        found = self._snapshot(repo_id, revision)
        if isinstance(found, httpx2.Response):
            return found
        if verb == "tree":
            return _tree(found, "/".join(rest[2:]), recursive)
        if verb != "revision":
            return httpx2.Response(404)
        names = [{"rfilename": str(path.relative_to(found))} for path in _files(found)]
        return _document({"id": repo_id, "modelId": repo_id, "sha": found.name, "siblings": names, "tags": []})

    def _file(self, repo_id: str, revision: str, path: str, method: str) -> httpx2.Response:
        found = self._snapshot(repo_id, revision)
        if isinstance(found, httpx2.Response):
            return found
        file = found / path
        if not file.is_file():
            return _absent("EntryNotFound", found.name)
        size = file.stat().st_size
        headers = {"ETag": f'"{found.name}-{size}"', "X-Repo-Commit": found.name, "Content-Length": str(size)}
        return httpx2.Response(200, headers=headers, content=b"" if method == "HEAD" else _blocks(file))

    def _repo(self, repo_id: str) -> Path | None:
        try:
            found = self._cache / repo_folder_name(repo_id=repo_id, repo_type="model")
        except HFValidationError:
            return None
        return found if found.is_dir() else None

    def _snapshot(self, repo_id: str, revision: str) -> Path | httpx2.Response:
        """The directory of a repo at a revision; or that there is none."""
        repo = self._repo(repo_id)
        if repo is None:
            return _absent("RepoNotFound")
        ref = repo / "refs" / revision
        found = repo / "snapshots" / (ref.read_text() if ref.is_file() else revision)
        return found if found.is_dir() else _absent("RevisionNotFound")


def _tree(root: Path, path: str, recursive: bool) -> httpx2.Response:
    top = root / path
    if not top.is_dir():
        return _absent("EntryNotFound", root.name)
    entries = _files(top) if recursive else sorted(top.iterdir())
    return _document(
        [
            {
                "type": "file" if entry.is_file() else "directory",
                "path": str(entry.relative_to(root)),
                "size": entry.stat().st_size if entry.is_file() else 0,
                "oid": root.name,
            }
            for entry in entries
        ]
    )


def _files(top: Path) -> list[Path]:
    return sorted(path for path in top.rglob("*") if path.is_file())


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            yield block


def _document(document: Any) -> httpx2.Response:
    return httpx2.Response(200, headers={"Content-Type": "application/json"}, content=json.dumps(document).encode())


def _absent(code: str, commit: str | None = None) -> httpx2.Response:
    headers = {"X-Error-Code": code} | ({"X-Repo-Commit": commit} if commit else {})
    return httpx2.Response(404, headers=headers, content=b"{}")
