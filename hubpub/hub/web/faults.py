"""Faults on demand: which requests go wrong, and how. One line of text each, on the command line, in a file, in Python.

A line is `WHERE: WHAT [WHEN] [HOW]`::

    preupload: 429 first=2 retry_after=1           the first two calls are told to come back in a second
    commit: lose first=1                           the commit is made, and its answer is lost
    GET /api/models/**: 503 p=0.3 seed=7           three in ten, the same ones in every run
    resolve: cut bytes=65536 after=1               after the first, downloads break off

WHERE is a name of `PLACES`, or a method (`*` for any) and a path in which `*` stands for one segment and `**` for
any number. WHAT is a status from 400 to 599 or an `Effect`. WHEN is `first=N`, `after=N`, `every=N` and `p=0..1`
with `seed=N`; a request that several of them speak of is hit if all agree.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hubpub.core.errors import UsageError

_FORM = "write WHERE: WHAT [OPTION=VALUE ...], for example 'preupload: 429 first=2' or 'POST /api/**: drop every=3'"
_LARGEST_FILE = 1 << 20
_MOST_RULES = 1000

PLACES: dict[str, tuple[str, str]] = {
    "whoami": ("GET", "/api/whoami-v2"),
    "create-repo": ("POST", "/api/repos/create"),
    "settings": ("PUT", "/api/*/*/*/settings"),
    "auth-check": ("GET", "/api/*/*/*/auth-check/write"),
    "validate-yaml": ("POST", "/api/validate-yaml"),
    "info": ("GET", "/api/*/*/*"),
    "revision": ("GET", "/api/*/*/*/revision/**"),
    "preupload": ("POST", "/api/*/*/*/preupload/**"),
    "commit": ("POST", "/api/*/*/*/commit/**"),
    "tree": ("GET", "/api/*/*/*/tree/**"),
    "paths-info": ("POST", "/api/*/*/*/paths-info/*"),
    "commits": ("GET", "/api/*/*/*/commits/*"),
    "refs": ("GET", "/api/*/*/*/refs"),
    "branch": ("POST", "/api/*/*/*/branch/*"),
    "tag": ("POST", "/api/*/*/*/tag/*"),
    "discussions": ("GET", "/api/*/*/*/discussions"),
    "discussion": ("GET", "/api/*/*/*/discussions/*"),
    "create-discussion": ("POST", "/api/*/*/*/discussions"),
    "discussion-edit": ("POST", "/api/*/*/*/discussions/*/comment/*/edit"),
    "discussion-status": ("POST", "/api/*/*/*/discussions/*/status"),
    "merge": ("POST", "/api/*/*/*/discussions/*/merge"),
    "resolve": ("GET", "/**/resolve/**"),
    "resolve-head": ("HEAD", "/**/resolve/**"),
    "lfs-batch": ("POST", "/**/info/lfs/objects/batch"),
    "lfs-put": ("PUT", "/lfs/object/*"),
    "lfs-part": ("PUT", "/lfs/part/*/*"),
    "lfs-complete": ("POST", "/lfs/complete/*"),
    "lfs-verify": ("POST", "/lfs/verify/*"),
    "xet-write-token": ("GET", "/api/*/*/*/xet-write-token/*"),
    "xet-read-token": ("GET", "/api/*/*/*/xet-read-token/*"),
    "xorb-put": ("POST", "/cas/*/v1/xorbs/*/*"),
    "xorb-get": ("GET", "/cas/*/xorb/*"),
    "shard": ("POST", "/cas/*/*/shards"),
    "reconstruction": ("GET", "/cas/*/*/reconstructions/*"),
}
"""Requests that have a name: method and path."""


class Effect(StrEnum):
    """What goes wrong, besides a status."""

    DROP = "drop"
    """The connection is reset before the request is looked at."""
    LOSE = "lose"
    """The request takes effect, and the connection is reset instead of an answer."""
    CUT = "cut"
    """The connection is closed after `bytes` bytes of the answer's body."""
    TRUNCATE = "truncate"
    """The answer has `bytes` bytes and says that this is all."""
    STALL = "stall"
    """No answer for `seconds` seconds (for ever if not given), then the connection is reset."""
    TRICKLE = "trickle"
    """An answer that never ends: one byte of its head every `seconds` seconds (1 if not given), as long as the rule is
    there."""
    LATE = "late"
    """The request takes effect, and the answer comes `seconds` seconds later."""
    SLOW = "slow"
    """The answer's body comes at `rate` bytes a second."""


@dataclass(frozen=True, slots=True)
class Where:
    """Requests by method (None for any) and path."""

    method: str | None
    path: re.Pattern[str]

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is one of these; `path` begins with a slash."""
        return self.method in (None, method) and self.path.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class When:
    """Which of the requests are hit; they are counted from 1.

    Attributes:
        first: only the first so many.
        after: only those after so many.
        every: only each so-many-th.
        p: each with this probability.
        seed: of the random numbers for it.
    """

    first: int | None = None
    after: int = 0
    every: int = 1
    p: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule.

    Attributes:
        text: as it was written.
        where: the requests that it is about.
        effect: a status, or what else goes wrong.
        when: which of these requests it hits.
        retry_after: seconds that a refusal asks the client to wait.
        seconds: how long `late` and `stall` take, and each byte of `trickle`.
        bytes: of the answer that `cut` and `truncate` let through.
        rate: bytes a second of `slow`.
    """

    text: str
    where: Where
    effect: Effect | int
    when: When = When()
    retry_after: int | None = None
    seconds: float | None = None
    bytes: int = 0
    rate: int = 65_536


_WHEN: dict[str, type[int] | type[float]] = {"first": int, "after": int, "every": int, "p": float, "seed": int}
_HOW: dict[Effect, dict[str, type[int] | type[float]]] = {
    Effect.DROP: {},
    Effect.LOSE: {},
    Effect.CUT: {"bytes": int},
    Effect.TRUNCATE: {"bytes": int},
    Effect.STALL: {"seconds": float},
    Effect.TRICKLE: {"seconds": float},
    Effect.LATE: {"seconds": float},
    Effect.SLOW: {"rate": int},
}


def parse_fault(text: str) -> Fault:
    """The rule that a line says.

    Raises:
        UsageError: it has another form.
    """
    where, colon, rest = text.rpartition(": ")
    what, *options = rest.split() or [""]
    if not colon or not what:
        raise _malformed(text, "it is not of the form WHERE: WHAT")
    effect = _effect(text, what)
    types = {**_WHEN, **({"retry_after": int} if isinstance(effect, int) else _HOW[effect])}
    values: dict[str, int | float] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if name not in types or not equals or name in values:
            raise _malformed(text, f"{option} is not one of {', '.join(f'{key}=' for key in types)}, once")
        try:
            values[name] = types[name](value)
        except ValueError:
            raise _malformed(text, f"{value!r} is not a number") from None
    _check(text, effect, values)
    when = When(**{name: values.pop(name) for name in _WHEN if name in values})  # type: ignore[arg-type]
    return Fault(text, _where(text, where.strip()), effect, when, **values)  # type: ignore[arg-type]


def parse_faults(text: str) -> tuple[Fault, ...]:
    """The rules of a text with one in each line; `#` begins a comment.

    Raises:
        UsageError: a line has another form.
    """
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(parse_fault(line) for line in lines if line)


def load_faults(argument: str) -> tuple[Fault, ...]:
    """The rules of the file of that name if there is one; else the argument is a rule itself.

    Raises:
        UsageError: the file cannot be read, or a rule has another form.
    """
    path = Path(argument)
    try:
        if not path.is_file():
            return (parse_fault(argument),)
        with path.open("rb") as file:
            return parse_faults(file.read(_LARGEST_FILE).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{argument} cannot be read as fault rules: {error}", _FORM) from error


class Faults:
    """The rules of a running hub, and how often each was asked and hit. Safe to change from any thread."""

    def __init__(self, rules: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._counters: list[_Counter] = []
        self.set(rules)

    def set(self, rules: Iterable[Fault]) -> None:
        """Replace all rules, and count from the start.

        Raises:
            UsageError: there are too many.
        """
        counters = [_Counter(rule) for rule in rules]
        if len(counters) > _MOST_RULES:
            raise UsageError(f"more than {_MOST_RULES} fault rules", "keep those that the test is about")
        with self._lock:
            self._counters = counters

    @property
    def active(self) -> bool:
        """Whether there are rules."""
        return bool(self._counters)

    def pick(self, method: str, path: str) -> Fault | None:
        """The rule that hits this request: the first in their order. Each that speaks of it counts it.

        A hit of `late` is counted by `held`, once the request has taken effect.
        """
        with self._lock:
            hits = [counter for counter in self._counters if counter.asks(method, path)]
            if not hits:
                return None
            if hits[0].fault.effect is not Effect.LATE:
                hits[0].hit += 1
            return hits[0].fault

    def held(self, fault: Fault) -> None:
        """Count a request of `late` that has taken effect, and whose answer is held from now on."""
        with self._lock:
            for counter in self._counters:
                if counter.fault is fault:
                    counter.hit += 1

    def __iter__(self) -> Iterator[tuple[Fault, int, int]]:
        """Each rule with the number of requests that it spoke of, and of those that it hit."""
        with self._lock:
            return iter([(counter.fault, counter.seen, counter.hit) for counter in self._counters])

    @property
    def hits(self) -> int:
        """How many requests were hit."""
        return sum(hit for _, _, hit in self)


class _Counter:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.seen = 0
        self.hit = 0
        self._random = random.Random(fault.when.seed)  # noqa: S311 -- has to repeat

    def asks(self, method: str, path: str) -> bool:
        if not self.fault.where.matches(method, path):
            return False
        self.seen += 1
        when = self.fault.when
        # Drawn for every request, so that whether one is hit depends on its number alone.
        drawn = self._random.random() < when.p
        in_time = self.seen > when.after and (when.first is None or self.seen - when.after <= when.first)
        return in_time and (self.seen - when.after) % when.every == 0 and drawn


def _where(text: str, where: str) -> Where:
    method, path = PLACES.get(where) or (where.partition(" ")[0], where.partition(" ")[2].strip())
    if not re.fullmatch(r"[A-Z]+|\*", method) or not path.startswith("/"):
        raise _malformed(text, f"{where!r} is not a method and a path, nor one of {', '.join(PLACES)}")
    pattern = "".join(_SEGMENTS.get(segment) or "/" + re.escape(segment) for segment in path[1:].split("/"))
    return Where(None if method == "*" else method, re.compile(pattern, re.DOTALL))


_SEGMENTS = {"*": "/[^/]+", "**": "(?:/.*)?"}


def _effect(text: str, what: str) -> Effect | int:
    if re.fullmatch(r"[45]\d\d", what):
        return int(what)
    if what not in list(Effect):
        raise _malformed(text, f"{what!r} is not a status from 400 to 599, nor one of {', '.join(Effect)}")
    return Effect(what)


def _check(text: str, effect: Effect | int, values: dict[str, int | float]) -> None:
    if not all(0 <= value < 1e9 for value in values.values()):  # NaN is neither
        raise _malformed(text, "a number is negative or too large")
    if values.get("p", 0) > 1:
        raise _malformed(text, "p is more than 1")
    if values.get("every") == 0 or values.get("rate") == 0:
        raise _malformed(text, "every and rate are at least 1")
    if effect is Effect.LATE and "seconds" not in values:
        raise _malformed(text, "late needs seconds=")


def _malformed(text: str, what: str) -> UsageError:
    return UsageError(f"the fault rule {text[:200]!r} is not understood: {what}", _FORM)
