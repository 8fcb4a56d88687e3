"""Rendering a card from the templates in `templates/`: the same facts give the same bytes, today and next year.

What comes from the model folder is text to the templates, never template or markup: every value that a template
prints is escaped for Markdown unless a filter has made it ready for another place.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubpub.card.facts import CardFacts
from hubpub.card.gaps import write_gap
from hubpub.card.metadata import front_matter
from hubpub.card.sanitise import inline_code, markdown_text, one_line, python_string
from hubpub.card.schema import is_repo_id
from hubpub.card.snippets import snippet_names
from hubpub.core.errors import HubpubError, UsageError

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

DEFAULT_TEMPLATE = "default.md.jinja"

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


def render_card(facts: CardFacts) -> str:
    """The card of a model, with a visible gap where only a person knows what to write.

    Raises:
        UsageError: a template is wrong; the message names its file and line.
        HubpubError: the templates are not installed.
    """
    from jinja2 import TemplateError, TemplateSyntaxError

    try:
        text = _environment().get_template(DEFAULT_TEMPLATE).render(_names(facts))
    except TemplateSyntaxError as error:
        place = f"{error.name or DEFAULT_TEMPLATE}:{error.lineno}"
        raise UsageError(f"{place}: {error.message}", "mend the template") from error
    except TemplateError as error:
        raise UsageError(f"{DEFAULT_TEMPLATE}: {error.message}", "mend the template") from error
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


@cache
def template_folder() -> Path:
    """Where the templates are: inside an installed package, else beside it in a checkout.

    Raises:
        HubpubError: neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_templates", package.parent / "templates"):
        if (folder / DEFAULT_TEMPLATE).is_file():
            return folder
    raise HubpubError("hubpub's card templates are not installed", "install hubpub again")


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(template_folder()),
        undefined=StrictUndefined,
        autoescape=False,  # that escapes for HTML; `finalize` escapes for Markdown
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        code=lambda text: _Ready(inline_code(text)),
        python=lambda text: _Ready(python_string(text)),
        shell_word=lambda text: _Ready(shlex.quote(one_line(text))),
        count=lambda number: _Ready(f"{number:,}"),
        number=_number,
        repo_link=lambda repo: _link(repo, "https://huggingface.co/"),
        dataset_link=lambda repo: _link(repo, "https://huggingface.co/datasets/"),
    )
    return environment


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


def _names(facts: CardFacts) -> dict[str, Any]:
    """What templates may use."""
    properties = _properties(facts)
    return {
        "facts": facts,
        "front_matter": _Ready(front_matter(facts)),
        "gap": lambda slot, prompt: _Ready(write_gap(slot, prompt)),
        "properties": properties,
        "described": bool(facts.architecture or facts.base_model or properties),
        "task": facts.pipeline_tag,
        "dtype_names": _dtype_names(facts),
        "relation_phrase": _RELATIONS[facts.base_model_relation],
        **{name: _Ready(value) if isinstance(value, str) else value for name, value in snippet_names(facts).items()},
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
