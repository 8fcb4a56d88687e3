"""How large a model is and how it is built, each number with its place: from config.json, tensors and GGUF headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hubpub.card.facts.experts import active_parameters
from hubpub.card.facts.named_adapters import named_adapters
from hubpub.card.facts.other_libraries import Told, class_told
from hubpub.card.facts.provenance import Sources, positive
from hubpub.card.facts.sourced import source_of
from hubpub.model.jsonfile import json_object
from hubpub.model.kind import ModelKind
from hubpub.model.sentence_class import SENTENCE_TRANSFORMER, sentence_class

if TYPE_CHECKING:
    from hubpub.model.folder import ModelFolder
    from hubpub.model.gguf import GgufFile
    from hubpub.model.weights import Weights

_CONTEXT_KEYS = (
    *("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length", "n_ctx"),
    "max_encoder_position_embeddings",
)
_HIDDEN_KEYS = ("hidden_size", "d_model", "n_embd", "dim")
_LAYER_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_ENCODER_KEYS = ("encoder_layers", "num_encoder_layers")
_DECODER_KEYS = ("decoder_layers", "num_decoder_layers")
# Their position embeddings begin behind the padding token's, so that many of them cannot be used.
_OFFSET_POSITIONS = {
    *("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "xmod", "longformer", "mpnet", "roberta-prelayernorm"),
    *("data2vec-text", "ibert", "esm", "luke", "mluke", "layoutlmv3", "lilt", "markuplm", "clap", "altclip"),
    "bridgetower",
}
# Relative positions: the number in the configuration is what they were trained with, not a limit.
_RELATIVE_POSITIONS = {"t5", "mt5", "umt5", "longt5", "switch_transformers"}
_TEXT_PARTS = ("text_config", "llm_config", "language_config", "decoder")
_COUNTED = (ModelKind.TRANSFORMERS, ModelKind.SENTENCE_TRANSFORMERS, ModelKind.ADAPTER, ModelKind.GGUF)


@dataclass(frozen=True, slots=True)
class ArchitectureFacts:
    """The numbers of an architecture; the attributes are those of CardFacts."""

    model_type: str | None
    architecture: str | None
    parameters: int | None
    active_parameters: int | None
    dtypes: tuple[tuple[str, int], ...]
    weight_bytes: int
    context_length: int | None
    vocabulary: int | None
    hidden_size: int | None
    layers: int | None
    decoder_layers: int | None
    embedding_size: int | None


def architecture_facts(folder: ModelFolder, sources: Sources) -> ArchitectureFacts:
    """What the files tell of the architecture; where is noted in `sources`."""
    config = json_object(folder.config)
    part, text = _part(config)
    models = ((path, file) for path, file in folder.gguf.items() if file.is_model)
    gguf = next(models, None) if folder.kind is ModelKind.GGUF else None
    loaded = _loaded(folder)
    dtypes, place = _dtypes(folder, loaded)
    parameters = loaded.parameters if loaded.primary else sum(dtypes.values()) or None
    if named_adapters(folder):
        parameters = None  # one of them is used, not their sum
    in_config = sources.reader("config.json", part, text)
    in_gguf = _GgufReader(gguf, sources)
    pair = text.get("is_encoder_decoder") is True
    made = class_told(folder) or Told(
        next(iter(folder.architectures), None), source_of("config.json", "architectures.0")
    )
    return ArchitectureFacts(
        model_type=sources.note("model_type", folder.model_type, source_of("config.json", "model_type"))
        or in_gguf.architecture(),
        architecture=sources.note("architecture", made.value, made.source),
        parameters=sources.note("parameters", parameters, place),
        active_parameters=active_parameters(folder, loaded, part, text, parameters, place, sources),
        dtypes=sources.note("dtypes", tuple(sorted(dtypes.items(), key=lambda item: (-item[1], item[0]))), place) or (),
        weight_bytes=sources.note("weight_bytes", loaded.weight_bytes, _files(loaded)) or 0,
        context_length=_context_length(folder, text, part, sources)
        or in_gguf.number("context_length", "context_length"),
        vocabulary=in_config("vocabulary", "vocab_size") or in_gguf.tokens(),
        hidden_size=in_config("hidden_size", *_HIDDEN_KEYS) or in_gguf.number("hidden_size", "embedding_length"),
        layers=in_config("layers", *_LAYER_KEYS, *(_ENCODER_KEYS if pair else ()))
        or in_gguf.number("layers", "block_count"),
        decoder_layers=in_config("decoder_layers", *_DECODER_KEYS) if pair else None,
        embedding_size=_embedding_size(folder, config, sources),
    )


@dataclass(frozen=True, slots=True)
class _GgufReader:
    found: tuple[str, GgufFile] | None
    sources: Sources

    def architecture(self) -> str | None:
        if self.found is None:
            return None
        path, file = self.found
        return self.sources.note("model_type", file.architecture, source_of(path, "general.architecture"))

    def number(self, name: str, key: str) -> int | None:
        if self.found is None:
            return None
        path, file = self.found
        full = f"{file.architecture}.{key}"
        return self.sources.note(name, positive(file.number(full)), source_of(path, full))

    def tokens(self) -> int | None:
        if self.found is None:
            return None
        path, file = self.found
        return self.sources.note("vocabulary", file.tokens, source_of(path, "tokenizer.ggml.tokens"))


def _part(config: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The configuration of a multi-part model's language part with its key and a dot; the whole one for others."""
    key = next((key for key in _TEXT_PARTS if isinstance(config.get(key), dict)), None)
    return ("", config) if key is None else (f"{key}.", config[key])


def _loaded(folder: ModelFolder) -> Weights:
    """The weights that make up the model: transformers takes those beside config.json, whatever lies further down."""
    weights = folder.weights
    beside = {path: header for path, header in weights.headers.items() if "/" not in path}
    return replace(weights, headers=beside) if beside and folder.kind is ModelKind.TRANSFORMERS else weights


def _dtypes(folder: ModelFolder, weights: Weights) -> tuple[Mapping[str, int], str]:
    """Elements by data type, and where they were counted; without safetensors in the next format that there is."""
    if weights.primary:
        return weights.parameters_by_dtype, f"{_listed(weights.primary)}: shapes of the tensors"
    if folder.kind not in _COUNTED:
        return {}, ""
    from hubpub.model.tensors import stated_tensors

    counts: dict[str, int] = {}
    for tensor in stated_tensors(folder):
        counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.elements
    return counts, f"{_files(weights)}: shapes of the tensors"


def _files(weights: Weights) -> str:
    return _listed(weights.primary or tuple(entry.path for entries in weights.files.values() for entry in entries))


def _listed(paths: tuple[str, ...]) -> str:
    return paths[0] if len(paths) == 1 else f"{len(paths)} files of weights"


def _context_length(folder: ModelFolder, text: Mapping[str, Any], part: str, sources: Sources) -> int | None:
    path = "sentence_bert_config.json"
    if limit := positive(json_object(folder.json(path)).get("max_seq_length")):
        return sources.note("context_length", limit, source_of(path, "max_seq_length"))
    if folder.model_type in _RELATIVE_POSITIONS:
        return None
    for key in _CONTEXT_KEYS:
        if length := positive(text.get(key)):
            source = source_of("config.json", part + key)
            if folder.model_type in _OFFSET_POSITIONS:
                padding = text.get("pad_token_id")
                behind = 1 + (padding if isinstance(padding, int) and 0 <= padding < length - 1 else 1)
                return sources.note("context_length", positive(length - behind), f"{source} - {behind}")
            return sources.note("context_length", length, source)
    return None


def _embedding_size(folder: ModelFolder, config: Mapping[str, Any], sources: Sources) -> int | None:
    if folder.kind is not ModelKind.SENTENCE_TRANSFORMERS or sentence_class(folder) != SENTENCE_TRANSFORMER:
        return None
    dense = [
        (path, size)
        for path in sorted(entry.path for entry in folder.release_files)
        if path.endswith("_Dense/config.json")
        and (size := positive(json_object(folder.json(path)).get("out_features")))
    ]
    if dense:
        return sources.note("embedding_size", dense[-1][1], source_of(dense[-1][0], "out_features"))
    return sources.reader("config.json", "", config)("embedding_size", *_HIDDEN_KEYS)
