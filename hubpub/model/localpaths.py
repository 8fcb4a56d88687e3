"""Paths of one machine among the strings of a JSON document: what names a place that no reader of the model has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hubpub.core.pattern import Pattern

# Where homes, disks and jobs are on the machines that models are trained on, notebooks and clouds among them.
_ROOTS = (
    r"home|Users|root|mnt|media|Volumes|scratch|gscratch|lscratch|workspace|workspaces|content|kaggle|tmp|var|opt/ml"
    r"|gpfs\w*|lustre\w*|fsx|nfs\w*|dbfs|efs|beegfs|ceph\w*|data\d*|datasets?|projects?|storage|export|work\d*|net|srv|raid\d*"
    r"|ssd\d*|hdd\d*|nvme\d*|disk\d*|shared?|private|cluster|autodl-\w+|code|app|usr/src|cache|models?|checkpoints?"
)
_SURE = Pattern(rf"/(?:{_ROOTS})/[^\s]|~/[^\s]|file:///|\\\\[\w.-]+\\\w|[A-Za-z]:[\\/][\w .-]+[\\/][\w.-]")
# In a list anything may stand, also the words of a vocabulary: only homes of people count there.
_HOME = Pattern(r"/(?:home|Users)/[\w.-]+/|[A-Za-z]:[\\/]Users[\\/]\w")
_ABSOLUTE = Pattern(r"/[\w.@+-]+/[^\s]")
_PATH_KEY = Pattern(r".*(?:_|^)(?:path|dir|file|folder|directory|checkpoint|root)s?", re.IGNORECASE)
# Keys that hold the id of a model on the Hub, or else the folder that it was loaded from or saved to.
_NAME_KEYS = frozenset(
    {
        "_name_or_path",
        "name_or_path",
        "base_model_name_or_path",
        "model_name_or_path",
        "tokenizer_name_or_path",
        "pretrained_model_name_or_path",
        "best_model_checkpoint",
        "resume_from_checkpoint",
        "output_dir",
    }
)
_ELSEWHERE = Pattern(r"(?:s3a?|gs|hdfs|abfss?|wasbs?|dbfs|az)://?\w")
_STRING = Pattern(r'(?:"(?P<key>(?:[^"\\\n]|\\.){1,80})"\s*:\s*)?"(?P<value>(?:[^"\\\n]|\\.){2,1000})"')


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A path of one machine.

    Attributes:
        key: the key that it is the value of; None in a list.
        value: the path.
        offset: of its quotation mark, in characters.
    """

    key: str | None
    value: str
    offset: int


def find_local_paths(text: str) -> Iterator[LocalPath]:
    """The paths of one machine in the text of a JSON document, in order; what is only perhaps one is left out."""
    if "/" not in text and "\\\\" not in text:
        return
    for found in _STRING.finditer(text):
        value = found["value"]
        if "/" not in value and "\\\\" not in value:
            continue
        value = value.replace("\\\\", "\\").replace("\\/", "/")
        if is_local(found["key"], value):
            yield LocalPath(found["key"], value, found.start("value") - 1)


def is_local(key: str | None, value: str) -> bool:
    """Whether the value of `key` is for sure a path of one machine, and not the id of a repo, a URL or a pattern."""
    if "\n" in value or "{" in value:
        return False
    if key is None:
        return _HOME.match(value) is not None
    if _SURE.match(value):
        return True
    if _PATH_KEY.fullmatch(key) and _ABSOLUTE.match(value):
        return True
    if key not in _NAME_KEYS:
        return False
    if _ABSOLUTE.match(value) or _ELSEWHERE.match(value):
        return True
    steps = [step for step in value.replace("\\", "/").split("/") if step not in ("", ".")]
    if value.startswith(("./", "../", ".\\", "..\\")):
        return any(step != ".." for step in steps)
    if "://" in value:
        return False
    # The id of a repo has at most one slash; a Trainer's checkpoint is never one.
    return len(steps) > 2 or (len(steps) == 2 and re.fullmatch(r"checkpoint-\d+", steps[1]) is not None)
