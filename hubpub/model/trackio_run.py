"""What trackio left on the disk of a run: what was logged, its last numbers, the settings.

trackio keeps a project in `PROJECT.db` in the directory that TRACKIO_DIR names, which a training script may set to the
folder of the run (https://github.com/gradio-app/trackio/blob/main/trackio/utils.py). Else it is in the user's cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hubpub.core.pattern import Pattern
from hubpub.model.curves import Curve, CurveMaker
from hubpub.model.files import Fact, Files, Unread, finite
from hubpub.model.jsonfile import parse_json
from hubpub.model.run_config import RunConfig, parse_run_config
from hubpub.model.trackio_file import DATABASE_LIMIT, SCHEMA_WITHIN, is_trackio, read_trackio_file

# A registry lists models of many projects.
_DATABASE = Pattern(r"(?!registry-)[\w-]{1,200}\.db", clues=(".db",))
_MOST_BYTES = 4 * DATABASE_LIMIT
_MOST_RUNS = 1000
_MOST_NAMES = 1000
_MOST_NUMBERS = 1_000_000  # a few seconds
_DEEPEST = 8
_NO_NUMBER = ("NaN", "Infinity", "-Infinity")  # how trackio writes them


@dataclass(frozen=True, slots=True)
class TrackioRun:
    """A run of a project.

    Attributes:
        path: of the database.
        summary: the last number of everything that was logged, nested names joined by dots.
        config: the settings; None when none are known.
        curves: what was logged.
    """

    path: str
    summary: tuple[Fact, ...] = ()
    config: RunConfig | None = None
    curves: tuple[Curve, ...] = ()


@dataclass
class _Logged:
    last: dict[str, int | float | None] = field(default_factory=dict)
    curves: dict[str, CurveMaker] = field(default_factory=dict)
    config: RunConfig | None = None


def read_trackio_runs(files: Files) -> tuple[tuple[TrackioRun, ...], tuple[Unread, ...]]:
    """The runs, by database; in each the one that logged last comes last."""
    runs: list[TrackioRun] = []
    unread: list[Unread] = []
    left = _MOST_BYTES
    for entry in files.named(_DATABASE, total=1 << 62):
        path = entry.path
        log = files.by_path.get(f"{path}-wal")
        if not is_trackio(files.start(path, SCHEMA_WITHIN)):
            if path.split("/")[-2:-1] in (["trackio"], [".trackio"]):
                unread.append(Unread(path, "is no database of trackio, or holds nothing yet"))
        elif entry.size > min(DATABASE_LIMIT, left):
            unread.append(Unread(path, f"is {entry.size:,} bytes; at most {min(DATABASE_LIMIT, left):,} are read"))
        elif log is not None and log.size:
            unread.append(
                Unread(path, f"lacks what {log.path} holds; let trackio finish, or open it once with sqlite3")
            )
        else:
            left -= entry.size
            found, problem = _runs(files, path)
            runs += found
            unread += [Unread(path, problem)] if problem else []
    return tuple(runs), tuple(unread)


def _runs(files: Files, path: str) -> tuple[list[TrackioRun], str | None]:
    file = read_trackio_file(files.opener(path))
    if file.problem:
        return [], file.problem
    logged: dict[str, _Logged] = {}
    odd = count = 0
    for run, config in file.configs[:_MOST_RUNS]:
        settings = _object(config)
        odd += settings is None
        logged.setdefault(run, _Logged()).config = _config(settings or {}, path)
    for run, step, metrics in file.metrics:
        # dictionaries keep their order: the run that logs goes to the end
        one = logged.pop(run, None) or _Logged()
        values = _object(metrics)
        if len(logged) < _MOST_RUNS:
            logged[run] = one
        if values is None:
            odd += 1
            continue
        for name, number in _numbers(values, "", 0):
            count += 1
            if name in one.last or len(one.last) < _MOST_NAMES:
                one.last[name] = number
                if number is not None:
                    one.curves.setdefault(name, CurveMaker()).add(step, number)
        if count > _MOST_NUMBERS:
            return [], f"holds more than {_MOST_NUMBERS:,} numbers"
    problem = f"holds {odd:,} rows that are no JSON objects" if odd else None
    return [
        TrackioRun(
            path,
            tuple(
                Fact(name, number, path, f"metrics.{name}") for name, number in one.last.items() if number is not None
            ),
            one.config,
            tuple(maker.curve(name, path) for name, maker in one.curves.items()),
        )
        for one in logged.values()
    ], problem


def _object(text: bytes) -> dict[str, Any] | None:
    value = parse_json(text).value
    return value if isinstance(value, dict) else None


def _config(settings: Mapping[str, Any], path: str) -> RunConfig | None:
    """The settings without what trackio adds: who the person is, and when it was."""
    own = {name: value for name, value in settings.items() if not name.startswith("_")}
    config = parse_run_config(own, path, named=True)
    if config is None:
        return None
    return replace(
        config,
        settings=tuple(_of_configs(fact) for fact in config.settings),
        base_model=_of_configs(config.base_model) if config.base_model else None,
        datasets=tuple(_of_configs(fact) for fact in config.datasets),
    )


def _of_configs(fact: Fact) -> Fact:
    return replace(fact, key=f"configs.{fact.key}")


def _numbers(values: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, int | float | None]]:
    """Names and numbers; None for what was logged as a number and is none."""
    for name, value in values.items():
        if name.startswith("_"):
            continue
        key = before + name[:200]
        number = finite(value)
        if number is not None or value in _NO_NUMBER or isinstance(value, float):
            yield key, number
        elif isinstance(value, dict) and depth < _DEEPEST and "_type" not in value:  # a table, an image, a histogram
            yield from _numbers(value, key + ".", depth + 1)
