"""Examples for the widget on a model's page: inputs only, never a label or an output that nobody measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubpub.card.hub_lists import read_data
from hubpub.card.writing.snippets import WITH_MORE_THAN_TEXT

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts

# The Hub runs no others in the browser or by an inference provider.
_KINDS = ("transformers", "sentence-transformers", "diffusers", "adapter")


def widget_examples(facts: CardFacts) -> list[dict[str, Any]]:
    """The examples for the model's task; none where the Hub shows no widget, or where English would be wrong."""
    data, task = read_data("widget-examples.json"), facts.pipeline_tag
    if facts.kind not in _KINDS or task is None:
        return []
    if task in data["files"]:
        return [dict(example) for example in data["files"][task]]
    if facts.model_type in WITH_MORE_THAN_TEXT or (task == "feature-extraction" and not _reads(facts)):
        return []
    if facts.language and not {"en", "multilingual"} & set(facts.language):
        return []
    if task == "fill-mask":
        texts = [example["text"] for example in data["texts"][task]]
        return [{"text": text.replace("{mask}", facts.mask_token)} for text in texts if facts.mask_token]
    name = "chat" if task == "text-generation" and facts.chat_template else task
    return [dict(example) for example in data["texts"].get(name, ())]


def _reads(facts: CardFacts) -> bool:
    """Whether it makes vectors of text, and not of pictures, sounds or numbers."""
    usage = facts.usage
    return not usage.sound and not usage.image and (usage.tokenizer or facts.kind != "transformers")
