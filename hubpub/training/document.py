"""The file `hubpub_run.json` as it grows while a training runs: all that is known, written in one step."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubpub.core.files import replace_file
from hubpub.model.curves import CurveMaker, thinned
from hubpub.model.hubpub_run import RUN_FILE, RUN_SCHEMA
from hubpub.model.jsonfile import read_json
from hubpub.training.redact import as_number, plain, text

_MOST_CURVES = 100
_MOST_POINTS = 500
_MOST_EVALUATIONS = 500
_MOST_METRICS = 200
_MOST_DATA = 50


@dataclass
class RunDocument:
    """What is known of a run so far.

    Attributes:
        folder: where the file is written.
        values: the top level of the file, but for what follows.
        data: descriptions of data sets.
        evaluations: what was measured.
    """

    folder: Path
    values: dict[str, Any] = field(default_factory=dict)
    data: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    _curves: dict[str, CurveMaker] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _started: str = field(default_factory=lambda: _now())
    _before: float = 0.0

    def take_up(self) -> None:
        """Go on from the file that an earlier part of the run has left: its log, its evaluations and its time."""
        path = self.folder / RUN_FILE
        if not path.is_file():
            return
        earlier = read_json(lambda: path.open("rb")).value
        if not isinstance(earlier, dict) or earlier.get("schema") != RUN_SCHEMA:
            return
        self._before = sum(
            float(value)
            for name in ("seconds", "seconds_before")
            if (value := as_number(earlier.get(name))) and value > 0
        )
        self._started = earlier["started"] if isinstance(earlier.get("started"), str) else self._started
        for name, points in earlier["log"].items() if isinstance(earlier.get("log"), dict) else ():
            for point in points if isinstance(points, list) else ():
                if isinstance(point, list) and len(point) == 2:
                    self.add(name, point[0], point[1])
        listed = earlier.get("evaluations")
        self.evaluations += [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []

    def add(self, name: str, step: Any, value: Any) -> None:
        """A number that was logged; what is no finite number is left out."""
        number, at = as_number(value), as_number(step)
        if number is None or not isinstance(at, int):
            return
        if name not in self._curves:
            if len(self._curves) >= _MOST_CURVES:
                return
            self._curves[name] = CurveMaker()
        self._curves[name].add(at, number)

    def forget_log(self) -> None:
        """Begin the log anew, from a source that has all of it."""
        self._curves.clear()

    def describe_data(self, descriptions: list[dict[str, Any]]) -> None:
        """Data that were used; the same ones are kept once."""
        for one in descriptions:
            if one not in self.data and len(self.data) < _MOST_DATA:
                self.data.append(one)

    def evaluated(self, metrics: Mapping[str, Any], data: str | None, step: int | None) -> None:
        """Metrics of one evaluation."""
        named = ((text(str(name))[:200], as_number(value)) for name, value in list(metrics.items())[:_MOST_METRICS])
        numbers = {name: value for name, value in named if value is not None}
        if numbers and len(self.evaluations) < _MOST_EVALUATIONS:
            one = {"step": step, "data": data, "metrics": numbers}
            self.evaluations.append({key: value for key, value in one.items() if value is not None})

    def write(self, state: str, *, error: str | None = None) -> None:
        """Put the file into the folder, in one step."""
        seconds = time.monotonic() - self._began
        document = {
            "schema": RUN_SCHEMA,
            "state": state,
            "error": error,
            "started": self._started,
            "saved": _now(),
            "seconds": round(seconds, 3),
            "seconds_before": round(self._before, 3) or None,
            **{name: plain(value, name) for name, value in self.values.items()},
            "data": self.data,
            "evaluations": self.evaluations,
            "log": {
                text(name)[:200]: thinned(maker.curve(name, "").points, _MOST_POINTS)
                for name, maker in self._curves.items()
            },
        }
        kept = {name: value for name, value in document.items() if value not in (None, [], {}, "")}
        self.folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(kept, indent=1, ensure_ascii=False, allow_nan=False)
        replace_file(self.folder / RUN_FILE, (_flat(content) + "\n").encode("utf-8", "replace"))


def _flat(content: str) -> str:
    """The points of a log on one line each."""
    import re

    return re.sub(r"\[\s+(-?[\d.e+-]+),\s+(-?[\d.e+-]+)\s+\]", r"[\1, \2]", content)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
