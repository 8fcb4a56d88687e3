"""Loading what a hub serves, by its id and at one commit, as users do: `from_pretrained("acme/model", revision=…)`.

hubpub, which has the token, fetches every file of the commit into a throw-away cache and compares it with what the hub
states. The child has neither token nor network, has limits (`hubpub.model.child`), and runs no code of the repo: what
the hub serves is trusted no more than a folder is. Which file is taken is left to the library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.core.errors import VerificationError
from hubpub.core.settings import CardSettings
from hubpub.model.child import Child
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.load import child_limits, memory_needed
from hubpub.publish.client import HubClient
from hubpub.publish.load_base import BASE_LIMIT, Base, fetch_base
from hubpub.publish.load_cache import LoadCache, throw_away_cache
from hubpub.publish.load_request import load_request, memory_obstacle, needs_consent, no_load_check
from hubpub.publish.remote import RemoteFile

_CHILD = "hubpub.model.children.load_by_id:load"
_MODEL_STEP = "model"
_LONGEST = 500
_ELSEWHERE = "load it where what is missing is there, or leave out --load"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of loading a model.

    Attributes:
        repo_id: namespace/name.
        commit: at which it was loaded.
        name: its class, as config.json or PEFT names it.
        steps: that went well, in order.
        error: why it does not load, or could not be; None when it does.
        next_step: what to do about that.
        skipped: why that was not tried, which is no fault of the repo; None when it was.
        base: the base model of an adapter.
    """

    repo_id: str
    commit: str
    name: str | None = None
    steps: tuple[str, ...] = ()
    error: str | None = None
    next_step: str | None = None
    skipped: str | None = None
    base: Base | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is known against it; also when it was skipped."""
        return self.error is None

    def to_json(self) -> dict[str, Any]:
        """What a receipt says of it."""
        return {
            "ok": self.ok,
            "commit": self.commit,
            "class": self.name,
            "steps": list(self.steps),
            "error": self.error,
            "next_step": self.next_step,
            "skipped": self.skipped,
            "base": {"repo_id": self.base.repo_id, "commit": self.base.commit} if self.base else None,
        }


def load_published(
    client: HubClient, repo_id: str, commit: str, notify: Callable[[str], None], base_limit: int | None = None
) -> Loaded:
    """Fetch the repo at a commit, load the model by its id, and run it once.

    Args:
        client: the hub.
        repo_id: namespace/name.
        commit: its id; no branch and no tag, which could move meanwhile.
        notify: is told what was done.
        base_limit: bytes that the base model of an adapter may have to be fetched; None takes `BASE_LIMIT`.

    Raises:
        VerificationError: it does not load, or nobody can tell.
        UsageError: there is no room for it.
        HubError: the hub or the network failed.
    """
    with throw_away_cache() as cache:
        tree = client.tree(repo_id, commit)
        loaded = load_from(cache, client, repo_id, commit, tree, notify, base_limit)
    if loaded.error:
        raise VerificationError(f"{repo_id}@{commit} {loaded.error}", loaded.next_step or "")
    return loaded


def load_from(
    cache: LoadCache,
    client: HubClient,
    repo_id: str,
    commit: str,
    tree: Mapping[str, RemoteFile],
    notify: Callable[[str], None],
    base_limit: int | None = None,
) -> Loaded:
    """The same with a cache that may hold some of the files already; that it does not load is in what is returned.

    Raises:
        VerificationError: the hub does not hand out what it lists.
        UsageError: there is no room for it.
        HubError: the hub or the network failed.
    """
    folder = ModelFolder.open(cache.fill(client, repo_id, commit, tree))
    loaded = _load(cache, client, folder, Loaded(repo_id, commit), notify, base_limit)
    where = f"{repo_id} at {commit[:12]}"
    if loaded.skipped:
        notify(f"warning: {where} was not loaded: {loaded.skipped}")
    elif loaded.ok:
        notify(f"loaded {where}: {', '.join(loaded.steps)}")
    return loaded


def _load(
    cache: LoadCache,
    client: HubClient,
    folder: ModelFolder,
    found: Loaded,
    notify: Callable[[str], None],
    base_limit: int | None,
) -> Loaded:
    facts = card_facts(folder, settings=CardSettings(), repo_id=found.repo_id)
    if obstacle := _obstacle(folder, facts):
        return _could_not(found, obstacle, "mend the folder and push again, or leave out --load")
    needed, size = memory_needed(folder), folder.weights.weight_bytes
    if folder.kind is ModelKind.ADAPTER and folder.adapter:
        limit = BASE_LIMIT if base_limit is None else base_limit
        base = fetch_base(cache, client, folder.adapter, limit, notify)
        if isinstance(base, str):
            return replace(found, skipped=base)
        needed, size = needed + base.memory_needed, size + base.weight_bytes
        if obstacle := memory_obstacle(needed):
            return replace(found, skipped=f"loading it on its base model {base.repo_id} {obstacle}")
        found = replace(found, base=base)
    elif obstacle := memory_obstacle(needed):
        return _could_not(found, f"that {obstacle}", _ELSEWHERE)
    request = load_request(folder, facts, found.repo_id, trust=False) | {
        "revision": found.commit,
        "cache": str(cache.root),
    }
    seconds, memory = child_limits(size, needed)
    env = {
        "HF_ENDPOINT": client.endpoint,
        "HF_HUB_CACHE": str(cache.root),
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_XET": "1",
        # Asked for what is not in the cache, libraries are to say what they say to users: see `children.cached_hub`.
        "HF_HUB_OFFLINE": "0",
        "TRANSFORMERS_OFFLINE": "0",
    }
    notify(f"loading {found.repo_id} at {found.commit[:12]}, in a process without token and network")
    answer = Child(_CHILD, request, seconds=seconds, memory=memory, env=env).answer()
    if answer.value is None:
        return _could_not(found, f"that {answer.failure}", _ELSEWHERE)
    return _told(replace(found, name=request["class"]), answer.value)


def _obstacle(folder: ModelFolder, facts: CardFacts) -> str | None:
    """Why it is not loaded at all."""
    if not folder.weights.files:
        return "it holds no weights"
    if reason := no_load_check(folder, facts):
        return reason
    if consent := needs_consent(folder):
        return f"that {consent}, and hubpub runs nothing of a repo"
    if folder.kind is ModelKind.ADAPTER:
        if folder.adapter is None:
            return "adapter_config.json is not one of PEFT"
        if folder.adapter.base_is_local:
            return f"adapter_config.json names its base model by a path, {folder.adapter.base_model}"
    return None


def _told(found: Loaded, events: list[Mapping[str, Any]]) -> Loaded:
    """What the child tells of its steps."""
    failed = next((event for event in events if event["error"]), None)
    if failed is not None:
        return replace(
            found,
            error=f"does not load as its users load it: {failed['step']}: {failed['error']}"[:_LONGEST],
            next_step="mend the folder (`hubpub rehearse PATH` shows each step) and push again",
        )
    done = tuple(str(event["step"]) for event in events if not event["skip"])
    if _MODEL_STEP not in done:
        why = next((event["skip"] for event in events if event["skip"]), "no step could be tried")
        return _could_not(found, str(why)[:_LONGEST], _ELSEWHERE)
    return replace(found, steps=done)


def _could_not(found: Loaded, why: str, next_step: str) -> Loaded:
    """A check that was asked for and could not be made has not been passed."""
    return replace(found, error=f"could not be loaded: {why}", next_step=next_step)
