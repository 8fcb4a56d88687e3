"""The front matter that a model's facts and a person's answers amount to, as a mapping and as text.

Nothing that the Hub would reject gets in: what it says of the whole is asked of the same code that answers for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from hubpub.card.metadata.frontmatter import FrontMatter
from hubpub.card.metadata.schema import validate_front_matter
from hubpub.card.metadata.yaml_text import dump
from hubpub.card.writing.left_out import LeftOut
from hubpub.card.writing.model_index import measured_metrics, model_index_results
from hubpub.card.writing.widget import widget_examples

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.card.metadata.yaml_block import Path

# What the libraries' own cards carry, and people search for.
_SETFIT_TAGS = ("sentence-transformers",)
_TAGS_BY_KIND = {"gguf": ("gguf",)}
_TAGS_BY_CLASS = {
    "SentenceTransformer": ("sentence-transformers", "feature-extraction"),
    "CrossEncoder": ("sentence-transformers", "cross-encoder"),
    "SparseEncoder": ("sentence-transformers", "sparse-encoder", "sparse"),
}
_TAGS_BY_TOOL = {
    "trl": ("trl",),
    "axolotl": ("axolotl",),
    "unsloth": ("unsloth",),
    "llama-factory": ("llama-factory",),
    "torchtune": ("torchtune",),
}


class Metadata(NamedTuple):
    """The metadata in the Hub's order, and what was left out of it."""

    values: dict[str, Any]
    left_out: tuple[LeftOut, ...]


def card_metadata(facts: CardFacts) -> Metadata:
    """The metadata that is known, in the Hub's order (https://github.com/huggingface/hub-docs/blob/main/modelcard.md)."""
    told = facts.answers.metadata
    results = model_index_results(facts)
    known = {
        "license": facts.license or ("other" if facts.license_link else None),
        "license_name": facts.license_name,
        "license_link": facts.license_link,
        "language": list(facts.language),
        "library_name": facts.library_name,
        "pipeline_tag": facts.pipeline_tag,
        "base_model": facts.base_model,
        "base_model_relation": facts.base_model_relation,
        "datasets": list(facts.datasets),
        "metrics": list(measured_metrics(facts)),
        "tags": _tags(facts),
        "widget": widget_examples(facts),
        "co2_eq_emissions": _emissions(facts),
        "model-index": [{"name": facts.name, "results": list(results.results)}] if results.results else [],
    }
    wanted = {**known, **told}
    if known["tags"] and told.get("tags"):
        wanted["tags"] = list(dict.fromkeys((*told["tags"], *known["tags"])))
    if len(wanted.get("base_model") or ()) == 1 and isinstance(wanted["base_model"], list):
        wanted["base_model"] = wanted["base_model"][0]
    given = {key: value for key, value in wanted.items() if value not in (None, "", [], {}, ())}
    accepted, refused = _accepted(given)
    reported = results.left_out if "model-index" not in told else ()
    return Metadata(accepted, (*refused, *reported))


def metadata(facts: CardFacts) -> dict[str, Any]:
    """The values of `card_metadata`."""
    return card_metadata(facts).values


def front_matter(facts: CardFacts) -> str:
    """The block with its fences; empty when nothing is known."""
    known = metadata(facts)
    return f"---\n{dump(known)}---\n" if known else ""


def _tags(facts: CardFacts) -> list[str]:
    by_class = _TAGS_BY_CLASS.get(facts.usage.sentence_class or "", ())
    tags = [*_TAGS_BY_KIND.get(facts.kind, ()), *(_SETFIT_TAGS if facts.usage.setfit else by_class)]
    methods = {str(value.value).casefold() for value in facts.adapter if value.name == "Method"}
    tags += ["reranker"] if facts.pipeline_tag == "text-ranking" and "cross-encoder" in tags else []
    tags += [method for method in ("lora",) if facts.kind == "adapter" and method in methods]
    if facts.chat_template and facts.pipeline_tag == "text-generation":
        tags.append("conversational")
    if facts.run.states:
        tags.append("generated_from_trainer")
    for config in facts.run.configs:
        tool = "trl" if config.method and config.tool == "transformers" else config.tool
        tags += _TAGS_BY_TOOL.get(tool, ())
        tags += (config.method,) if config.method else ()
    return list(dict.fromkeys(tags))


def _emissions(facts: CardFacts) -> dict[str, Any]:
    """What codecarbon measured of the last run, in grams (https://huggingface.co/docs/hub/model-cards-co2)."""
    if not facts.run.emissions:
        return {}
    measured = facts.run.emissions[-1]
    places = [place for place in (measured.text("region"), measured.text("country_name")) if place]
    gpu, count = measured.text("gpu_model"), measured.number("gpu_count")
    if gpu and count and not gpu[:1].isdecimal():
        gpu = f"{int(count)} x {gpu}"  # codecarbon writes most of them with their number
    known = {
        "emissions": float(Decimal(repr(measured.kilograms)) * 1000),
        "source": "codecarbon",
        "training_type": "fine-tuning" if facts.base_model_relation in ("finetune", "adapter") else None,
        "geographical_location": ", ".join(places),
        "hardware_used": gpu or measured.text("cpu_model"),
    }
    return {key: value for key, value in known.items() if value not in (None, "")}


def _accepted(values: dict[str, Any]) -> tuple[dict[str, Any], tuple[LeftOut, ...]]:
    """The values without those for which the Hub would reject the card, and why these."""
    left_out: list[LeftOut] = []
    for _ in range(len(values) + 1):
        issues = [issue for issue in _issues(values) if issue[0]]
        if not issues:
            break
        gone = {_removable(path) for path, _ in issues}
        left_out += {_removable(path): LeftOut(_named(path), reason) for path, reason in issues}.values()
        values = {key: kept for key, value in values.items() if (kept := _without((key,), value, gone)) is not None}
        values = {key: value for key, value in values.items() if value not in ([], {})}
    return values, tuple(left_out)


def _issues(values: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    for issue in validate_front_matter(FrontMatter(True, data=values, hub_data=values)).issues:
        if issue.rejects:
            said = issue.message if len(issue.message) < 300 else f"{issue.message[:200]}…"
            yield issue.path, f"would be rejected by the Hub: {said}"


def _removable(path: Path) -> Path:
    """What goes with the value at `path`: an item of a list, a result of model-index, else the whole key."""
    if path[0] == "model-index":
        return path[:4] if len(path) >= 4 else path[:1]
    return path[:2] if len(path) > 1 and isinstance(path[1], int) else path[:1]


def _without(path: Path, value: Any, gone: Iterable[Path]) -> Any:
    """A copy of the value without what is at one of the paths; None when it is there itself."""
    if path in gone:
        return None
    if isinstance(value, list):
        items = ((*path, index) for index in range(len(value)))
        return [item for at, one in zip(items, value, strict=True) if (item := _without(at, one, gone)) is not None]
    if isinstance(value, Mapping):
        return {key: kept for key, one in value.items() if (kept := _without((*path, key), one, gone)) is not None}
    return value


def _named(path: Path) -> str:
    return ".".join(map(str, path))
