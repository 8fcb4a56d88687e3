"""What the Hub accepts, rejects and warns of in a card's metadata: the answer of `POST /api/validate-yaml`, offline.

The embedded hub answers with it and the linter judges by it, so that they cannot differ. The cases were collected
from public answers of the Hub; where no answer is known, nothing is rejected. Specification:
https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from hubpub.card.hub_lists import licences, pipeline_tags
from hubpub.card.metadata.frontmatter import FrontMatter, read_front_matter
from hubpub.card.metadata.yaml_block import Path
from hubpub.core.pattern import Pattern

RELATIONS = ("adapter", "merge", "quantized", "finetune")

_EMPTY = "empty or missing yaml metadata in repo card"
_INVALID = "The YAML metadata of your README.md is invalid."
# The Hub names ISO 639 in its answer, but no answer is known to a code of two or three letters that is not in it, and
# its pages show models tagged zhs, cn or jp: the form decides. It has refused capitals since 2023 ("must only contain
# lowercase characters", https://github.com/jonatasgrosman/wav2vec2-sprint/issues/11).
_LANGUAGE = Pattern(r"[a-z]{2,3}|multilingual|code")
_REPO_ID = Pattern(r"(?:\b[A-Za-z0-9_.-]{1,96}\b/)?\b[A-Za-z0-9_.-]{1,96}\b", re.ASCII)


class Issue(NamedTuple):
    """One thing that the Hub says about the metadata.

    Attributes:
        message: in the Hub's words.
        path: of the value; empty for the block as a whole.
        value: what stands there.
        rejects: whether the Hub rejects the card for it, or only warns.
    """

    message: str
    path: Path = ()
    value: Any = None
    rejects: bool = True


class Verdict(NamedTuple):
    """The Hub's answer: it rejects a card that has errors, and takes one that has only warnings."""

    issues: tuple[Issue, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """The messages for which the Hub rejects the card."""
        return tuple(issue.message for issue in self.issues if issue.rejects)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The messages that the Hub shows to the author and lets pass."""
        return tuple(issue.message for issue in self.issues if not issue.rejects)


def validate_card(text: str, repo_type: str = "model") -> Verdict:
    """What the Hub would say to a card with this text; never raises.

    Args:
        text: the whole README.md.
        repo_type: "model", "dataset" or "space"; fields that only models have are judged for models only.
    """
    return validate_front_matter(read_front_matter(text), repo_type)


@lru_cache(maxsize=8)
def validate_front_matter(front_matter: FrontMatter, repo_type: str = "model") -> Verdict:
    """As `validate_card`, for a card that is already parsed."""
    if not front_matter.found:
        return Verdict((Issue(_EMPTY, rejects=False),))
    problem = front_matter.problem
    if front_matter.hub_data is None:
        if problem and not problem.fatal:
            return Verdict(())  # the Hub reads what PyYAML does not, and hubpub reads through PyYAML
        kind = problem.kind if problem else "empty"
        if kind == "not-a-mapping" and front_matter.raw.lstrip().startswith(("-", "[")):
            return Verdict((Issue('"value" must be of type object'),))
        if kind in ("empty", "not-a-mapping") or problem is None:
            return Verdict((Issue(_INVALID),))
        message = "duplicated mapping key" if kind == "duplicate-key" else problem.message
        return Verdict((Issue(f"Invalid YAML in README.md: {message} ({problem.line}:{problem.column})"),))
    return Verdict(tuple(_issues(front_matter.hub_data, repo_type)))


def card_data(text: str, repo_type: str = "model") -> dict[str, Any]:
    """The metadata of a card with this text, as the Hub reads it, without the fields that it would reject.

    Empty if there is none or it cannot be read. Arguments as for `validate_card`.
    """
    front_matter = read_front_matter(text)
    issues = validate_front_matter(front_matter, repo_type).issues
    rejected = {issue.path[0] for issue in issues if issue.rejects and issue.path}
    return {key: value for key, value in (front_matter.hub_data or {}).items() if key not in rejected}


def card_body(text: str) -> str:
    """What a card says behind its metadata."""
    return text[read_front_matter(text).body_start :]


def is_repo_id(value: str) -> bool:
    """Whether the Hub takes `value` as the id of a repo: `name` or `namespace/name`."""
    return bool(_REPO_ID.fullmatch(value)) and "--" not in value and ".." not in value and not value.endswith(".git")


def _issues(data: dict[str, Any], repo_type: str) -> Iterator[Issue]:
    fields: dict[str, Callable[[Any], Iterator[Issue]]] = {"license": _license}
    if repo_type in ("model", "dataset"):
        fields["language"] = _language
    if repo_type == "model":
        fields |= {
            "base_model": _base_model,
            "base_model_relation": _base_model_relation,
            "datasets": _datasets,
            "pipeline_tag": _pipeline_tag,
            "widget": _widget,
            "model-index": _model_index,
        }
    if repo_type in ("model", "dataset"):
        fields["extra_gated_fields"] = _extra_gated_fields
    for key, judge in fields.items():
        if data.get(key) is not None:
            yield from judge(data[key])


def _each(key: str, value: Any) -> Iterator[tuple[str, Path, Any]]:
    """The items of a value that may be one or a list, each with the name that the Hub gives it."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield f"{key}[{index}]", (key, index), item
    else:
        yield key, (key,), value


def _show(value: Any) -> str:
    return str(value)[:200]


def _license(value: Any) -> Iterator[Issue]:
    for name, path, item in _each("license", value):
        if not isinstance(item, str) or item not in licences():
            yield Issue(f'"{name}" must be one of [{", ".join(licences())}]', path, item)


def _language(value: Any) -> Iterator[Issue]:
    for name, path, item in _each("language", value):
        if not isinstance(item, str) or not _LANGUAGE.fullmatch(item):
            yield Issue(
                f'"{name}" with value "{_show(item)}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 code '
                '(two/three letters), or a special value like "code", "multilingual". If you want to use BCP-47 '
                "identifiers, you can specify them in language_bcp47.",
                path,
                item,
            )


def _base_model(value: Any) -> Iterator[Issue]:
    for name, path, item in _each("base_model", value):
        if not isinstance(item, str) or not is_repo_id(item):
            message = f'"{name}" with value "{_show(item)}" is not valid. Use a model id from https://hf.co/models.'
            yield Issue(message, path, item)


def _base_model_relation(value: Any) -> Iterator[Issue]:
    if value not in RELATIONS:
        message = f'"base_model_relation" must be one of [{", ".join(RELATIONS)}]'
        yield Issue(message, ("base_model_relation",), value)


def _datasets(value: Any) -> Iterator[Issue]:
    for name, path, item in _each("datasets", value):
        if not isinstance(item, str) or not is_repo_id(item):
            yield Issue(
                f'"{name}" with value "{_show(item)}" is not valid. If possible, use a dataset id from '
                "https://hf.co/datasets.",
                path,
                item,
            )


def _pipeline_tag(value: Any) -> Iterator[Issue]:
    if not isinstance(value, str) or value not in pipeline_tags():
        message = f'"pipeline_tag" must be one of [{", ".join(pipeline_tags())}]'
        yield Issue(message, ("pipeline_tag",), value, rejects=False)


def _widget(value: Any) -> Iterator[Issue]:
    if not isinstance(value, list):
        yield Issue('"widget" must be an array', ("widget",), value)


def _extra_gated_fields(value: Any) -> Iterator[Issue]:
    if not isinstance(value, dict):
        yield Issue('"extra_gated_fields" must be of type object', ("extra_gated_fields",), value)


def _model_index(value: Any) -> Iterator[Issue]:
    if not isinstance(value, list):
        yield Issue('"model-index" must be an array', ("model-index",), value)
        return
    for index, entry in enumerate(value):
        path: Path = ("model-index", index)
        if not isinstance(entry, dict):
            yield _wrong_type("object", path, entry)
            continue
        yield from _required(entry, path, "name", "results")
        results = entry.get("results")
        if isinstance(results, list):
            for number, result in enumerate(results):
                yield from _result(result, (*path, "results", number))
        elif results is not None:
            yield _wrong_type("array", (*path, "results"), results)


def _result(result: Any, path: Path) -> Iterator[Issue]:
    if not isinstance(result, dict):
        yield _wrong_type("object", path, result)
        return
    dataset = result.get("dataset")
    if isinstance(dataset, dict):
        yield from _strings(dataset, (*path, "dataset"), "config", "revision")
    source = result.get("source")
    if isinstance(source, dict):
        yield from _required(source, (*path, "source"), "url")
    metrics = result.get("metrics")
    for number, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        if isinstance(metric, dict):
            yield from _required(metric, (*path, "metrics", number), "value")
            yield from _strings(metric, (*path, "metrics", number), "config")


def _required(mapping: dict[str, Any], path: Path, *keys: str) -> Iterator[Issue]:
    for key in keys:
        if mapping.get(key) is None:
            yield Issue(f'"{_joined((*path, key))}" is required', (*path, key))


def _strings(mapping: dict[str, Any], path: Path, *keys: str) -> Iterator[Issue]:
    for key in keys:
        value = mapping.get(key)
        if value is not None and not isinstance(value, str):
            yield Issue(f'"{_joined((*path, key))}" must be a string', (*path, key), value)


def _wrong_type(wanted: str, path: Path, value: Any) -> Issue:
    words = "an array" if wanted == "array" else "of type object"
    return Issue(f'"{_joined(path)}" must be {words}', path, value)


def _joined(path: Path) -> str:
    """A path as the Hub writes it: `model-index[0].results[1].metrics`."""
    written = ""
    for part in path:
        written += f"[{part}]" if isinstance(part, int) else f".{part}"
    return written.lstrip(".")
