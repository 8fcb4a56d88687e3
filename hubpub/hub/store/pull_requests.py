"""Pull requests: their commits, what they change, whether that conflicts, and merging.

A merge is one commit on the target with the target's head as its only parent, as the Hub makes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Any

from dulwich.objects import Tree

from hubpub.hub.access.accounts import User
from hubpub.hub.errors import ApiError
from hubpub.hub.store.commits import write_commit
from hubpub.hub.store.discussions import Discussion, Discussions, PullRequest, Status, event
from hubpub.hub.store.git import GitRepo
from hubpub.hub.store.repos import RepoRecord, iso_time
from hubpub.hub.store.tree_diff import changes, diff_text
from hubpub.hub.store.tree_edit import TreeEdit
from hubpub.hub.web.listing import author_of, title

_MOST_COMMITS = 1000


@dataclass(frozen=True, slots=True)
class Merge:
    """What merging would give: the new trees, root last, or the paths that both sides changed."""

    trees: tuple[Tree, ...]
    conflicts: tuple[str, ...]


def settled(git: GitRepo, discussion: Discussion) -> Discussion:
    """The discussion as it stands after a merge that may have been cut short.

    The file names the merge commit before the target moves to it. Whether it did, the target's history says.
    """
    request = discussion.pull_request
    if request is None or request.merge_commit is None or discussion.status is Status.MERGED:
        return discussion
    head = git.ref(request.target)
    if head and any(oid == request.merge_commit for oid, _ in git.history(head)):
        return replace(discussion, status=Status.MERGED)
    return replace(discussion, pull_request=replace(request, merge_commit=None))


def commit_events(git: GitRepo, discussion: Discussion) -> list[dict[str, Any]]:
    """The newest commits of a pull request as events, oldest first."""
    request, head = discussion.pull_request, git.ref(discussion.ref)
    if request is None or head is None:
        return []
    commits = takewhile(lambda item: item[0] != request.base, islice(git.history(head), _MOST_COMMITS))
    events = [
        {
            "id": oid[:24],
            "type": "commit",
            # git knows seconds only: a commit just after the opening would seem to come before it.
            "createdAt": max(iso_time(commit.commit_time), discussion.created_at),
            "author": {"name": author_of(commit)},
            "data": {"subject": title(commit), "oid": oid},
        }
        for oid, commit in commits
    ]
    return events[::-1]


def all_events(git: GitRepo, discussion: Discussion) -> list[dict[str, Any]]:
    """What has happened to a discussion, with the commits of a pull request, oldest first."""
    return sorted((*discussion.events, *commit_events(git, discussion)), key=lambda item: str(item["createdAt"]))


def conflicts(git: GitRepo, discussion: Discussion) -> tuple[str, ...]:
    """The paths for which an open pull request cannot be merged."""
    request = discussion.pull_request
    if request is None or not discussion.is_open or git.ref(request.target) is None:
        return ()
    return try_merge(git, discussion, request).conflicts


def diff(git: GitRepo, discussion: Discussion, most: int) -> str | None:
    """What a pull request changes, as a unified diff; None if it is no pull request, or that is over `most` bytes."""
    request, head = discussion.pull_request, git.ref(discussion.ref)
    if request is None or head is None:
        return None
    return diff_text(git, git.root_tree(request.base), git.root_tree(head), most)


def try_merge(git: GitRepo, discussion: Discussion, request: PullRequest) -> Merge:
    """Put what the pull request changed onto its target, in memory. A path that both changed, differently, conflicts.

    Raises:
        ApiError: 404 RevisionNotFound if the target has gone.
    """
    target, head = git.ref(request.target), git.ref(discussion.ref)
    if target is None or head is None:
        raise ApiError(404, f"Invalid rev id: {request.target}", code="RevisionNotFound")
    base, onto = git.root_tree(request.base), git.root_tree(target)
    theirs = {change.path: change.new for change in changes(git, base, git.root_tree(head))}
    ours = {change.path: change.new for change in changes(git, base, onto)}
    clashes = {path for path, entry in theirs.items() if path in ours and ours[path] != entry}
    todo = {path: entry for path, entry in theirs.items() if path not in ours}
    edit = TreeEdit(git, onto)
    for path in (path for path, entry in todo.items() if entry is None):
        edit.remove(path, folder=False)
    for path, entry in todo.items():
        if entry is not None:
            try:
                edit.put(path, entry.oid)
            except ApiError:
                # The target has a file where this needs a folder, or the other way round.
                clashes.add(path)
    return Merge(() if clashes else tuple(edit.write()), tuple(sorted(clashes)))


def merge(discussions: Discussions, record: RepoRecord, git: GitRepo, discussion: Discussion, user: User) -> Discussion:
    """Merge a pull request, and return it as it is then. The caller holds the repo's lock.

    Raises:
        ApiError: 409 if it is no open pull request, or conflicts with its target; 404 if the target has gone.
    """
    request = discussion.pull_request
    if request is None:
        raise ApiError(400, "A discussion cannot be merged")
    if discussion.status is not Status.OPEN:
        hint = "; change its status to open first" if discussion.is_open else ""
        raise ApiError(409, f"This pull request is {discussion.status.value} and cannot be merged{hint}")
    merged = try_merge(git, discussion, request)
    if merged.conflicts:
        raise ApiError(
            409,
            f"This pull request conflicts with {request.target}: {', '.join(merged.conflicts[:10])}",
            body={"filesWithConflicts": list(merged.conflicts)},
        )
    subjects = [f"- {item['data']['subject']} ({item['data']['oid']})" for item in commit_events(git, discussion)]
    message = f"{discussion.title} (#{discussion.number})\n\n" + "\n".join(subjects)
    oid = write_commit(git, merged.trees, {}, git.ref(request.target), message.strip(), user)
    pending = replace(discussion, pull_request=replace(request, merge_commit=oid))
    discussions.save(record, pending)
    git.set_ref(request.target, oid)
    done = pending.with_event(event("status-change", user.name, {"status": Status.MERGED.value}), status=Status.MERGED)
    discussions.save(record, done)
    return done
