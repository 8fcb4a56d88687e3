from __future__ import annotations

import contextlib
import csv
import datetime
import gzip
import io
import time

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.model.parquet import read_parquet
from hubpub.model.tables import Table, read_table


def table(content: bytes | str, form: str, *, compressed: bool = False, most: int = 1 << 20) -> Table:
    raw = content.encode() if isinstance(content, str) else content
    return read_table(lambda: io.BytesIO(raw), form, compressed=compressed, most=most)


def types(found: Table) -> dict[str, str]:
    return {column.name: column.type for column in found.columns}


@pytest.mark.parametrize(
    ("content", "form", "rows", "columns"),
    [
        ("a,b\n1,x\n", "csv", 1, {"a": "int64", "b": "string"}),
        ("\ufeffa;b\r\n1,5;x\r\n", "csv", 1, {"a": "string", "b": "string"}),
        ("a\tb\n1\t\n2.5\ttrue\n", "csv", 2, {"a": "float64", "b": "bool"}),
        ('a\n"x\ny"\n"z"\n', "csv", 2, {"a": "string"}),
        ("a,b\n", "csv", 0, {"a": "null", "b": "null"}),
        ("", "csv", 0, {}),
        ("a b\tc\n1\t-2e5\n", "tsv", 1, {"a b": "int64", "c": "float64"}),
        ("a,b\n1\n1,2,3\n", "csv", 2, {"a": "int64", "b": "int64"}),
        ('{"a": 1, "b": null}\n\n{"a": 2.5, "c": [1]}\n', "jsonl", 2, {"a": "float64", "b": "null", "c": "list"}),
        ('{"a": 1}\n{"a": "x"}', "jsonl", 2, {"a": "mixed"}),
        ('[{"a": {"b": 1}}, {"a": null}]', "json", 2, {"a": "struct"}),
        ('{"version": 1, "data": [{"a": true}]}', "json", 1, {"a": "bool"}),
        ('{"a": 1}\n{"a": 2}\n', "json", 2, {"a": "int64"}),
        ("[1, 2]", "json", 2, {}),
        ("[]", "json", 0, {}),
        ("one\n\ntwo", "text", 2, {"text": "string"}),
    ],
)
def test_rows_and_types(content: str, form: str, rows: int, columns: dict[str, str]) -> None:
    for compressed in (False, True):
        raw = content.encode()
        found = table(gzip.compress(raw) if compressed else raw, form, compressed=compressed)
        assert (found.rows, types(found)) == (rows, columns)


@pytest.mark.parametrize(
    ("content", "form", "reason"),
    [
        (b"PK\0\1", "csv", "is no text"),
        (b"a\0b", "text", "is no text"),
        (b"a\n" + b'"' + b"x" * 200_000, "csv", "is not CSV"),
        (b"{}\n[1]\n", "jsonl", "line 2"),
        (b'{"a": ', "json", "is not JSON"),
        (b'{"a": 1}', "json", "no list of rows"),
        (b"[" * 1000, "json", "nested"),
        (b"", "json", "is empty"),
    ],
)
def test_what_is_not_of_its_form(content: bytes, form: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        table(content, form)


def test_a_file_without_header_is_noted() -> None:
    assert "no header" in str(table("0,1.5\n1,2.5\n", "csv").note)


@pytest.mark.parametrize("form", ["csv", "jsonl", "text"])
def test_what_is_too_large_is_not_counted(form: str) -> None:
    line = {"csv": b"a,b\n", "jsonl": b'{"a": 1}\n', "text": b"a\n"}[form]
    found = table(gzip.compress(line * 1_000_000), form, compressed=True)
    assert found.rows is None
    assert "its rows are not counted" in str(found.note)


@pytest.mark.parametrize("cut", [5, 15, -4])
def test_broken_gzip(cut: int) -> None:
    with pytest.raises(ValueError, match="no sound gzip"):
        table(gzip.compress(b"a,b\n" * 5000)[:cut], "csv", compressed=True)


@given(st.lists(st.lists(st.text("ab\"',;\n\t é", max_size=6), min_size=2, max_size=2), max_size=20))
def test_rows_of_any_csv(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["left", "right"], *rows])
    assert table(out.getvalue(), "csv").rows == len(rows)


@given(st.binary(max_size=300), st.sampled_from(["csv", "tsv", "json", "jsonl", "text"]), st.booleans())
def test_any_bytes_are_answered(content: bytes, form: str, compressed: bool) -> None:
    with contextlib.suppress(OSError, ValueError):
        table(content, form, compressed=compressed)


PARQUET = pa.table(
    {
        "text": ["a", "b"],
        "small": pa.array([1, 2], pa.int8()),
        "big": pa.array([1, 2], pa.uint64()),
        "real": [1.5, 2.5],
        "half": pa.array([1, 2], pa.float32()),
        "yes": [True, False],
        "time": pa.array([datetime.datetime(2026, 1, 1)] * 2),
        "day": pa.array([datetime.date(2026, 1, 1)] * 2),
        "price": pa.array([1, 2], pa.decimal128(10, 2)),
        "bytes": [b"x", b"y"],
        "list": [[1], [2, 3]],
        "nested": [[{"a": 1}], []],
        "struct": [{"a": 1, "b": {"c": "x"}}] * 2,
        "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int32())),
        "last": ["y", "z"],
    }
)
PARQUET_TYPES = {
    "text": "string",
    "small": "int8",
    "big": "uint64",
    "real": "float64",
    "half": "float32",
    "yes": "bool",
    "time": "timestamp",
    "day": "date",
    "price": "decimal",
    "bytes": "binary",
    "list": "list",
    "nested": "list",
    "struct": "struct",
    "map": "map",
    "last": "string",
}


def parquet(data: pa.Table, **how: object) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(data, sink, **how)
    return sink.getvalue()


@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_parquet(version: str) -> None:
    content = parquet(PARQUET, version=version)
    found = read_parquet(lambda: io.BytesIO(content))
    assert (found.rows, types(found)) == (2, PARQUET_TYPES)


def test_parquet_of_many_groups_and_columns() -> None:
    data = pa.table({f"column {number}": [1] * 1000 for number in range(100)})
    content = parquet(data, row_group_size=10)
    started = time.process_time()
    found = read_parquet(lambda: io.BytesIO(content))
    assert (found.rows, len(found.columns)) == (1000, 100)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "too small"),
        (b"PAR1" + bytes(20), "does not end"),
        (b"PAR1" + bytes(20) + b"\xff\xff\xff\x7fPAR1", "footer of"),
        (b"PAR1" + bytes(20) + b"\4\0\0\0PAR1", "without schema or rows"),
        (b"PAR1" + b"\x19\xfc\xff\xff\xff\x0f" + b"\6\0\0\0PAR1", "cannot be read"),
        (b"PAR1" + b"\x1c" * 200 + b"\xc8\0\0\0PAR1", "nested too deeply"),
    ],
)
def test_broken_parquet(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_parquet(lambda: io.BytesIO(content))


SMALL = parquet(pa.table({"a": [1], "b": [["x"]]}), compression="none")


@given(st.lists(st.tuples(st.integers(0, len(SMALL)), st.binary(max_size=4)), max_size=5), st.binary(max_size=60))
def test_any_footer_is_answered(changes: list[tuple[int, bytes]], footer: bytes) -> None:
    content = SMALL
    for at, new in changes:
        content = content[:at] + new + content[at + len(new) :]
    for data in (content, b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"):
        with contextlib.suppress(ValueError):
            read_parquet(lambda data=data: io.BytesIO(data))
