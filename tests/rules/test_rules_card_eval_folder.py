from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.linting import findings_of, fixed, subject

from hubpub.fix.apply import plan_fixes
from hubpub.rules.registry import card_rules
from hubpub.rules.run_facts import same_number, written_alike

RULE = next(rule for rule in card_rules if rule.code == "EVAL017")
GOOD = RULE.good


def judged(text: str, root: Path) -> list[str]:
    return [finding.message for finding in findings_of(subject("# m", {".eval_results/a.yaml": text}, root), "EVAL017")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD, None),
        (RULE.bad, "date without quotes"),
        ("# results\n---\n" + GOOD, None),
        ("[]", None),
        ("\ufeff" + GOOD, None),
        (GOOD.replace('"2026-01-15"', '"2026-01-15T10:30:00Z"'), None),
        (GOOD.replace('"2026-01-15"', "January 2026"), "not written as 2026-01-31"),
        (GOOD.replace("id: cais/hle, ", ""), "without dataset.id"),
        (GOOD.replace("task_id", "config"), "without dataset.task_id, which the config"),
        (GOOD.replace("value: 20.9", "value:"), "without a value"),
        (GOOD.replace("20.9", "good"), "is no number"),
        (GOOD + "  source: {name: x}\n", "source without a url"),
        (GOOD + "  source: {url: https://x.org}\n", None),
        ("dataset: {id: a/b, task_id: c}\nvalue: 1\n", "not a list"),
        ("- 5\n", "not a mapping"),
        ("- [\n", "cannot be read"),
        ("", "not a list"),
    ],
)
def test_files_of_results(text: str, said: str | None, tmp_path: Path) -> None:
    found = judged(text, tmp_path)
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


@pytest.mark.parametrize("mark", ["", "\ufeff", "# a\r\n---\r\n"])
def test_a_date_is_put_between_quotes(mark: str, tmp_path: Path) -> None:
    bad = mark + RULE.bad
    found = findings_of(subject("# m", {".eval_results/a.yaml": bad}, tmp_path), "EVAL017")
    assert [(f.path, f.line, f.column) for f in found] == [(".eval_results/a.yaml", 3 + 2 * ("---" in mark), 9)]
    (after,) = plan_fixes(tmp_path, found).after.values()
    assert after == mark + GOOD


def test_only_files_of_results_are_read(tmp_path: Path) -> None:
    files = {"results/a.yaml": "x", ".eval_results/deep/a.yaml": "x", ".eval_results/a.json": "x"}
    assert not findings_of(subject("# m", files, tmp_path), "EVAL017")


CARD = "---\nlicense: mit\n{index}---\n\n# m\n\nIt achieves on the evaluation set:\n\n{body}\n"
INDEX = """model-index:
- name: m
  results:
  - task: {type: text-classification}
    dataset: {name: SST-2, type: stanfordnlp/sst2, split: validation}
    metrics:
    - type: accuracy
      value: 0.8976
"""
FINAL = {"all_results.json": json.dumps({"eval_accuracy": 0.93125, "eval_loss": 0.2512, "predict_f1": 0.5})}
LOG = {
    "trainer_state.json": json.dumps(
        {"log_history": [{"eval_accuracy": 0.88, "step": 1}, {"eval_accuracy": 0.93, "step": 2}]}
    )
}


@pytest.mark.parametrize(
    ("body", "files", "after"),
    [
        ("- Accuracy: 0.93", FINAL, None),
        ("- Accuracy: 93.1 %", FINAL, None),
        ("- Accuracy: 0.9", FINAL, None),
        ("- Accuracy: 0.9312", FINAL, None),  # cut off
        ("- Loss: 0.2512\n- Accuracy: 0.8976", FINAL, "- Loss: 0.2512\n- Accuracy: 0.9313"),
        ("- Accuracy: **89.8** %", FINAL, "- Accuracy: **93.1** %"),
        ("| Metric | Value |\n|---|---|\n| Acc | 0.8976 |", FINAL, "| Metric | Value |\n|---|---|\n| Acc | 0.9313 |"),
        ("## Results on the test set\n\n- Accuracy: 0.8976", FINAL, None),
        ("## Results of BERT\n\n- Accuracy: 0.8976", FINAL, None),
        ("- Accuracy: 0.8976\n- Accuracy: 0.93", FINAL, None),
        ("- F1: 0.81", FINAL, None),
        ("```\nAccuracy: 0.5\n```\n\n- Loss: 0.25", FINAL, None),
        ("- Accuracy: 0.88", LOG, None),  # of another step of the same run
        ("- Accuracy: 0.85", LOG, "- Accuracy: 0.93"),
    ],
)
def test_results_of_another_run(body: str, files: dict[str, str], after: str | None, tmp_path: Path) -> None:
    text = CARD.format(index="", body=body)
    found = findings_of(subject(text, files, tmp_path), "EVAL018")
    assert len(found) == (after is not None)
    if after is not None:
        assert found[0].fix
        assert found[0].fix.safe
        mended = fixed(text, found[0])
        assert mended == CARD.format(index="", body=after)
        assert not findings_of(subject(mended, files, tmp_path), "EVAL018")


def test_both_places_are_mended_at_once_and_told_once(tmp_path: Path) -> None:
    text = CARD.format(index=INDEX, body="- Accuracy: 0.90")
    judged = subject(text, FINAL, tmp_path)
    (finding,) = findings_of(judged, "EVAL009 EVAL018")
    assert (finding.line, finding.message) == (10, "accuracy is 0.8976 in the card and 0.93125 in all_results.json")
    assert fixed(text, finding) == text.replace("0.8976", "0.9313").replace("0.90", "0.93")


@pytest.mark.parametrize(
    "index",
    [
        INDEX.replace("validation", "test"),
        INDEX + "    source: {name: board, url: https://x.org}\n",
        INDEX + INDEX[INDEX.index("  - task") :].replace("validation", "train"),
        INDEX.replace("0.8976", "0.931"),
        INDEX.replace("0.8976", '"0.8 to 0.9"'),
    ],
    ids=["test split", "somebody else's", "two results", "the same", "a range"],
)
def test_results_in_the_metadata_that_may_be_others(index: str, tmp_path: Path) -> None:
    assert not findings_of(subject(CARD.format(index=index, body=""), FINAL, tmp_path), "EVAL018")


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("# m\n\nA model.", True),
        ("# m\n\n## Evaluation\n\nIt is good.", True),
        ("# m\n\n- Accuracy: 0.5", False),
        ("# m\n\nIt was right for 93.1 % of the sentences.", False),
        ("# m\n\n## Results\n\n| Set | Score |\n|---|---|\n| a | 3 |", False),
        (CARD.format(index=INDEX, body=""), False),
        ("", False),
    ],
)
def test_results_that_are_at_hand(text: str, hit: bool, tmp_path: Path) -> None:
    found = findings_of(subject(text, FINAL, tmp_path), "EVAL019")
    assert [f.message for f in found] == [
        "all_results.json has accuracy 0.93125, loss 0.2512, and the card reports no result"
    ] * hit


def test_a_result_of_a_benchmark_is_not_one_of_the_run(tmp_path: Path) -> None:
    card = CARD.format(index=INDEX.replace("SST-2, type: stanfordnlp/sst2", "arc_easy, type: allenai/ai2_arc"), body="")
    assert findings_of(subject(card, FINAL, tmp_path), "EVAL018")
    harness = {"results": {"arc_easy": {"acc,none": 0.8976}}, "configs": {}, "versions": {}}
    assert not findings_of(subject(card, {**FINAL, "results_x.json": json.dumps(harness)}, tmp_path), "EVAL018")


def test_without_a_folder_they_say_nothing() -> None:
    assert not findings_of(subject(CARD.format(index=INDEX, body="- Accuracy: 0.1")), "EVAL017 EVAL018 EVAL019")


@pytest.mark.parametrize(
    ("old", "value", "wanted"),
    [
        ("0.91", 0.93456, "0.93"),
        ("91", 93.456, "93"),
        ("5.0", 3, "3.0"),
        ("2e-5", 5e-05, "5e-5"),
        ("2e-05", 5e-05, "5e-05"),
        ("2E-5", 1.5e-05, "1.5E-5"),
        ("1e3", 20000, "2e4"),
        ("0.01", 0.00002, None),
        ("0.1", 0, "0.0"),
    ],
)
def test_a_number_is_written_like_the_one_before(old: str, value: float, wanted: str | None) -> None:
    assert written_alike(old, value) == wanted


@given(st.floats(1e-9, 1e9), st.integers(0, 6))
def test_what_was_written_is_the_number(value: float, decimals: int) -> None:
    new = written_alike(f"{1:.{decimals}f}", value)
    assert new is None or same_number(new, value)


@given(st.floats(1e-9, 1e9))
def test_exponents_keep_the_digits(value: float) -> None:
    rounded = float(f"{value:.1e}")
    assert float(written_alike("2e-05", rounded) or 0) == pytest.approx(rounded)
