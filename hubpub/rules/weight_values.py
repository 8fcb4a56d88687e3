"""WEIGHT: the values in the weight files, all of which are read for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.kind import ModelKind
from hubpub.model.roles import adapted_module, is_adapter_part, is_trained_weight, may_be_infinite
from hubpub.rules.registry import model_rules
from hubpub.rules.weight_dtypes import declared_dtype, main_files

if TYPE_CHECKING:
    from hubpub.model.values import Values

_IEEE = "https://en.wikipedia.org/wiki/IEEE_754"
_FEW = 8
# From these magnitudes on a number rounds to infinity: half a step above the largest finite one.
_OVERFLOW = {"F16": 65520.0, "BF16": 3.3961775292304e38, "F32": 3.4028235677973366e38}
# Formats whose values are looked at; the constants of an ONNX graph (masks, limits) have names that tell nothing.
_NAMED = ("safetensors", "pytorch", "gguf")
_ALL = (*_NAMED, "onnx")
_LARGEST = {"F16": "65,504", "BF16": "3.39e38", "F32": "3.40e38"}


@model_rules.rule(
    "WEIGHT020",
    "weight-nan",
    Severity.ERROR,
    summary="A weight holds NaN.",
    why="One NaN spreads through every sum it takes part in: the model answers NaN, or the same token for ever. It "
    "loads without a word, in every library.",
    bad="a checkpoint saved after the loss became NaN",
    good="every weight is a finite number",
    hint="save an earlier checkpoint, and look at the loss, the learning rate and fp16 overflow of the training",
    source=_IEEE,
    depth=Depth.DEEP,
)
def weight_nan(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """One finding per file. What was not looked at (packed numbers, other formats) is told here."""
    yield from _unseen(folder)
    for path, values in _values(folder, _ALL):
        found = [name for name, of in values.items() if of.nan]
        if found:
            number = counted(sum(values[name].nan for name in found), "NaN value")
            yield _problem(path, f"holds {number} in", found)


@model_rules.rule(
    "WEIGHT021",
    "weight-infinite",
    Severity.ERROR,
    summary="A weight holds an infinite number.",
    why="The model answers NaN or nonsense. It is what is left of a number too large for float16, and loads "
    "without a word.",
    bad="float32 weights above 65,504 saved as float16",
    good="every weight is a finite number",
    hint="save the weights in bfloat16 or float32, from a checkpoint that is finite",
    source=_IEEE,
    depth=Depth.DEEP,
)
def weight_infinite(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per file; limits and masks are infinite on purpose."""
    for path, values in _values(folder):
        found = [name for name, of in values.items() if of.infinite and not may_be_infinite(name)]
        if found:
            number = counted(sum(values[name].infinite for name in found), "infinite value")
            yield _problem(path, f"holds {number} in", found)


@model_rules.rule(
    "WEIGHT022",
    "weight-zero",
    Severity.ERROR,
    summary="A whole weight matrix is zero.",
    why="Nothing passes through it. It is what a failed copy, a sparse file or a gather that did not gather leaves "
    "behind; shapes and names are right, so that every loader takes it.",
    bad="a classifier.weight of zeros",
    good="trained weights; biases, gates and position tables may be zero",
    hint="save the model again from where it was trained, and compare the outputs",
    source="https://huggingface.co/docs/transformers/main_classes/model",
    depth=Depth.DEEP,
)
def weight_zero(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per file."""
    for path, found in _trained(folder, lambda values: values.zero):
        yield _problem(path, "has nothing but zeros in", found)


@model_rules.rule(
    "WEIGHT023",
    "adapter-untrained",
    Severity.ERROR,
    summary="The adapter changes nothing: in every module one of its factors is zero.",
    why="LoRA begins with lora_B at zero, so that the base model is unchanged. If all of them are zero the adapter was "
    "never trained, or was saved from a wrapper that trained another copy: users get the base model.",
    bad="every lora_B.weight of adapter_model.safetensors is zero",
    good="lora_B holds what was trained",
    hint="save the adapter that was trained: model.save_pretrained(FOLDER) of the PeftModel itself",
    source="https://huggingface.co/docs/peft/developer_guides/lora#initialization",
    depth=Depth.DEEP,
)
def adapter_untrained(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per adapter file; a warning where something beside the adapter (a head) may have been trained."""
    for path, values in _values(folder):
        name = path.rpartition("/")[2]
        if folder.kind is not ModelKind.ADAPTER and not name.startswith("adapter_model") and "lora" not in name.lower():
            continue
        modules = {tensor: adapted_module(tensor) for tensor in values}
        zeros = [tensor for tensor, module in modules.items() if module is not None and values[tensor].zero]
        if zeros and {modules[tensor] for tensor in zeros} == set(modules.values()) - {None}:
            beside = any(not is_adapter_part(tensor) for tensor in values)
            problem = _problem(path, "changes nothing as an adapter: it has nothing but zeros in", zeros)
            yield replace(problem, severity=Severity.WARNING if beside else None)


@model_rules.rule(
    "WEIGHT024",
    "weight-constant",
    Severity.WARNING,
    summary="A whole weight matrix holds one and the same number.",
    why="Every output of that layer is the same: it was filled, not trained. Norms and scales may be all ones; "
    "matrices are not.",
    bad="an embedding of which every value is 0.02",
    good="trained weights",
    hint="save the model again from where it was trained, and compare the outputs",
    source="https://huggingface.co/docs/transformers/main_classes/model",
    depth=Depth.DEEP,
)
def weight_constant(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per file; very small matrices may be so by chance."""
    for path, found in _trained(folder, lambda values: values.constant and not values.zero and not values.nan):
        large = [name for name in found if folder.tensor_files[path].tensors[name].elements >= _FEW]
        if large:
            yield _problem(path, "has one and the same number all over", large)


@model_rules.rule(
    "WEIGHT025",
    "weight-overflow",
    Severity.ERROR,
    summary="A weight does not fit the dtype that config.json declares: it is infinite once loaded.",
    why="transformers loads the model in the dtype of config.json; what is larger than that can hold becomes infinite, "
    "and the answers NaN.",
    bad='"dtype": "float16", and a weight of 70,000 in float32',
    good='"dtype": "bfloat16" or "float32"',
    hint='set "dtype" in config.json to one that holds the values: "bfloat16" or "float32"',
    source="https://huggingface.co/docs/transformers/main_classes/model#model-instantiation-dtype",
    depth=Depth.DEEP,
)
def weight_overflow(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per file that transformers would load."""
    declared = declared_dtype(folder)
    if declared is None or declared not in _OVERFLOW:
        return
    values_of = dict(_values(folder))
    for path in main_files(folder):
        largest = {
            name: of.largest
            for name, of in values_of.get(path, {}).items()
            if of.largest is not None and of.largest >= _OVERFLOW[declared] and not may_be_infinite(name)
        }
        if largest:
            what = (
                f"holds values up to {max(largest.values()):.4g}, where {declared}, the dtype of config.json, ends at "
            )
            yield _problem(path, f"{what}{_LARGEST[declared]}, in", list(largest))


@model_rules.rule(
    "WEIGHT031",
    "file-changed",
    Severity.ERROR,
    summary="A file changed, or could no longer be read, while it was being read.",
    why="Nobody can say what is in it: another process is writing to the folder, or the disk fails.",
    bad="checking a folder that a training run is saving to",
    good="a folder at rest",
    hint="wait until nothing writes to the folder, then run the same command again",
    source="https://man7.org/linux/man-pages/man7/inode.7.html",
    depth=Depth.DEEP,
)
def file_changed(folder: ModelFolder) -> Iterator[Problem]:
    """Each file of the release that could not be read through as one content."""
    for path, reading in sorted(folder.readings.items()):
        if reading.problem is not None:
            yield Problem(f"{path} {reading.problem}", path=path)


def _unseen(folder: ModelFolder) -> Iterator[Skip]:
    files = folder.tensor_files
    others = {name: found for name, found in folder.weights.files.items() if name not in _ALL}
    if others:
        number = counted(sum(map(len, others.values())), "file")
        yield Skip(f"tensor values of {number} ({', '.join(others)})", f"only those of {', '.join(_ALL)} are looked at")
    packed = {path: file.unseen for path, file in files.items() if file.unseen}
    if packed:
        where = listed(list(packed))
        yield Skip(
            f"values of {counted(sum(packed.values()), 'tensor')} ({where})",
            "they are quantised, packed or stored with gaps",
        )


def _values(folder: ModelFolder, formats: Sequence[str] = _NAMED) -> Iterator[tuple[str, Mapping[str, Values]]]:
    """The values of every sound weight file of these formats."""
    for path, file in folder.tensor_files.items():
        reading = folder.readings.get(path)
        if file.format in formats and reading is not None and reading.values:
            yield path, reading.values


def _trained(folder: ModelFolder, hit: Callable[[Values], bool]) -> Iterator[tuple[str, list[str]]]:
    """Per file the weight matrices that training must have changed and that are hit all the same."""
    for path, values in _values(folder):
        tensors = folder.tensor_files[path].tensors
        found = [name for name, of in values.items() if hit(of) and is_trained_weight(tensors[name], folder.model_type)]
        if found:
            yield path, found


def _problem(path: str, what: str, names: list[str]) -> Problem:
    return Problem(f"{path} {what} {counted(len(names), 'tensor')} ({listed(names)})", path, tensor=names[0][:1000])
