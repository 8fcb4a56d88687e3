from __future__ import annotations

import importlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.run_files import files_of

from hubpub.core.pattern import Pattern
from hubpub.model.run_facts import _READERS, read_run_facts

# The expressions by which each reader chooses its files.
_NAMES = {
    "run_config": ("_JSON_NAME", "_YAML_NAME"),
    "wandb_run": ("_SUMMARY", "_METADATA", "_OFFLINE"),
    "trackio_run": ("_DATABASE",),
}


def patterns() -> list[tuple[str, Pattern]]:
    found = []
    for reader in _READERS:
        name = reader.partition(".")[0]
        module = importlib.import_module(f"hubpub.model.{name}")
        found += [(reader, getattr(module, one)) for one in _NAMES.get(name, ("_NAME",))]
    return found


@pytest.mark.parametrize(("reader", "pattern"), patterns(), ids=lambda value: value if isinstance(value, str) else "")
@given(data=st.data())
@settings(max_examples=50, derandomize=True)
def test_no_file_of_a_reader_is_overlooked(reader: str, pattern: Pattern, data: st.DataObject) -> None:
    flags = re.ASCII | (pattern.compiled.flags & re.IGNORECASE)
    name = data.draw(st.from_regex(re.compile(pattern.source, flags), fullmatch=True))
    assert any(clue in name.lower() for clue in _READERS[reader])
    assert pattern.fullmatch(name), "its clues leave out what the expression takes"


def test_a_file_that_is_named_in_capitals_is_read() -> None:
    citation = b"cff-version: 1.2.0\ntitle: A model\nauthors: [{family-names: Doe}]\nmessage: cite it\n"
    assert read_run_facts(files_of({"citation.CFF": citation})).citation is not None
    assert read_run_facts(files_of({"config.json": b"{}"})).citation is None
