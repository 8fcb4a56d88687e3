from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path

import pytest

from hubpub.model.jsonfile import DEEPEST, JsonProblem, parse_json, read_json
from hubpub.model.walk import open_regular


@pytest.mark.parametrize(
    ("data", "message", "line", "column"),
    [
        (b"", "is empty", None, None),
        (b" \n ", "is empty", None, None),
        (b'{"a": 1,\n "b": }', "is not JSON: expecting value", 2, 7),
        (b'{"a": 1', "is not JSON: expecting ',' delimiter", 1, 8),
        (b'{"a":\n "\xff"}', "is not UTF-8: byte 0xff", 2, 3),
        (b"[1]", "holds a list instead of an object", 1, 1),
        (b"null", "holds null instead of an object", 1, 1),
        (b"true", "holds a boolean instead of an object", 1, 1),
        (b'{"a": ' + b"7" * 5000 + b"}", "holds a number of more than 4,300 digits", None, None),
        (b"\x00\x01", "is not JSON: expecting value", 1, 1),
    ],
)
def test_fatal(data: bytes, message: str, line: int | None, column: int | None) -> None:
    document = parse_json(data)
    assert document.value is None
    assert document.problem == JsonProblem(message, line, column)


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        (b'{"a": 1,\n "a": 2}', 'has the key "a" twice; only the last one counts', 2),
        (b'{"a":\n NaN}', "holds NaN, which is not JSON", 2),
        (b'{"a": -Infinity}', "holds -Infinity, which is not JSON", 1),
        (b'\xef\xbb\xbf{"a": 1}', "begins with a byte order mark, which JSON parsers refuse", 1),
    ],
)
def test_what_leaves_a_value(data: bytes, message: str, line: int) -> None:
    document = parse_json(data)
    assert "a" in document.value
    assert document.problem is not None
    assert (document.problem.message, document.problem.line, document.problem.fatal) == (message, line, False)


def test_place_is_left_out_where_it_is_not_sure() -> None:
    problem = parse_json(b'{"a": {"b": 1}, "c": {"b": 1, "b": 2}}').problem
    assert problem is not None
    assert problem.line is None


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":', b'{"}]":['])
def test_depth_is_bounded_and_quick(opening: bytes) -> None:
    started = time.perf_counter()
    problem = parse_json(opening * 100_000, top=list if opening.startswith(b"[") else dict).problem
    assert problem is not None
    assert "nested deeper" in problem.message
    assert time.perf_counter() - started < 2


def test_brackets_in_strings_are_no_depth() -> None:
    text = json.dumps({"vocab": {f'"[{{\\[{n}': n for n in range(3 * DEEPEST)}, "quotes": ['\\"[', "[[[" * DEEPEST]})
    assert parse_json(text.encode()).problem is None
    assert parse_json(b'{"a":' * 400 + b"1" + b"}" * 400).problem is None


def test_large_files_are_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(1 << 40)
    started = time.perf_counter()
    document = read_json(partial(open_regular, tmp_path / "config.json"))
    assert time.perf_counter() - started < 0.5
    assert document.problem is not None
    assert "is 1,099,511,627,776 bytes" in document.problem.message


def test_missing_file(tmp_path: Path) -> None:
    problem = read_json(partial(open_regular, tmp_path / "nowhere.json")).problem
    assert problem is not None
    assert "cannot be read: No such file" in problem.message


def test_get_of_what_is_no_object() -> None:
    assert parse_json(b"[1]", top=list).get("a", 7) == 7
    assert parse_json(b'{"a": 1}').get("a") == 1
