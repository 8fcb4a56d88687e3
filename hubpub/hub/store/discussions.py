"""Discussions and pull requests: one JSON file each, below `discussions/` of their repo.

A pull request is there once its ref `refs/pr/N` is; its file is written before, so the ref completes it. The
commits of a pull request are not in its file: git knows them.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from html import escape
from typing import Any

from hubpub.hub.errors import ApiError, bad_request, too_large
from hubpub.hub.store.data_root import DataRoot
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.repos import RepoRecord, Repos, iso_time

_LARGEST_FILE = 8 << 20
_LONGEST_COMMENT = 64 << 10
_LONGEST_TITLE = 500


class Status(StrEnum):
    """What has become of a discussion; only pull requests are drafts or merged."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What a pull request has besides its discussion.

    Attributes:
        target: the full ref that it is to be merged into.
        base: the commit that it started from.
        merge_commit: the commit that merged it, or is just about to (see `hubpub.hub.store.pull_requests.settled`).
    """

    target: str
    base: str
    merge_commit: str | None = None


@dataclass(frozen=True, slots=True)
class Discussion:
    """A discussion, or a pull request.

    Attributes:
        number: unique in its repo among discussions and pull requests.
        title: one line.
        author: user name.
        created_at: ISO 8601 with a final Z.
        status: what has become of it.
        pull_request: None for a mere discussion.
        events: as the API gives them, oldest first, without commits.
    """

    number: int
    title: str
    author: str
    created_at: str
    status: Status
    pull_request: PullRequest | None = None
    events: tuple[dict[str, Any], ...] = field(default=())

    @property
    def ref(self) -> str:
        """The ref that holds the commits of a pull request."""
        return f"refs/pr/{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor merged."""
        return self.status in (Status.OPEN, Status.DRAFT)

    def with_event(self, event: dict[str, Any], **changes: Any) -> Discussion:
        """The discussion after one more event, and what the event changed."""
        return replace(self, events=(*self.events, event), **changes)

    def comment(self, event_id: str) -> dict[str, Any] | None:
        """The comment with that id."""
        found = (event for event in self.events if event["id"] == event_id and event["type"] == "comment")
        return next(found, None)

    def with_comment(self, comment: dict[str, Any]) -> Discussion:
        """The discussion with a comment in place of the one with its id."""
        return replace(self, events=tuple(comment if event["id"] == comment["id"] else event for event in self.events))


@dataclass(frozen=True, slots=True)
class Discussions:
    """The discussions of every repo below a data folder. Writers hold the repo's lock."""

    root: DataRoot
    repos: Repos

    def get(self, record: RepoRecord, git: GitRepo, number: int) -> Discussion | None:
        """A discussion by its number; None if there is none."""
        try:
            document = json.loads((self.repos.folder(record.id) / "discussions" / f"{number}.json").read_bytes())
        except FileNotFoundError:
            return None
        found = _from_json(document)
        return None if found.pull_request is not None and git.ref(found.ref) is None else found

    def every(self, record: RepoRecord, git: GitRepo) -> Iterator[Discussion]:
        """All discussions of a repo, the newest first."""
        for number in sorted(self._numbers(record), reverse=True):
            found = self.get(record, git, number)
            if found is not None:
                yield found

    def save(self, record: RepoRecord, discussion: Discussion) -> None:
        """Write a discussion.

        Raises:
            ApiError: 413 if it has become too large.
        """
        document = asdict(discussion)
        data = json.dumps(document, ensure_ascii=False).encode("utf-8")
        if len(data) > _LARGEST_FILE:
            raise too_large(f"Discussion {discussion.number} is full")
        folder = self.repos.folder(record.id) / "discussions"
        self.root.write(folder / f"{discussion.number}.json", data)

    def next_number(self, record: RepoRecord, git: GitRepo) -> int:
        """A number that no discussion or pull request of the repo has or had."""
        requests = (int(name) for name in git.refs("refs/pr/") if name.isdecimal())
        return max((*self._numbers(record), *requests), default=0) + 1

    def _numbers(self, record: RepoRecord) -> list[int]:
        folder = self.repos.folder(record.id) / "discussions"
        return [int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal()]


def opened(
    number: int, title: str, description: str, author: str, status: Status, pull_request: PullRequest | None = None
) -> Discussion:
    """A new discussion, whose description is its first comment.

    Raises:
        ApiError: 400 or 413 if the title or the description is empty or too long.
    """
    first = comment(author, description)
    return Discussion(number, checked_title(title), author, first["createdAt"], status, pull_request, (first,))


def checked_title(title: str) -> str:
    """A title without the blanks around it.

    Raises:
        ApiError: 400 if nothing is left, or it is too long or has several lines.
    """
    title = _unicode(title).strip()
    if not 0 < len(title) <= _LONGEST_TITLE or "\n" in title:
        raise bad_request(f"A title is one line of at most {_LONGEST_TITLE} characters")
    return title


def event(kind: str, author: str, data: dict[str, Any]) -> dict[str, Any]:
    """An event that happens now, as `huggingface_hub.community.deserialize_event` reads it."""
    return {
        "id": secrets.token_hex(12),
        "type": kind,
        "createdAt": iso_time(time.time()),
        "author": {"name": author},
        "data": data,
    }


def comment(author: str, text: str) -> dict[str, Any]:
    """A comment.

    Raises:
        ApiError: 400 if it is empty, 413 if it is too long.
    """
    return event("comment", author, {"edited": False, "hidden": False, "latest": _version(author, text), "history": []})


def edited(old: dict[str, Any], author: str, text: str) -> dict[str, Any]:
    """A comment with another text; the one that it had is in its history.

    Raises:
        ApiError: 400 or 413 as for a new one, 403 if it is hidden.
    """
    data = old["data"]
    if data["hidden"]:
        raise ApiError(403, "A hidden comment cannot be edited")
    history = [*data["history"], data["latest"]]
    return {**old, "data": {**data, "edited": True, "latest": _version(author, text), "history": history}}


def hidden(old: dict[str, Any], author: str) -> dict[str, Any]:
    """A comment without its texts, for good."""
    latest = _version(author, "This comment has been hidden")
    return {**old, "data": {**old["data"], "hidden": True, "latest": latest, "history": []}}


def _version(author: str, text: str) -> dict[str, Any]:
    text = _unicode(text)
    if not text.strip():
        raise bad_request("A comment has no text")
    if len(text) > _LONGEST_COMMENT:
        raise too_large(f"A comment may have at most {_LONGEST_COMMENT} characters")
    # Not rendered: what a page shows of it is for the page to make safe.
    html = f"<p>{escape(text)}</p>"
    return {"raw": text, "html": html, "updatedAt": iso_time(time.time()), "author": {"name": author}}


def _unicode(text: str) -> str:
    """The text without halves of characters, which JSON can name and UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _from_json(document: dict[str, Any]) -> Discussion:
    request = document["pull_request"]
    return Discussion(
        **{
            **document,
            "status": Status(document["status"]),
            "pull_request": PullRequest(**request) if request else None,
            "events": tuple(document["events"]),
        }
    )
