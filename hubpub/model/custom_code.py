"""The code that a model brings along: what `auto_map` names, and which files loading it would import.

transformers copies the named file and those that it imports relatively, and imports them (dynamic_module_utils.py in
https://github.com/huggingface/transformers).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubpub.model.jsonfile import JsonFile

if TYPE_CHECKING:
    from hubpub.model.python_source import PythonSource

_CONFIGS = (
    "config.json",
    "tokenizer_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "adapter_config.json",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of an `auto_map`.

    Attributes:
        config: the file that has it.
        auto_class: the key, "AutoModel".
        text: the value as it stands there.
        repo: the repo that the code is in; None for this one.
        path: the Python file, relative to the model; None when the value is malformed.
        name: the class.
    """

    config: str
    auto_class: str
    text: str
    repo: str | None = None
    path: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class CustomCode:
    """The Python of a model folder.

    Attributes:
        references: what the `auto_map`s name, in their order.
        sources: every Python file of the release, by path.
        imported: the files that loading the model imports: those that are named, and what they import relatively.
    """

    references: tuple[Reference, ...]
    sources: Mapping[str, PythonSource]
    imported: frozenset[str]


def read_custom_code(
    paths: list[str], *, json: Callable[[str], JsonFile | None], start: Callable[[str, int], bytes]
) -> CustomCode:
    """The Python of a folder.

    Args:
        paths: the files of the release.
        json: reads a JSON file of the folder.
        start: the first bytes of a file, at most so many.
    """
    references = tuple(reference for name in _CONFIGS for reference in _references(name, json(name)))
    sources = _sources([path for path in paths if path.endswith(".py")], start)
    named = [found.path for found in references if found.repo is None and found.path is not None]
    return CustomCode(references, sources, frozenset(_reachable(named, sources)))


def _sources(paths: list[str], start: Callable[[str, int], bytes]) -> dict[str, PythonSource]:
    if not paths:
        return {}
    from hubpub.model.python_source import LARGEST, read_python  # few models bring code along

    return {path: read_python(start(path, LARGEST + 1)) for path in paths}


def sibling_paths(path: str, module: str) -> tuple[str, str]:
    """The two files that a relative import of `module` in the file at `path` can mean."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), module))
    return f"{target}.py", f"{target}/__init__.py"


def _references(config: str, document: JsonFile | None) -> Iterator[Reference]:
    auto_map = document.get("auto_map") if document else None
    if not isinstance(auto_map, dict):
        return
    for auto_class, value in auto_map.items():
        for text in value if isinstance(value, list) else [value]:
            # A tokenizer may have no slow or no fast class: ["tok.Slow", null].
            if text is not None:
                yield _reference(config, str(auto_class), text)


def _reference(config: str, auto_class: str, text: object) -> Reference:
    if not isinstance(text, str):
        return Reference(config, auto_class, repr(text)[:100])
    repo, separator, rest = text.rpartition("--")
    module, dot, name = rest.rpartition(".")
    if not dot or not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        return Reference(config, auto_class, text[:200], repo if separator else None)
    return Reference(
        config, auto_class, text[:200], repo if separator else None, module.replace(".", "/") + ".py", name
    )


def _reachable(named: list[str], sources: Mapping[str, PythonSource]) -> set[str]:
    reached: set[str] = set()
    pending = [path for path in named if path in sources]
    while pending:
        path = pending.pop()
        if path in reached:
            continue
        reached.add(path)
        for _, module in sources[path].siblings:
            pending += [found for found in sibling_paths(path, module) if found in sources]
    return reached
