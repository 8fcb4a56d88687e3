"""How facts look in Markdown: the filters and names that templates are given.

What comes from the model folder is text, never markup: every value that a template prints is escaped, unless a filter
has made it ready for its place.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hubpub.card.facts.sourced import Value
from hubpub.card.gaps import write_gap
from hubpub.card.metadata.schema import is_repo_id
from hubpub.card.sanitise import inline_code, markdown_text, one_line, python_string
from hubpub.core.pattern import Pattern

if TYPE_CHECKING:
    from hubpub.card.facts.card_facts import CardFacts
    from hubpub.card.facts.data_summary import DataSetSummary
    from hubpub.card.facts.evaluation_log import EvaluationLog
    from hubpub.card.facts.run_summary import Benchmarks
    from hubpub.card.facts.tokenizer import TokenizerFacts
    from hubpub.model.citation_file import Citation

DECIMALS = 4
"""Decimals of the numbers in the table of evaluations, which says so."""

_DTYPES = {"F8_E4M3": "float8", "F8_E5M2": "float8", "U8": "uint8", "U32": "uint32", "BOOL": "bool", "BF16": "bfloat16"}
_DTYPES |= {f"F{bits}": f"float{bits}" for bits in (16, 32, 64)} | {
    f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)
}
_RELATIONS = {
    "adapter": "an adapter for",
    "quantized": "a quantised version of",
    "finetune": "fine-tuned from",
    None: "made from",
}
# sentence-transformers calls PyTorch otherwise than the package that holds it.
_PACKAGES = {"pytorch": "torch"}
# What is off by default and is off says nothing.
_OFF = (
    "bf16",
    "fp16",
    "tf32",
    "gradient_checkpointing",
    "label_smoothing_factor",
    "neftune_noise_alpha",
    "group_by_length",
    "use_liger_kernel",
    "torch_compile",
    "adafactor",
    "load_best_model_at_end",
    "packing",
    "load_in_4bit",
    "load_in_8bit",
    "use_dora",
)
_TASKS = {"fill-mask": "filling masks", "summarization": "summarisation"}
_PICTURE = Pattern(r"[A-Za-z0-9][\w.-]{0,100}(?:/[A-Za-z0-9][\w.-]{0,100}){0,5}\.(?:svg|png|jpg|jpeg|webp)")
_ADDRESS = Pattern(r"https://[\w.-]{1,200}(?:/[\w.~+-]{1,200}){1,8}")
_TOKEN = Pattern(r"[!-\[\]-_a-z|~▁｜À-ɏ]{1,60}")  # no backslash, backtick, brace or blank
_SCHEME = Pattern(r"(?P<begin>[BIEOSLU])-(?P<type>.+)", re.IGNORECASE)


_MOST_CLASS_COLUMNS = 10
# Floats hold whole numbers exactly up to here, and Python shows them with an exponent soon after.
_MOST_WHOLE = 1e15


class Ready(str):
    """Text that is fit for its place and must not be escaped again."""

    __slots__ = ()


def shown(value: Any) -> Any:
    """What a template prints for a value."""
    if isinstance(value, Ready) or not isinstance(value, str):
        return value
    return markdown_text(value)


def number(value: float | int | str) -> str:
    """A number with all of its digits, whole ones with separators; text stays as it is."""
    if isinstance(value, bool | str):
        return str(value)
    amount = isinstance(value, int) or (value.is_integer() and 1000 <= abs(value) < _MOST_WHOLE)
    return Ready(f"{int(value):,}" if amount else repr(value))


def setting(value: float | int | str | bool) -> str:
    """A setting as one would write it into a program: a seed is no amount."""
    if isinstance(value, bool):
        return Ready("true" if value else "false")
    return Ready(repr(value)) if isinstance(value, int | float) else str(value)


def rounded(value: float | int) -> str:
    """A number with `DECIMALS` decimals; smaller ones than that can show keep their digits."""
    if isinstance(value, int) or 0 < abs(value) < 10**-DECIMALS:
        return number(value)
    return Ready(f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".") or "0")


def duration(seconds: float | int) -> str:
    """Seconds as people say them; the exact number in front."""
    exact = f"{seconds!r} seconds"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 2:
        return Ready(exact)
    hours, minutes = divmod(minutes, 60)
    return Ready(f"{exact} ({f'{hours} h {minutes} min' if hours else f'{minutes} min {rest} s'})")


def gibibytes(count: float) -> str:
    """Bytes of memory in GiB, to one decimal."""
    return Ready(f"{count / (1 << 30):.1f} GiB")


def cell(value: Any) -> str:
    """A value in a cell of a table; None is an empty one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(number(value) if isinstance(value, int | float) else shown(value))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Ready:
    """A table; its cells are escaped unless they are ready."""
    lines = [f"| {' | '.join(cell(name) for name in head)} |", f"|{'---|' * len(head)}"]
    lines += (f"| {' | '.join(cell(value) for value in row)} |" for row in rows)
    return Ready("\n".join(lines))


def _code(text: str) -> Ready:
    return Ready(inline_code(str(text)))


def _link(repo: str, base: str) -> Ready:
    return Ready(f"[{markdown_text(repo)}]({base}{repo})" if is_repo_id(repo) else inline_code(repo))


def _web(address: str) -> Ready:
    return Ready(f"<{address}>" if _ADDRESS.fullmatch(address) else inline_code(address))


def _picture(picture: Any) -> Ready:
    """A picture of the folder; nothing for what is not one."""
    if not _PICTURE.fullmatch(picture.path) or ".." in picture.path:
        return Ready("")
    return Ready(f"![{markdown_text(picture.alt)}]({picture.path})")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "code": _code,
    "python": lambda text: Ready(python_string(text)),
    "shell_word": lambda text: Ready(shlex.quote(one_line(text))),
    "count": lambda value: Ready(f"{value:,}"),
    "number": number,
    "setting": setting,
    "duration": duration,
    "gibibytes": gibibytes,
    "repo_link": lambda repo: _link(repo, "https://huggingface.co/"),
    "dataset_link": lambda repo: _link(repo, "https://huggingface.co/datasets/"),
    "web_link": _web,
    "picture": _picture,
}


def section_names(facts: CardFacts) -> dict[str, Any]:
    """What the templates of sections may use besides `facts`."""
    run = facts.summary
    properties = _properties(facts)
    log_head, log_rows = _log_table(run.log)
    return {
        "gap": lambda slot, prompt: Ready(write_gap(slot, prompt)),
        "table": table,
        "properties": properties,
        "described": bool(facts.architecture or facts.model_type or facts.base_model or facts.parameters),
        "task": task_in_words(facts.pipeline_tag),
        "split_table": _split_table,
        "dtype_names": _dtype_names(facts),
        "relation_phrase": _RELATIONS[facts.base_model_relation],
        "tokenizer_rows": _tokenizer_rows(facts),
        "special_rows": [
            (_code(token.role) if token.role else "", _token(token.content), _id(token.id))
            for token in facts.tokenizer.special
        ],
        "entity_types": entity_types(facts.labels),
        "setting_rows": _setting_rows,
        "hyperparameter_rows": _setting_rows(one for one in run.settings if one.value or one.name not in _OFF),
        "value_rows": lambda values: [(value.name, value.value) for value in values],
        "outcome_rows": _outcome_rows(facts),
        "log_head": log_head,
        "log_rows": log_rows,
        "label_rows": [(label, *(value and value.value for value in row)) for label, row in run.labels.rows]
        if run.labels
        else [],
        "label_columns": [_code(name) for name in run.labels.columns] if run.labels else [],
        "benchmark_rows": _benchmark_rows,
        "best_checkpoint": next((value.value for value in run.best if value.name == "best_checkpoint"), ""),
        "emission_sentence": _emission_sentence(facts),
        "metric_rows": lambda results: _metric_rows(facts, results.metrics),
        "decimals": DECIMALS,
        "hardware_rows": _hardware_rows(facts),
        "version_rows": _version_rows(facts),
        "citation_text": _bibtex(facts.citation) if facts.citation else "",
    }


def task_in_words(tag: str | None) -> str | None:
    """A task of the Hub as it stands in a sentence: "text classification"; names such as image-to-text stay."""
    if tag is None or "-to-" in tag:
        return tag
    return _TASKS.get(tag) or tag.replace("zero-shot-", "zero-shot ").replace("-", " ").replace(
        "zero shot", "zero-shot"
    )


def _split_table(data: DataSetSummary) -> Ready:
    """Rows by split; with a column for each class, when these were counted and are few."""
    names = [value.name for value in data.splits[0].classes] if data.splits else []
    names = names if len(names) <= _MOST_CLASS_COLUMNS else []
    rows = [
        (
            _code(split.name) if data.mixture else split.name,
            "unknown" if split.rows is None else split.rows.value,
            *(value.value for value in split.classes[: len(names)]),
        )
        for split in data.splits
    ]
    return table(["File" if data.mixture else "Split", "Rows", *(_code(name) for name in names)], rows)


def _dtype(name: str) -> str:
    return _DTYPES.get(name, name)


def _dtype_names(facts: CardFacts) -> str:
    """The types by name, that of the most parameters first."""
    names = [_dtype(dtype) for dtype, _ in facts.dtypes]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _properties(facts: CardFacts) -> list[tuple[str, Any]]:
    """The rows of the table of the model's properties, those that are known."""
    dtypes = ", ".join(
        _dtype(dtype) if len(facts.dtypes) == 1 else f"{_dtype(dtype)} ({count:,})" for dtype, count in facts.dtypes
    )
    rows: list[tuple[str, Any]] = [
        ("Architecture", facts.architecture and _code(facts.architecture)),
        ("Model type", facts.model_type and _code(facts.model_type)),
        ("Parameters", facts.parameters),
        ("Parameters active for each token", facts.active_parameters),
        # of several quantisations, each has its own
        ("Data type", Ready(dtypes if len(facts.quantised_files) < 2 else "")),
        ("Quantisation", facts.quantization and _code(facts.quantization)),
        ("Layers of the encoder" if facts.decoder_layers else "Layers", facts.layers),
        ("Layers of the decoder", facts.decoder_layers),
        ("Hidden size", facts.hidden_size),
        ("Vocabulary", facts.vocabulary),
        ("Context length in tokens", facts.context_length),
        ("Embedding dimensions", facts.embedding_size),
        ("Weights in bytes", facts.weight_bytes),
    ]
    return [(name, value) for name, value in rows if value]


def _tokenizer_rows(facts: CardFacts) -> list[tuple[str, Any]]:
    known = facts.tokenizer
    rows: list[tuple[str, Any]] = [
        ("Kind", known.kind),
        ("Tokens in all", known.vocabulary),
        ("Added to the model's own", known.added_tokens),
        *((step.name, _code(str(step.value))) for step in known.steps),
        ("Longest text in tokens", known.longest),
        ("Class", known.class_name and _code(known.class_name)),
        ("Implementation", _implementation(known)),
    ]
    return [(name, value) for name, value in rows if value]


def _implementation(known: TokenizerFacts) -> Ready | None:
    if known.fast is None:
        return None
    return Ready(f"fast ({_code(dict(known.sources)['fast'])})" if known.fast else "slow")


def _token(text: str | None) -> Ready:
    """A special token as code in a cell, where Markdown lets a bar stand behind a backslash."""
    if text is not None and _TOKEN.fullmatch(text):
        return Ready(f"`{text.replace('|', chr(92) + '|')}`")
    return Ready(markdown_text(text or ""))


def _id(token: int | None) -> Ready:
    return Ready("" if token is None else str(token))


def entity_types(labels: Sequence[str]) -> tuple[str, ...]:
    """The types of the schemes BIO, BILOU and the like, each once; empty when the labels follow none."""
    found = [match["type"] for label in labels if (match := _SCHEME.fullmatch(label))]
    others = [label for label in labels if not _SCHEME.fullmatch(label) and label.upper() != "O"]
    return tuple(dict.fromkeys(found)) if found and not others else ()


def _setting_rows(values: Iterable[Value]) -> list[tuple[Any, Any]]:
    return [(_code(value.name) if " " not in value.name else value.name, setting(value.value)) for value in values]


def _outcome_rows(facts: CardFacts) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [("Training examples", facts.training.samples)] if facts.training.samples else []
    return rows + [_outcome(value) for value in facts.summary.outcome if isinstance(value.value, int | float)]


def _outcome(value: Value) -> tuple[str, str]:
    name, known = value.name, value.value
    if isinstance(known, int | float) and name == "Training time in seconds":
        return "Training time", duration(known)
    if name == "Epochs" and isinstance(known, float) and known.is_integer():
        return name, cell(int(known))
    return name, cell(known)


def _metric_head(name: str) -> Any:
    return "Validation loss" if name == "loss" else _code(name)


def _log_table(log: EvaluationLog) -> tuple[list[Any], list[list[Ready]]]:
    """The head and the rows, without columns that nothing is in."""
    head = ["Epoch", "Step", "Training loss", *(_metric_head(name) for name in log.columns)]
    rows = []
    for row in log.rows:
        cells = [row.epoch, row.step, row.training_loss, *row.metrics]
        texts = ["" if value is None else _rounded(value) for value in cells]
        rows.append([Ready(f"**{text}**" if row.best and text else text) for text in texts])
    told = [place for place in range(len(head)) if any(row[place] for row in rows)]
    return [head[place] for place in told], [[row[place] for place in told] for row in rows]


def _rounded(value: Value) -> str:
    return rounded(value.value) if isinstance(value.value, int | float) else str(shown(str(value.value)))


def _metric_rows(facts: CardFacts, metrics: Iterable[Value]) -> list[tuple[Any, Any]]:
    """The metrics, without those that a table by label shows."""
    by_label = {value for _, row in facts.summary.labels.rows for value in row} if facts.summary.labels else set()
    return [(_code(metric.name), metric.value) for metric in metrics if metric not in by_label]


def _benchmark_rows(file: Benchmarks) -> list[tuple[Any, ...]]:
    return [
        (
            score.task,
            _code(score.metric),
            score.shots and score.shots.value,
            score.score.value,
            score.error and score.error.value,
        )
        for score in file.scores
    ]


def _emission_sentence(facts: CardFacts) -> Ready:
    """What codecarbon measured, in its own units."""
    known = {value.name: value.value for value in facts.summary.emissions}
    parts = [f"{known['kilograms']!r} kg of CO2 equivalent"] if "kilograms" in known else []
    parts += [f"{known['kilowatt_hours']!r} kWh of energy"] if "kilowatt_hours" in known else []
    seconds = known.get("seconds")
    during = f" in {duration(seconds)}" if isinstance(seconds, int | float) else ""
    country = f" in {markdown_text(str(known['country']))}" if "country" in known else ""
    return Ready(f"Measured by codecarbon: {' and '.join(parts)}{during}{country}.")


def _hardware_rows(facts: CardFacts) -> list[tuple[str, Any]]:
    known = {value.name: value.value for value in facts.summary.hardware}
    rows: list[tuple[str, Any]] = [
        ("GPU", known.get("gpu")),
        ("Number of GPUs", known.get("gpu_count")),
        ("Memory of a GPU", _memory(known.get("gpu_memory"))),
        ("Most memory of a GPU in use", _memory(known.get("gpu_memory_peak"))),
        ("CPU", known.get("cpu")),
        ("Number of CPU cores", known.get("cpu_count")),
        ("Main memory", _memory(known.get("memory"))),
        ("Operating system", next((value.value for value in facts.summary.software if value.name == "os"), None)),
    ]
    return [(name, value) for name, value in rows if value]


def _memory(value: int | float | str | bool | None) -> str | None:
    return gibibytes(value) if isinstance(value, int | float) and value else None


def _version_rows(facts: CardFacts) -> list[tuple[str, str]]:
    """Versions by name: what the run noted counts before what saved the model."""
    versions = dict(facts.versions) | {value.name: str(value.value) for value in facts.summary.software}
    known = {_PACKAGES.get(name, name.replace("_", "-")): version for name, version in versions.items()}
    return sorted((name, version) for name, version in known.items() if name != "os")


def _bibtex(citation: Citation) -> Ready:
    """The entry; what BibTeX would take for commands is escaped, and a line never ends a fence."""
    lines = [f"@{citation.type}{{{citation.key},"]
    for name, value in citation.fields:
        text = one_line(value).replace("\\", "").replace("<!--", "").replace("-->", "")
        if name not in ("url", "doi"):
            text = re.sub(r"([&%$#_])", r"\\\1", text)
        if text.count("{") != text.count("}") or "}" in text.partition("{")[0]:
            text = text.replace("{", "").replace("}", "")
        lines.append(f"  {name} = {{{text}}},")
    return Ready("\n".join([*lines, "}"]))
