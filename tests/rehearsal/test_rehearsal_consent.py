"""Models whose loading runs what hubpub did not write, whichever file hides it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from hubpub.model.folder import ModelFolder
from hubpub.publish.load_request import needs_consent

Copy = Callable[[Path], Path]
PICKLE = b"cos\nsystem\n(S'true'\ntR."
MODULES = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]


def needs(model: Path) -> str | None:
    return needs_consent(ModelFolder.open(model))


def test_a_plain_model_needs_none(plain_model: Path) -> None:
    assert needs(plain_model) is None


def test_the_head_of_a_setfit_model_is_a_pickle(plain_model: Path, copy_of: Copy) -> None:
    """joblib loads it, whatever the weights beside it are."""
    model = copy_of(plain_model)
    (model / "model_head.pkl").write_bytes(PICKLE)
    assert needs(model) is None
    (model / "modules.json").write_text(json.dumps(MODULES))
    (model / "config_setfit.json").write_text("{}")
    assert needs(model) == "unpickles model_head.pkl"


def test_safetensors_that_no_loader_takes_excuse_no_pickle(plain_model: Path, copy_of: Copy) -> None:
    model = copy_of(plain_model)
    (model / "model.safetensors").rename(model / "decoy.safetensors")
    (model / "pytorch_model.bin").write_bytes(PICKLE)
    assert needs(model) == "unpickles weights"
    (model / "decoy.safetensors.index.json").write_text('{"weight_map": {"a": "decoy.safetensors"}}')
    assert needs(model) == "unpickles weights"
    (model / "decoy.safetensors").rename(model / "model.safetensors")
    assert needs(model) is None


def test_modules_that_cannot_be_read(plain_model: Path, copy_of: Copy) -> None:
    model = copy_of(plain_model)
    (model / "modules.json").write_text("[" * 600 + "]" * 600)
    assert "modules.json" in (needs(model) or "")
