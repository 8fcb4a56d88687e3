"""A recorder for training loops of one's own: it saves what the card needs beside the model.

Only the first of several processes writes. Nothing here ever stops a training: what goes wrong becomes one warning.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from hubpub.training.base_model import loaded_from
from hubpub.training.code import training_code
from hubpub.training.describe_data import describe
from hubpub.training.document import RunDocument
from hubpub.training.machine import hardware, peak_gpu_memory, process, software
from hubpub.training.redact import plain, text

_EVERY = 30.0  # seconds between two writes while numbers are logged
_logger = logging.getLogger("hubpub.training")
_Given = ParamSpec("_Given")


def _harmless(
    method: Callable[Concatenate[RunRecord, _Given], None],
) -> Callable[Concatenate[RunRecord, _Given], None]:
    """The method, from which no exception comes: the first is a warning in the log, others are silent."""

    @functools.wraps(method)
    def careful(self: RunRecord, /, *args: _Given.args, **kwargs: _Given.kwargs) -> None:
        try:
            if self.writes:
                method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001, RUF100 -- whatever it is, the training goes on
            self._complain(error)

    return careful


class RunRecord:
    """What is kept of one run.

    Attributes:
        writes: whether this process is the one of the run that writes.
    """

    def __init__(self, folder: Path | str, *, resumed: bool = False) -> None:
        """Begin.

        Args:
            folder: where the model is or will be saved.
            resumed: whether an earlier part of the run has left its record there, which is then continued.
        """
        self._complained = False
        self._state = "running"
        self._error: str | None = None
        self._saved = 0.0
        self._step = 0
        self._described: dict[int, dict[str, Any]] = {}
        rank, count = _rank()
        self.writes = rank == 0
        self._document = RunDocument(Path(folder))
        self._begin(count, resumed=resumed)

    @_harmless
    def _begin(self, count: int, *, resumed: bool) -> None:
        if resumed:
            self._document.take_up()
        self._document.values.update(
            resumed=resumed, processes=count, hardware=hardware(), software=software(), code=training_code()
        )
        self._write()

    @_harmless
    def log(self, /, *, step: int | None = None, **numbers: Any) -> None:
        """Numbers of one step, such as loss=..., learning_rate=..., val_loss=...; a tensor of one number is one.

        Args:
            step: number of the step; without it, one more than the last.
            numbers: by name.
        """
        self._step = self._step + 1 if step is None else int(step)
        for name, value in numbers.items():
            self._document.add(name, self._step, value)
        if time.monotonic() - self._saved > _EVERY:
            self._write()

    @_harmless
    def data(self, data: Any, *, split: str | None = None, name: str | None = None, role: str | None = None) -> None:
        """Data of the run; what they are is kept, never what is in them.

        Args:
            data: of `datasets`, a Dataset or DataLoader of torch, a data frame, a list of rows, or a name.
            split: its split, when the data do not say so themselves.
            name: best the id of the data set on the Hub, when the data do not say so themselves.
            role: "training" or "evaluation"; without it, "evaluation" for splits that are not called "train...".
        """
        role = role or ("evaluation" if split and "train" not in split.lower() else "training")
        described = describe(data, split=split, name=name, role=role)
        self._document.describe_data(described)
        if len(described) == 1:
            self._described[id(data)] = described[0]

    @_harmless
    def settings(self, /, **settings: Any) -> None:
        """Hyper-parameters, best by their names in TrainingArguments: learning_rate=2e-5, seed=42, ..."""
        self._document.values["arguments"] = self._document.values.get("arguments", {}) | settings
        if isinstance(settings.get("seed"), int):
            self._document.values["seed"] = settings["seed"]

    @_harmless
    def components(self, *, model: Any = None, loss: Any = None, optimizer: Any = None, scheduler: Any = None) -> None:
        """Parts of the training, of which the names of their classes are kept, and the repo of the model's weights."""
        named = {"model": model, "loss": loss, "optimizer": optimizer, "scheduler": scheduler}
        known = self._document.values.setdefault("components", {})
        known |= {role: _class_name(part) for role, part in named.items() if part is not None}
        base = loaded_from(model) if model is not None else None
        if base is not None:
            self._document.values.setdefault("base_model", base)

    @_harmless
    def evaluate(self, metrics: Mapping[str, Any], *, data: Any = None, step: int | None = None) -> None:
        """Metrics of an evaluation.

        Args:
            metrics: numbers by name.
            data: what was evaluated on: a name, or as for `data`.
            step: after which it was made; None for the trained model.
        """
        label = None
        if isinstance(data, str):
            label = text(data)
        elif data is not None:
            label = self._label_of(data)
        self._document.evaluated(metrics, label, step)
        self._write()

    def _label_of(self, data: Any) -> str | None:
        """The split or name of data: of those that `data()` was given already, what was said then."""
        described = describe(data, role="evaluation")
        known = self._described.get(id(data), {})
        if len(described) == 1 and described[0].items() <= {**known, "role": "evaluation"}.items():
            return known.get("split") or known.get("name")
        self._document.describe_data(described)
        return described[0].get("name") or described[0].get("split")

    @_harmless
    def note(self, /, **values: Any) -> None:
        """Further facts of the run: steps=..., epochs=..., total_flos=..., base_model="namespace/name", ..."""
        self._document.values.update({name: plain(value, name) for name, value in values.items()})

    @_harmless
    def log_anew(self, entries: list[dict[str, Any]]) -> None:
        """The whole log, in the form of `log_history` of transformers, in place of what was logged so far."""
        self._document.forget_log()
        for entry in entries:
            for name, value in entry.items():
                if name not in ("step", "epoch"):
                    self._document.add(name, entry.get("step"), value)

    @_harmless
    def save(self) -> None:
        """Write the file now."""
        self._write()

    @_harmless
    def finish(self, error: BaseException | type[BaseException] | None = None) -> None:
        """The training is over; after an error, its kind is kept, and not what it says."""
        self._state = "finished" if error is None else "failed"
        if error is not None:
            self._error = error.__name__ if isinstance(error, type) else type(error).__name__
        # libraries that were imported since are part of the software
        self._document.values["software"] = software()
        peak = peak_gpu_memory()
        if peak:
            self._document.values["hardware"] = {**hardware(), "gpu_memory_peak": peak}
        self._write()

    def _write(self) -> None:
        self._saved = time.monotonic()
        self._document.write(self._state, error=self._error)

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            _logger.warning(
                "the record of this run for its model card is incomplete: %s: %s", type(error).__name__, error
            )


@contextmanager
def record(folder: Path | str, *, resumed: bool = False) -> Iterator[RunRecord]:
    """Record a training in a loop of one's own; see `hubpub.training`.

    Args:
        folder: where the model is or will be saved; hubpub_run.json is put there at once, and brought up to date.
        resumed: whether the run goes on from an earlier part, whose record lies there.
    """
    run = RunRecord(folder, resumed=resumed)
    try:
        yield run
    except BaseException as error:
        run.finish(error)
        raise
    run.finish()


def _rank() -> tuple[int, int]:
    try:
        return process()
    except Exception:  # noqa: BLE001, RUF100 -- a backend that is half set up
        return 0, 1


def _class_name(part: Any) -> str:
    if isinstance(part, str):
        return text(part)[:100]
    # accelerate puts optimisers and schedulers into wrappers of its own
    inner = getattr(part, "optimizer" if "Optimizer" in type(part).__name__ else "scheduler", None)
    if type(part).__module__.startswith("accelerate") and inner is not None:
        part = inner
    name = getattr(part, "__name__", None) if not isinstance(part, type) else part.__name__
    return text(name if isinstance(name, str) else type(part).__name__)[:100]
