"""A release so small that hundreds can be pushed in a test: three small files and, if asked for, weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy
import safetensors.numpy
import support.client_env  # noqa: F401  before huggingface_hub
from huggingface_hub import HfApi

from hubpub.publish.release_id import carries
from hubpub.publish.remote import Commit

TOKEN = "hf_theTokenOfTheseTests"
CARD = "---\nlicense: mit\n---\n# Tiny\n"


def save_tiny(folder: Path, mark: str, *, weights: int = 300) -> Path:
    """A folder whose content differs with `mark`; `weights` numbers, the same ones for the same number."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text(CARD)
    (folder / "notes.txt").write_text(mark)
    path = folder / "model.safetensors"
    safetensors.numpy.save_file({"a": numpy.arange(weights, dtype="f4")}, path)
    return folder


def fresh_weights(folder: Path, numbers: int = 300) -> None:
    """Weights that no hub has seen."""
    path = folder / "model.safetensors"
    values = numpy.frombuffer(os.urandom(2 * numbers), dtype="<u2").astype("f4")
    safetensors.numpy.save_file({"a": values}, path)


@dataclass(frozen=True)
class Seen:
    """A repo as readers see it: the history of main, newest first, and the files of its head."""

    history: tuple[Commit, ...]
    files: dict[str, str]
    tags: dict[str, str]
    private: bool

    def of_release(self, release: str) -> list[Commit]:
        return [commit for commit in self.history if carries(commit.message, commit.title, release)]


def look(endpoint: str, repo: str, token: str = TOKEN) -> Seen | None:
    """The repo, by the real client; None when it is not there."""
    api = HfApi(endpoint=endpoint, token=token)
    if not api.repo_exists(repo):
        return None
    history = tuple(Commit(c.commit_id, c.title, c.message) for c in api.list_repo_commits(repo))
    # The tree of the commit that was seen: a push may be going on.
    tree = api.list_repo_tree(repo, recursive=True, revision=history[0].oid)
    return Seen(
        history=history,
        files={item.path: item.blob_id for item in tree if hasattr(item, "blob_id")},
        tags={ref.name: ref.target_commit for ref in api.list_repo_refs(repo).tags},
        private=bool(api.model_info(repo).private),
    )
