"""The chat templates of a folder: where they are, and which of them transformers takes.

Tokenizers (`tokenization_utils_base.py` of transformers 5.23) take chat_template.jinja and
additional_chat_templates/*.jinja before `chat_template` of tokenizer_config.json, which they then forget altogether.
Processors (`processing_utils.py`) take `chat_template` of processor_config.json before chat_template.json, and that
before the .jinja files. llama.cpp takes what the GGUF file holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from hubpub.model.jsonfile import JsonFile
from hubpub.model.walk import FileEntry

TEMPLATE_FILE = "chat_template.jinja"
TEMPLATE_DIRECTORY = "additional_chat_templates"
LEGACY_FILE = "chat_template.json"
PROCESSOR_CONFIG = "processor_config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
DEFAULT = "default"

LARGEST_TEMPLATE = 256 << 10
"""Bytes that a template may have to be looked at; the largest real ones have 40 kB."""

MOST_TEMPLATES = 24
"""Templates of a folder that are looked at; real folders have at most five."""

_OTHER_TEMPLATE = re.compile(r".+\.(?:jinja|jinja2|j2)")


class Reader(StrEnum):
    """Who reads a source of templates."""

    TOKENIZER = "tokenizer"
    PROCESSOR = "processor"
    GGUF = "llama.cpp"
    PERSON = "person"
    """Nothing reads it by itself; somebody may pass it on."""


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A chat template.

    Attributes:
        text: the template; None when there is none to be had.
        path: the file that holds it.
        name: "default", "tool_use", or whatever it is called.
        reader: who reads it.
        used: whether its reader takes it, and not another source in its place.
        problem: why there is no text, as the end of a sentence that begins with the file.
        unseen: why it was not read although it may be fine, likewise.
    """

    text: str | None
    path: str
    name: str
    reader: Reader
    used: bool = True
    problem: str | None = None
    unseen: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether the file is the template, so that its lines are those of the file."""
        return self.path.endswith((".jinja", ".jinja2", ".j2"))

    @property
    def directory(self) -> str:
        """The directory of the tokenizer or processor that it belongs to: "" or "dir/"."""
        return self.path[: self.path.rfind("/") + 1].removesuffix(f"{TEMPLATE_DIRECTORY}/")

    @property
    def title(self) -> str:
        """How messages call it; the path is in it."""
        if self.is_file:
            return self.path
        name = "" if self.name == DEFAULT else f" {self.name!r}"
        return f"the chat template{name} of {self.path}"


def read_templates(
    files: Collection[FileEntry],
    *,
    json: Callable[[str], JsonFile | None],
    start: Callable[[str, int], bytes],
    gguf: Callable[[str], Mapping[str, str]],
) -> tuple[ChatTemplate, ...]:
    """The chat templates of a folder, those that are used first.

    Args:
        files: the files of the folder.
        json: reads a JSON file of the folder.
        start: the first bytes of a file.
        gguf: the templates that a GGUF file holds, by the key of its metadata.
    """
    found: list[ChatTemplate] = []
    homes: dict[str, list[FileEntry]] = {}
    for entry in files:
        if _holds_template(entry):
            homes.setdefault(_home(entry), []).append(entry)
    for directory in sorted(homes):
        found += _in_directory(directory, homes[directory], json, start)
    known = {template.path for template in found}
    for entry in files:
        if entry.path not in known and _OTHER_TEMPLATE.fullmatch(entry.name):
            found.append(_file(entry, entry.name, Reader.PERSON, start))
        elif entry.suffix == ".gguf" and entry.size:
            found += _in_gguf(entry.path, gguf(entry.path))
    return tuple(sorted(found, key=lambda template: not template.used))


def _holds_template(entry: FileEntry) -> bool:
    return entry.name in (TEMPLATE_FILE, LEGACY_FILE, PROCESSOR_CONFIG, TOKENIZER_CONFIG) or (
        entry.path.endswith(f"{TEMPLATE_DIRECTORY}/{entry.name}")
    )


def _home(entry: FileEntry) -> str:
    """The directory of the tokenizer or processor that a file belongs to."""
    return entry.path.removesuffix(entry.name).removesuffix(f"{TEMPLATE_DIRECTORY}/")


def _in_directory(
    directory: str,
    files: Collection[FileEntry],
    json: Callable[[str], JsonFile | None],
    start: Callable[[str, int], bytes],
) -> Iterator[ChatTemplate]:
    """What a tokenizer or processor in `directory` ("" or "dir/") has."""
    processor = list(_of_json(directory + PROCESSOR_CONFIG, json, Reader.PROCESSOR))
    legacy = list(_of_json(directory + LEGACY_FILE, json, Reader.PROCESSOR, required=True))
    config = list(_of_json(directory + TOKENIZER_CONFIG, json, Reader.TOKENIZER))
    raw: list[ChatTemplate] = []
    for entry in files:
        if entry.path == directory + TEMPLATE_FILE:
            raw.insert(0, _file(entry, DEFAULT, Reader.TOKENIZER, start))
        elif entry.path == f"{directory}{TEMPLATE_DIRECTORY}/{entry.name}" and entry.suffix == ".jinja":
            raw.append(_file(entry, entry.name.removesuffix(".jinja"), Reader.TOKENIZER, start))
    yield from raw
    yield from processor
    yield from (replace(template, used=not processor) for template in legacy)
    yield from (replace(template, used=not raw) for template in config)


def _file(entry: FileEntry, name: str, reader: Reader, start: Callable[[str, int], bytes]) -> ChatTemplate:
    if entry.size > LARGEST_TEMPLATE:
        unseen = f"has {entry.size:,} bytes; at most {LARGEST_TEMPLATE:,} of a chat template are read"
        return ChatTemplate(None, entry.path, name, reader, unseen=unseen)
    data = start(entry.path, LARGEST_TEMPLATE)
    try:
        # Python's open() makes every line end a \n, and so does jinja.
        return ChatTemplate(data.decode("utf-8"), entry.path, name, reader)
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8: byte 0x{data[error.start]:02x} at {error.start:,}"
        return ChatTemplate(None, entry.path, name, reader, problem=problem)


def _of_json(
    path: str, json: Callable[[str], JsonFile | None], reader: Reader, *, required: bool = False
) -> Iterator[ChatTemplate]:
    document = json(path)
    if document is None:
        return
    if not isinstance(document.value, dict):
        if required and document.problem is not None:
            yield ChatTemplate(None, path, DEFAULT, reader, problem=document.problem.message)
        return
    value = document.value.get("chat_template")
    if value is None:
        if required:
            yield ChatTemplate(None, path, DEFAULT, reader, problem="has no chat_template")
        return
    yield from _of_value(value, path, reader)


def _of_value(value: Any, path: str, reader: Reader) -> Iterator[ChatTemplate]:
    """A template as a string, a list of `{"name", "template"}`, or an object of templates by name."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and isinstance(item.get("name"), str) and "template" in item:
                yield from _of_text(item["template"], path, item["name"][:100], reader)
            else:
                problem = "has a chat_template with an item that is no object with name and template"
                yield ChatTemplate(None, path, DEFAULT, reader, problem=problem)
    elif isinstance(value, dict):
        for name, text in value.items():
            yield from _of_text(text, path, str(name)[:100], reader)
    else:
        yield from _of_text(value, path, DEFAULT, reader)


def _of_text(value: Any, path: str, name: str, reader: Reader) -> Iterator[ChatTemplate]:
    if not isinstance(value, str):
        kind = {dict: "an object", list: "a list", bool: "a boolean"}.get(type(value), "a number")
        yield ChatTemplate(None, path, name, reader, problem=f"has a chat_template that is {kind}, not a string")
    elif len(value) > LARGEST_TEMPLATE:
        unseen = f"has a chat template of {len(value):,} characters; at most {LARGEST_TEMPLATE:,} are looked at"
        yield ChatTemplate(None, path, name, reader, unseen=unseen)
    else:
        yield ChatTemplate(value, path, name, reader)


def _in_gguf(path: str, texts: Mapping[str, str]) -> Iterator[ChatTemplate]:
    for key, text in texts.items():
        name = key.removeprefix("tokenizer.chat_template").removeprefix(".") or DEFAULT
        yield from _of_text(text, path, name, Reader.GGUF)
