"""WEIGHT: what config.json promises of the tensors of well-known models, by their headers alone."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.rule import Fixable
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.model.shapes import unwrapped_names, wrapped
from hubpub.model.stored import Stored, stored_tensors
from hubpub.rules.registry import model_rules
from hubpub.rules.weight_index import renamed_tensors

_DOCS = "https://huggingface.co/docs/transformers/main_classes/configuration"


def _stored(folder: ModelFolder) -> Stored | None:
    stored = stored_tensors(folder)
    return stored if isinstance(stored, Stored) else None


@model_rules.rule(
    "WEIGHT063",
    "names-wrapped",
    Severity.ERROR,
    summary="The names of the tensors carry what wraps a model while it is trained, as module. or _orig_mod.",
    why="No name is found, so that all of the model is random after loading; transformers only logs it.",
    bad="module.bert.encoder.layer.0.output.dense.weight",
    good="bert.encoder.layer.0.output.dense.weight",
    hint="save the model inside: accelerator.unwrap_model(model).save_pretrained(FOLDER), or model.module; an adapter "
    "is merged first: model.merge_and_unload()",
    source="https://pytorch.org/tutorials/beginner/saving_loading_models.html",
    fixable=Fixable.UNSAFE,
)
def names_wrapped(folder: ModelFolder) -> Iterator[Problem]:
    """One finding, however many tensors and wrappers."""
    stored = _stored(folder)
    found = wrapped(stored.tensors) if stored is not None else {}
    if stored is None or not found:
        return
    names = sorted({name for carriers in found.values() for name in carriers})
    share = f"{len(names):,} of {counted(len(stored.tensors), 'tensor')}"
    wrappers = " and ".join(repr(wrapper) for wrapper in found)
    message = f"{stored.path}: {share} carry {wrappers} in their names: {listed(names)}"
    new_names = unwrapped_names(stored.tensors)
    fix = renamed_tensors(folder, stored.path, new_names) if new_names else None
    yield Problem(message, path=stored.path, tensor=names[0][:1000], fix=fix)


@model_rules.rule(
    "WEIGHT068",
    "layer-count",
    Severity.ERROR,
    summary="config.json says another number of layers than the file has.",
    why="Layers that the file lacks are random after loading, layers that config.json forgets are dropped; "
    "transformers only logs it.",
    bad="num_hidden_layers 3 in config.json, two layers in the file",
    good="num_hidden_layers 2 in config.json, two layers in the file",
    hint="mend the number in config.json, or save all layers",
    source=_DOCS,
)
def layer_count(folder: ModelFolder) -> Iterator[Problem]:
    """For model types whose layers are named alike in every version."""
    stored = _stored(folder)
    if stored is None:
        return
    for count in folder.promises.layers:
        fate = "are random after loading" if count.stored < count.said else "are dropped when it is loaded"
        layers = f"{stored.path} holds {counted(count.stored, 'layer')} in {count.stack}"
        difference = counted(abs(count.said - count.stored), "layer")
        path = stored.directory + "config.json"
        yield Problem(f"{path} says {count.key} {count.said:,}, but {layers}: {difference} {fate}", path=path)


@model_rules.rule(
    "WEIGHT070",
    "vocabulary-rows",
    Severity.ERROR,
    summary="The embedding has another number of rows than config.json says (vocab_size).",
    why="from_pretrained raises, whether there are more rows or fewer: nobody can load the model. Resizing the "
    "embedding without saving the configuration does it.",
    bad="vocab_size 32010 in config.json, 32000 rows in embed_tokens.weight",
    good="vocab_size 32000 in config.json, 32000 rows in embed_tokens.weight",
    hint="set vocab_size to the rows of the embedding",
    source=_DOCS,
)
def vocabulary_rows(folder: ModelFolder) -> Iterator[Problem]:
    """For model types whose embedding has exactly vocab_size rows; padding is part of both."""
    stored, count = _stored(folder), folder.promises.vocabulary
    # A number that no vocabulary can have is CONF009's.
    if stored is not None and count is not None and count.said > 0:
        path = stored.directory + "config.json"
        rows = f"{count.tensor} in {stored.path} has {counted(count.rows, 'row')}"
        yield Problem(f"{path} says vocab_size {count.said:,}, but {rows}", path=path, tensor=count.tensor)


@model_rules.rule(
    "WEIGHT071",
    "label-rows",
    Severity.ERROR,
    summary="The head of a classifier has another number of rows than config.json has labels.",
    why="from_pretrained raises; where it is made not to, the label of a class is another one than was trained.",
    bad="two entries in id2label, three rows in classifier.weight",
    good="three entries in id2label, three rows in classifier.weight",
    hint="name every label in id2label, in the order of the rows",
    source=_DOCS,
)
def label_rows(folder: ModelFolder) -> Iterator[Problem]:
    """For classes that end in one matrix with a row per label."""
    stored, count = _stored(folder), folder.promises.labels
    if stored is not None and count is not None:
        path = stored.directory + "config.json"
        said = (
            f"has {counted(count.said, 'label')} in id2label"
            if count.key == "id2label"
            else f"says num_labels {count.said}"
        )
        rows = f"{count.tensor} in {stored.path} has {counted(count.rows, 'row')}"
        yield Problem(f"{path} {said}, but {rows}", path=path, tensor=count.tensor)
