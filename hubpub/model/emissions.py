"""emissions.csv of codecarbon: energy and CO2 of a run, where and on what it ran.

The columns:
https://github.com/mlco2/codecarbon/blob/master/codecarbon/output_methods/emissions_data.py. Of where the
machine stood, country and region are taken; latitude and longitude are nobody's business.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from hubpub.core.pattern import Pattern
from hubpub.model.files import Fact, Files, Unread, finite, line_of

_NAME = Pattern(r"emissions(?:[-_]\w{1,60})?\.csv", clues=("emissions",))
_LIMIT = 4 << 20
_MOST_ROWS = 20_000
_NUMBERS = (
    "duration",
    "emissions",
    "energy_consumed",
    "cpu_energy",
    "gpu_energy",
    "ram_energy",
    "water_consumed",
    "cpu_count",
    "gpu_count",
    "ram_total_size",
    "pue",
)
_TEXTS = (
    "timestamp",
    "project_name",
    "country_name",
    "country_iso_code",
    "region",
    "cloud_provider",
    "cloud_region",
    "on_cloud",
    "os",
    "python_version",
    "codecarbon_version",
    "cpu_model",
    "gpu_model",
    "tracking_mode",
)


@dataclass(frozen=True, slots=True)
class Emissions:
    """What codecarbon measured of one run.

    Attributes:
        path: of the file.
        line: 1-based line on which its row begins.
        run_id: codecarbon's id of the run.
        kilograms: of CO2 equivalent; the Hub's metadata wants grams.
        seconds: how long it was measured.
        kilowatt_hours: energy.
        facts: all that the row says of machine, place and versions, by the names of the columns.
    """

    path: str
    line: int
    run_id: str
    kilograms: float
    seconds: float | None
    kilowatt_hours: float | None
    facts: tuple[Fact, ...]

    def text(self, column: str) -> str | None:
        """What the row says in one of the columns that hold text."""
        return next((fact.value for fact in self.facts if fact.name == column and isinstance(fact.value, str)), None)

    def number(self, column: str) -> int | float | None:
        """What the row says in one of the columns that hold numbers."""
        return next((finite(fact.value) for fact in self.facts if fact.name == column), None)


def read_emissions(files: Files) -> tuple[tuple[Emissions, ...], tuple[Unread, ...]]:
    """The runs in the files of codecarbon, in their order; of a run's rows, which add up, the last."""
    found: list[Emissions] = []
    unread = []
    for entry in files.named(_NAME):
        if entry.size > _LIMIT:
            unread.append(Unread(entry.path, f"is {entry.size:,} bytes; at most {_LIMIT:,} are read"))
            continue
        try:
            found += parse_emissions(files.start(entry.path, _LIMIT), entry.path)
        except ValueError as error:
            unread.append(Unread(entry.path, str(error)))
    return tuple(found), tuple(unread)


def parse_emissions(data: bytes, path: str) -> tuple[Emissions, ...]:
    """The runs of one file, in the order of their last rows.

    Raises:
        ValueError: it is no such file; the message is the end of a sentence.
    """
    rows = csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    runs: dict[str, Emissions] = {}
    try:
        columns = next(rows, [])
        if not {"emissions", "duration"} <= set(columns):
            raise ValueError("has not the columns of codecarbon")
        line = rows.line_num + 1
        for _, row in zip(range(_MOST_ROWS), rows, strict=False):
            run = _run(dict(zip(columns, row, strict=False)), path, line)
            line = rows.line_num + 1
            if run is not None:
                runs.pop(run.run_id, None)
                runs[run.run_id] = run
    except csv.Error as error:
        raise ValueError(f"is not CSV: {error}") from error
    return tuple(runs.values())


def _run(row: dict[str, str], path: str, line: int) -> Emissions | None:
    kilograms = _number(row.get("emissions"))
    if kilograms is None or kilograms < 0:
        return None
    facts = tuple(_facts(row, path, line))
    run_id = line_of(row.get("run_id"), 100) or f"line {line}"
    seconds, energy = _number(row.get("duration")), _number(row.get("energy_consumed"))
    return Emissions(path, line, run_id, kilograms, seconds, energy, facts)


def _facts(row: dict[str, str], path: str, line: int) -> Iterator[Fact]:
    for column in _NUMBERS:
        if (number := _number(row.get(column))) is not None:
            yield Fact(column, number, path, column, line)
    for column in _TEXTS:
        if text := line_of(row.get(column)):
            yield Fact(column, text, path, column, line)


def _number(text: str | None) -> float | None:
    try:
        return finite(float(text)) if text and len(text) <= 64 else None
    except ValueError:
        return None
