"""The tag of a release: set on the verified commit, and never moved."""

from __future__ import annotations

from collections.abc import Mapping

from hubpub.core.errors import ConflictError, HubpubError
from hubpub.publish.client import HubClient
from hubpub.publish.movement import changed_paths
from hubpub.publish.notes import notes_since_tag
from hubpub.publish.plan import Plan


def check_tag(client: HubClient, plan: Plan, *, begun: bool) -> None:
    """Return if the release may have its tag: there is none of that name, or it is on the very same files.

    Args:
        client: the hub.
        plan: the release.
        begun: whether an earlier run began it, and may have set the tag before others changed the branch.

    Raises:
        ConflictError: it is on others.
    """
    if plan.tag is None or plan.base is None:
        return
    at = client.tags(plan.repo_id).get(plan.tag)
    if at is None or (not plan.makes_commit and _is_same(client, plan, at, plan.base)):
        return
    if begun:
        there = client.tree(plan.repo_id, at)
        if all(file.equals(there.get(file.path)) for file in plan.files):
            return
    raise _taken(plan, at)


def tag_release(client: HubClient, plan: Plan, commit: str) -> str:
    """Tag the commit, unless the tag is on it already, or on another with the same files; what was done, in words.

    The tag's message is what has changed since the tag before it, as far as the hub tells.

    Raises:
        ConflictError: there is such a tag, on other files.
    """
    tag = str(plan.tag)
    tags = client.tags(plan.repo_id)
    at = tags.get(tag)
    if at is None:
        client.create_tag(plan.repo_id, tag, commit, _message(client, plan, tags, commit))
        return f"tagged {commit[:12]} as {tag}"
    if not _is_same(client, plan, at, commit):
        raise _taken(plan, at)
    return f"{tag} is on {at[:12]} already, with the same files"


def _message(client: HubClient, plan: Plan, tags: Mapping[str, str], commit: str) -> str:
    """The message of the tag; a release does not fail because nobody knows what to say about it."""
    try:
        notes = notes_since_tag(client, plan.repo_id, tags, str(plan.tag), commit)
    except HubpubError:
        return plan.title
    return f"{plan.title}\n\n{notes.to_markdown(heading=False)}" if notes else plan.title


def _is_same(client: HubClient, plan: Plan, one: str, other: str) -> bool:
    return one == other or not changed_paths(client.tree(plan.repo_id, one), client.tree(plan.repo_id, other))


def _taken(plan: Plan, at: str) -> ConflictError:
    return ConflictError(
        f"{plan.repo_id} has a tag {plan.tag} already, at {at[:12]}, and this release differs from it",
        "choose another tag; hubpub never moves one",
    )
