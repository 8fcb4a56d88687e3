"""Which models, tokenizers and files the snippets of a card load, and by what."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from hubpub.card.code.python_snippets import Call, python_of
from hubpub.card.document import Card
from hubpub.core.pattern import Pattern

Role: TypeAlias = Literal["model", "part", "files"]

_REPO_ID = Pattern(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
# Classes that read a tokenizer, a processor or a configuration: often those of another repo, on purpose.
_PART = Pattern(
    r".*(?:Tokenizer(?:Fast)?|Processor(?:Fast)?|FeatureExtractor|Config|Scheduler|Retriever|Encoder|Decoder|VAE"
    r"|AutoencoderKL|Adapter|ControlNetModel|Vocos|Vocoder|HifiGan|MotionAdapter|Streamer|T2IAdapter)"
)
_BY_FIRST_ARGUMENT = {
    "SentenceTransformer": "model_name_or_path",
    "CrossEncoder": "model_name_or_path",
    "SparseEncoder": "model_name_or_path",
    "LLM": "model",
}
_FILES = ("snapshot_download", "hf_hub_download")


class Loaded(NamedTuple):
    """Something that a snippet loads.

    Attributes:
        call: the call that does.
        id: the id of a repo, or a path.
        node: the argument.
        role: "model", "part" (a tokenizer, a configuration, one of several models), "files" (a download).
        by: the class or function that loads it, without its module: `AutoModel`, `pipeline`.
    """

    call: Call
    id: str
    node: ast.expr
    role: Role
    by: str

    @property
    def is_repo_id(self) -> bool:
        """Whether it has the form of a repo's id, and is no path."""
        return _REPO_ID.fullmatch(self.id) is not None


@lru_cache(maxsize=8)
def loaded_by(card: Card) -> tuple[Loaded, ...]:
    """What the snippets of a card load, in order."""
    return tuple(_loads(card))


def models_loaded_by(card: Card) -> tuple[Loaded, ...]:
    """The models among it: no tokenizers, parts or downloads."""
    return tuple(loaded for loaded in loaded_by(card) if loaded.role == "model")


def _loads(card: Card) -> Iterator[Loaded]:
    python = python_of(card)
    for call in python.calls:
        for role, by, node in _arguments(call):
            text = python.text_of(node)
            if node is not None and text:
                yield Loaded(call, text, node, role, by)


def _arguments(call: Call) -> Iterator[tuple[Role, str, ast.expr | None]]:
    """The arguments of a call that say what it loads."""
    name = call.last
    if name == "from_pretrained" and call.owner and not call.name.endswith(")"):
        by = call.owner.removesuffix("()")
        role: Role = "part" if _PART.fullmatch(by) else "model"
        if by.startswith("Peft") and call.node.args[1:]:
            yield "part", by, call.node.args[0]
            yield "model", by, call.node.args[1]
        else:
            yield role, by, _first(call, "pretrained_model_name_or_path")
    elif name == "pipeline" and call.root in ("pipeline", "transformers"):
        model = call.keywords.get("model")
        yield "model", name, model.value if model else (call.node.args[1] if len(call.node.args) > 1 else None)
        tokenizer = call.keywords.get("tokenizer")
        yield "part", name, tokenizer.value if tokenizer else None
    elif name in _BY_FIRST_ARGUMENT:
        yield "model", name, _first(call, _BY_FIRST_ARGUMENT[name])
    elif name in _FILES:
        yield "files", name, _first(call, "repo_id")


def _first(call: Call, keyword: str) -> ast.expr | None:
    found = call.keywords.get(keyword)
    if found is not None:
        return found.value
    return call.node.args[0] if call.node.args else None
