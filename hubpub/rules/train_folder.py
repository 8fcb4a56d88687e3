"""TRAIN: what a card tells of training and weights against what the files of its folder say."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose
from typing import TYPE_CHECKING

from hubpub.card.claims import ParameterClaim, parameter_claims, spelt_alike, type_claims
from hubpub.card.hyperparameters import Stated, names_settings, names_time, stated_hyperparameters
from hubpub.card.parts import part
from hubpub.core.findings import Edit, Fix, Problem, Severity
from hubpub.core.rule import Fixable, Needs
from hubpub.model.kind import ModelKind
from hubpub.rules.registry import CardSubject, card_rules
from hubpub.rules.run_facts import same_number, training_run, written_alike

if TYPE_CHECKING:
    from hubpub.card.facts.training import Argument, TrainingRun
    from hubpub.model.folder import ModelFolder

_TRAINER = "https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_callback.py"
_HEAD = "---\nlicense: mit\n---\n\n# sst2-bert\n\n## Training procedure\n\n"
_STATE = '{"train_batch_size": 32, "num_train_epochs": 3, "epoch": 3.0, "global_step": 6315, "max_steps": 6315}'
_ARGUMENTS = '{"learning_rate": 2e-05, "seed": 42, "per_device_train_batch_size": 32, "num_train_epochs": 3}'
_RESULTS = '{"train_loss": 0.1987, "train_runtime": 4320.5, "epoch": 3.0}'
_CONFIG = '{"model_type": "bert", "architectures": ["BertForSequenceClassification"]}'


def _weights(dtype: str, count: int) -> str:
    """A safetensors file with one tensor of 8 bytes, as text."""
    header = f'{{"w":{{"dtype":"{dtype}","shape":[{count}],"data_offsets":[0,8]}}}}'.ljust(104)
    return "h" + 7 * "\0" + header + 8 * "\0"


# Names of which a part or a companion of a model is called after the whole.
_PARTS = (
    "lora",
    "adapter",
    "eagle",
    "medusa",
    "draft",
    "mtp",
    "head",
    "projector",
    "encoder",
    "tiny",
    "random",
    "test",
    "dummy",
    "speculat",
    "delta",
    "prun",
    "distil",
    "layer",
    "embedding",
    "probe",
    "sae",
    "shard",
    "quant",
    "gguf",
    "gptq",
    "awq",
    "int4",
    "int8",
    "4bit",
    "8bit",
    "4-bit",
    "8-bit",
    "bnb",
    "mlx",
    "control",
    "reward",
    "rerank",
)
_NAME_FACTOR, _NUMBER_FACTOR = 2.0, 1.5


@card_rules.rule(
    "TRAIN001",
    "hyperparameters-missing",
    Severity.WARNING,
    summary="The folder knows the hyper-parameters, and the card names none.",
    why="Learning rate, batch size and epochs are the least that somebody needs to repeat a training: 680 of 949 real "
    "cards name none. Here they lie beside the card, in the files that the run left.",
    bad=_HEAD + "We fine-tuned BERT on film reviews.\n",
    good=_HEAD + "- train_batch_size: 32\n- num_epochs: 3\n",
    hint="write them down; `hubpub card PATH --write` makes the section where there is none",
    source="https://huggingface.co/learn/llm-course/chapter4/4",
    needs=Needs.FOLDER,
    files={"trainer_state.json": _STATE},
)
def hyperparameters_missing(subject: CardSubject) -> Iterator[Problem]:
    """A run with settings beside a card with none."""
    run = training_run(subject)
    if run is None or not (run.arguments or run.highest_rate) or subject.card.is_blank:
        return
    if names_settings(subject.card) & {"learning rate", "batch size", "epochs"}:
        return
    known = [f"{found.name} {found.value:g}" for found in run.arguments]
    if run.highest_rate and not any(found.name == "learning_rate" for found in run.arguments):
        known.append(f"a learning rate up to {run.highest_rate:g}")
    if known:
        source = run.arguments[0].path if run.arguments else "trainer_state.json"
        yield _at_procedure(subject, f"the card names no hyper-parameter; {source} has {', '.join(known[:5])}")


@card_rules.rule(
    "TRAIN005",
    "training-time-missing",
    Severity.INFO,
    summary="The folder knows how long the training took, and the card does not say.",
    why="Who wants to train it again plans by it, and the EU's AI Act asks for the training time (Annex XI, 2d).",
    bad=_HEAD + "- train_batch_size: 32\n- num_epochs: 3\n",
    good=_HEAD + "- train_batch_size: 32\n- num_epochs: 3\n- Training time: 1 h 12 min\n",
    hint="add the time, with the hardware that it was on",
    source="https://artificialintelligenceact.eu/annex/11/",
    needs=Needs.FOLDER,
    files={"all_results.json": _RESULTS},
)
def training_time_missing(subject: CardSubject) -> Iterator[Problem]:
    """A run time beside a card without any duration."""
    run = training_run(subject)
    seconds = run.seconds if run else None
    if seconds and seconds >= 1 and not subject.card.is_blank and not names_time(subject.card):
        yield _at_procedure(subject, f"the card does not say how long the training took; it was {_duration(seconds)}")


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


@card_rules.rule(
    "TRAIN009",
    "hyperparameter-drift",
    Severity.WARNING,
    summary="The card gives another hyper-parameter than the files of the run.",
    why="Somebody trained again with other settings, or copied the card of another run. Who repeats the training by "
    "the card gets another model.",
    bad=_HEAD + "- learning_rate: 2e-05\n- train_batch_size: 32\n- num_epochs: 5\n- seed: 42\n",
    good=_HEAD + "- learning_rate: 2e-05\n- train_batch_size: 32\n- num_epochs: 3\n- seed: 42\n",
    hint="write the value of the file, if the model is of that run",
    source=_TRAINER,
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"trainer_state.json": _STATE, "training_args.json": _ARGUMENTS},
)
def hyperparameter_drift(subject: CardSubject) -> Iterator[Problem]:
    """Values that stand behind their names, where all places of the card agree."""
    run = training_run(subject)
    if run is None or not run.arguments:
        return
    stated: dict[str, list[Stated]] = {}
    for found in stated_hyperparameters(subject.card):
        stated.setdefault(found.name, []).append(found)
    for name, places in stated.items():
        if len({place.value for place in places}) != 1 or places[0].value == 0:
            continue  # two stages of a training have two values
        known = _contradicted(name, places[0], run)
        if known is not None:
            yield _drift(subject, places, known)


def _contradicted(name: str, place: Stated, run: TrainingRun) -> Argument | None:
    """What a file says instead; None when it says the same or nothing, or when it is open what the card means."""
    known = {found.name: found for found in run.arguments}
    said = known.get({"train_batch_size": "per_device_train_batch_size"}.get(name, name))
    if said is None or said.value < 0 or _same_setting(place.text, said.value):
        return None
    if name in ("batch_size", "eval_batch_size"):
        return None  # of all devices and steps together
    if name in ("train_batch_size", "per_device_train_batch_size") and _multiples(place.value, said.value):
        return None  # of all devices of one machine
    if name == "num_train_epochs" and run.epochs_done and same_number(place.text, run.epochs_done):
        return None  # it ended early, and the card tells how far it went
    if name == "max_steps" and run.steps_done and same_number(place.text, run.steps_done):
        return None
    return said


def _same_setting(text: str, value: float) -> bool:
    """Whether a setting is written as `value`: exactly, or rounded to two digits or more."""
    digits = len(text.casefold().partition("e")[0].replace(".", "").lstrip("0"))
    return isclose(float(text), value) or (digits > 1 and isclose(float(text), float(f"{value:.{digits - 1}e}")))


def _setting_alike(old: str, value: float) -> str | None:
    """`value` in the form of `old` when nothing of it gets lost, else with all of its digits."""
    new = written_alike(old, value)
    if new and isclose(float(new), value):
        return new
    new = f"{value:.10g}"
    return None if "e" in new or "e" in old.casefold() else new


def _multiples(one: float, other: float) -> bool:
    low, high = sorted((one, other))
    return low > 0 and high % low == 0


def _drift(subject: CardSubject, places: list[Stated], known: Argument) -> Problem:
    new = [(place, _setting_alike(place.text, known.value)) for place in places]
    edits = tuple(Edit(subject.path, place.start, place.end, text) for place, text in new if text)
    fix = Fix(f"write the value of {known.path}", True, edits) if len(edits) == len(places) else None
    line, column = subject.card.lines.place(places[0].start)
    message = f"{known.name} is {places[0].text} in the card and {known.value:g} in {known.path}"
    return Problem(message, subject.path, line, column, fix=fix)


@card_rules.rule(
    "TRAIN014",
    "parameter-count-mismatch",
    Severity.WARNING,
    summary="The card gives another number of parameters than the weights have.",
    why="People choose by size what fits their machine. Names round (8B for 8.03 billion), so a name is wrong from a "
    "factor of two on, a stated number from one and a half. Quantised weights, adapters and parts of models are not "
    "judged.",
    bad="---\nlicense: mit\n---\n\n# sst2-bert\n\n- Parameters: 110M\n",
    good="---\nlicense: mit\n---\n\n# sst2-bert\n\nA small model.\n",
    hint="write the number that the files have, or say what yours counts",
    source="https://artificialintelligenceact.eu/annex/11/",
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"config.json": _CONFIG, "model.safetensors": _weights("F32", 2)},
)
def parameter_count_mismatch(subject: CardSubject) -> Iterator[Problem]:
    """Claims that are off by far; in a name it is told, a stated number is replaced."""
    counted = _counted(subject.folder) if subject.folder else None
    if not counted:
        return
    for claim in parameter_claims(subject.card):
        factor = max(claim.count / counted, counted / claim.count) if claim.count > 0 else 1
        if factor < (_NAME_FACTOR if claim.in_title else _NUMBER_FACTOR):
            continue
        if claim.in_title and any(word in (subject.card.title or "").casefold() for word in _PARTS):
            continue
        line, column = subject.card.lines.place(claim.start)
        written = subject.card.text[claim.start : claim.end]
        message = f"the card says {written} parameters, the weights have {_amount(counted)}"
        new = None if claim.in_title else _rewritten(claim, counted)
        fix = new and Fix(f"write {new}", True, (Edit(subject.path, claim.start, claim.end, new),))
        yield Problem(message, subject.path, line, column, fix=fix or None)


def _counted(folder: ModelFolder) -> int | None:
    """The parameters, when the weights are one whole model that stores each of them by itself."""
    weights, config = folder.weights, folder.config
    if folder.kind is not ModelKind.TRANSFORMERS or (config and config.get("quantization_config")):
        return None
    if any("/" in path for path in weights.primary) or any(found.missing_count for found in weights.shard_sets):
        return None
    if len(weights.primary) > 1 and not any(index.weight_map for index in weights.indexes):
        return None
    if any(dtype not in ("F64", "F32", "F16", "BF16", "I64", "BOOL") for dtype in weights.parameters_by_dtype):
        return None
    return weights.parameters


def _amount(count: int) -> str:
    for unit, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if count >= unit:
            return f"{count / unit:.3g}{letter}"
    return str(count)


def _rewritten(claim: ParameterClaim, counted: int) -> str:
    if not claim.unit:
        return f"{counted:,}" if "," in claim.number or counted < 1000 else str(counted)
    new = _amount(counted)
    return new if len(claim.unit) == 1 else f"{counted:,}"


@card_rules.rule(
    "TRAIN015",
    "dtype-mismatch",
    Severity.INFO,
    summary="The card gives another data type than the weights have.",
    why="fp16 and bf16 take the same space and are not the same: a model in one overflows or loses digits in the "
    "other, so people pick the dtype by what the card says.",
    bad="---\nlicense: mit\n---\n\n# sst2-bert\n\n- Tensor type: fp16\n",
    good="---\nlicense: mit\n---\n\n# sst2-bert\n\n- Tensor type: bf16\n",
    hint="write the type that the files have",
    source="https://huggingface.co/docs/safetensors",
    fixable=Fixable.SAFE,
    needs=Needs.FOLDER,
    files={"model.safetensors": _weights("BF16", 4)},
)
def dtype_mismatch(subject: CardSubject) -> Iterator[Problem]:
    """Types of the weights, not those of the training, where nearly all of the weights have one."""
    counts = subject.folder.weights.parameters_by_dtype if subject.folder else {}
    most = max(counts, key=lambda dtype: counts[dtype], default=None)
    if most not in ("F32", "F16", "BF16") or counts[most] < 0.95 * sum(counts.values()):
        return
    for claim in type_claims(subject.card):
        if claim.dtype != most:
            line, column = subject.card.lines.place(claim.start)
            new = spelt_alike(claim.text, most)
            fix = new and Fix(f"write {new}", True, (Edit(subject.path, claim.start, claim.end, new),))
            message = f"the card says {claim.text}, the weights are {most}"
            yield Problem(message, subject.path, line, column, fix=fix or None)


def _at_procedure(subject: CardSubject, message: str) -> Problem:
    procedure = part(subject.card, "training-procedure")
    return Problem(message, subject.path, procedure.line if procedure else None, 1 if procedure else None)
