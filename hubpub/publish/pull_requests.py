"""Pull requests of a hub: opened as a draft, filled, marked as open, merged as one commit, or closed.

Calls: `huggingface_hub.HfApi.create_pull_request` and its kin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hubpub.core.errors import HubError
from hubpub.publish.client import api_path
from hubpub.publish.http import Http
from hubpub.publish.refusals import NoAnswerError

_MOST_PAGES = 40


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request.

    Attributes:
        number: of it.
        title: of it.
        status: "draft", "open", "closed" or "merged".
        author: who opened it.
        merge_commit: by which it was merged.
        description: the first comment; empty in listings, which leave it out.
        comment: the id of that one.
    """

    number: int
    title: str
    status: str
    author: str
    merge_commit: str | None = None
    description: str = ""
    comment: str = ""

    @property
    def ref(self) -> str:
        """The branch of its commits."""
        return f"refs/pr/{self.number}"


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a pull request came to.

    Attributes:
        request: the new one, or that which was found after a lost answer.
        is_new: whether the hub has answered that it opened this one.
        may_have_twin: whether an answer was lost, so that the hub may have opened, or may yet open, another.
    """

    request: PullRequest
    is_new: bool
    may_have_twin: bool


class PullRequests:
    """The pull requests of one repo."""

    def __init__(self, http: Http, repo_id: str) -> None:
        self._http = http
        self._repo_id = repo_id
        self.attempts = http.patience.attempts
        self.pause = http.pause

    def unfinished(self, author: str) -> Iterator[PullRequest]:
        """The drafts and open ones of a user, the newest first."""
        return self.of(author, "open")

    def of(self, author: str, status: str) -> Iterator[PullRequest]:
        """Those of a user that are "open" (drafts, too) or "closed" (merged ones, too), the newest first."""
        seen = 0
        for page in range(_MOST_PAGES):
            answer = self._http.get(
                api_path(self._repo_id, "discussions"),
                params={"p": str(page), "type": "pull_request", "status": status, "author": author},
                doing=f"list the pull requests of {self._repo_id}",
            )
            found = answer.get("discussions") or []
            yield from (_of(item) for item in found if item.get("isPullRequest"))
            seen += len(found)
            if not found or seen >= answer.get("count", 0):
                return

    def open(self, title: str, description: str) -> int:
        """Open a draft against main; its number. Nobody knows after a `NoAnswerError`."""
        answer = self._http.post(
            api_path(self._repo_id, "discussions"),
            document={"title": title, "description": description, "pullRequest": True},
            doing=f"open a pull request on {self._repo_id}",
            again=False,
        )
        return int(answer["num"])

    def open_or_find(self, title: str, description: str, find: Callable[[], PullRequest | None]) -> Opened:
        """Open a draft against main; after a lost answer, that which was opened, as far as `find` sees one.

        Raises:
            NoAnswerError: no attempt had an answer, and none is to be found.
        """
        for number in range(2, 2 + self.attempts):
            try:
                return Opened(self.read(self.open(title, description)), True, number > 2)
            except NoAnswerError as error:
                found = find()
                if found is not None:
                    return Opened(found, False, True)
                if number > self.attempts:
                    raise
                self.pause(number, error)
        raise AssertionError("the last attempt returns or raises")

    def read(self, number: int) -> PullRequest:
        """One of them, as it is now."""
        return _of(self._http.get(self._path(number), doing=f"read pull request {number} of {self._repo_id}"))

    def describe(self, number: int, text: str) -> None:
        """Give it another description."""
        comment = self.read(number).comment
        self._http.post(
            self._path(number, "comment", comment, "edit"),
            document={"content": text},
            doing=f"describe pull request {number} of {self._repo_id}",
            needs_document=False,
        )

    def set_status(self, number: int, status: str, comment: str | None = None) -> None:
        """Make it "open" or "closed"."""
        self._http.post(
            self._path(number, "status"),
            document={"status": status} | ({"comment": comment} if comment else {}),
            doing=f"change pull request {number} of {self._repo_id}",
            needs_document=False,
        )

    def merge(self, number: int) -> None:
        """Merge it into main, as one commit, in one attempt."""
        self._http.post(
            self._path(number, "merge"),
            document={},
            doing=f"merge pull request {number} of {self._repo_id}",
            again=False,
            needs_document=False,
        )

    def _path(self, number: int, *parts: str) -> str:
        return api_path(self._repo_id, "discussions", str(number), *parts)


def _of(item: dict[str, object]) -> PullRequest:
    comment, description = _first_comment(item.get("events"))
    try:
        author, changes = item.get("author"), item.get("changes")
        return PullRequest(
            number=int(str(item["num"])),
            title=str(item["title"]),
            status=str(item["status"]),
            author=str(author.get("name")) if isinstance(author, dict) else "",
            merge_commit=changes.get("mergeCommitId") if isinstance(changes, dict) else None,
            description=description,
            comment=comment,
        )
    except (KeyError, ValueError) as error:
        raise HubError(
            "the hub describes a pull request in another way than expected", "report it to the hub"
        ) from error


def _first_comment(events: object) -> tuple[str, str]:
    """(id, text) of the first comment, which is the description."""
    for event in events if isinstance(events, list) else ():
        if isinstance(event, dict) and event.get("type") == "comment":
            latest = (event.get("data") or {}).get("latest") or {}
            return str(event.get("id", "")), str(latest.get("raw", ""))
    return "", ""
