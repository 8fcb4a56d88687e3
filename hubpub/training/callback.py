"""The callback for transformers' Trainer, and those that are made from it (TRL, sentence-transformers, SetFit).

https://huggingface.co/docs/transformers/main_classes/callback
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from hubpub.training.record import RunRecord

_PREFIXES = ("eval_", "test_")


class CardCallback(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Saves `hubpub_run.json` beside the model that a Trainer makes."""

    def __init__(
        self,
        folder: Path | str | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        loss: Any = None,
        base_model: str | None = None,
    ) -> None:
        """Options.

        Args:
            folder: where the model will be saved; None takes the Trainer's `output_dir`.
            data: the data by split, when they say more than what the Trainer is given, such as before tokenization.
            loss: the loss, when it is not the model's own.
            base_model: the id of the repo whose weights the training begins with, when they were loaded from a folder.
        """
        self._folder = folder
        self._data = data
        self._loss = loss
        self._base_model = base_model
        self._run: RunRecord | None = None
        self._over = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin the record."""
        run = self._run = RunRecord(self._folder or args.output_dir, resumed=bool(state.global_step))
        run.writes = run.writes and bool(state.is_world_process_zero)
        self._over = False
        run.settings(**_arguments(args))
        run.note(seed=args.seed, processes=getattr(args, "world_size", 1))
        model = kwargs.get("model")
        if self._base_model is not None:
            run.note(base_model=self._base_model)
        run.components(
            model=model,
            loss=self._loss,
            optimizer=kwargs.get("optimizer"),
            scheduler=kwargs.get("lr_scheduler"),
        )
        if self._data is not None:
            run.data(dict(self._data))
        else:
            _describe(run, kwargs.get("train_dataloader"), "train")
            _describe(run, kwargs.get("eval_dataloader"), "evaluation")
        run.save()
        atexit.register(self._at_exit)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Take what is logged."""
        if self._run is not None and logs:
            numbers = {name: value for name, value in logs.items() if name != "epoch"}
            self._run.log(step=state.global_step, **{str(name): value for name, value in numbers.items()})

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Take what was measured."""
        self._measured(state, metrics, kwargs.get("eval_dataloader"))

    def on_predict(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        """Take what was measured on a test set."""
        self._measured(state, metrics, None)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write."""
        self._write(state)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The training has come to its end."""
        if self._run is not None:
            self._over = True
            atexit.unregister(self._at_exit)
            self._run.log_anew(list(state.log_history))
            self._run.note(**_progress(state))
            self._run.finish()

    def _measured(self, state: Any, metrics: Mapping[str, Any] | None, loader: Any) -> None:
        if self._run is None or not metrics:
            return
        if self._data is None:
            _describe(self._run, loader, "evaluation")
        name = _data_name(metrics, self._data)
        self._run.evaluate(metrics, data=name, step=state.global_step)

    def _write(self, state: Any) -> None:
        if self._run is not None:
            self._run.log_anew(list(state.log_history))
            self._run.note(**_progress(state))
            self._run.save()

    def _at_exit(self) -> None:
        """The program ends and the training has not: the interpreter knows of what, when nobody caught it."""
        if self._run is not None and not self._over:
            kind = getattr(sys, "last_type", None)
            self._run.finish(kind if isinstance(kind, type) else SystemExit)


def _arguments(args: Any) -> dict[str, Any]:
    """The arguments that are set; to_dict() names tokens instead of giving them."""
    given = args.to_dict()
    machine = {"logging_dir", "log_level", "log_level_replica", "local_rank", "run_name", "disable_tqdm"}
    return {name: value for name, value in given.items() if value is not None and name not in machine}


def _progress(state: Any) -> dict[str, Any]:
    best = getattr(state, "best_model_checkpoint", None)
    return {
        "steps": state.global_step,
        "epochs": state.epoch,
        "total_flos": state.total_flos or None,
        "best_metric": state.best_metric,
        "best_checkpoint": Path(best).name if isinstance(best, str) else None,
    }


def _describe(run: RunRecord, loader: Any, split: str) -> None:
    if loader is not None:
        # the split that the data name themselves comes before this one
        own = getattr(getattr(loader, "dataset", None), "split", None)
        run.data(
            loader, split=str(own) if own is not None else split, role="training" if split == "train" else "evaluation"
        )


def _data_name(metrics: Mapping[str, Any], data: Mapping[str, Any] | None) -> str | None:
    """The name in front of the metrics when several data sets are evaluated: eval_<name>_loss."""
    for name in data or ():
        if any(str(metric).startswith(f"{prefix}{name}_") for prefix in _PREFIXES for metric in metrics):
            return str(name)
    first = next((str(metric) for metric in metrics if str(metric).endswith("_loss")), "")
    for prefix in _PREFIXES:
        if first.startswith(prefix):
            return first.removeprefix(prefix).removesuffix("loss").rstrip("_") or None
    return None
