"""Rendering a card from the templates in `templates/`: the same facts give the same bytes, today and next year.

What comes from the model folder is text to the templates, never template or markup: every value that a template
prints is escaped for Markdown unless a filter has made it ready for another place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hubpub.card.answer_sections import answer_block, with_unasked
from hubpub.card.facts import CardFacts
from hubpub.card.gaps import write_gap
from hubpub.card.metadata import front_matter
from hubpub.card.sanitise import inline_code, markdown_text, python_string
from hubpub.card.schema import is_repo_id
from hubpub.card.snippets import choose_snippet, example_input, peft_class
from hubpub.card.templating import OWN_TEMPLATES, Templates, render_template, tidy

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8",
    "F8_E5M2": "float8",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
_RELATIONS = {
    "adapter": "an adapter for",
    "quantized": "a quantised version of",
    "finetune": "fine-tuned from",
    None: "made from",
}


class _Ready(str):
    """Text that is fit for its place and must not be escaped again."""

    __slots__ = ()


def render_card(facts: CardFacts, templates: Templates = OWN_TEMPLATES) -> str:
    """The card of a model, with a visible gap where only a person knows what to write and nobody has answered.

    Args:
        facts: what is known of it.
        templates: what it is made with, as `find_templates` finds them.

    Raises:
        UsageError: a template is wrong; the message names its file and line.
        HubpubError: the templates are not installed.
    """
    used: set[str] = set()

    def gap(slot: str, prompt: str) -> _Ready:
        answer = facts.answers.sections.get(slot)
        if answer is None:
            return _Ready(write_gap(slot, prompt))
        used.add(slot)
        return _Ready(answer_block(slot, answer))

    names = {**_names(facts), "gap": gap}
    text = render_template(templates, names, filters=_FILTERS, finalize=_shown)
    return tidy(with_unasked(tidy(text), facts.answers.sections, used))


def _shown(value: Any) -> Any:
    if isinstance(value, _Ready) or not isinstance(value, str):
        return value
    return markdown_text(value)


def _number(value: float | int | str) -> str:
    if isinstance(value, bool | str):
        return str(value)
    return _Ready(f"{value:,}" if isinstance(value, int) else repr(value))


def _link(repo: str, base: str) -> _Ready:
    return _Ready(f"[{markdown_text(repo)}]({base}{repo})" if is_repo_id(repo) else inline_code(repo))


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "code": lambda text: _Ready(inline_code(text)),
    "python": lambda text: _Ready(python_string(text)),
    "count": lambda number: _Ready(f"{number:,}"),
    "number": _number,
    "repo_link": lambda repo: _link(repo, "https://huggingface.co/"),
    "dataset_link": lambda repo: _link(repo, "https://huggingface.co/datasets/"),
}


def _names(facts: CardFacts) -> dict[str, Any]:
    """What templates may use."""
    properties = _properties(facts)
    return {
        "facts": facts,
        "front_matter": _Ready(front_matter(facts)),
        "properties": properties,
        "described": bool(facts.architecture or facts.base_model or properties),
        "task": facts.pipeline_tag,
        "dtype_names": _dtype_names(facts),
        "relation_phrase": _RELATIONS[facts.base_model_relation],
        "snippet": choose_snippet(facts),
        "example_input": example_input(facts),
        "peft_class": _Ready(peft_class(facts)),
        "remote_code": _Ready(", trust_remote_code=True" if facts.custom_code else ""),
    }


def _dtype(name: str) -> str:
    return _DTYPES.get(name, name)


def _dtype_names(facts: CardFacts) -> str:
    """The types that matter: a few hundred integers are position ids, not what the model is stored as."""
    total = sum(count for _, count in facts.dtypes)
    return " and ".join(_dtype(dtype) for dtype, count in facts.dtypes if count * 100 >= total)


def _properties(facts: CardFacts) -> list[tuple[str, str]]:
    """The rows of the table of the model's properties, those that are known."""
    dtypes = ", ".join(
        _dtype(dtype) if len(facts.dtypes) == 1 else f"{_dtype(dtype)} ({count:,})" for dtype, count in facts.dtypes
    )
    rows: list[tuple[str, Any]] = [
        ("Architecture", facts.architecture and inline_code(facts.architecture)),
        ("Model type", facts.model_type and inline_code(facts.model_type)),
        ("Parameters", facts.parameters),
        ("Data type", dtypes),
        ("Quantisation", facts.quantization and inline_code(facts.quantization)),
        ("Layers", facts.layers),
        ("Hidden size", facts.hidden_size),
        ("Vocabulary", facts.vocabulary),
        ("Context length in tokens", facts.context_length),
        ("Embedding dimensions", facts.embedding_size),
        ("Weights in bytes", facts.weight_bytes),
    ]
    return [(name, _Ready(f"{value:,}" if isinstance(value, int) else value)) for name, value in rows if value]
