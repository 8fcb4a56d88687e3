"""PROJECT.db of trackio, an SQLite database: the rows of its runs, read within bounds and nothing but that.

The tables: https://github.com/gradio-app/trackio/blob/main/trackio/sqlite_storage.py. Of them only `metrics` and
`configs` are read: others hold traces of conversations, alerts, and addresses of a person's spaces.

A database is a program as much as it is data: views, triggers, generated columns and virtual tables run when a table is
read. So only plain tables are, with the schema distrusted, and SQLite sees a private copy that it cannot write to
(https://www.sqlite.org/security.html).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from sqlite3 import Connection

DATABASE_LIMIT = 64 << 20
"""Bytes that a database may have; 300,000 rows of one number take 19 MB."""

SCHEMA_WITHIN = 4 << 20
"""Bytes from the beginning in which the definitions of trackio's tables stand; it makes all of them at first."""

_MAGIC = b"SQLite format 3\0"
_METRICS = re.compile(rb'CREATE TABLE (?:IF NOT EXISTS )?"?metrics"?\s*\(')
_LONGEST = 1 << 20  # bytes of one value
_MOST_ROWS = 200_000
_MOST_BYTES = 128 << 20  # of all rows; cells of a hostile file may share their pages
_STEPS = 100_000
_MOST_STEPS = 500  # times as many instructions of SQLite's machine: a second or two
_WANTED = {"metrics": ("run_name", "step", "metrics"), "configs": ("run_name", "config")}


@dataclass(frozen=True, slots=True)
class TrackioFile:
    """The rows of a database, in the order they were written; JSON is left as it is.

    Attributes:
        metrics: run, step and what was logged.
        configs: run and its settings.
        problem: why there are none, as the end of a sentence that begins with the path.
    """

    metrics: tuple[tuple[str, int, bytes], ...] = ()
    configs: tuple[tuple[str, bytes], ...] = ()
    problem: str | None = None


class _RefusedError(Exception):
    """The database is not read, and why."""


def is_trackio(start: bytes) -> bool:
    """Whether a file that begins with `start`, at best `SCHEMA_WITHIN` bytes of it, is a database of trackio."""
    return start.startswith(_MAGIC) and _METRICS.search(start) is not None and b"run_name" in start


def read_trackio_file(open_file: Callable[[], BinaryIO]) -> TrackioFile:
    """The rows of the database that `open_file` opens: all of them, or none and the problem."""
    import sqlite3

    try:
        with tempfile.TemporaryDirectory(prefix="hubpub-trackio-") as place:
            copy = Path(place) / "copy.db"
            _copy(open_file, copy)
            with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
                _confine(database)
                tables = _plain_tables(database)
                if "metrics" not in tables:
                    return TrackioFile(problem="holds no table of metrics as trackio writes it")
                metrics = tuple(_rows(database, "metrics", tables["metrics"]))
                configs = tuple(_rows(database, "configs", tables["configs"])) if "configs" in tables else ()
    except _RefusedError as error:
        return TrackioFile(problem=str(error))
    except OSError as error:
        return TrackioFile(problem=f"cannot be read: {error.strerror or error}")
    except (sqlite3.Error, UnicodeError) as error:  # SQLite's messages repeat names, which may be no UTF-8
        slow = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
        return TrackioFile(problem="takes too long to read" if slow else "is damaged, or not as trackio writes it")
    good_metrics = tuple(
        (run.decode("utf-8", "replace"), step, logged)
        for run, step, logged in metrics
        if isinstance(run, bytes) and isinstance(step, int) and step >= 0 and isinstance(logged, bytes)
    )
    good_configs = tuple(
        (run.decode("utf-8", "replace"), config)
        for run, config in configs
        if isinstance(run, bytes) and isinstance(config, bytes)
    )
    if len(good_metrics) < len(metrics) or len(good_configs) < len(configs):
        return TrackioFile(problem="has values of other types than trackio writes")
    return TrackioFile(good_metrics, good_configs)


def _copy(open_file: Callable[[], BinaryIO], copy: Path) -> None:
    left = DATABASE_LIMIT
    with open_file() as source, copy.open("xb") as target:
        while block := source.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise _RefusedError(f"is more than {DATABASE_LIMIT >> 20} MB, which is not read")
            target.write(block)


def _confine(database: Connection) -> None:
    """Before anything is read of the database, its schema included."""
    import sqlite3

    steps = iter(range(_MOST_STEPS))
    database.set_progress_handler(lambda: next(steps, None) is None, _STEPS)
    database.text_factory = bytes
    for limit, value in (
        (sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST),
        (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
        (sqlite3.SQLITE_LIMIT_COLUMN, 100),
        (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 20),
        (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
        (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    ):
        database.setlimit(limit, value)
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "mmap_size=0", "temp_store=MEMORY"):
        database.execute(f"PRAGMA {pragma}")


def _plain_tables(database: Connection) -> dict[str, tuple[str, ...]]:
    """The columns to read of the tables that are there, the one that tells runs apart first."""
    found: dict[str, tuple[str, ...]] = {}
    for table, wanted in _WANTED.items():
        kinds = database.execute("SELECT type, rootpage FROM sqlite_schema WHERE name = ? LIMIT 2", (table,)).fetchall()
        if not kinds:
            continue
        # a view has no page of its own, nor has a virtual table
        if len(kinds) > 1 or kinds[0][0] != b"table" or not isinstance(kinds[0][1], int) or kinds[0][1] <= 0:
            raise _RefusedError(f"has something else than a table for {table}")
        columns = {row[1].lower(): row[6] for row in database.execute(f"PRAGMA table_xinfo({table})")}
        if any(columns.values()):
            raise _RefusedError(f"computes columns of its table {table}")
        names = {name.decode("ascii", "replace") for name in columns}
        if not set(wanted) <= names or "rowid" in names:
            raise _RefusedError(f"has no table {table} as trackio writes it")
        # two runs may bear one name; before trackio 0.24 they had nothing else
        found[table] = ("run_id" if "run_id" in names else "run_name", *wanted[1:])
    return found


def _rows(database: Connection, table: str, columns: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    """All rows; a part would tell the last values wrong."""
    left = _MOST_BYTES
    # table and columns are words of _WANTED
    query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid LIMIT {_MOST_ROWS + 1}"  # noqa: S608
    rows = database.execute(query)
    for number, row in enumerate(rows):
        left -= sum(len(value) for value in row if isinstance(value, bytes))
        if number >= _MOST_ROWS or left < 0:
            raise _RefusedError(f"holds more than {_MOST_ROWS:,} rows or {_MOST_BYTES >> 20} MB of {table}")
        yield row
