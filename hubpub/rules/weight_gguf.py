"""WEIGHT: GGUF files, by their headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hubpub.core.findings import Problem, Severity
from hubpub.core.wording import counted, listed
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import model_rules
from hubpub.rules.wording import malformed

if TYPE_CHECKING:
    from hubpub.model.gguf import GgufFile

_FORMAT = "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"
_LLAMA = "https://github.com/ggml-org/llama.cpp/blob/master/src/llama-model-loader.cpp"
_SPLIT_NAME = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})\.gguf")
_SAME_LENGTH = ("tokenizer.ggml.scores", "tokenizer.ggml.token_type")
_TOKEN_ID = re.compile(r"tokenizer\.ggml\.\w+_token_id")
_NO_TOKEN = (0xFFFFFFFF, -1)


@model_rules.rule(
    "WEIGHT040",
    "gguf-malformed",
    Severity.ERROR,
    summary="A GGUF file breaks the format: cut short, absurd counts, overlapping tensors, or something else inside.",
    why="llama.cpp, Ollama and LM Studio refuse such a file after all of it was downloaded, or read other numbers than "
    "were saved.",
    bad="model-Q4_K_M.gguf of which an upload stopped halfway",
    good="each tensor at the next multiple of the alignment, and the file long enough for all of them",
    hint="convert or copy the file again, and compare its size",
    source=_FORMAT,
)
def gguf_malformed(folder: ModelFolder) -> Iterator[Problem]:
    """One finding per file: the first problem, and how many more there are."""
    for path, file in folder.gguf.items():
        yield from malformed(path, file.problems)


@model_rules.rule(
    "WEIGHT041",
    "gguf-metadata-disagrees",
    Severity.ERROR,
    summary="The metadata of a GGUF file contradicts itself, or its tensors, or lacks the architecture.",
    why="llama.cpp takes the size of the vocabulary from the list of tokens and refuses an embedding of another size; "
    "without general.architecture it loads nothing; special tokens past the vocabulary are ignored, so that "
    "generation does not stop.",
    bad="32,000 tokens beside a token_embd.weight of 32,064 rows",
    good="as many rows as tokens, and every token id below that number",
    hint="convert the model again, with the tokenizer that belongs to it",
    source=_LLAMA,
)
def gguf_metadata_disagrees(folder: ModelFolder) -> Iterator[Problem]:
    """Each sound file: architecture, lengths of the lists of tokens, rows of the embedding, special ids."""
    for path, file in folder.gguf.items():
        if not file.problems:
            yield from _architecture(path, file)
            yield from _vocabulary(path, file)


def _architecture(path: str, file: GgufFile) -> Iterator[Problem]:
    # stable-diffusion.cpp writes none, imatrix files have none, and neither are language models.
    if file.architecture or file.split_count > 1 or not (file.tokens and file.tensors):
        return
    yield Problem(f"{path} has no general.architecture, without which llama.cpp does not load it", path=path)


def _vocabulary(path: str, file: GgufFile) -> Iterator[Problem]:
    tokens = file.tokens
    if tokens is None:
        return
    for key in _SAME_LENGTH:
        array = file.arrays.get(key)
        if array is not None and array.length != tokens:
            message = f"{path} has {counted(tokens, 'token')} but {array.length:,} values of {key}"
            yield Problem(message, path=path)
    embedding = file.tensors.get("token_embd.weight")
    if embedding is not None and len(embedding.dims) == 2 and embedding.dims[1] != tokens:
        message = f"{path} has {counted(tokens, 'token')} but {embedding.dims[1]:,} rows of token_embd.weight"
        yield Problem(message, path=path, tensor="token_embd.weight")
    past = [
        f"{key} {value}"
        for key, value in file.values.items()
        if _TOKEN_ID.fullmatch(key) and isinstance(value, int) and value >= tokens and value not in _NO_TOKEN
    ]
    if past:
        message = f"{path} has special tokens past its {counted(tokens, 'token')}: {listed(past)}"
        yield Problem(message, path=path)


@model_rules.rule(
    "WEIGHT042",
    "gguf-split-disagrees",
    Severity.ERROR,
    summary="The files of a split GGUF do not belong together, or are not named as llama.cpp looks for them.",
    why="llama.cpp finds the other files by the name of the first and refuses a file whose split.no, split.count or "
    "number of tensors is another; renaming one of them is enough.",
    bad="big-00002-of-00002.gguf that says split.count = 3",
    good="big-00001-of-00003.gguf, big-00002-of-00003.gguf, big-00003-of-00003.gguf as gguf-split wrote them",
    hint="split the model again with llama-gguf-split, or give the files their names back",
    source="https://github.com/ggml-org/llama.cpp/blob/master/tools/gguf-split/README.md",
)
def gguf_split_disagrees(folder: ModelFolder) -> Iterator[Problem]:
    """Each file against its name, then each complete set against its number of tensors."""
    sets: dict[tuple[str, int], dict[int, str]] = {}
    for path, file in folder.gguf.items():
        if file.problems:
            continue
        name = _SPLIT_NAME.fullmatch(path)
        number = file.number("split.no")
        if name is None:
            if file.split_count > 1:
                part = f"file {(number or 0) + 1} of {file.split_count}"
                yield Problem(f"{path} is {part} of a split GGUF, which its name does not say", path=path)
        elif "split.count" in file.values:
            claimed, total = (number or 0) + 1, int(name["total"])
            if (claimed, file.split_count) != (int(name["number"]), total):
                yield Problem(f"{path} says that it is file {claimed} of {file.split_count}", path=path)
            else:
                sets.setdefault((name["stem"], total), {})[claimed] = path
    for (_, total), paths in sets.items():
        if len(paths) == total:
            yield from _whole_set(folder, [paths[number] for number in sorted(paths)])


def _whole_set(folder: ModelFolder, paths: list[str]) -> Iterator[Problem]:
    files = [folder.gguf[path] for path in paths]
    promised = next((number for file in files if (number := file.number("split.tensors.count")) is not None), None)
    names = [name for file in files for name in file.tensors]
    if promised is not None and promised != len(names):
        message = (
            f"{paths[0]} promises {counted(promised, 'tensor')} in {counted(len(paths), 'file')} with {len(names):,}"
        )
        yield Problem(message, path=paths[0])
    elif len(set(names)) < len(names):
        seen: set[str] = set()
        twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
        message = f"{paths[0]} and its other files hold {counted(len(twice), 'tensor')} twice: {listed(twice)}"
        yield Problem(message, path=paths[0], tensor=twice[0][:1000])


@model_rules.rule(
    "WEIGHT043",
    "gguf-not-for-everyone",
    Severity.INFO,
    summary="A GGUF file is sound, but not every engine can use it.",
    why="A file for big-endian machines, a tensor type that llama.cpp has removed or that is newer than this check, or "
    "a vocabulary without tensors is often not what was meant to be published.",
    bad="model-Q4_0_4_4.gguf, a type that llama.cpp has removed in 2024",
    good="model-Q4_0.gguf, which llama.cpp repacks as it loads it",
    hint="convert the model again if that is not meant",
    source=_FORMAT,
)
def gguf_not_for_everyone(folder: ModelFolder) -> Iterator[Problem]:
    """Each sound file; a removed type is a warning."""
    for path, file in folder.gguf.items():
        if file.problems:
            continue
        if file.big_endian:
            yield Problem(f"{path} is for big-endian machines", path=path)
        for removed, name in file.removed_types.items():
            message = f"{path} stores {name[:100]} as {removed}, which llama.cpp has removed"
            yield Problem(message, path=path, tensor=name[:1000], severity=Severity.WARNING)
        for kind, name in file.unknown_types.items():
            message = f"{path} stores {name[:100]} as ggml type {kind:,}, which is not known here"
            yield Problem(message, path=path, tensor=name[:1000])
        if not file.tensors and file.tokens and file.split_count == 1:
            yield Problem(f"{path} holds a vocabulary of {counted(file.tokens, 'token')} and no tensors", path=path)
