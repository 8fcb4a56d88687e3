"""`.eval_results/*.yaml` from the result files: what the leaderboards of the Hub's benchmarks read.

https://huggingface.co/docs/hub/eval-results has the format: one score for a task of a benchmark, and each further way
of measuring it in a file of its own, with notes that say which. A file begins with a line that holds the hash of the
rest: whoever changes the rest owns the file.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from hubpub.card.metadata.yaml_text import dump
from hubpub.card.metrics import is_loss, metric_id
from hubpub.card.writing.benchmarks import Benchmarked, benchmarked
from hubpub.card.writing.left_out import LeftOut
from hubpub.core.errors import UsageError
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.model.folder import ModelFolder

FOLDER = ".eval_results"
_MOST_FILES = 100
_LARGEST = 1 << 16
_MARK = Pattern(
    r"# Written by hubpub from [^\n]{1,300}; without this line the file is yours\. sha256=(?P<hash>[0-9a-f]{16})\n"
)


class EvalFile(NamedTuple):
    """A file of results.

    Attributes:
        path: relative to the model folder.
        content: the whole file.
        state: "new", "changed" or "unchanged" beside what is there; "kept" when a person wrote that, which stays;
            "stale" for one that hubpub wrote and no result file tells of any more.
    """

    path: str
    content: bytes
    state: str = "new"

    @property
    def is_outdated(self) -> bool:
        """Whether the folder lacks it as it should be."""
        return self.state in ("new", "changed")

    def to_json(self) -> dict[str, Any]:
        """As plain data, without the content."""
        return {"path": self.path, "state": self.state}


def eval_results(facts: CardFacts) -> tuple[tuple[EvalFile, ...], tuple[LeftOut, ...]]:
    """The files that the results of a model amount to, and results that could not be in one."""
    scores, left_out = benchmarked(facts)
    counted = Counter((one.dataset, one.task) for one in scores)
    files: dict[str, EvalFile] = {}
    for one in scores:
        several = counted[one.dataset, one.task] > 1
        parts = (one.task, one.score.metric, *one.setup) if several else (one.task,)
        entry = _entry(facts, one, named=several)
        _add(files, parts, _marked(one.file.path, entry))
    for name, entry, source in _of_the_run(facts):
        _add(files, (name,), _marked(source, entry))
    made = tuple(files.values())
    more = len(made) - _MOST_FILES
    rest = (LeftOut(FOLDER, f"has {_MOST_FILES} files; {more} more would be too many"),) if more > 0 else ()
    return made[:_MOST_FILES], (*left_out, *rest)


def compared_eval_results(folder: ModelFolder, facts: CardFacts) -> tuple[EvalFile, ...]:
    """The files with what they would change in the folder, by path."""
    wanted = {file.path: file for file in eval_results(facts)[0]}
    found = []
    for file in wanted.values():
        entry, directory = folder.entry(file.path), folder.source.directory
        if entry is None:
            excluded = directory is not None and os.path.lexists(directory / file.path)
            found.append(file._replace(state="kept") if excluded else file)
            continue
        there = folder.start(file.path, _LARGEST)
        state = "unchanged" if there == file.content else "changed" if _is_ours(there) else "kept"
        found.append(file._replace(state=state))
    for entry in folder.files:
        ours = entry.path.startswith(f"{FOLDER}/") and entry.path not in wanted and entry.size <= _LARGEST
        if ours and _is_ours(content := folder.start(entry.path, _LARGEST)):
            found.append(EvalFile(entry.path, content, "stale"))
    return tuple(sorted(found))


def write_eval_results(folder: ModelFolder, facts: CardFacts) -> tuple[EvalFile, ...]:
    """Write the new and changed files into the folder; those that a person wrote or changed stay. Returns all of them.

    Raises:
        UsageError: they cannot be written, or the directory is a link or a file.
    """
    from hubpub.core.files import replace_file

    files = compared_eval_results(folder, facts)
    for file in files:
        if file.is_outdated:
            directory = folder.root / FOLDER
            if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
                raise UsageError(f"{directory} is no directory of the folder", "move it away, and run again")
            try:
                directory.mkdir(exist_ok=True)
            except OSError as error:
                raise UsageError(f"{directory} cannot be made: {error.strerror}", "check the permissions") from error
            replace_file(folder.root / file.path, file.content)
    return files


def _entry(facts: CardFacts, one: Benchmarked, *, named: bool) -> dict[str, Any]:
    notes = ((one.score.metric,) if named else ()) + one.setup
    entry: dict[str, Any] = {"dataset": {"id": one.dataset, "task_id": one.task}, "value": one.score.value}
    if one.file.date:
        entry["date"] = one.file.date
    return _with_source(facts, entry) | ({"notes": ", ".join(notes)} if notes else {})


def _of_the_run(facts: CardFacts) -> Iterator[tuple[str, dict[str, Any], str]]:
    """What the Trainer measured, where a person named the benchmark and its task."""
    told = facts.answers.evaluation
    if not {"dataset", "task_id"} <= told.keys():
        return
    metrics = [value for value in facts.training.metrics if not is_loss(metric_id(value.name))]
    paths = [evaluation.path for evaluation in facts.training.evaluations]
    for metric in metrics:
        dataset = {"id": told["dataset"], "task_id": told["task_id"]}
        dataset |= {"revision": told["revision"]} if "revision" in told else {}
        entry = _with_source(facts, {"dataset": dataset, "value": metric.value})
        if len(metrics) > 1:
            entry["notes"] = metric.name
        name = f"{told['task_id']}_{metric.name}" if len(metrics) > 1 else told["task_id"]
        yield name, entry, paths[0] if paths else "the training run"


def _with_source(facts: CardFacts, entry: dict[str, Any]) -> dict[str, Any]:
    told = facts.answers.evaluation
    if "source_url" not in told:
        return entry
    name = {"name": told["source_name"]} if "source_name" in told else {}
    return {**entry, "source": {"url": told["source_url"], **name}}


def _add(files: dict[str, EvalFile], parts: tuple[str, ...], content: bytes) -> None:
    """Take a file under a name of its own."""
    name = "_".join(re.sub(r"[^a-z0-9-]+", "_", part.casefold()).strip("_") for part in parts)[:80] or "results"
    path, number = f"{FOLDER}/{name}.yaml", 1
    while path in files:
        number += 1
        path = f"{FOLDER}/{name}_{number}.yaml"
    files[path] = EvalFile(path, content)


def _marked(source: str, entry: dict[str, Any]) -> bytes:
    rest = dump([entry])
    shown = " ".join(source.split())[:200]
    mark = f"# Written by hubpub from {shown}; without this line the file is yours. sha256={_hash(rest)}\n"
    return (mark + rest).encode()


def _hash(rest: str) -> str:
    return hashlib.sha256(rest.encode()).hexdigest()[:16]


def _is_ours(content: bytes) -> bool:
    """Whether hubpub wrote all of it."""
    text = content.decode("utf-8", "replace")
    mark = _MARK.match(text)
    return mark is not None and mark["hash"] == _hash(text[mark.end() :])
