"""`hubpub lint --hub-only` and the hub's `POST /api/validate-yaml` give one answer to one card."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from support.running_hub import TestHub
from support.verdicts import ACCEPTED, REJECTED, WARNED

from hubpub.cli.main import main

CASES = {
    **{f"accepted, {name}": (text, "accept") for name, text in ACCEPTED.items()},
    **{f"warned, {name}": (text, "warn") for name, text in WARNED.items()},
    **{f"rejected, {name}": (text, "reject") for name, (text, _) in REJECTED.items()},
}


@pytest.fixture
def cards(tmp_path: Path) -> dict[str, Path]:
    paths = {}
    for number, (name, (text, _)) in enumerate(CASES.items()):
        paths[name] = tmp_path / f"{number}.md"
        paths[name].write_bytes(text.encode())
    return paths


def test_the_command_and_the_hub_agree(cards: dict[str, Path], hub: TestHub) -> None:
    command = [sys.executable, "-m", "hubpub", "lint", *map(str, cards.values()), "--hub-only", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    told = {entry["path"]: entry for entry in json.loads(done.stdout)["cards"]}
    assert len(told) == len(CASES)
    with requests.Session() as session:
        for name, (text, verdict) in CASES.items():
            entry = told[str(cards[name])]
            assert entry["verdict"] == verdict, name
            body = {"content": text, "repoType": "model"}
            answer = session.post(f"{hub.endpoint}/api/validate-yaml", json=body, timeout=20)
            assert answer.status_code == (400 if verdict == "reject" else 200), name
            assert answer.json() == {"errors": entry["errors"], "warnings": entry["warnings"]}, name


@pytest.mark.parametrize(("name", "expected"), [(name, verdict) for name, (_, verdict) in CASES.items()])
def test_the_exit_code_says_whether_the_hub_rejects(
    name: str, expected: str, cards: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lint", str(cards[name]), "--hub-only"])
    assert ended.value.code == (1 if expected == "reject" else 0)
    assert capsys.readouterr().out.startswith(f"{expected}: {cards[name]}: ")
