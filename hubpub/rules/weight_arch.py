"""WEIGHT: the tensors against the class that config.json names, as the installed transformers has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.rule import Depth, Fixable
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.shapes import Promises
from hubpub.model.stored import Stored, stored_tensors
from hubpub.rules.conf_values import config_value_type, heads_do_not_divide
from hubpub.rules.registry import model_rules
from hubpub.rules.token_ids import special_id_out_of_range
from hubpub.rules.weight_index import renamed_tensors

if TYPE_CHECKING:
    from hubpub.model.architecture import Architecture, LayerGap, Mismatch

_DOCS = "https://huggingface.co/docs/transformers/main_classes/model#transformers.PreTrainedModel.from_pretrained"
_LAYER_KEYS = (
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "encoder_layers",
    "decoder_layers",
    "num_decoder_layers",
    "depth",
)

# What transformers refuses for reasons that these can tell, and tell better.
_NAMED_WITHOUT_IT = (config_value_type, heads_do_not_divide, special_id_out_of_range)


def _compared(folder: ModelFolder) -> Architecture | None:
    """The comparison, where there is one."""
    found = folder.architecture
    return found if found is not None and found.is_("compared") else None


@model_rules.rule(
    "WEIGHT060",
    "tensors-missing",
    Severity.ERROR,
    summary="Tensors that the class has are not in the file.",
    why="transformers fills them with random numbers, logs a table and goes on: the model loads and gives nonsense. Of "
    "seven such folders that were measured, it raised on none.",
    bad="a BertForSequenceClassification without classifier.weight",
    good="every tensor of the class, as save_pretrained writes it",
    hint="save the whole model with save_pretrained of the class that config.json names",
    source=_DOCS,
    depth=Depth.DEEP,
)
def tensors_missing(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """One finding for all of them; whole layers are WEIGHT068's and WEIGHT069's, another head WEIGHT064's."""
    found = folder.architecture
    if found is not None and found.is_("unable"):
        yield Skip("the architecture", found.reason or "it could not be compared")
    found = _compared(folder)
    if found is None or not found.missing_count or _other_class(found) or _nothing_fits(found):
        return
    names = listed(found.missing, found.missing_count)
    message = f"{found.path} lacks {_tensors(found.missing_count)} of {found.name}: {names}"
    hint = None
    if set(found.missing) <= set(found.output) and folder.json(found.config):
        message += "; config.json does not tie it to the input embedding (tie_word_embeddings)"
        hint = "set tie_word_embeddings to true if the model was trained like that, or save the output embedding too"
    yield Problem(message, path=found.path, tensor=found.missing[0][:1000], hint=hint)


@model_rules.rule(
    "WEIGHT061",
    "tensors-unexpected",
    Severity.WARNING,
    summary="The file holds tensors that the class does not have.",
    why="They are dropped when the model is loaded: dead weight at best, a part of the model that config.json forgot "
    "at worst. transformers only logs it.",
    bad="a LlamaForCausalLM with value_head.weight",
    good="no tensor but those of the class",
    hint="name the class that these tensors belong to, or save the model again without them",
    source=_DOCS,
    depth=Depth.DEEP,
)
def tensors_unexpected(folder: ModelFolder) -> Iterator[Problem]:
    """One finding for all of them."""
    found = _compared(folder)
    if found is None or not found.unexpected_count or _other_class(found) or _nothing_fits(found):
        return
    names = listed(found.unexpected, found.unexpected_count)
    also = f"; all of the file fits {found.fits}" if found.fits else ""
    message = f"{found.path} holds {_tensors(found.unexpected_count)} that {found.name} does not have: {names}{also}"
    yield Problem(message, path=found.path, tensor=found.unexpected[0][:1000])


@model_rules.rule(
    "WEIGHT062",
    "tensor-shapes",
    Severity.ERROR,
    summary="Tensors have another shape than config.json gives the class.",
    why="from_pretrained raises a RuntimeError: nobody can load the model.",
    bad="hidden_size 48 in config.json, [32, 32] in the file",
    good="hidden_size 32 in config.json, [32, 32] in the file",
    hint="mend the size in config.json, or save model and configuration together with save_pretrained",
    source=_DOCS,
    depth=Depth.DEEP,
)
def tensor_shapes(folder: ModelFolder) -> Iterator[Problem]:
    """All with one cause in one finding: transposed ones, others, and those that cannot be converted."""
    found = _compared(folder)
    if found is None:
        return
    left = [mismatch for mismatch in found.mismatched if not _explained(mismatch, folder.promises)]
    transposed = [mismatch for mismatch in left if mismatch.transposed]
    others = [mismatch for mismatch in left if not mismatch.transposed]
    more = found.mismatched_count - len(found.mismatched)
    if others:
        shapes = listed([_shapes(mismatch) for mismatch in others], len(others) + more)
        verb = "have" if len(others) + more > 1 else "has"
        message = f"{found.path}: {_tensors(len(others) + more)} {verb} another shape than {found.config} gives"
        yield Problem(f"{message} {found.name}: {shapes}", path=found.path, tensor=others[0].tensor[:1000])
    if transposed:
        shapes = listed([_shapes(mismatch) for mismatch in transposed])
        message = f"{found.path} stores {_tensors(len(transposed))} transposed: {shapes}"
        hint = "transpose it before saving: a Linear has [out, in], a Conv1D of GPT-2 has [in, out]"
        yield Problem(message, path=found.path, tensor=transposed[0].tensor[:1000], hint=hint)
    if found.conversions:
        names = listed([name for name, _ in found.conversions])
        what = _tensors(len(found.conversions))
        message = f"{found.path}: {what} of {found.name} cannot be put together from the stored ones: {names}"
        reason = found.conversions[0][1]
        yield Problem(f"{message} ({reason})", path=found.path, tensor=found.conversions[0][0][:1000])


@model_rules.rule(
    "WEIGHT064",
    "other-class",
    Severity.ERROR,
    summary="config.json names one class, and the tensors are those of another.",
    why="The head of the named class is random when the model is loaded, and the one that was trained is dropped. "
    "transformers says nothing when the Auto class happens to be the right one; pipelines and servers go by the name.",
    bad='"architectures": ["BertForMaskedLM"] over the weights of a BertForSequenceClassification',
    good='"architectures": ["BertForSequenceClassification"]',
    hint="name the class that was saved in architectures, or save the model again with save_pretrained",
    source=_DOCS,
    depth=Depth.DEEP,
)
def other_class(folder: ModelFolder) -> Iterator[Problem]:
    """Tensors are missing and others unused, while all fit another class; or nothing fits at all."""
    found = _compared(folder)
    if found is None:
        return
    if _nothing_fits(found):
        message = f"{found.path}: none of its tensors is one of {found.name} ({listed(found.unexpected)})"
        yield Problem(message, path=found.path)
    elif _other_class(found):
        unused = f"{_tensors(found.unexpected_count)} ({_heads_first(found.unexpected, found.unexpected_count)})"
        lacking = f"{_tensors(found.missing_count)} ({_heads_first(found.missing, found.missing_count)})"
        message = f"{found.config} names {found.name}, but {found.path} holds a {found.fits}"
        yield Problem(f"{message}: {unused} would be dropped, {lacking} random", path=found.config)


@model_rules.rule(
    "WEIGHT065",
    "class-unknown",
    Severity.ERROR,
    summary="config.json names a class or a model type that transformers does not have.",
    why="An unknown model_type cannot be loaded by any Auto class; an unknown class is not found by pipelines, "
    "inference servers and whoever goes by architectures.",
    bad='"architectures": ["BertForSequenceClasification"]',
    good='"architectures": ["BertForSequenceClassification"]',
    hint="name the class as transformers spells it; for a class of your own, ship its code and name it in auto_map",
    source="https://huggingface.co/docs/transformers/custom_models",
    depth=Depth.DEEP,
)
def class_unknown(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """Not for models saved with a newer transformers, which may well know it."""
    found = folder.architecture
    if found is None or not found.is_("unknown-class", "unknown-type"):
        return
    newer = _newer(folder, found)
    if newer is not None:
        yield newer
    elif found.is_("unknown-class"):
        import difflib

        near = difflib.get_close_matches(found.name or "", found.classes, n=1, cutoff=0.8)
        classes = listed(near or found.classes, len(found.classes))
        known = f"; for {_model_type(folder, found)} it has {classes}" if found.classes else ""
        message = f"{found.config} names the class {found.name}, which transformers {found.transformers} does not have"
        yield Problem(message + known, path=found.config)
    else:
        kind = _model_type(folder, found)
        message = f"{found.config} names the model type {kind}, which transformers {found.transformers} does not have"
        if found.known_class:
            yield Problem(message, path=found.config)
        else:
            # A class of another library, or of code that was left at home.
            message += f", nor has it the class {found.name}: only code that is not in the folder can load it"
            yield Problem(message, path=found.config, severity=Severity.WARNING)


@model_rules.rule(
    "WEIGHT066",
    "config-refused",
    Severity.ERROR,
    summary="transformers refuses to build the class from config.json.",
    why="from_pretrained raises before it looks at a weight.",
    bad='"hidden_size": "32"',
    good='"hidden_size": 32',
    hint="mend the value in config.json",
    source="https://huggingface.co/docs/transformers/main_classes/configuration",
    depth=Depth.DEEP,
)
def config_refused(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """With the first line of what transformers says; not for models saved with a newer one."""
    found = folder.architecture
    if found is None or not found.is_("refused"):
        return
    newer = _newer(folder, found)
    if newer is not None:
        yield newer
    elif any(True for check in _NAMED_WITHOUT_IT for _ in check(folder)):
        yield Skip("the architecture", f"{found.config} is refused for what other rules name")
    else:
        message = f"{found.config} is refused by {found.name} of transformers {found.transformers}: {found.reason}"
        yield Problem(message, path=found.config)


@model_rules.rule(
    "WEIGHT069",
    "layers-differ",
    Severity.ERROR,
    summary="The file has whole layers more or less than config.json gives the class.",
    why="Layers that the file lacks are random after loading, layers that config.json forgets are dropped; "
    "transformers only logs it.",
    bad="num_hidden_layers 1 in config.json, two layers in the file",
    good="num_hidden_layers 2 in config.json, two layers in the file",
    hint="mend the number in config.json, or save all layers",
    source=_DOCS,
    depth=Depth.DEEP,
)
def layers_differ(folder: ModelFolder) -> Iterator[Problem]:
    """Per stack of layers; those that headers alone can tell are WEIGHT068's."""
    found = _compared(folder)
    if found is None or _nothing_fits(found):
        return
    told = {count.stack for count in folder.promises.layers}
    for gap in found.layers:
        if not any(gap.stack == stack or gap.stack.endswith("." + stack) for stack in told):
            yield Problem(_gap(folder, found, gap), path=found.config)


def _gap(folder: ModelFolder, found: Architecture, gap: LayerGap) -> str:
    document = folder.json(found.config)
    keys = [key for key in _LAYER_KEYS if document and document.get(key) == gap.model]
    said = f"{keys[0]} {gap.model}" if len(keys) == 1 else counted(gap.model, "layer")
    fate = "random" if gap.stored < gap.model else "dropped"
    layers = f"{found.path} holds {counted(gap.stored, 'layer')} in {gap.stack}"
    return f"{found.config} gives {found.name} {said}, but {layers}: {_tensors(gap.tensors)} would be {fate}"


@model_rules.rule(
    "WEIGHT073",
    "names-prefixed",
    Severity.ERROR,
    summary="The names of all tensors begin with something that the class does not have.",
    why="No name is found, so that all of the model is random after loading; transformers only logs it.",
    bad="model.bert.encoder.layer.0.output.dense.weight, from a LightningModule",
    good="bert.encoder.layer.0.output.dense.weight",
    hint="strip the prefix from the names before saving, or save the model itself with save_pretrained",
    source=_DOCS,
    depth=Depth.DEEP,
    fixable=Fixable.UNSAFE,
)
def names_prefixed(folder: ModelFolder) -> Iterator[Problem]:
    """What is known to come from training wrappers is WEIGHT063's; this is any other."""
    found = _compared(folder)
    if found is not None and found.prefix:
        message = (
            f"{found.path}: the names of its tensors begin with {found.prefix!r}, which {found.name} does not have"
        )
        names = _without_prefix(folder, found.prefix)
        yield Problem(message, path=found.path, fix=renamed_tensors(folder, found.path, names))


def _without_prefix(folder: ModelFolder, prefix: str) -> dict[str, str]:
    stored = stored_tensors(folder)
    names = stored.tensors if isinstance(stored, Stored) else ()
    return {name: name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _other_class(found: Architecture) -> bool:
    """Whether all tensors fit another class, and not the one that is named."""
    return bool(found.fits and found.missing_count and found.unexpected_count)


def _heads_first(names: Sequence[str], total: int) -> str:
    """The names with the fewest dots first: those of a head, not of the layers below it."""
    return listed(sorted(names, key=lambda name: name.count(".")), total)


def _nothing_fits(found: Architecture) -> bool:
    """Whether not one tensor of the class is in the file."""
    return bool(found.unexpected_count and 0 < found.expected == found.missing_count)


def _explained(mismatch: Mismatch, promises: Promises) -> bool:
    """Whether headers and config.json have told the cause: vocab_size, or the number of labels."""
    changes = [
        (stored, wanted) for stored, wanted in zip(mismatch.stored, mismatch.wanted, strict=False) if stored != wanted
    ]
    causes = [(count.rows, count.said) for count in (promises.vocabulary, promises.labels) if count]
    if promises.num_labels:
        causes.append(promises.num_labels[::-1])
    return len(mismatch.stored) == len(mismatch.wanted) and len(changes) == 1 and changes[0] in causes


def _newer(folder: ModelFolder, found: Architecture) -> Skip | None:
    """What is unknown to this transformers may be known to the one that saved the model."""
    from hubpub.model.architecture import newer_than

    document = folder.json(found.config)
    version = document.get("transformers_version") if document else None
    if found.transformers and isinstance(version, str) and newer_than(version, found.transformers):
        reason = (
            f"it was saved with transformers {version[:20]}, which is newer than the installed {found.transformers}"
        )
        return Skip("the architecture", reason)
    return None


def _model_type(folder: ModelFolder, found: Architecture) -> str:
    """The model type, fit to be printed."""
    document = folder.json(found.config)
    return str(document.get("model_type") if document else None)[:60]


def _shapes(mismatch: Mismatch) -> str:
    return f"{mismatch.tensor[-90:]} {list(mismatch.stored)} instead of {list(mismatch.wanted)}"


def _tensors(number: int) -> str:
    return counted(number, "tensor")
