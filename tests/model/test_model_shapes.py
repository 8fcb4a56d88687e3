"""What config.json promises of the tensors, by headers alone."""

from __future__ import annotations

from typing import Any

import pytest
from support.models import bert_config, bert_tensors

from hubpub.model.safetensors import Tensor
from hubpub.model.shapes import LayerCount, Promises, RowCount, broken_promises, unwrap, wrapped


def headers(shapes: dict[str, tuple[int, ...]], dtype: str = "F32") -> dict[str, Tensor]:
    return {name: Tensor(name, dtype, shape, 0, 0) for name, shape in shapes.items()}


def bert(**changes: tuple[int, ...]) -> dict[str, Tensor]:
    return headers({name: shape for name, (_, shape) in bert_tensors(30).items()} | changes)


def test_a_sound_model_keeps_its_promises() -> None:
    assert broken_promises(bert_config(30), bert()) == Promises()


def test_each_broken_promise() -> None:
    config = bert_config(40) | {"num_hidden_layers": 2, "num_labels": 4, "id2label": {"0": "a", "1": "b", "2": "c"}}
    assert broken_promises(config, bert()) == Promises(
        layers=(LayerCount("num_hidden_layers", "bert.encoder.layer", 2, 1),),
        vocabulary=RowCount("vocab_size", "bert.embeddings.word_embeddings.weight", 40, 30),
        labels=RowCount("id2label", "classifier.weight", 3, 2),
        num_labels=(4, 3),
    )


@pytest.mark.parametrize(
    ("config", "shapes"),
    [
        # not in the list of plain model types
        ({"model_type": "albert", "num_hidden_layers": 12, "vocab_size": 9}, {"encoder.layer.0.x": (1,)}),
        # layers of another part, a vocabulary of another part
        ({"model_type": "llama", "num_hidden_layers": 2}, {"vision.tower.layers.7.x": (1,)}),
        ({"model_type": "llama", "vocab_size": 10}, {"model.a.b.embed_tokens.weight": (11, 4)}),
        # layers for speculative decoding come on top
        (
            {"model_type": "llama", "num_hidden_layers": 1, "num_nextn_predict_layers": 1},
            {"model.layers.0.x": (1,), "model.layers.1.x": (1,)},
        ),
        # values of no use, defaults that are not known here
        ({"model_type": "llama", "num_hidden_layers": "2", "vocab_size": None}, {"model.layers.0.x": (1,)}),
        ({"model_type": 5, "architectures": {}, "id2label": []}, {"x": (1,)}),
        ({"architectures": ["BertForSequenceClassification"]}, {"classifier.weight": (3, 4)}),
        # one row per choice, not per label
        ({"architectures": ["BertForMultipleChoice"], "id2label": {"0": "a", "1": "b"}}, {"classifier.weight": (1, 4)}),
    ],
)
def test_nothing_is_said_where_it_cannot_be_known(config: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
    assert broken_promises(config, headers(shapes)) == Promises()


def test_packed_integers_have_no_rows() -> None:
    config = {"model_type": "llama", "vocab_size": 10}
    assert broken_promises(config, headers({"model.embed_tokens.weight": (5, 4)}, "U8")) == Promises()


def test_wrappers_are_found_and_removed() -> None:
    tensors = headers({"module._orig_mod.a.weight": (1,), "module._orig_mod.b.weight": (1,)})
    assert list(wrapped(tensors)) == ["_orig_mod.", "module."]
    assert list(unwrap(tensors)) == ["a.weight", "b.weight"]
    assert list(unwrap(headers({"module.a": (1,), "module.b": (1,)}))) == ["a", "b"]
    assert list(unwrap(headers({"a._fsdp_wrapped_module.b": (1,)}))) == ["a.b"]


def test_an_adapter_that_was_not_merged() -> None:
    place = "base_model.model.layers.0.q_proj."
    tensors = headers({f"{place}{name}": (1,) for name in ("base_layer.weight", "lora_A.default.weight", "lora_B.x")})
    assert set(wrapped(tensors)) == {"base_layer.", "base_model.model."}
    assert list(unwrap(tensors)) == ["layers.0.q_proj.weight"]


def test_one_module_called_module_is_no_wrapper() -> None:
    tensors = headers({"module.a": (1,), "other.a": (1,), "other.b": (1,)})
    assert wrapped(tensors) == {}
    assert list(unwrap(tensors)) == list(tensors)
