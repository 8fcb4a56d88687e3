"""What the API says of a repo at one commit, property by property: only what is asked for is worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from hubpub.hub.naming import RepoKind
from hubpub.hub.store.git import GitRepo, TreeEntry
from hubpub.hub.store.large_files import LargeFiles
from hubpub.hub.store.repo_facts import FactsReader, RepoFacts
from hubpub.hub.store.repos import RepoRecord, iso_time
from hubpub.hub.web.listing import Lister


class RepoView:
    """A repo at one commit."""

    def __init__(
        self, git: GitRepo, record: RepoRecord, head: str, large_files: LargeFiles, reader: FactsReader
    ) -> None:
        self.record = record
        self.head = head
        self._git = git
        self._reader = reader
        self._lister = Lister(git, record, large_files)

    @cached_property
    def facts(self) -> RepoFacts:
        """What its files say."""
        return self._reader.at(self._git, self.record, self.head)

    @cached_property
    def files(self) -> tuple[TreeEntry, ...]:
        """Every file."""
        return self._reader.files(self._git, self.head)

    @property
    def last_modified(self) -> str:
        """When the commit was made."""
        return iso_time(self._git.commit(self.head).commit_time)

    @property
    def storage(self) -> int:
        """Bytes that its distinct files take."""
        return sum(self._lister.size(oid) for oid in {entry.oid for entry in self.files})

    def siblings(self, *, blobs: bool = False) -> list[dict[str, Any]]:
        """Its files; with their sizes and hashes if `blobs`."""
        return [self._lister.sibling(entry, blobs=blobs) for entry in self.files]

    def describe(self, names: Iterable[str]) -> dict[str, Any]:
        """Its ids, and those of the named properties that it has."""
        repo = self.record.id
        found: dict[str, Any] = {"_id": self.record.uid, "id": str(repo)}
        if repo.kind is RepoKind.MODEL:
            found["modelId"] = str(repo)
        for name in names:
            known = PROPERTIES[repo.kind].get(name)
            value = known(self) if known else None
            if value is not None:
                found[name] = value
        return found


_Property = Callable[[RepoView], Any]


def _card_property(key: str) -> _Property:
    return lambda view: view.facts.card.get(key)


def _safetensors(view: RepoView) -> dict[str, Any] | None:
    counts = view.facts.parameters
    return {"parameters": dict(counts), "total": sum(counts.values())} if counts else None


_ALL: Mapping[str, _Property] = {
    "author": lambda view: view.record.id.namespace,
    "sha": lambda view: view.head,
    "private": lambda view: view.record.private,
    "gated": lambda view: view.record.gated,
    "disabled": lambda view: False,
    "createdAt": lambda view: view.record.created_at,
    "lastModified": lambda view: view.last_modified,
    "downloads": lambda view: 0,
    "downloadsAllTime": lambda view: 0,
    "likes": lambda view: 0,
    "trendingScore": lambda view: 0,
    "tags": lambda view: list(view.facts.tags),
    "cardData": lambda view: dict(view.facts.card) or None,
    "siblings": lambda view: view.siblings(),
    "usedStorage": lambda view: view.storage,
}
PROPERTIES: Mapping[RepoKind, Mapping[str, _Property]] = {
    RepoKind.MODEL: {
        **_ALL,
        "pipeline_tag": lambda view: view.facts.pipeline_tag,
        "library_name": lambda view: view.facts.library,
        "config": lambda view: view.facts.config,
        "safetensors": _safetensors,
        "model-index": _card_property("model-index"),
        "widgetData": _card_property("widget"),
    },
    RepoKind.DATASET: {**_ALL, "paperswithcode_id": _card_property("paperswithcode_id")},
    RepoKind.SPACE: {
        **_ALL,
        "sdk": _card_property("sdk"),
        "models": _card_property("models"),
        "datasets": _card_property("datasets"),
    },
}
"""What there is to know of a repo of each kind, by the names that `expand` has."""
