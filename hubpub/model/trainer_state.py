"""trainer_state.json of transformers: how far a run went, its best checkpoint, and all that it logged.

Written by TrainerState.save_to_json,
https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_callback.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hubpub.core.pattern import Pattern
from hubpub.model.curves import Curve, curves_of
from hubpub.model.files import Fact, Files, Unread, finite, whole

_NAME = Pattern(r"trainer_state\.json", clues=("trainer_state.json",))
_CHECKPOINT = Pattern(r"(?:.*/)?checkpoint-(\d{1,15})/trainer_state\.json", clues=("checkpoint-",))
_LIMIT = 64 << 20  # a run of 100,000 logged steps has some 25 MB
_MOST_ENTRIES = 200_000
_MOST_VALUES = 200
_OWN_KEYS = frozenset(["log_history", "global_step", "num_train_epochs"])
_NUMBERS = (
    "global_step",
    "max_steps",
    "epoch",
    "num_train_epochs",
    "total_flos",
    "num_input_tokens_seen",
    "train_batch_size",
    "best_metric",
    "best_global_step",
    "logging_steps",
    "eval_steps",
    "save_steps",
)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What was logged at once.

    Attributes:
        index: 0-based, in `log_history`.
        step: after which it was logged.
        epoch: how far the run was.
        values: the numbers by name.
    """

    index: int
    step: int | None
    epoch: int | float | None
    values: dict[str, int | float]


@dataclass(frozen=True, slots=True)
class TrainerState:
    """A trainer_state.json.

    Attributes:
        path: of the file.
        facts: its numbers, by their names there; what is 0 or less because it was not set is left out.
        best_checkpoint: name of the best checkpoint's directory, without those that it lies in.
        log: what was logged, in order.
    """

    path: str
    facts: tuple[Fact, ...] = ()
    best_checkpoint: Fact | None = None
    log: tuple[LogEntry, ...] = ()

    def number(self, name: str) -> int | float | None:
        """One of the numbers, by its name in the file."""
        found = (fact.value for fact in self.facts if fact.name == name)
        return finite(next(found, None))

    @property
    def curves(self) -> tuple[Curve, ...]:
        """What was logged more than once, by step: "loss", "learning_rate", "eval_loss", ..."""
        points = ((name, entry.step, value) for entry in self.log for name, value in entry.values.items())
        return curves_of(self.path, ((name, step, value) for name, step, value in points if step is not None))

    @property
    def evaluations(self) -> tuple[LogEntry, ...]:
        """The entries of evaluations."""
        return tuple(entry for entry in self.log if any(name.startswith("eval_") for name in entry.values))

    @property
    def best_evaluation(self) -> LogEntry | None:
        """The evaluation that the best metric comes from, when the file tells which one it is."""
        step = self.number("best_global_step")
        best = self.number("best_metric")
        found = [entry for entry in self.evaluations if step is not None and entry.step == step]
        return next((entry for entry in found if best in entry.values.values()), None)


def read_trainer_states(files: Files) -> tuple[tuple[TrainerState, ...], tuple[Unread, ...]]:
    """The states of the runs; that of a checkpoint only where its run left none, and then of its last checkpoint."""
    chosen: dict[str, tuple[int, str]] = {}
    for entry in files.named(_NAME):
        checkpoint = _CHECKPOINT.fullmatch(entry.path)
        parent = entry.path.rpartition("/")[0]
        run = parent.rpartition("/")[0] if checkpoint else parent
        chosen[run] = max(chosen.get(run, (-1, "")), (int(checkpoint[1]) if checkpoint else 1 << 62, entry.path))
    states, unread = [], []
    for _, path in sorted(chosen.values(), key=lambda found: (found[1].count("/"), found[1])):
        document = files.json(path, limit=_LIMIT)
        if not isinstance(document.value, dict):
            unread.append(Unread(path, document.problem.message if document.problem else "is empty"))
        elif _OWN_KEYS & document.value.keys():
            states.append(parse_trainer_state(document.value, path))
    return tuple(states), tuple(unread)


def parse_trainer_state(state: dict[str, Any], path: str) -> TrainerState:
    """The state that a file holds."""
    best = state.get("best_model_checkpoint")
    # it is a path on the machine that trained, with either kind of slash
    name = re.split(r"[/\\]", best[-4096:].rstrip("/\\"))[-1][:200] if isinstance(best, str) else ""
    checkpoint = Fact("best_checkpoint", name, path, "best_model_checkpoint") if name else None
    return TrainerState(path, tuple(_facts(state, path)), checkpoint, tuple(_log(state.get("log_history"))))


def _facts(state: dict[str, Any], path: str) -> Iterator[Fact]:
    for name in _NUMBERS:
        value = finite(state.get(name))
        if value is not None and (value > 0 or name == "best_metric"):
            yield Fact(name, value, path, name)


def _log(history: Any) -> Iterator[LogEntry]:
    for index, entry in enumerate(history[:_MOST_ENTRIES] if isinstance(history, list) else []):
        if isinstance(entry, dict):
            named = list(entry.items())[:_MOST_VALUES]
            numbers = {name: number for name, value in named if (number := finite(value)) is not None}
            step, epoch = whole(numbers.pop("step", None)), numbers.pop("epoch", None)
            if numbers:
                yield LogEntry(index, step, epoch, numbers)
