"""FILE: files that hold something other than their names say, and files that a release does not need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.core.findings import Problem, Severity
from hubpub.core.report import Skip
from hubpub.core.wording import counted, listed, size
from hubpub.model.folder import ModelFolder
from hubpub.model.textfiles import READ_LIMIT
from hubpub.model.walk import FileEntry
from hubpub.rules.conf import reads_as_config
from hubpub.rules.registry import model_rules

_CARD = "README.md"
_LISTS_OF_TOKENS = ("vocab.txt", "merges.txt", "bpe.codes", "dict.txt", "sentencepiece.bpe.model", "spiece.model")
_TOKEN_JSON = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json")


@model_rules.rule(
    "FILE015",
    "empty-file",
    Severity.ERROR,
    summary="A file that cannot be empty has 0 bytes.",
    why="A copy or a save stopped, often on a full disk; what the file is for is lost.",
    bad="vocab.txt of 0 bytes",
    good="vocab.txt as save_pretrained wrote it",
    hint="save or copy the file again",
    source="https://huggingface.co/docs/transformers/main_classes/tokenizer",
)
def empty_file(folder: ModelFolder) -> Iterator[Problem]:
    """Vocabularies (when another one keeps the tokenizer usable) and templates.

    Empty code is CODE003's, empty configurations are CONF002's and TOKEN002's, empty weights those of the readers of
    their formats, and an empty card that of the rules for cards.
    """
    for entry in folder.release_files:
        if entry.size:
            continue
        name = entry.name
        token_list = "/" not in entry.path and name in _LISTS_OF_TOKENS and folder.tokenizer.usable
        if token_list or name.endswith(".jinja"):
            yield Problem(f"{entry.path} has 0 bytes", path=entry.path)


@model_rules.rule(
    "FILE016",
    "merge-conflict",
    Severity.ERROR,
    summary="A text file holds the markers of a merge conflict.",
    why="Both versions and git's markers are in the file: JSON and code do not parse, and a vocabulary has lines that "
    "are no tokens.",
    bad="<<<<<<< HEAD, =======, >>>>>>> main in config.json",
    good="one of the two versions",
    hint="choose one version, delete the lines with the markers, and check the file",
    source="https://git-scm.com/docs/git-merge#_how_conflicts_are_presented",
)
def merge_conflict(folder: ModelFolder) -> Iterator[Problem | Skip]:
    """The first conflict of each file: three markers, each at the beginning of a line, in order."""
    for seen in folder.text_files.values():
        if seen.conflict is not None:
            yield Problem(f"{seen.path} holds a merge conflict (<<<<<<<)", seen.path, seen.conflict, 1)
        if not seen.complete and not seen.path.endswith(".json"):  # JSON with markers does not parse
            yield Skip(f"FILE016 on {seen.path}", f"only its first {size(READ_LIMIT)} were searched")


_HTML_NAMES = re.compile(r".+\.(?:html?|xhtml|xml|svg|md|markdown|rst|mht|ipynb|plist|pmml|xsd|rels)", re.IGNORECASE)
_PROSE = re.compile(r"(?:.+\.txt|licen[cs]e.*|notice.*|[^.]+)", re.IGNORECASE)


@model_rules.rule(
    "FILE017",
    "not-what-it-says",
    Severity.ERROR,
    summary="A file holds a web page, a server's error or a pointer of a version control system.",
    why="curl and wget save an answer of 404 or 403 under the name of the file, and clones without their "
    "extension leave pointers. Published, they break every load.",
    bad="model.onnx that begins with <!DOCTYPE html>",
    good="model.onnx as it was exported",
    hint="get the file again from where it is kept, and look at its size",
    source="https://huggingface.co/docs/huggingface_hub/guides/download",
)
def not_what_it_says(folder: ModelFolder) -> Iterator[Problem]:
    """Every file but those whose readers tell it: safetensors, GGUF, configurations, tokenizer files, the card."""
    for seen in folder.text_files.values():
        entry = folder.entry(seen.path)
        if seen.stub is None or entry is None or not _surprising(folder, entry, seen.stub):
            continue
        yield Problem(f"{seen.path} ({size(entry.size)}) is {seen.stub}, not what its name says", path=seen.path)


def _surprising(folder: ModelFolder, entry: FileEntry, noun: str) -> bool:
    if _HTML_NAMES.fullmatch(entry.name) or entry.suffix in (".safetensors", ".gguf"):
        return False
    if entry.suffix == ".json" and not noun.endswith("an error)"):
        at_root = "/" not in entry.path and entry.name in _TOKEN_JSON
        return not (at_root or reads_as_config(folder, entry.path) or entry.name.endswith(".index.json"))
    if entry.name in _LISTS_OF_TOKENS or entry.name == "requirements.txt":
        return True
    return not _PROSE.fullmatch(entry.name) or noun.startswith(("a git-", "nothing"))


@model_rules.rule(
    "FILE019",
    "text-encoding",
    Severity.ERROR,
    summary="A text file that programs read is UTF-16, or begins with a byte order mark.",
    why="Everything that loads a model reads UTF-8. A byte order mark becomes part of the first token of a vocabulary, "
    "or of the first words of a template, in silence.",
    bad="vocab.txt saved by PowerShell's > (UTF-16)",
    good="vocab.txt in UTF-8 without a byte order mark",
    hint="save it again as UTF-8 without a byte order mark",
    source="https://huggingface.co/docs/tokenizers/api/models",
)
def text_encoding(folder: ModelFolder) -> Iterator[Problem]:
    """Vocabularies, templates, code and settings; JSON is its readers', the card that of the rules for cards."""
    for seen in folder.text_files.values():
        entry = folder.entry(seen.path)
        if seen.encoding is None or entry is None or entry.path == _CARD:
            continue
        first_word_counts = entry.name in _LISTS_OF_TOKENS or entry.suffix == ".jinja"
        if seen.encoding == "UTF-16" and (
            first_word_counts or entry.suffix in (".py", ".yaml", ".yml", ".cfg", ".toml")
        ):
            yield Problem(f"{entry.path} is UTF-16, not UTF-8", path=entry.path)
        elif seen.encoding != "UTF-16" and first_word_counts:
            yield Problem(
                f"{entry.path} begins with {seen.encoding}", path=entry.path, line=1, severity=Severity.WARNING
            )


_PROGRAMS = re.compile(r".+\.(?:exe|msi|dll|so(?:\.\d+)*|dylib|apk|dmg|deb|rpm|jar)", re.IGNORECASE)


@model_rules.rule(
    "FILE018",
    "program-or-archive",
    Severity.INFO,
    summary="A compiled program or an archive lies beside the model.",
    why="Nobody can see what is in it, loaders do not read it, and an archive of the model doubles every download.",
    bad="model.zip beside model.safetensors",
    good="the files themselves",
    hint="leave it out (--exclude), or say in the card what it is for",
    source="https://huggingface.co/docs/hub/security-malware",
)
def program_or_archive(folder: ModelFolder) -> Iterator[Problem]:
    """Only beside weights: some libraries save their models as a .zip, and llamafiles are both."""
    weights = {entry for entries in folder.weights.files.values() for entry in entries}
    for entry in folder.release_files if weights else ():
        noun = "a compiled program" if _PROGRAMS.fullmatch(entry.name) else "an archive" if entry.is_archive else None
        if noun is not None and entry not in weights:
            yield Problem(f"{entry.path} ({size(entry.size)}) is {noun} beside the model", path=entry.path)


_DATA = re.compile(
    r"(?:.*[/_.-])?(?:train|training|valid|validation|val|dev|test|eval|dataset|data)(?:[_.-]\w*)*\.(?:csv|tsv|jsonl|parquet|arrow)",
    re.IGNORECASE,
)
_SMALL_DATA = 5 * 10**6


@model_rules.rule(
    "FILE020",
    "dataset-left-in",
    Severity.INFO,
    summary="Data of the training lies beside the model.",
    why="It belongs into a dataset repo, with a card of its own; here everybody who wants the model downloads it, and "
    "nobody checked whether it may be published.",
    bad="train.jsonl of 200 MB beside model.safetensors",
    good="datasets: [acme/reviews] in the metadata of the card",
    hint="leave it out (--exclude), or publish it as a dataset",
    source="https://huggingface.co/docs/hub/datasets-adding",
)
def dataset_left_in(folder: ModelFolder) -> Iterator[Problem]:
    """Files with the names of splits and at least 5 MB, beside weights; all in one finding."""
    if not folder.weights.files:
        return
    found = [entry for entry in folder.release_files if entry.size > _SMALL_DATA and _DATA.fullmatch(entry.path)]
    if found:
        total = sum(entry.size for entry in found)
        names = listed([entry.path for entry in found])
        yield Problem(f"{names}: {counted(len(found), 'file')} of data ({size(total)})", path=found[0].path)


_LIGHTNING = re.compile(r"last(?:-v\d+)?\.ckpt|(?:.*[-_])?epoch=?\d+.*\.ckpt|.*[-_]step=?\d+.*\.ckpt")


@model_rules.rule(
    "FILE021",
    "checkpoint-beside-weights",
    Severity.WARNING,
    summary="A checkpoint of Lightning lies beside the weights.",
    why="It is a pickle with the optimizer state, three times as large as the model, and holds it a second time.",
    bad="last.ckpt beside model.safetensors",
    good="model.safetensors alone",
    hint="leave it out: --exclude '*.ckpt'",
    source="https://lightning.ai/docs/pytorch/stable/common/checkpointing_basic.html",
)
def checkpoint_beside_weights(folder: ModelFolder) -> Iterator[Problem]:
    """By the names that Lightning gives, and only beside safetensors: some libraries publish .ckpt files."""
    if not folder.weights.headers:
        return
    for entry in folder.release_files:
        if _LIGHTNING.fullmatch(entry.name):
            yield Problem(f"{entry.path} ({size(entry.size)}) is a checkpoint of Lightning", path=entry.path)
