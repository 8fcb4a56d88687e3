"""A hash of code changes with the code, and with nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hubpub.core.code_state import code_of, package_code


def test_it_changes_with_the_code(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("ab")
    other.write_text("c")
    first = code_of([one, other])
    assert code_of([one, other]) == first != code_of([other, one])
    one.write_text("a")
    other.write_text("bc")
    assert code_of([one, other]) != first, "what moves from one file to the next is a change"


def test_a_package_is_told_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "told_by_its_code"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    first = package_code("told_by_its_code")
    assert package_code("told_by_its_code") == first != ""
    (package / "more.py").write_text("")
    assert package_code("told_by_its_code") not in ("", first)
    assert "told_by_its_code" not in sys.modules


def test_a_package_that_is_not_there() -> None:
    assert package_code("no_such_package_of_hubpub") == ""
