"""What an exception of a card's code is taken for."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from hubpub.model.children.rehearse_reasons import missing

FIND_SPEC = importlib.util.find_spec


def raised_in(module: str) -> NameError:
    """The error of a module that uses torch without having it."""
    names: dict[str, Any] = {"__name__": module}
    exec("def load():\n    return torch.float32", names)
    with pytest.raises(NameError) as found:
        names["load"]()
    return found.value


@pytest.mark.parametrize(
    ("module", "installed", "told"),
    [
        ("transformers.pipelines", False, "needs the package torch, which is not installed"),
        ("transformers.pipelines", True, None),
        ("__main__", False, None),
    ],
)
def test_transformers_without_torch_is_no_fault_of_the_card(
    module: str, installed: bool, told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> object:
        return (object() if installed else None) if name == "torch" else FIND_SPEC(name)

    monkeypatch.setattr("importlib.util.find_spec", find)
    assert missing(raised_in(module), "acme/x", []) == told
