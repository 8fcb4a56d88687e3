"""Release notes: what changed between two releases, from what the hub holds; no sentence of it is invented."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from hubpub.core.errors import ConflictError
from hubpub.publish.client import HubClient
from hubpub.publish.markdown import code, plain
from hubpub.publish.snapshot import Snapshot, snapshot

NOTES_SCHEMA = "hubpub.notes/1"
_MOST = 60
_MOST_COMMITS = 1_000
_ABSENT = "—"


@dataclass(frozen=True, slots=True)
class Change:
    """A value before and after; None where there was or is none."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ReleaseNotes:
    """What changed from one release to another.

    Attributes:
        repo_id: namespace/name.
        old: the older release, as it was asked for.
        new: the newer one.
        commits: what these are.
        parameters: of the weights; None where the hub does not say, or they are as many.
        config: values of configurations that changed.
        metrics: numbers that were or are stated.
        added: files, by path with their sizes.
        removed: files that are gone.
        changed: files of which the content is another, with both sizes.
    """

    repo_id: str
    old: str
    new: str
    commits: tuple[str, str]
    parameters: Change | None
    config: tuple[Change, ...]
    metrics: tuple[Change, ...]
    added: tuple[Change, ...]
    removed: tuple[Change, ...]
    changed: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """The notes in the schema `hubpub.notes/1`."""

        def told(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
            return [{"name": item.name, "before": item.before, "after": item.after} for item in changes]

        return {
            "schema": NOTES_SCHEMA,
            "repo_id": self.repo_id,
            "from": {"revision": self.old, "commit": self.commits[0]},
            "to": {"revision": self.new, "commit": self.commits[1]},
            "parameters": told((self.parameters,))[0] if self.parameters else None,
            "config": told(self.config),
            "metrics": told(self.metrics),
            "files": {"added": told(self.added), "removed": told(self.removed), "changed": told(self.changed)},
        }

    def to_markdown(self, *, heading: bool = True) -> str:
        """The notes as Markdown, bounded in size."""
        parts = [f"## {plain(self.new)}\n"] if heading else []
        parts.append(f"Changes of {plain(self.repo_id)} since {plain(self.old)}.\n")
        model = []
        if self.parameters:
            before, after = self.parameters.before, self.parameters.after
            share = f" ({after / before - 1:+.1%})" if before and after else ""
            model.append(f"- parameters: {_number(before)} → {_number(after)}{share}")
        model += [f"- {code(item.name)}: {_value(item.before)} → {_value(item.after)}" for item in self.config[:_MOST]]
        parts += _section("Model", model, len(self.config) - _MOST)
        rows = [
            f"| {plain(item.name)} | {_number(item.before)} | {_number(item.after)} | {_difference(item)} |"
            for item in self.metrics[:_MOST]
        ]
        if rows:
            rows = [f"| metric | {plain(self.old)} | {plain(self.new)} | |", "|---|---:|---:|---:|", *rows]
        parts += _section("Metrics", rows, len(self.metrics) - _MOST)
        files = [f"- added {code(item.name)} ({item.after:,} bytes)" for item in self.added[:_MOST]]
        files += [f"- removed {code(item.name)}" for item in self.removed[:_MOST]]
        files += [
            f"- changed {code(item.name)} ({item.before:,} → {item.after:,} bytes)" for item in self.changed[:_MOST]
        ]
        more = sum(max(0, len(found) - _MOST) for found in (self.added, self.removed, self.changed))
        parts += _section("Files", files, more)
        if len(parts) == 1 + heading:
            parts.append("No file changed.\n")
        return "\n".join(parts)


def release_notes(client: HubClient, repo_id: str, old: str, new: str) -> ReleaseNotes:
    """What changed from one tag, branch or commit to another.

    Raises:
        UsageError: there is no such repo or revision.
        HubError: the hub cannot be read.
    """
    return compare(repo_id, snapshot(client, repo_id, old), snapshot(client, repo_id, new))


def notes_since_tag(
    client: HubClient, repo_id: str, tags: Mapping[str, str], tag: str, commit: str
) -> ReleaseNotes | None:
    """The notes of a release that is, or is to be, tagged; None when no tag is before it."""
    old = previous_tag(client, repo_id, {name: oid for name, oid in tags.items() if name != tag}, commit)
    if old is None:
        return None
    before, after = snapshot(client, repo_id, tags[old]), snapshot(client, repo_id, commit)
    return replace(compare(repo_id, before, after), old=old, new=tag)


def previous_tag(client: HubClient, repo_id: str, tags: Mapping[str, str], commit: str) -> str | None:
    """The tag of the newest commit, among this one and those before it, that has one."""
    if not tags:
        return None
    names: dict[str, str] = {}
    for name in sorted(tags):
        names[tags[name]] = name  # of several, the last one by name
    history = islice(client.history(repo_id, commit), _MOST_COMMITS)
    return next((names[found.oid] for found in history if found.oid in names), None)


def compare(repo_id: str, before: Snapshot, after: Snapshot) -> ReleaseNotes:
    """What changed from one snapshot to another."""
    if before.commit == after.commit and before.files != after.files:
        raise ConflictError(f"{repo_id} lists two trees of one commit", "run the same command again")
    old, new = before.files, after.files
    kept = sorted(old.keys() & new.keys())
    return ReleaseNotes(
        repo_id=repo_id,
        old=before.revision,
        new=after.revision,
        commits=(before.commit, after.commit),
        parameters=Change("parameters", before.parameters, after.parameters)
        if before.parameters != after.parameters
        else None,
        config=_changes(before.config, after.config),
        metrics=_changes(before.metrics, after.metrics),
        added=tuple(Change(path, None, new[path].size) for path in sorted(new.keys() - old.keys())),
        removed=tuple(Change(path, old[path].size, None) for path in sorted(old.keys() - new.keys())),
        changed=tuple(
            Change(path, old[path].size, new[path].size) for path in kept if old[path].blob != new[path].blob
        ),
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    names = dict.fromkeys((*before, *after))
    return tuple(
        Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _section(title: str, lines: list[str], more: int) -> list[str]:
    if not lines:
        return []
    left = [f"- and {more:,} more"] if more > 0 else []
    return [f"### {title}\n", *lines, *left, ""]


def _value(value: Any) -> str:
    return _ABSENT if value is None else code(json.dumps(value, ensure_ascii=False))


def _number(value: float | None) -> str:
    if value is None:
        return _ABSENT
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _difference(item: Change) -> str:
    return "" if item.before is None or item.after is None else f"{item.after - item.before:+.4g}"
