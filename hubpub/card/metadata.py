"""The front matter that a model's facts amount to, as a mapping and as text."""

from __future__ import annotations

from typing import Any

from hubpub.card.facts import CardFacts
from hubpub.card.yaml_text import dump

_TAGS_BY_KIND = {
    "adapter": ("lora",),
    "sentence-transformers": ("sentence-transformers", "feature-extraction"),
}


def metadata(facts: CardFacts) -> dict[str, Any]:
    """The metadata that is known, in the Hub's order (https://github.com/huggingface/hub-docs/blob/main/modelcard.md)."""
    known = {
        "license": facts.license,
        "language": list(facts.language),
        "library_name": facts.library_name,
        "pipeline_tag": facts.pipeline_tag,
        "base_model": facts.base_model,
        "base_model_relation": facts.base_model_relation,
        "datasets": list(facts.datasets),
        "tags": _tags(facts),
        "model-index": _model_index(facts),
    }
    return {key: value for key, value in known.items() if value}


def front_matter(facts: CardFacts) -> str:
    """The block with its fences; empty when nothing is known."""
    known = metadata(facts)
    return f"---\n{dump(known)}---\n" if known else ""


def _tags(facts: CardFacts) -> list[str]:
    tags = list(_TAGS_BY_KIND.get(facts.kind, ()))
    if facts.kind == "adapter" and not any(value.value == "LORA" for value in facts.adapter):
        tags.remove("lora")
    if facts.chat_template and facts.pipeline_tag == "text-generation":
        tags.append("conversational")
    return tags


def _model_index(facts: CardFacts) -> list[dict[str, Any]]:
    """The evaluation, when it is known on which data set: one data set and a measured metric."""
    metrics = [
        {"type": metric.name, "name": metric.name, "value": metric.value}
        for metric in facts.training.metrics
        if metric.name != "loss"
    ]
    if not metrics or len(facts.datasets) != 1 or not facts.pipeline_tag:
        return []
    dataset = facts.datasets[0]
    result = {
        "task": {"type": facts.pipeline_tag},
        "dataset": {"name": dataset, "type": dataset},
        "metrics": metrics,
    }
    return [{"name": facts.name, "results": [result]}]
