"""What is fuzzed of cards and of what they are made from: answers, locks, regions and merges, records of runs."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubpub.model.files import Files

_SPLIT = b"\n=====\n"
"""Divides the texts of an input that has several."""

_CARD = (
    b"---\nlicense: mit\ntags:\n- a\n- b # c\nx: {y: 1}\n---\n\n# T\n\n<!-- hubpub:begin model-properties "
    b"sha256=59e1748777448c69 -->\nold\n<!-- hubpub:end model-properties -->\n\n## Intended uses\n\n"
    b"<!-- hubpub:todo intended-uses -->\n*To be written: who.*\n\n## Usage\n\n```python\na\n```\n"
)
_GIVEN = {
    "metadata": {"license": "mit", "tags": ["a"], "x": {"sha256": "0123456789abcdef"}},
    "regions": {"model-properties": "59e1748777448c69", "tokenizer": "0123456789abcdef"},
    "gaps": {"intended-uses": "0123456789abcdef"},
    "sections": ["usage", "limits"],
}


def _files(name: str, data: bytes) -> Files:
    from hubpub.model.files import Files
    from hubpub.model.walk import EntryKind, FileEntry

    return Files((FileEntry(name, len(data), EntryKind.FILE),), lambda _: io.BytesIO(data))


def answers(data: bytes) -> None:
    from hubpub.card.answers.card_input import CardInput, parse_answers
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.card.writing.render import render_card
    from hubpub.core.errors import UsageError

    with contextlib.suppress(UsageError):
        told = parse_answers(data, "card.yaml")
        if told:
            facts = CardFacts(name="tiny", kind="transformers", answers=CardInput(told.metadata, told.sections))
            render_card(facts)


def lock(data: bytes) -> None:
    from hubpub.card.document import Card
    from hubpub.card.merge.given import Given
    from hubpub.card.merge.update import merge_card
    from hubpub.model.jsonfile import parse_json

    given = Given.from_json(parse_json(data).value)
    if given is not None:
        merged = merge_card(_CARD.decode(), _CARD.decode().replace("mit", "bsd"), given)
        json.dumps(merged.given.to_json(), default=str)
        given.with_beyond(given.beyond(Card.parse(_CARD.decode())))


def merge(data: bytes) -> None:
    """Three cards: what is merged once stays so, and merging loses no line that a person wrote."""
    from hubpub.card.document import Card
    from hubpub.card.merge.given import Given
    from hubpub.card.merge.texts import merge_texts
    from hubpub.card.merge.update import merge_card
    from hubpub.card.regions import stamp

    base, here, new, *_ = (*(part.decode("utf-8", "replace") for part in data.split(_SPLIT)), "", "", "")
    given = Given.of(Card.parse(stamp(base)))
    merged = merge_card(here, new, given)
    merge_card(here, new, None, stubs=True)
    again = merge_card(merged.text, new, merged.given)
    assert len(again.text) <= 2 * len(merged.text) + len(new) + 100
    merge_texts(base, here, new)


def run_record(data: bytes) -> None:
    from hubpub.card.facts.recorded_run import recorded_log, recorded_metrics, recorded_outcome, recorded_settings
    from hubpub.model.hubpub_run import read_recorded_runs
    from hubpub.pictures.figures import figure_hash
    from hubpub.pictures.plan import _evaluation_curves, _training_curves
    from hubpub.pictures.series import sort_series

    for run in read_recorded_runs(_files("hubpub_run.json", data))[0]:
        recorded_log(run), recorded_metrics(run)
        list(recorded_settings(run, ())), list(recorded_outcome(run, ()))
        series = sort_series(run.curves)
        for picture in (*_training_curves(series), *_evaluation_curves(series)):
            figure_hash(picture[4])


def predictions(data: bytes) -> None:
    from hubpub.model.predictions import read_predictions
    from hubpub.pictures.matrix import matrix_picture

    for name in ("predictions.csv", "predictions.json", "predictions.jsonl", "predictions.tsv.gz"):
        found, _ = read_predictions(_files(name, data), {0: "no", 1: "yes"})
        list(matrix_picture(found))


def citation(data: bytes) -> None:
    from hubpub.card.writing.presentation import _bibtex
    from hubpub.model.citation_file import read_citation

    found, _ = read_citation(_files("CITATION.cff", data))
    if found:
        text = _bibtex(found)
        assert all(line.startswith(("@", "  ", "}")) for line in text.split("\n"))


def eval_results(data: bytes) -> None:
    from hubpub.card.eval_files import _problems
    from hubpub.card.writing.eval_results import _is_ours
    from hubpub.model.benchmark_results import read_benchmark_results

    _is_ours(data)
    list(_problems(data.decode("utf-8", "replace")))
    read_benchmark_results(_files("results_1.json", data))


CARD_TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "answers": (
        answers,
        [
            b"license: MIT\nlanguage: [en, no]\nsections:\n  intended-uses: |\n    # For all\n    - a\n"
            b"evaluation: {dataset: a/b, split: test}\nx_a: &a [1]\nx_b: *a\n",
            b"extra_gated_fields: {Name: text}\nwidget:\n- text: a\nco2_eq_emissions: {emissions: 1e3}",
        ],
    ),
    "lock": (lock, [json.dumps(_GIVEN).encode(), b'{"metadata": {"a": [1, "b", null]}}']),
    "merge": (
        merge,
        [
            _SPLIT.join([_CARD, _CARD.replace(b"who", b"you"), _CARD.replace(b"old", b"new").replace(b"mit", b"bsd")]),
            _SPLIT.join(
                [
                    _CARD,
                    _CARD.replace(b"\n", b"\r\n"),
                    b"# T\n\n## Usage\n\n<!-- hubpub:begin a -->\nx\n<!-- hubpub:end a -->\n",
                ]
            ),
            _SPLIT.join([b"", b"- ```\n  a\n# T\n<details>\n", _CARD]),
        ],
    ),
    "run-record": (
        run_record,
        [
            b'{"schema": "hubpub.run/1", "state": "finished", "seconds": 1.5, "seed": 1, "log": {"loss": [[1, 0.5], '
            b'[2, 0.25]], "eval_loss": [[1, 1e300], [2, -1]], "eval_f1": [[1, 0.1], [2, 0.2]]}, "evaluations": '
            b'[{"step": 1, "metrics": {"eval_f1": 0.5}}, {"step": 2, "metrics": {"eval_f1": 0.6}}], "data": '
            b'[{"name": "a/b", "rows": 3, "columns": [{"name": "c", "type": "d", "classes": ["e"]}]}], "arguments": '
            b'{"learning_rate": 2e-5}, "components": {"optimizer": "AdamW"}, "code": {"remote": "https://a.b/c/d"}}'
        ],
    ),
    "predictions": (
        predictions,
        [
            b"index,label,prediction\n0,yes,no\n1,1,0\n",
            b'[{"label": "a", "prediction": "b"}, {"label": 1, "prediction": 1.0}]',
            b'{"labels": [0, 1], "predictions": [1, 1]}',
        ],
    ),
    "citation": (
        citation,
        [
            b"cff-version: 1.2.0\ntitle: A <!-- b -->\nauthors:\n- family-names: C\n  given-names: D\n"
            b"- name: E {F}\ndate-released: 2024-01-02\ndoi: 10.1234/a\nurl: https://a.b\npreferred-citation:\n"
            b"  type: article\n  title: G\n  authors: [{name: H}]\n  year: 2024\n"
        ],
    ),
    "eval-results": (
        eval_results,
        [
            b"- dataset: {id: a/b, task_id: c}\n  value: 0.5\n  date: 2024-01-02\n",
            b'{"results": {"t": {"acc,none": 0.5, "acc_stderr,none": 0.1}}, "configs": {}, "date": 1e9}',
        ],
    ),
}
