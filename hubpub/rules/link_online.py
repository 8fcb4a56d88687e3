"""LINK: what only the network can tell; asked with --online."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hubpub.card.addresses import host_of, is_documentation_host, is_loopback, is_private
from hubpub.card.links import find_links
from hubpub.core.findings import Problem, Severity
from hubpub.core.pattern import Pattern
from hubpub.core.report import Skip
from hubpub.core.rule import Needs
from hubpub.rules.placing import excerpt, problem_at
from hubpub.rules.registry import CardSubject, card_rules

if TYPE_CHECKING:
    from hubpub.card.online.fetch import Answer
    from hubpub.card.online.lookup import HubId, Online, RepoKind

_ID = Pattern(r"(?=.{1,96}\Z)[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
# first parts of addresses on the Hub that are no namespace
_PAGES = frozenset(
    (
        *("models", "docs", "blog", "papers", "tasks", "learn", "course", "join", "login", "pricing", "posts", "chat"),
        *(
            "collections",
            "inference",
            "enterprise",
            "organizations",
            "settings",
            "new",
            "metrics",
            "transformers",
            "nlp",
        ),
        *(
            "api",
            "front",
            "brand",
            "privacy",
            "terms-of-service",
            "content-guidelines",
            "support",
            "security",
            "contact",
        ),
        *("exbert", "coursework", "buckets", "kernels", "languages", "hub"),
    )
)


@card_rules.rule(
    "LINK016",
    "dead-url",
    Severity.WARNING,
    summary="A link leads to a page that is not there any more.",
    why="Papers, data and demos move; a link that gives 404 is worse than none. What a server refuses, or does not "
    "answer in time, is not counted.",
    bad="The [data](https://films.acme.ai/moved).",
    good="The [data](https://films.acme.ai/data).",
    hint="link to where it is now, or remove the link",
    source="https://www.rfc-editor.org/rfc/rfc9110#name-404-not-found",
    default=False,
    needs=Needs.NETWORK,
)
def dead_url(subject: CardSubject) -> Iterator[Problem | Skip]:
    """Each address of the card once: 404, 410, or a host that does not exist."""
    if subject.online is None:
        return
    places: dict[str, int] = {}
    for link in find_links(subject.card):
        address = link.target.partition("#")[0]
        host = host_of(address)
        if not host or is_loopback(host) or is_private(host) or is_documentation_host(host):
            continue
        if _repo_of(subject.online, address) is None:
            places.setdefault(address, link.start)
    yield from _told(subject, "addresses of the card", places, subject.online.addresses(places))


@card_rules.rule(
    "LINK018",
    "unknown-hub-id",
    Severity.WARNING,
    summary="The card names a model or data set that the Hub does not know.",
    why="Repos are renamed, deleted or private: readers get 404, and the Hub draws no line from the model to its "
    "base or its data.",
    bad="---\nbase_model: acme/deleted\n---",
    good="---\nbase_model: acme/base\n---",
    hint="write the id as it is on the Hub",
    source="https://huggingface.co/docs/hub/model-cards#specifying-a-base-model",
    default=False,
    needs=Needs.NETWORK,
)
def unknown_hub_id(subject: CardSubject) -> Iterator[Problem | Skip]:
    """Ids in the metadata, and repos of the hub that links lead to."""
    if subject.online is None:
        return
    places: dict[HubId, int] = {}
    for repo, start in (*_ids_in_metadata(subject), *_ids_in_links(subject, subject.online)):
        if repo.id != subject.repo_id:
            places.setdefault(repo, start)
    found = {_named(repo): answer for repo, answer in subject.online.repos(places).items()}
    yield from _told(subject, "ids in the card", {_named(repo): start for repo, start in places.items()}, found)


def _named(repo: HubId) -> str:
    return f"the {repo.kind} {repo.id}"


def _told(
    subject: CardSubject, what: str, places: Mapping[str, int], found: Mapping[str, Answer]
) -> Iterator[Problem | Skip]:
    from hubpub.card.online.fetch import Answer, State

    unsure: dict[str, int] = {}
    for name, start in places.items():
        answer = found.get(name, Answer(State.UNSURE, "it was not asked for"))
        if answer.state is State.DEAD:
            yield problem_at(subject, f"{excerpt(name)}: {answer.reason}", start)
        elif answer.state is State.UNSURE:
            unsure[answer.reason] = unsure.get(answer.reason, 0) + 1
    for reason, count in sorted(unsure.items()):
        yield Skip(f"{count} of the {len(places)} {what}", reason)


def _ids_in_metadata(subject: CardSubject) -> Iterator[tuple[HubId, int]]:
    from hubpub.card.online.lookup import HubId

    data = subject.card.front_matter.data or {}
    kinds: dict[str, RepoKind] = {"base_model": "model", "datasets": "dataset", "new_version": "model"}
    for key, kind in kinds.items():
        value = data.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and _ID.fullmatch(item):
                index = value.index(item) if isinstance(value, list) else None
                path = (key,) if index is None else (key, index)
                yield HubId(kind, item), subject.card.front_matter.offset_of(path)


def _ids_in_links(subject: CardSubject, online: Online) -> Iterator[tuple[HubId, int]]:
    for link in find_links(subject.card):
        repo = _repo_of(online, link.target)
        if repo:
            yield repo, link.start


def _repo_of(online: Online, address: str) -> HubId | None:
    """The repo whose own page an address is; None when it is any other page."""
    from hubpub.card.online.lookup import HubId

    if not online.is_hub(address):
        return None
    steps = [step for step in urlsplit(address).path.split("/") if step]
    kinds: dict[str, RepoKind] = {"datasets": "dataset", "spaces": "space"}
    kind = kinds.get(steps[0]) if steps else None
    if kind:
        steps = steps[1:]
    elif steps and steps[0] in _PAGES:
        return None
    if len(steps) != 2 or not _ID.fullmatch("/".join(steps)):
        return None  # one step is a person, or a model of old without a namespace
    return HubId(kind or "model", "/".join(steps))
