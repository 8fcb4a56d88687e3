from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from support.managed_cards import METADATA, managed_card

from hubpub.card.document import Card
from hubpub.card.merge import lock
from hubpub.card.merge.given import Given
from hubpub.card.merge.lock import LOCK, LOCK_SCHEMA, read_lock, write_card
from hubpub.card.merge.update import Merged, merge_card
from hubpub.core.errors import ConflictError, UsageError

FIRST = managed_card()
SECOND = managed_card(metadata={**METADATA, "license": "bsd"})
THIRD = managed_card(metadata={**METADATA, "license": "gpl"})


def write(root: Path, rendered: str) -> Merged:
    """What `hubpub card --write` does."""
    readme = root / "README.md"
    content = readme.read_bytes() if readme.exists() else None
    known = read_lock(root, content)
    merged = merge_card((content or b"").decode(), rendered, known.given if known else None)
    write_card(root, readme, merged.text, merged.given, content)
    return merged


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    before = files(tmp_path)
    assert sorted(before) == [LOCK, "README.md"]
    document = json.loads(before[LOCK])
    assert document["schema"] == LOCK_SCHEMA
    assert document["metadata"] == METADATA
    assert document["gaps"].keys() == {"intended-uses", "limitations-and-bias", "training-data"}
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert not write(tmp_path, FIRST).changes
    assert files(tmp_path) == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == stamps


@pytest.mark.parametrize("step", range(3))
def test_a_crash_at_any_step_leaves_what_works(tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, FIRST)
    steps: list[Path] = []
    replace_file = lock.replace_file

    def crashing(path: Path, content: bytes) -> None:
        if len(steps) == step:
            raise KeyboardInterrupt
        steps.append(path)
        replace_file(path, content)

    monkeypatch.setattr(lock, "replace_file", crashing)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, SECOND)
    monkeypatch.undo()
    merged = write(tmp_path, THIRD)
    assert not merged.kept
    assert (tmp_path / "README.md").read_text() == THIRD
    clean = tmp_path / "clean"
    clean.mkdir()
    write(clean, THIRD)
    assert files(clean) == {name: content for name, content in files(tmp_path).items() if "clean" not in name}


HOSTILE: dict[str, Any] = {
    "no JSON": "{",
    "a list": "[]",
    "another schema": json.dumps({"schema": "x", "card": {"sha256": "0"}}),
    "no card": json.dumps({"schema": LOCK_SCHEMA}),
    "wrong kinds": json.dumps({"schema": LOCK_SCHEMA, "card": {"sha256": "0"}, "regions": {"a": 1}}),
    "sections of another kind": json.dumps({"schema": LOCK_SCHEMA, "card": {"sha256": "0"}, "sections": [[]]}),
    "too many": json.dumps(
        {"schema": LOCK_SCHEMA, "card": {"sha256": "0"}, "gaps": {str(at): "" for at in range(3000)}}
    ),
    "too large": json.dumps({"schema": LOCK_SCHEMA, "card": {"sha256": "0" * (1 << 20)}}),
    "too deep": '{"schema": ' + "[" * 100_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_lock_that_cannot_be_one_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / LOCK).parent.mkdir()
    (tmp_path / LOCK).write_text(content)
    assert read_lock(tmp_path, b"") is None


def test_a_lock_is_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    elsewhere, model = tmp_path / "elsewhere", tmp_path / "model"
    elsewhere.mkdir()
    model.mkdir()
    write(elsewhere, FIRST)
    (model / ".hubpub").symlink_to(elsewhere / ".hubpub")
    assert read_lock(model, FIRST.encode()) is None
    with pytest.raises(UsageError, match="symlink"):
        write(model, SECOND)
    (model / ".hubpub").unlink()
    (model / "README.md").symlink_to(elsewhere / "README.md")
    with pytest.raises(UsageError, match="symlink"):
        write(model, SECOND)
    assert (elsewhere / "README.md").read_text() == FIRST
    assert not (model / ".hubpub").exists()


def test_what_a_published_card_does_not_tell_is_told_beside_it() -> None:
    given = merge_card("", FIRST).given
    by_hand = Card.parse(SECOND.replace("  - b\n", "").replace("library_name", "mine").split("## Training data")[0])
    told = json.loads(json.dumps(given.beyond(by_hand)))
    assert told["metadata"].keys() == {"license", "tags", "library_name"}
    assert told["not_given"] == ["mine"]
    assert told["regions"].keys() == {"run", "results"}
    rebuilt = Given.of(by_hand).with_beyond(told)
    assert rebuilt == given
    assert given.beyond(Card.parse(FIRST)) == {}
    assert Given.of(by_hand).with_beyond({"metadata": []}) == Given.of(by_hand)


@pytest.mark.parametrize("before", [None, b"# As it was read\n"])
def test_a_card_that_was_not_read_is_not_written_over(before: bytes | None, tmp_path: Path) -> None:
    """Somebody saved it meanwhile, or the settings exclude it from the folder."""
    readme = tmp_path / "README.md"
    readme.write_bytes(b"# By hand\n")
    with pytest.raises(ConflictError, match="it stays as it is"):
        write_card(tmp_path, readme, FIRST, Given(), before)
    assert files(tmp_path) == {"README.md": b"# By hand\n"}


def test_a_lock_as_deep_as_json_may_be_is_none(tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    document = json.loads((tmp_path / LOCK).read_text())
    document["metadata"]["license"] = json.loads("[" * 500 + "]" * 500)
    (tmp_path / LOCK).write_text(json.dumps(document))
    assert read_lock(tmp_path, (tmp_path / "README.md").read_bytes()) is None
    write(tmp_path, SECOND)


def test_a_block_of_thousands_of_keys_takes_seconds(tmp_path: Path) -> None:
    """Each of them was given, says the lock, and is to be taken out."""
    keys = {f"x{number}": number for number in range(800)}
    card = FIRST.replace("---\n", "---\n" + "".join(f"{key}: {value}\n" for key, value in keys.items()), 1)
    started = time.monotonic()
    merged = merge_card(card, FIRST, Given.of(Card.parse(card)))
    assert time.monotonic() - started < 40
    assert 0 < len([change for change in merged.changes if change.how == "removed"]) < 100
    assert any("as large as this" in kept.why for kept in merged.kept)
