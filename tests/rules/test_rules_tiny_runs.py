"""What real training runs leave: sound models, with the files of the training beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.tiny_runs import RUNS

from hubpub.core.findings import Severity
from hubpub.model.folder import ModelFolder
from hubpub.rules.run import check_folder


@pytest.mark.parametrize("name", RUNS)
def test_a_training_run_leaves_a_sound_model_and_its_results(name: str, tiny_runs: Path) -> None:
    folder = tiny_runs / name
    state = json.loads((folder / "trainer_state.json").read_text())
    results = json.loads((folder / "all_results.json").read_text())
    assert state["global_step"] > 0
    assert results["train_samples"] > results["eval_samples"] > 0
    assert any("loss" in entry for entry in state["log_history"])
    findings = check_folder(ModelFolder.open(folder), target=name).findings
    assert {finding.rule for finding in findings if finding.severity is not Severity.INFO} <= {"FILE006", "CONF005"}
    assert any("training_args.bin" in finding.message for finding in findings)
