"""What a saved Keras model would run when it is loaded, by its configuration; nothing is built.

A .keras file is a zip archive with config.json (keras/src/saving/saving_lib.py); an .h5 file keeps the same JSON in the
attribute model_config (keras/src/legacy/saving/legacy_h5_format.py), which lies near the start of the file.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from hubpub.model.binary import Broken, look
from hubpub.model.jsonfile import parse_json
from hubpub.model.safetensors import HeaderProblem
from hubpub.model.signatures import describe
from hubpub.model.ziparchive import read_archive, read_member

_HDF5 = b"\x89HDF\r\n\x1a\n"
_FIRST_PIECE = 1 << 20
_LARGEST_BLOCK = 2048
_LARGEST_CONFIG = 8 << 20
_CONFIG_START = re.compile(rb'\{"(?:class_name|module|registered_name)": ?"')
_MOST_VISITS = 300_000

# What a configuration or the code of a Lambda has no honest use for.
_HOSTILE_MODULES = frozenset(
    ["os", "posix", "nt", "subprocess", "sys", "shutil", "importlib", "pickle", "marshal", "ctypes", "socket", "runpy"]
)
_HOSTILE_BUILTINS = frozenset(["exec", "eval", "compile", "open", "__import__", "getattr", "globals", "breakpoint"])
_HOSTILE_NAMES = re.compile(
    rb"(?<!\w)(?:subprocess|posix|system|socket|__import__|popen|exec|eval|urlopen|ctypes|shutil|b64decode|execve)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class KerasCode:
    """What would run.

    Attributes:
        what: as a noun phrase: "the Lambda layer 'l2'".
        hostile: what makes it hostile, a name that it uses; None when nothing does.
    """

    what: str
    hostile: str | None = None


@dataclass(frozen=True, slots=True)
class KerasFile:
    """What is known of one file.

    Attributes:
        code: what would run when it is loaded.
        problems: what is broken; empty for a sound file.
        unseen: why its configuration was not looked at; None when it was, or it has none.
    """

    code: tuple[KerasCode, ...] = ()
    problems: tuple[HeaderProblem, ...] = ()
    unseen: str | None = None


def read_keras(open_file: Callable[[], BinaryIO], path: str) -> KerasFile:
    """Read the .keras or .h5 file at `path`; what is wrong with it is in `KerasFile.problems`."""
    try:
        file, size = look(open_file)
        with file:
            return _read(file, size, path)
    except OSError as error:
        return KerasFile(problems=(HeaderProblem(f"cannot be read: {error.strerror or error}"),))
    except Broken as broken:
        return KerasFile(problems=(HeaderProblem(broken.message, broken.offset),))


def _read(file: BinaryIO, size: int, path: str) -> KerasFile:
    file.seek(0)
    begin = file.read(512)
    if not begin:
        raise Broken("has 0 bytes")
    if begin.startswith(b"PK\x03\x04") and path.lower().endswith(".keras"):
        archive = read_archive(file, size)
        member = archive.members.get("config.json")
        if member is None:
            raise Broken("is a zip archive without config.json, not what Keras saves")
        if member.size > _LARGEST_CONFIG:
            return KerasFile(unseen=f"its config.json has {member.size:,} bytes")
        document = parse_json(read_member(file, member, _LARGEST_CONFIG))
        if document.value is None:
            problem = document.problem.message if document.problem else "is empty"
            raise Broken(f"is damaged: its config.json {problem}", member.place)
        return KerasFile(tuple(_code(document.value)))
    # A block of the user's own may come first: 512 bytes, or a larger power of two.
    file.seek(0)
    blocks = file.read(_LARGEST_BLOCK + len(_HDF5))
    if any(blocks[at : at + len(_HDF5)] == _HDF5 for at in (0, 512, 1024, 2048)):
        return _read_hdf5(file, size)
    noun = describe(begin) or "neither HDF5 nor a zip archive"
    raise Broken(f"is {noun}, not what Keras saves", 0)


def _read_hdf5(file: BinaryIO, size: int) -> KerasFile:
    data = b""
    for length in (_FIRST_PIECE, _LARGEST_CONFIG):
        file.seek(0)
        data = file.read(length)
        found = _CONFIG_START.search(data)
        if found is None and b"model_config" not in data:
            return KerasFile()  # weights alone
        if found is not None:
            try:
                text = data[found.start() :].decode("utf-8", "replace")
                return KerasFile(tuple(_code(json.JSONDecoder().raw_decode(text)[0])))
            except (ValueError, RecursionError):
                pass
    return KerasFile(unseen=f"its model_config is not whole in its first {min(size, len(data)):,} bytes")


def _code(document: Any) -> Iterator[KerasCode]:
    """What a configuration would run, each thing once."""
    told: set[KerasCode] = set()
    of_layers: set[int] = set()
    for item in _objects(document):
        if item.get("class_name") == "Lambda":
            found = _layer(item)
            of_layers.add(id(_config(item).get("function")))
        elif item.get("class_name") == "__lambda__":
            found = None if id(item) in of_layers else _carried("a lambda", _marshalled(item))
        else:
            found = _import(item)
        if found is not None and found not in told:
            told.add(found)
            yield found


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    stack = [document]
    visits = 0
    while stack and visits < _MOST_VISITS:
        visits += 1
        item = stack.pop()
        if isinstance(item, dict):
            yield item
            stack.extend(reversed(item.values()))
        elif isinstance(item, list):
            stack.extend(reversed(item))


def _config(item: dict[str, Any]) -> dict[str, Any]:
    config = item.get("config")
    return config if isinstance(config, dict) else {}


def _layer(item: dict[str, Any]) -> KerasCode | None:
    """A Lambda layer, unless its function is looked up by name: then the file carries no code."""
    config = _config(item)
    function = config.get("function")
    if isinstance(function, str) and config.get("function_type") != "lambda":
        return None
    name = config.get("name")
    what = f"the Lambda layer {str(name)[:100]!r}" if name else "a Lambda layer"
    return _carried(what, _marshalled(function))


def _carried(what: str, code: bytes | None) -> KerasCode | None:
    if code is None:
        return None
    hostile = _HOSTILE_NAMES.search(code)
    return KerasCode(what, hostile[0].decode() if hostile else None)


def _marshalled(function: Any) -> bytes | None:
    """The byte code of a function, as Keras 3 (an object) and Keras 2 (a list) write it; None when it is no code."""
    if isinstance(function, dict) and function.get("class_name") == "__lambda__":
        function = _config(function).get("code")
    elif isinstance(function, list) and function:
        function = function[0]
    if not isinstance(function, str):
        return None
    try:
        return base64.b64decode(function, validate=False)
    except (binascii.Error, ValueError):
        return b""


def _import(item: dict[str, Any]) -> KerasCode | None:
    module, name = item.get("module"), item.get("class_name")
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    target = item.get("config") if name == "function" and isinstance(item.get("config"), str) else name
    top = module.partition(".")[0]
    if top in _HOSTILE_MODULES or (top == "builtins" and target in _HOSTILE_BUILTINS):
        full = f"{module}.{target}"[:100]
        return KerasCode(f"an object of {full}", full)
    return None
