"""All that is known of a model as one list: name, value and the place that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from hubpub.card.facts.sourced import Value, source_of

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.card.facts.run_summary import RunSummary
    from hubpub.card.facts.tokenizer import TokenizerFacts

FACTS_SCHEMA = "hubpub.facts/1"

_SINGLE = (
    "name",
    "kind",
    "library_name",
    "pipeline_tag",
    "model_type",
    "architecture",
    "parameters",
    "active_parameters",
    "dtypes",
    "weight_bytes",
    "context_length",
    "vocabulary",
    "hidden_size",
    "layers",
    "decoder_layers",
    "embedding_size",
    "labels",
    "base_model",
    "base_model_relation",
    "base_model_revision",
    "quantization",
    "license",
    "language",
    "datasets",
    "peft_task",
)
_VALUES = ("quantization_settings", "generation", "preprocessing", "modules", "prompts", "adapter")
_PARTS_OF_A_RUN = ("settings", "outcome", "best", "hardware", "software", "emissions", "code")
_BY_KIND = "the kind of the folder"


class ListedFact(NamedTuple):
    """A fact.

    Attributes:
        name: of the field of CardFacts; what is in the field is joined by dots.
        value: plain data, as JSON can hold it.
        source: where it comes from, as `source_of` says it.
    """

    name: str
    value: Any
    source: str


def list_facts(facts: CardFacts) -> tuple[ListedFact, ...]:
    """What is known, in the order of a card; what no file tells is left out."""
    return tuple(_listed(facts))


def facts_json(facts: CardFacts) -> dict[str, Any]:
    """The list in the schema `hubpub.facts/1`."""
    return {"schema": FACTS_SCHEMA, "facts": [fact._asdict() for fact in list_facts(facts)]}


def _listed(facts: CardFacts) -> Iterator[ListedFact]:
    for name in _SINGLE:
        value = getattr(facts, name)
        if value not in (None, "", 0, ()):
            yield ListedFact(name, _plain(value), facts.sources.get(name, _BY_KIND))
    for name in _VALUES:
        yield from _values(name, getattr(facts, name))
    for file in facts.quantised_files:
        place = f"quantised_files.{file.path}"
        yield ListedFact(f"{place}.bytes", file.bytes, f"{file.path}: size")
        for name, value in (("scheme", file.scheme), ("bits", file.bits), ("parameters", file.parameters)):
            yield ListedFact(f"{place}.{name}", value, f"{file.path}: types and shapes of the tensors")
    yield from _tokenizer(facts.tokenizer)
    if facts.chat is not None:
        yield ListedFact("chat.path", facts.chat.path, facts.chat.path)
        for name, able in facts.chat.abilities:
            yield ListedFact(f"chat.{name}", able, f"{facts.chat.path}: rendered with sample conversations")
    for name, version in facts.versions:
        yield ListedFact(f"versions.{name}", version, facts.sources.get(f"versions.{name}", ""))
    for index, found in enumerate(facts.data):
        for split in found.splits:
            if split.rows is not None:
                yield ListedFact(f"data.{index}.{split.name}.rows", split.rows.value, split.rows.source)
            yield from _values(f"data.{index}.{split.name}.rows", split.classes)
        if found.rows is not None:
            yield ListedFact(f"data.{index}.rows", found.rows.value, found.rows.source)
            yield ListedFact(f"data.{index}.files", found.split_count, found.rows.source)
        for column in found.columns:
            described = {"type": column.type, "classes": column.class_count} if column.classes else column.type
            yield ListedFact(f"data.{index}.columns.{column.name}", described, found.columns_source)
        yield from _values(f"data.{index}", found.facts)
    for path in facts.pickled_data:
        yield ListedFact(f"pickled_data.{path}", "not opened", path)
    yield from _run(facts.summary)
    samples = dict(facts.training.sources).get("samples", "")
    if facts.training.samples is not None:
        yield ListedFact("training.samples", facts.training.samples, samples)
    if facts.citation is not None:
        for name, text in facts.citation.fields:
            yield ListedFact(f"citation.{name}", text, source_of(facts.citation.path, facts.citation.part))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        pairs = value and all(isinstance(one, tuple) and len(one) == 2 for one in value)
        return dict(value) if pairs else list(value)
    return value


def _values(prefix: str, values: Iterable[Value]) -> Iterator[ListedFact]:
    for value in values:
        yield ListedFact(f"{prefix}.{value.name}", value.value, value.source)


def _tokenizer(tokenizer: TokenizerFacts) -> Iterator[ListedFact]:
    sources = dict(tokenizer.sources)
    for name in ("kind", "vocabulary", "added_tokens", "class_name", "fast", "longest"):
        value = getattr(tokenizer, name)
        if value is not None:
            yield ListedFact(f"tokenizer.{name}", value, sources.get(name, ""))
    yield from _values("tokenizer", tokenizer.steps)
    if tokenizer.special:
        yield ListedFact("tokenizer.special.total", tokenizer.special_total, sources.get("special_total", ""))
    for index, token in enumerate(tokenizer.special):
        shown = {"content": token.content, "id": token.id}
        yield ListedFact(f"tokenizer.special.{token.role or index}", shown, token.source)


def _run(run: RunSummary) -> Iterator[ListedFact]:
    for part in _PARTS_OF_A_RUN:
        yield from _values(f"run.{part}", getattr(run, part))
    if run.log:
        yield ListedFact("run.log.total", run.log.total, source_of(run.log.path, run.log.key))
    for row in run.log.rows:
        step = row.step.value if row.step else ""
        parts = (row.step, row.epoch, row.training_loss, *row.metrics)
        yield from _values(f"run.log.{step}", (value for value in parts if value is not None))
    for results in run.results:
        prefix = f"run.results.{'best' if results.best else results.split}"
        yield from _values(prefix, (value for value in (results.samples, results.step) if value is not None))
        yield from _values(prefix, results.metrics)
    measured = {value for results in run.results for value in results.metrics}
    for label, values in run.labels.rows if run.labels else ():
        yield from _values(
            f"run.labels.{label}", (value for value in values if value is not None and value not in measured)
        )
    for file in run.benchmarks:
        yield ListedFact(f"run.benchmarks.{file.path}.total", file.total, source_of(file.path, "results"))
        for name, text in (("tool", file.tool), ("version", file.version), ("date", file.date)):
            if text is not None:
                yield ListedFact(f"run.benchmarks.{file.path}.{name}", text, file.path)
        for score in file.scores:
            prefix = f"run.benchmarks.{score.score.name}.{score.metric}"
            yield ListedFact(prefix, score.score.value, score.score.source)
            yield from _values(prefix, (value for value in (score.error, score.shots) if value is not None))
