from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.models import bert_tensors
from support.weights import write_shards


@pytest.fixture
def model(plain_model: Path, copy_of: Callable[[Path], Path]) -> Path:
    """A sound model that the test may break."""
    return copy_of(plain_model)


@pytest.fixture
def sharded(model: Path) -> Path:
    """The same with its weights in three shards."""
    config = (model / "config.json").read_text()
    vocabulary = int(config.rpartition('"vocab_size": ')[2].partition("\n")[0])
    tensors = bert_tensors(vocabulary)
    names = list(tensors)
    (model / "model.safetensors").unlink()
    write_shards(model, [{name: tensors[name] for name in names[at::3]} for at in range(3)], filled=True)
    return model
