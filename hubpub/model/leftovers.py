"""What never belongs in a release of a model, and why: training state, caches, and traces of tools."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from hubpub.core.pattern import Pattern


class LeftoverKind(StrEnum):
    """Where a leftover comes from: training, a tool, or hubpub, whose own notes are nobody's mistake."""

    TRAINING = "training"
    JUNK = "junk"
    NOTES = "notes"


@dataclass(frozen=True, slots=True)
class Leftover:
    """Why a path does not belong in a release.

    Attributes:
        kind: where it comes from.
        what: what it is, as a noun.
        reason: why it stays out, as a fact.
        top: the file or directory ("dir/") that is the leftover as a whole, relative to the model folder.
    """

    kind: LeftoverKind
    what: str
    reason: str
    top: str


_RESUME = "only resuming the training needs it, and it is often larger than the model"
_SECOND_COPY = "it is another copy of the model with the state to resume the training from"
_LOG = "it records one run on one machine, often with its paths and names"
_VCS = "it holds the whole history, and the Hub refuses it"
_CACHE = "it is rebuilt on every machine, and means nothing on another"
_DESKTOP = "the desktop made it, and it lists names of files on this machine"
_EDITOR = "an editor or a merge made it, and it may hold text that was removed on purpose"
_PARTIAL = "it is a download or write that did not finish"
_NOTES = "it is hubpub's memory of what it wrote here, and the card on the hub says the same by itself"
_HISTORY = "it lists commands that were typed on this machine, and often passwords with them"

# Those of package managers say how to install what the model needs.
_PACKAGE_LOCKS = r"(?:poetry|uv|pdm|pixi|Pipfile|conda|Cargo|yarn|Gemfile|flake|bun)\.lock"

# (kind, pattern of a directory name or file name, what, reason). Where the names come from: Trainer
# (https://github.com/huggingface/transformers/blob/main/src/transformers/trainer.py), accelerate's
# utils/constants.py, DeepSpeed checkpoints (global_step*, zero_to_fp32.py), Megatron's distrib_optim.pt, Slurm's and
# nohup's outputs, and https://github.com/github/gitignore.
_DIRECTORIES = [
    (LeftoverKind.JUNK, r"\.(git|hg|svn)", "version control data", _VCS),
    (LeftoverKind.JUNK, r"__pycache__|\.(mypy|ruff|pytest)_cache", "a cache of Python tools", _CACHE),
    (LeftoverKind.JUNK, r"\.ipynb_checkpoints", "Jupyter checkpoints", _EDITOR),
    (LeftoverKind.JUNK, r"\.idea|\.vscode|\.vs", "editor settings", _EDITOR),
    (LeftoverKind.JUNK, r"__MACOSX|\.Trashes|\.Spotlight-V100|\.fseventsd", "macOS desktop data", _DESKTOP),
    (LeftoverKind.JUNK, r"\.?venv|node_modules|\.conda|\.tox|\.nox|.+\.egg-info", "installed packages", _CACHE),
    (LeftoverKind.NOTES, r"\.hubpub", "hubpub's notes on the folder", _NOTES),
    (LeftoverKind.TRAINING, r"checkpoint[-_]\d+", "a training checkpoint", _SECOND_COPY),
    (LeftoverKind.TRAINING, r"global_step\d+", "a DeepSpeed checkpoint", _RESUME),
    (LeftoverKind.TRAINING, r"(pytorch_model_fsdp|optimizer)_\d+", "an FSDP checkpoint", _RESUME),
    (
        LeftoverKind.TRAINING,
        r"wandb|\.?trackio|mlruns|lightning_logs|tb_logs|\.aim|\.neptune|\.hydra",
        "training logs",
        _LOG,
    ),
]
_FILES = [
    (LeftoverKind.JUNK, r"\.DS_Store|\._.+|Thumbs\.db|desktop\.ini", "desktop data", _DESKTOP),
    (LeftoverKind.JUNK, r".+\.(orig|rej|bak)|.+~|#.+#|\..+\.sw[a-p]", "an editor or merge backup", _EDITOR),
    (
        LeftoverKind.JUNK,
        r".+\.(incomplete|part|crdownload|aria2|tmp)|\.nfs[0-9a-f]+",
        "an unfinished download",
        _PARTIAL,
    ),
    (LeftoverKind.JUNK, rf"(?!{_PACKAGE_LOCKS}).+\.lock", "the lock of a tool", _CACHE),
    (LeftoverKind.JUNK, r".+\.(db|sqlite3?)-(wal|shm|journal)", "the journal of an open database", _PARTIAL),
    (LeftoverKind.JUNK, r".+\.py[co]", "compiled Python", _CACHE),
    (LeftoverKind.JUNK, r"core\.\d+", "the memory of a program that crashed", _CACHE),
    (LeftoverKind.JUNK, r"\.(bash|zsh|python|node_repl|sqlite|psql|mysql)_history|\.viminfo", "a history", _HISTORY),
    (LeftoverKind.TRAINING, r"optimizer(_\d+)?\.(pt|pth|bin)", "optimizer state", _RESUME),
    (LeftoverKind.TRAINING, r"scheduler(_\d+)?\.(pt|pth|bin)", "scheduler state", _RESUME),
    (LeftoverKind.TRAINING, r"(rng_state|random_states).*\.(pth|pkl)", "random generator state", _RESUME),
    (LeftoverKind.TRAINING, r"scaler(_\d+)?\.(pt|pth|bin)", "gradient scaler state", _RESUME),
    (LeftoverKind.TRAINING, r"(sampler|dl_state_dict)(_\d+)?\.bin|distrib_optim\.pt", "training state", _RESUME),
    (LeftoverKind.TRAINING, r"custom_checkpoint_\d+\.pkl", "training state of accelerate", _RESUME),
    (
        LeftoverKind.TRAINING,
        r"training_args\.bin",
        "pickled training arguments",
        "loading it runs code, and it carries paths of the training machine",
    ),
    (
        LeftoverKind.TRAINING,
        r".*_optim_states\.pt|zero_to_fp32\.py|(bf16_)?zero_pp_rank_.*\.pt|mp_rank_\d+_model_states\.pt",
        "DeepSpeed state",
        _RESUME,
    ),
    (LeftoverKind.TRAINING, r"pytorch_model_fsdp(_\d+)?\.bin", "an FSDP checkpoint", _RESUME),
    (LeftoverKind.TRAINING, r"nohup\.out|slurm[-_].*\.(out|err)|.+\.log", "a log", _LOG),
    (LeftoverKind.TRAINING, r"events\.out\.tfevents\..+", "TensorBoard events", _LOG),
]
# Directly in the folder: what the card is written from, and nobody else reads.
_FOR_THE_CARD = {
    "card.yaml": (
        "answers for the card",
        "it holds the answers that the card is written from, and the card has them all",
    ),
    "hubpub_run.json": (
        "hubpub's record of the training",
        "it tells of one machine, and the card has what others need",
    ),
}
_HUB_CACHE = re.compile(r"(?:^|.*/)\.cache/huggingface/")
_ANY_DIRECTORY = re.compile("|".join(f"(?:{name})" for _, name, _, _ in _DIRECTORIES))
_ANY_FILE = re.compile("|".join(f"(?:{name})" for _, name, _, _ in _FILES))
# Compiled when a name is found to be one of them, as most folders hold none.
_EACH_DIRECTORY = [(kind, Pattern(name), what, reason) for kind, name, what, reason in _DIRECTORIES]
_EACH_FILE = [(kind, Pattern(name), what, reason) for kind, name, what, reason in _FILES]


def leftover(path: str) -> Leftover | None:
    """Why `path` (posix, relative; "dir/" for a directory) stays out of a release, if it does."""
    if path in _FOR_THE_CARD:
        return Leftover(LeftoverKind.NOTES, *_FOR_THE_CARD[path], path)
    if ".cache/huggingface/" in path and (found := _HUB_CACHE.match(path)):
        what = "the download cache of huggingface_hub"
        return Leftover(LeftoverKind.JUNK, what, _CACHE, found[0])
    *folders, name = path.split("/")
    for depth, folder in enumerate(folders):
        if not _may_be_left(folder):
            continue
        for kind, pattern, what, reason in _EACH_DIRECTORY:
            if pattern.fullmatch(folder):
                return Leftover(kind, what, reason, "/".join(folders[: depth + 1]) + "/")
    if not _ANY_FILE.fullmatch(name):
        return None
    for kind, pattern, what, reason in _EACH_FILE:
        if pattern.fullmatch(name):
            top = "runs/" if folders and folders[0] == "runs" and "TensorBoard" in what else path
            return Leftover(kind, what, reason, top)
    return None


def leftover_database(path: str) -> Leftover:
    """Why trackio's database at `path`, which its name alone does not tell, stays out of a release."""
    return Leftover(LeftoverKind.TRAINING, "training logs of trackio", _LOG, path)


@lru_cache(1024)
def _may_be_left(directory: str) -> bool:
    return _ANY_DIRECTORY.fullmatch(directory) is not None


def never_entered(directory: str) -> bool:
    """Whether the walk leaves out the whole `directory` ("dir/"): its content is of no use to a model."""
    found = leftover(directory)
    return found is not None and found.kind is LeftoverKind.JUNK
