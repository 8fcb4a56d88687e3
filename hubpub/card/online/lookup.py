"""Asking the network about a card: do its addresses answer, are the ids in it known to the hub.

Only what is sure counts as dead: 404, 410, a host that does not exist, a repo that the hub does not know. Everything
else (a refusal, a timeout, a full schedule) leaves the question open. Requests run at most eight at once, one at a time
for each host, within a budget of time, and answers are kept for a day.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from hubpub.card.addresses import HUB_HOSTS, host_of
from hubpub.card.online.cache import AnswerCache
from hubpub.core.errors import UsageError

if TYPE_CHECKING:
    from hubpub.card.online.fetch import Answer

RepoKind: TypeAlias = Literal["model", "dataset", "space"]

BUDGET = 60.0
AT_ONCE = 8
MOST_QUESTIONS = 500
_BETWEEN = 0.2
_KNOWN_HOST = "huggingface.co"


class HubId(NamedTuple):
    """A repo as a card names it."""

    kind: RepoKind
    id: str


class Online:
    """Look-ups for one run; build it with `Online.open`."""

    def __init__(self, endpoint: str, token: str | None, cache: AnswerCache, *, budget: float = BUDGET) -> None:
        """Args: `endpoint` is the hub's URL, the only place that `token` is sent to; `budget` in seconds."""
        self.endpoint = endpoint
        self._token = token
        self._cache = cache
        self._deadline = time.monotonic() + budget
        self._known: dict[str, Answer] = {}

    @classmethod
    def open(cls, hub: str | None = None) -> Online:
        """Look-ups with the hub that `hub` names, or the one of huggingface_hub (`HF_ENDPOINT`, else the public Hub).

        A token that `hf auth login` stored is for the hub it was given for; another hub gets that of `HF_TOKEN`.

        Raises:
            UsageError: `hub` is not the URL of a hub.
        """
        from huggingface_hub import constants, get_token

        default = constants.ENDPOINT.rstrip("/")
        endpoint = (hub or default).rstrip("/")
        try:
            parts = urlsplit(endpoint)
            valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) and not parts.username
        except ValueError:
            valid = False
        if not valid:
            raise UsageError(f"{hub!r} is not the URL of a hub", "give a URL such as https://hub.example.org")
        token = get_token() if endpoint == default else os.environ.get("HF_TOKEN")
        return cls(endpoint, token or None, AnswerCache.of_user())

    def addresses(self, addresses: Iterable[str]) -> Mapping[str, Answer]:
        """What becomes of each web address when it is asked for, without a token."""
        from hubpub.card.online.fetch import UNKNOWN_HOST, Answer, Fetcher, State, resolves

        hub = urlsplit(self.endpoint)
        port = hub.port or (443 if hub.scheme == "https" else 80)
        fetcher = Fetcher(((hub.hostname or "").lower(), port))
        wanted = list(dict.fromkeys(addresses))
        found = self._settle(wanted, "address ", host_of, lambda address: fetcher.ask(address, self._deadline))
        if any(answer.reason == UNKNOWN_HOST for answer in found.values()) and not (
            any(answer.state is State.ALIVE for answer in found.values()) or resolves(_KNOWN_HOST)
        ):
            # without a network no host is known
            unsure = Answer(State.UNSURE, "there is no network")
            for address, answer in found.items():
                if answer.reason == UNKNOWN_HOST:
                    self._known.pop("address " + address, None)
                    found[address] = unsure
        self._remember("address ", found)
        return found

    def repos(self, ids: Iterable[HubId]) -> Mapping[HubId, Answer]:
        """Whether the hub knows each id, for whoever the token belongs to."""
        names = {f"{repo.kind} {repo.id}": repo for repo in ids}
        prefix = f"{self.endpoint} {'token' if self._token else 'nobody'} "
        found = self._settle(list(names), prefix, lambda _: "", lambda name: self._ask_hub(names[name]))
        self._remember(prefix, found)
        return {names[name]: answer for name, answer in found.items()}

    def is_hub(self, address: str) -> bool:
        """Whether an address is on the hub that ids are looked up at."""
        host = host_of(address)
        own = (urlsplit(self.endpoint).hostname or "").lower()
        return host == own or (host in HUB_HOSTS and own in HUB_HOSTS)

    def _ask_hub(self, repo: HubId) -> Answer:
        from huggingface_hub import HfApi, errors

        from hubpub.card.online.fetch import Answer, State

        api = HfApi(endpoint=self.endpoint, token=self._token or False, library_name="hubpub")
        try:
            timeout = min(15.0, max(0.5, self._deadline - time.monotonic()))
            api.repo_info(repo.id, repo_type=repo.kind, timeout=timeout)
        except (errors.GatedRepoError, errors.DisabledRepoError):
            return Answer(State.ALIVE)
        except errors.RepositoryNotFoundError:
            return Answer(State.DEAD, "the hub does not know it, or it is private")
        except errors.HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else "nothing"
            return Answer(State.UNSURE, f"the hub answers {status}")
        except errors.HFValidationError:
            return Answer(State.UNSURE, "it is no id")
        except Exception as error:  # whatever the client's transport raises, the question is open
            return Answer(State.UNSURE, f"the hub cannot be asked ({type(error).__name__})")
        return Answer(State.ALIVE)

    def _settle(
        self, questions: list[str], prefix: str, group: Callable[[str], str], ask: Callable[[str], Answer]
    ) -> dict[str, Answer]:
        """Answers from memory and from the cache, and of the others from the network; those of one group in turn."""
        from hubpub.card.online.fetch import Answer, State

        found: dict[str, Answer] = {}
        groups: dict[str, deque[str]] = {}
        for question in questions:
            kept = self._known.get(prefix + question) or _read(self._cache.get(prefix + question))
            if kept:
                found[question] = kept
            elif sum(map(len, groups.values())) < MOST_QUESTIONS:
                groups.setdefault(group(question), deque()).append(question)
        waiting = deque(groups.items())
        if "" in groups:  # the hub's own, which takes several at once
            one = groups.pop("")
            waiting = deque([*groups.items(), *(("", deque([question])) for question in one)])
        lock = threading.Lock()

        def work() -> None:
            while time.monotonic() < self._deadline:
                try:
                    name, queue = waiting.popleft()
                except IndexError:
                    return
                slow_down: Answer | None = None
                while queue and time.monotonic() < self._deadline:
                    question = queue.popleft()
                    answer = slow_down or ask(question)
                    with lock:
                        found[question] = answer
                    if answer.reason.endswith(" 429"):
                        slow_down = answer
                    if queue and name and not slow_down:
                        time.sleep(_BETWEEN)

        # daemons: a server that trickles its answer must not keep the program from ending
        workers = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(waiting)))]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(max(0.0, self._deadline + 1.0 - time.monotonic()))
        with lock:
            settled = dict(found)
        late = Answer(State.UNSURE, "there was no time left to ask")
        return {question: settled.get(question, late) for question in questions}

    def _remember(self, prefix: str, found: Mapping[str, Answer]) -> None:
        from hubpub.card.online.fetch import State

        for question, answer in found.items():
            if prefix + question not in self._known:
                self._known[prefix + question] = answer
                if answer.state is not State.UNSURE:
                    self._cache.put(prefix + question, {"state": answer.state.value, "reason": answer.reason})


def _read(kept: dict[str, str] | None) -> Answer | None:
    from hubpub.card.online.fetch import Answer, State

    if not kept or kept.get("state") not in (State.ALIVE, State.DEAD):
        return None
    return Answer(State(kept["state"]), kept.get("reason", ""))
