"""Where facts come from, collected while they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hubpub.card.facts.sourced import source_of

_Known = TypeVar("_Known")


def positive(value: Any) -> int | None:
    """The value when it is a whole number that a card can show."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 48 else None


class Sources:
    """The place of each fact by its name, as `source_of` says it."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def note(self, name: str, value: _Known | None, source: str) -> _Known | None:
        """The value; where it stands is kept when there is one."""
        if value:
            self.places[name] = source
        return value

    def reader(self, path: str, part: str, document: Mapping[str, Any]) -> Callable[..., int | None]:
        """What takes the first positive whole number among keys of a document: `reader("layers", "n_layer", ...)`.

        Args:
            path: of the file.
            part: the keys that lead to the document in it, with a dot at the end; "" for the whole.
            document: the object.
        """

        def first(name: str, *keys: str) -> int | None:
            for key in keys:
                if value := positive(document.get(key)):
                    return self.note(name, value, source_of(path, part + key))
            return None

        return first
