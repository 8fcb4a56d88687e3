"""hubpub_run.json: what `hubpub.training` records of a run while it trains; docs/training.md has its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hubpub.core.pattern import Pattern
from hubpub.model.curves import Curve, curves_of
from hubpub.model.dataset_info import DataSet, Split
from hubpub.model.files import Fact, Files, Unread, finite, line_of, whole
from hubpub.model.git_checkout import web_address
from hubpub.model.run_config import RunConfig, parse_run_config
from hubpub.model.tables import Column

RUN_FILE = "hubpub_run.json"
RUN_SCHEMA = "hubpub.run/1"

_NAME = Pattern(r"hubpub_run\.json", clues=("hubpub_run.json",))
_STATES = ("running", "finished", "failed")
_COMMIT = Pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TIME = Pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_VERSION = Pattern(r"[\w.+!() /-]{1,50}")
_LIBRARY = Pattern(r"[a-z][a-z0-9-]{0,50}")
_MOST = 1000
_MOST_COLUMNS, _MOST_CLASSES = 200, 1000
_NUMBERS = (
    "seed",
    "processes",
    "steps",
    "epochs",
    "total_flos",
    "best_metric",
)
_COMPONENTS = ("model", "loss", "optimizer", "scheduler")
# Of data that load_dataset() read from files, `datasets` says how and not what: datasets.packaged_modules of 5.2.
_LOADERS = frozenset(
    [
        "arrow",
        "audiofolder",
        "cache",
        "csv",
        "eval",
        "generator",
        "hdf5",
        "imagefolder",
        "json",
        "lance",
        "niftifolder",
        "pandas",
        "parquet",
        "pdffolder",
        "spark",
        "sql",
        "text",
        "tsfile",
        "videofolder",
        "webdataset",
        "xml",
    ]
)


@dataclass(frozen=True, slots=True)
class RecordedEvaluation:
    """Metrics that were measured at once.

    Attributes:
        step: after which they were measured; None when it is not said.
        data: what was evaluated on; None when it is not said.
        metrics: by their names in the training code.
    """

    step: int | None
    data: str | None
    metrics: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run as its training code has recorded it.

    Attributes:
        path: of the file.
        state: "finished", "failed", or "running" for one that was killed or goes on.
        started: when, as YYYY-MM-DDThh:mm:ssZ.
        saved: when the file was written last, likewise.
        seconds: how long it took, with the earlier parts of a run that was resumed.
        resumed: whether it was.
        facts: "seed", "processes", "steps", "epochs", "total_flos", "best_metric", "best_checkpoint", "base_model".
        hardware: "cpu", "cpu_count", "memory" in bytes, "gpu", "gpu_count", "gpu_memory", "gpu_memory_peak" in bytes.
        software: versions by name.
        components: names of classes: "model", "loss", "optimizer", "scheduler".
        commit: of the training code.
        dirty: whether its files differed from that commit; None when it is not known.
        remote: web address of the training code.
        command: the command line.
        config: the hyper-parameters; None when none of a known name was recorded.
        data: the data sets.
        evaluations: in order.
        curves: what was logged, by step.
    """

    path: str
    state: str
    started: str | None = None
    saved: str | None = None
    seconds: Fact | None = None
    resumed: bool = False
    facts: tuple[Fact, ...] = ()
    hardware: tuple[Fact, ...] = ()
    software: tuple[Fact, ...] = ()
    components: tuple[Fact, ...] = ()
    commit: Fact | None = None
    dirty: bool | None = None
    remote: Fact | None = None
    command: Fact | None = None
    config: RunConfig | None = None
    data: tuple[DataSet, ...] = ()
    evaluations: tuple[RecordedEvaluation, ...] = ()
    curves: tuple[Curve, ...] = ()

    def fact(self, name: str) -> Fact | None:
        """One of the facts, by its name."""
        return next((fact for fact in self.facts if fact.name == name), None)


def read_recorded_runs(files: Files) -> tuple[tuple[RecordedRun, ...], tuple[Unread, ...]]:
    """The recorded runs, that of the whole folder first."""
    found, unread = [], []
    for entry in sorted(files.named(_NAME), key=lambda entry: (entry.path.count("/"), entry.path)):
        document = files.json(entry.path)
        if not isinstance(document.value, dict):
            unread.append(Unread(entry.path, document.problem.message if document.problem else "is empty"))
        elif document.value.get("schema") != RUN_SCHEMA:
            unread.append(Unread(entry.path, f"has another schema than {RUN_SCHEMA}"))
        else:
            found.append(parse_recorded_run(document.value, entry.path))
    return tuple(found), tuple(unread)


def parse_recorded_run(document: Mapping[str, Any], path: str) -> RecordedRun:
    """What a file says; whatever is not of its kind is left out."""
    code = _object(document, "code")
    commit, remote, command = code.get("commit"), code.get("remote"), line_of(code.get("command"), 4000)
    address = web_address(remote) if isinstance(remote, str) else None
    known = isinstance(commit, str) and _COMMIT.fullmatch(commit)
    dirty = code.get("dirty")
    state = document.get("state")
    return RecordedRun(
        path,
        state if state in _STATES else "running",
        _time(document.get("started")),
        _time(document.get("saved")),
        _seconds(document, path),
        document.get("resumed") is True,
        tuple(_facts(document, path)),
        tuple(_hardware(_object(document, "hardware"), path)),
        tuple(_software(_object(document, "software"), path)),
        tuple(_components(_object(document, "components"), path)),
        Fact("commit", commit, path, "code.commit") if known else None,  # type: ignore[arg-type]
        dirty if isinstance(dirty, bool) else None,
        Fact("remote", address, path, "code.remote") if address else None,
        Fact("command", command, path, "code.command") if command else None,
        _config(_object(document, "arguments"), path),
        _data(document.get("data"), path),
        tuple(_evaluations(document.get("evaluations"), path)),
        curves_of(path, _points(_object(document, "log"))),
    )


def _object(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value[:_MOST] if isinstance(value, list) else []


def _time(value: Any) -> str | None:
    return value if isinstance(value, str) and _TIME.fullmatch(value) else None


def _seconds(document: Mapping[str, Any], path: str) -> Fact | None:
    took, before = finite(document.get("seconds")), finite(document.get("seconds_before")) or 0
    if took is None or took < 0 or before < 0:
        return None
    return Fact("seconds", round(took + before, 3), path, "seconds + seconds_before" if before else "seconds")


def _facts(document: Mapping[str, Any], path: str) -> Iterator[Fact]:
    for name in _NUMBERS:
        number = finite(document.get(name))
        if number is not None and (number >= 0 or name == "best_metric"):
            yield Fact(name, number, path, name)
    for name in ("best_checkpoint", "base_model"):
        if text := line_of(document.get(name), 200):
            yield Fact(name, text, path, name)


def _hardware(machine: Mapping[str, Any], path: str) -> Iterator[Fact]:
    for name in ("gpu", "gpu_count", "gpu_memory", "gpu_memory_peak", "cpu", "cpu_count", "memory"):
        value = machine.get(name)
        known = line_of(value, 300) if name in ("gpu", "cpu") else whole(value)
        if known:
            yield Fact(name, known, path, f"hardware.{name}")


def _software(versions: Mapping[str, Any], path: str) -> Iterator[Fact]:
    for name, value in list(versions.items())[:_MOST]:
        if _LIBRARY.fullmatch(name) and isinstance(value, str) and _VERSION.fullmatch(value):
            yield Fact(name, value, path, f"software.{name}")


def _components(named: Mapping[str, Any], path: str) -> Iterator[Fact]:
    for name in _COMPONENTS:
        if known := line_of(named.get(name), 100):
            yield Fact(name, known, path, f"components.{name}")


def _config(arguments: Mapping[str, Any], path: str) -> RunConfig | None:
    config = parse_run_config(dict(arguments), path, named=True) if arguments else None
    if config is None:
        return None
    return replace(config, settings=tuple(replace(fact, key=f"arguments.{fact.key}") for fact in config.settings))


def _data(listed: Any, path: str) -> tuple[DataSet, ...]:
    """The data sets: descriptions of the same name and configuration are splits of one."""
    found: dict[tuple[str | None, str | None], DataSet] = {}
    for index, one in enumerate(_listed(listed)):
        if not isinstance(one, dict):
            continue
        name, config = line_of(one.get("name"), 300), line_of(one.get("config"), 200)
        if name in _LOADERS:
            name, config = None, None
        key = f"data.{index}"
        label = line_of(one.get("split"), 100) or line_of(one.get("role"), 100) or "train"
        split = Split(label, whole(one.get("rows")), None, path, f"{key}.rows")
        facts = tuple(
            Fact(fact, text, path, f"{key}.{fact}")
            for fact in ("revision", "fingerprint", "version", "license", "homepage", "kind", "role")
            if (text := line_of(one.get(fact), 300)) and (fact, text) != ("version", "0.0.0")
        )
        same = found.get((name, config))
        if same is None:
            columns = tuple(_columns(one.get("columns")))
            found[name, config] = DataSet(path, RUN_FILE, name, config, (split,), columns, facts)
        else:
            found[name, config] = replace(
                same,
                splits=(*same.splits, split),
                columns=same.columns or tuple(_columns(one.get("columns"))),
                facts=(*same.facts, *facts),
            )
    return tuple(found.values())


def _columns(listed: Any) -> Iterator[Column]:
    for one in _listed(listed)[:_MOST_COLUMNS]:
        if isinstance(one, dict) and (name := line_of(one.get("name"), 300)):
            classes = (line_of(label, 300) for label in _listed(one.get("classes"))[:_MOST_CLASSES])
            yield Column(name, line_of(one.get("type"), 50) or "unknown", tuple(label for label in classes if label))


def _evaluations(listed: Any, path: str) -> Iterator[RecordedEvaluation]:
    for index, one in enumerate(_listed(listed)):
        if isinstance(one, dict):
            metrics = tuple(
                Fact(name[:200], number, path, f"evaluations.{index}.metrics.{name[:200]}")
                for name, value in list(_object(one, "metrics").items())[:_MOST]
                if (number := finite(value)) is not None
            )
            if metrics:
                yield RecordedEvaluation(whole(one.get("step")), line_of(one.get("data"), 300), metrics)


def _points(log: Mapping[str, Any]) -> Iterator[tuple[str, int, int | float]]:
    for name, points in list(log.items())[:_MOST]:
        for point in points[: 10 * _MOST] if isinstance(points, list) else []:
            if isinstance(point, list) and len(point) == 2:
                step, value = whole(point[0]), finite(point[1])
                if step is not None and value is not None:
                    yield name[:300], step, value
