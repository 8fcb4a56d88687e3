"""The text files of a folder, each read once, and what can be seen in them without knowing what they are for."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hubpub.model.localpaths import LocalPath, find_local_paths
from hubpub.model.signatures import stub
from hubpub.model.walk import FileEntry

READ_LIMIT = 16 << 20
"""Bytes of a text file that are looked at."""

_SNIFFED = 4096
_STUB_LIMIT = 4 << 20
_PATHS_LIMIT = 4 << 20
_BINARY = re.compile(
    r"safetensors|bin|gguf|ggml|onnx|onnx_data|data|pt|pth|ckpt|h5|keras|msgpack|npz|npy|pkl|pickle|joblib|tflite|pb"
    r"|mlmodel|nemo|jit|ot|zip|gz|tgz|bz2|xz|zst|7z|tar|rar|whl|so|dll|dylib|exe|pyc|spm|model|parquet|arrow"
    r"|png|jpg|jpeg|gif|webp|bmp|ico|wav|mp3|flac|ogg|mp4|webm|pdf|ttf"
)
# Full of strings that are no paths, whatever they look like.
_NO_PATHS = (".index.json", "tokenizer.json", "vocab.json", "added_tokens.json", "merges.json", "strings.json")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class TextFile:
    """What was seen in one file.

    Attributes:
        path: of the file.
        stub: what stands in place of the content, as a noun phrase.
        encoding: "UTF-16", or "a byte order mark" before UTF-8.
        conflict: 1-based line of the first merge conflict.
        local_paths: paths of one machine, in JSON files.
        lines: the line of each of them.
        complete: whether all of the file was looked at.
    """

    path: str
    stub: str | None = None
    encoding: str | None = None
    conflict: int | None = None
    local_paths: tuple[LocalPath, ...] = ()
    lines: tuple[int, ...] = ()
    complete: bool = True


def read_text_files(files: Iterable[FileEntry], read: Callable[[str, int], bytes]) -> dict[str, TextFile]:
    """What is worth telling of `files`, by path; of files by whose names they are not text, only the start is read.

    Args:
        files: the files to look at.
        read: the first bytes of a path, as many as it is given; b"" when it cannot be read.
    """
    found = {}
    for entry in files:
        if seen := _look(entry, read):
            found[entry.path] = seen
    return found


def _look(entry: FileEntry, read: Callable[[str, int], bytes]) -> TextFile | None:
    binary = _BINARY.fullmatch(entry.suffix[1:]) is not None
    if not entry.size or (binary and entry.size > _STUB_LIMIT):
        return None
    start = read(entry.path, _SNIFFED)
    noun = stub(start, entry.size)
    if noun is not None or binary:
        return TextFile(entry.path, stub=noun) if noun else None
    if start.startswith(_UTF16) and not start.startswith(codecs.BOM_UTF32_LE):
        return TextFile(entry.path, encoding="UTF-16")
    if b"\0" in start:
        content = read(entry.path, READ_LIMIT) if entry.size > len(start) else start
        blank = not content.strip(b"\0") and entry.size <= READ_LIMIT
        return TextFile(entry.path, stub="nothing but zero bytes") if blank else None
    content = read(entry.path, READ_LIMIT) if entry.size > len(start) else start
    paths: list[LocalPath] = []
    text = ""
    if entry.suffix == ".json" and entry.size <= _PATHS_LIMIT and not entry.name.endswith(_NO_PATHS):
        text = content.decode("utf-8", "replace")
        paths = list(find_local_paths(text))
    seen = TextFile(
        entry.path,
        encoding="a byte order mark" if content.startswith(codecs.BOM_UTF8) else None,
        conflict=_conflict(content),
        local_paths=tuple(paths),
        lines=tuple(text.count("\n", 0, path.offset) + 1 for path in paths),
        complete=entry.size <= READ_LIMIT,
    )
    return seen if seen != TextFile(entry.path) else None


def _conflict(content: bytes) -> int | None:
    """The line of the first merge conflict: its three markers, each at the beginning of a line, in order."""
    ours = content.find(b"<<<<<<< ") if content.startswith(b"<<<<<<< ") else content.find(b"\n<<<<<<< ") + 1
    if ours == 0 and not content.startswith(b"<<<<<<< "):
        return None
    middle = min((at for end in (b"\n", b"\r") if (at := content.find(b"\n=======" + end, ours)) >= 0), default=-1)
    if middle < 0 or content.find(b"\n>>>>>>> ", middle) < 0:
        return None
    return content.count(b"\n", 0, ours) + 1
