"""The tag of a release: set on the verified commit, and never moved."""

from __future__ import annotations

from hubpub.core.errors import ConflictError
from hubpub.publish.client import HubClient
from hubpub.publish.movement import changed_paths
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


def tag_release(client: HubClient, plan: Plan, commit: str) -> None:
    """Tag the commit, unless the tag is on it already, or on another with the same files.

    Raises:
        ConflictError: there is such a tag, on other files.
    """
    if plan.tag is None:
        return
    at = client.tags(plan.repo_id).get(plan.tag)
    if at is None:
        client.create_tag(plan.repo_id, plan.tag, commit, plan.title)
    elif not _is_same(client, plan, at, commit):
        raise _taken(plan, at)


def _is_same(client: HubClient, plan: Plan, one: str, other: str) -> bool:
    return one == other or not changed_paths(client.tree(plan.repo_id, one), client.tree(plan.repo_id, other))


def _taken(plan: Plan, at: str) -> ConflictError:
    return ConflictError(
        f"{plan.repo_id} has a tag {plan.tag} already, at {at[:12]}, and this release differs from it",
        "choose another tag; hubpub never moves one",
    )
