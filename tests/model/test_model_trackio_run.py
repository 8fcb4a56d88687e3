from __future__ import annotations

import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from support.run_files import files_of

import hubpub.model.trackio_file as trackio_file
from hubpub.card.facts.run_summary import run_configs
from hubpub.model.files import Fact
from hubpub.model.folder import ModelFolder
from hubpub.model.run_facts import read_run_facts
from hubpub.model.trackio_run import TrackioRun, read_trackio_runs
from hubpub.pictures.series import run_series

# The shape of trackio 0.43's tables, and of those before 0.24.
METRICS = (
    "CREATE TABLE IF NOT EXISTS metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, "
    "timestamp TEXT NOT NULL, run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL)"
)
CONFIGS = (
    "CREATE TABLE IF NOT EXISTS configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, "
    "run_name TEXT NOT NULL, config TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE(run_id))"
)
OTHERS = (
    "CREATE TABLE IF NOT EXISTS project_metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS alerts (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, text TEXT)",
    "ALTER TABLE metrics ADD COLUMN log_id TEXT",
    "ALTER TABLE metrics ADD COLUMN space_id TEXT",
    "CREATE INDEX idx_metrics_run_step ON metrics(run_id, step)",
    "CREATE UNIQUE INDEX idx_metrics_log_id ON metrics(log_id) WHERE log_id IS NOT NULL",
)
BEFORE_RUN_IDS = (
    "CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT NOT NULL, run_name TEXT NOT NULL, "
    "step INTEGER NOT NULL, metrics TEXT NOT NULL)",
    "CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_name TEXT NOT NULL, config TEXT NOT NULL, "
    "created_at TEXT NOT NULL, UNIQUE(run_name))",
)
CONFIG = {
    "learning_rate": 2e-05,
    "per_device_train_batch_size": 8,
    "num_train_epochs": 3,
    "seed": 42,
    "hub_token": "hf_secret",
    "_Username": "somebody",
    "_Created": "2026-01-02T03:04:05+00:00",
    "_Group": None,
}
LOGGED = [
    {"train/loss": 2.5, "train/learning_rate": 2e-05},
    {"train/loss": 1.5, "eval/loss": 1.75},
    {"train/loss": 0.75, "eval/loss": 1.25, "eval": {"f1": 0.5}, "picture": {"_type": "trackio.image", "size": 3}},
]
PLACE = "trackio/my-project.db"


def database(*statements: str, rows: Iterable[tuple[str, tuple[object, ...]]] = ()) -> bytes:
    """What SQLite writes in WAL mode, as trackio does, once it is closed."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "made.db"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in statements:
            connection.execute(statement)
        for statement, values in rows:
            connection.execute(statement, values)
        connection.commit()
        connection.close()
        return path.read_bytes()


def logged(run: str, values: Iterable[object], name: str = "fine-fox-1") -> list[tuple[str, tuple[object, ...]]]:
    statement = "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, '2026-01-02', ?, ?, ?)"
    texts = [value if isinstance(value, str | bytes) else json.dumps(value) for value in values]
    return [(statement, (run, name, step, text)) for step, text in enumerate(texts)]


def configured(run: str, config: object, name: str = "fine-fox-1") -> tuple[str, tuple[object, ...]]:
    statement = "INSERT INTO configs (run_id, run_name, config, created_at) VALUES (?, ?, ?, '2026-01-02')"
    return statement, (run, name, json.dumps(config))


def project(*rows: tuple[str, tuple[object, ...]]) -> bytes:
    return database(METRICS, CONFIGS, *OTHERS, rows=rows)


def only_run(content: bytes) -> TrackioRun:
    (run,), unread = read_trackio_runs(files_of({PLACE: content}))
    assert unread == ()
    return run


def refusal(content: bytes) -> str:
    runs, unread = read_trackio_runs(files_of({PLACE: content}))
    assert runs == ()
    (one,) = unread
    assert one.path == PLACE
    return one.reason


def test_a_run() -> None:
    run = only_run(project(configured("a1", CONFIG), *logged("a1", LOGGED)))
    assert {(fact.name, fact.value, fact.path, fact.key) for fact in run.summary} == {
        (name, value, PLACE, f"metrics.{name}")
        for name, value in {
            "train/loss": 0.75,
            "train/learning_rate": 2e-05,
            "eval/loss": 1.25,
            "eval.f1": 0.5,
        }.items()
    }
    assert {curve.name: curve.points for curve in run.curves}["train/loss"] == ((0, 2.5), (1, 1.5), (2, 0.75))
    assert run.config is not None
    assert {fact.key: fact.value for fact in run.config.settings} == {
        "configs.learning_rate": 2e-05,
        "configs.per_device_train_batch_size": 8,
        "configs.num_train_epochs": 3,
        "configs.seed": 42,
    }
    assert "somebody" not in repr(run)
    assert "hf_secret" not in repr(run)


def test_runs_of_one_name_are_told_apart_and_the_one_that_logged_last_comes_last() -> None:
    content = project(
        configured("new", {"learning_rate": 0.5}),
        configured("old", {"learning_rate": 0.25}),
        *logged("new", [{"loss": 9}]),
        *logged("old", [{"loss": 3}, {"loss": 2}]),
        *logged("new", [{"loss": 1}]),
    )
    runs, _ = read_trackio_runs(files_of({PLACE: content}))
    assert [[fact.value for fact in run.summary] for run in runs] == [[2], [1]]
    assert [run.config.settings[0].value for run in runs if run.config] == [0.25, 0.5]


def test_a_database_from_before_runs_had_ids() -> None:
    statement = "INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES ('2026', 'a', ?, ?)"
    rows = [(statement, (step, json.dumps({"loss": loss}))) for step, loss in enumerate((2, 1))]
    (curve,) = only_run(database(*BEFORE_RUN_IDS, rows=rows)).curves
    assert curve.points == ((0, 2), (1, 1))


def test_a_run_that_ended_in_no_number_has_no_last_number() -> None:
    values = [{"loss": 2, "rate": 1, "acc": 3}, {"loss": "NaN", "rate": "-Infinity"}, '{"acc": NaN}']
    run = only_run(project(*logged("a", values)))
    assert run.summary == ()
    assert {curve.name: curve.count for curve in run.curves} == {"loss": 1, "rate": 1, "acc": 1}


def test_the_curves_are_drawn_from_it() -> None:
    series = run_series(read_run_facts(files_of({"p.db": project(*logged("a", LOGGED))})))
    assert series.loss is not None
    assert series.loss.points == ((0, 2.5), (1, 1.5), (2, 0.75))
    assert [one.last for one in series.evaluation_losses] == [1.25]
    assert series.paths == ("p.db",)


def test_the_card_has_the_settings_of_the_run_that_logged_last(tmp_path: Path) -> None:
    (tmp_path / "trackio").mkdir()
    (tmp_path / "config.json").write_text("{}")
    rows = [configured("a", {"learning_rate": 0.5}), configured("b", CONFIG), *logged("a", LOGGED)]
    (tmp_path / PLACE).write_bytes(project(*rows, *logged("b", LOGGED)))
    (config,) = run_configs(ModelFolder.open(tmp_path).run_facts)
    assert config.setting("learning_rate") == Fact("learning_rate", 2e-05, PLACE, "configs.learning_rate")
    (tmp_path / "trackio/another.db").write_bytes(project(*rows))
    several = ModelFolder.open(tmp_path).run_facts
    assert len(several.trackio) == 4
    assert run_configs(several) == ()
    assert not run_series(several)


def test_other_databases_are_nobodys_business() -> None:
    other = database("CREATE TABLE metrics (id INTEGER, value REAL)")
    files = {"index.db": other, "berkeley.db": b"\0\5\x31\x62" * 9, "trackio/registry-team.db": other}
    assert read_trackio_runs(files_of(files)) == ((), ())


def test_a_database_that_is_still_written_to_tells_nothing() -> None:
    contents = {PLACE: project(*logged("a", LOGGED)), f"{PLACE}-wal": b"x"}
    runs, (unread,) = read_trackio_runs(files_of(contents))
    assert runs == ()
    assert unread.reason.startswith(f"lacks what {PLACE}-wal holds")


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_no_database(content: bytes) -> None:
    assert refusal(content).startswith("is no database of trackio")


def test_a_huge_one_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    content = project(*logged("a", LOGGED))
    monkeypatch.setattr("hubpub.model.trackio_run.DATABASE_LIMIT", len(content) - 1)
    assert "are read" in refusal(content)
    monkeypatch.undo()
    monkeypatch.setattr(trackio_file, "DATABASE_LIMIT", len(content) - 1)  # its size was another when it was listed
    assert "which is not read" in refusal(content)


HOSTILE = {
    "a view": (
        [METRICS.replace(" metrics (", " other ("), CONFIGS, "CREATE TABLE x (n)", "DROP TABLE other"],
        "CREATE VIEW metrics AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS run_name, i AS step, i AS metrics, 'CREATE TABLE metrics (' AS x FROM n",
        "something else than a table",
    ),
    "a generated column": (
        [CONFIGS],
        "CREATE TABLE metrics (run_id TEXT, run_name TEXT, step INTEGER, "
        "metrics TEXT AS (hex(zeroblob(400000))) VIRTUAL)",
        "computes columns",
    ),
    "a stored generated column": (
        [CONFIGS],
        "CREATE TABLE metrics (run_id TEXT, run_name TEXT, step INTEGER, metrics TEXT, x TEXT AS (step) STORED)",
        "computes columns",
    ),
    "no rowid": (
        [CONFIGS],
        "CREATE TABLE metrics (run_id TEXT, run_name TEXT, step INTEGER PRIMARY KEY, metrics TEXT) WITHOUT ROWID",
        "damaged",
    ),
    "another rowid": (
        [CONFIGS],
        "CREATE TABLE metrics (run_id TEXT, run_name TEXT, step INTEGER, metrics TEXT, rowid INTEGER)",
        "as trackio writes it",
    ),
    "a full-text table": (
        [CONFIGS, "CREATE TABLE x (note TEXT DEFAULT 'CREATE TABLE metrics (')"],
        "CREATE VIRTUAL TABLE metrics USING fts5(run_name, step)",
        "something else than a table",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_runs_when_it_is_read_is_not_read(name: str) -> None:
    before, statement, reason = HOSTILE[name]
    assert reason in refusal(database(*before, statement))


def test_triggers_do_not_run() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON metrics BEGIN DELETE FROM configs; END"
    content = database(METRICS, CONFIGS, rows=[configured("a", CONFIG), *logged("a", LOGGED), (trigger, ())])
    assert only_run(content).config is not None


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[1]", "7", "", '{"loss": ', b"\xff{}"])
def test_what_is_no_object_is_named_and_the_rest_read(text: str | bytes) -> None:
    (run,), (unread,) = read_trackio_runs(files_of({PLACE: project(*logged("a", [{"loss": 2}, text]))}))
    assert [fact.value for fact in run.summary] == [2]
    assert unread.reason == "holds 1 rows that are no JSON objects"


def test_values_of_other_types() -> None:
    statement = "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES ('a', '', '', ?, ?)"
    for values in (("soon", "{}"), (-1, "{}"), (1.5, "{}")):
        assert "other types" in refusal(project((statement, values)))


def test_a_value_that_is_too_long_and_rows_that_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "damaged" in refusal(project(*logged("a", [{"x": "y" * (1 << 20)}])))
    monkeypatch.setattr(trackio_file, "_MOST_ROWS", 2)
    assert "more than 2 rows" in refusal(project(*logged("a", LOGGED)))
    monkeypatch.undo()
    monkeypatch.setattr(trackio_file, "_STEPS", 5)
    monkeypatch.setattr(trackio_file, "_MOST_STEPS", 30)
    assert refusal(project(*logged("a", LOGGED * 100))) == "takes too long to read"


def test_damaged_bytes_never_end_the_check() -> None:
    content = project(configured("a", CONFIG), *logged("a", LOGGED * 20))
    chance = random.Random(7)
    told = 0
    began = time.monotonic()
    for _ in range(150):
        bad = bytearray(content)
        for _ in range(chance.choice((1, 4, 40))):
            bad[chance.randrange(16, len(bad))] = chance.randrange(256)
        runs, unread = read_trackio_runs(files_of({PLACE: bytes(bad[: chance.choice((len(bad), len(bad) // 2))])}))
        told += bool(runs)
        assert runs or unread
    assert told
    assert time.monotonic() - began < 30


def test_nothing_of_it_is_published(tmp_path: Path) -> None:
    (tmp_path / "trackio/media").mkdir(parents=True)
    content = project(*logged("a", LOGGED))
    for name in ("trackio/p.db", "trackio/media/a.png", "trackio/p.parquet", "project.db", "other.db-wal"):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "open.db").write_bytes(content[:20])
    (tmp_path / "open.db-wal").write_bytes(content)
    (tmp_path / "index.db").write_bytes(database("CREATE TABLE passages (text TEXT)"))
    (tmp_path / "config.json").write_text("{}")
    folder = ModelFolder.open(tmp_path)
    assert {entry.path for entry in folder.release_files} == {"config.json", "index.db"}
    found = folder.leftover("project.db")
    assert found is not None
    assert found.what == "training logs of trackio"
    assert {run.path for run in folder.run_facts.trackio} == {"project.db", "trackio/p.db"}


def test_numbers_that_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.model.trackio_run._MOST_NUMBERS", 5)
    assert refusal(project(*logged("a", LOGGED))) == "holds more than 5 numbers"
