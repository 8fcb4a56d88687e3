"""The comparison with the class: what can be tested of it without torch."""

from __future__ import annotations

from typing import ClassVar

import pytest

from hubpub.model.architecture import Mismatch, newer_than
from hubpub.model.children.architecture import _Found, _hidden, common_prefixes, first_line, last_line, layer_gaps
from hubpub.model.stored import own_code, quant_method


@pytest.mark.parametrize(
    ("version", "installed", "newer"),
    [
        ("5.30.0", "5.24.0", True),
        ("5.25.0.dev0", "5.24.0", True),
        ("5.24.9", "5.24.0", False),
        ("4.57.1", "5.24.0", False),
        ("5.100.0", "5.24.0", True),
        ("main", "5.24.0", False),
        ("", "5.24.0", False),
    ],
)
def test_newer_than(version: str, installed: str, newer: bool) -> None:
    assert newer_than(version, installed) is newer


def test_transposed() -> None:
    assert Mismatch("a", (2, 3), (3, 2)).transposed
    assert not Mismatch("a", (2, 2), (2, 2)).transposed
    assert not Mismatch("a", (2, 3), (3, 4)).transposed
    assert not Mismatch("a", (2, 3, 4), (4, 3, 2)).transposed


def test_quant_method() -> None:
    assert quant_method({"model_type": "llama"}) is None
    assert quant_method({"quantization_config": None}) is None
    assert quant_method({"quantization_config": {"quant_method": "awq"}}) == "awq"
    assert quant_method({"text_config": {"quantization_config": {"quant_method": "fp8"}}}) == "fp8"
    assert quant_method({"quantization": {"bits": 4, "group_size": 64}}) == "unknown method"


def test_own_code() -> None:
    assert own_code({"auto_map": {"AutoModelForCausalLM": "modeling.Net"}})
    assert not own_code({"auto_map": {"AutoTokenizer": ["tokenization.Tok", None]}})
    assert not own_code({"auto_map": "AutoModel"})


def found(missing: set[str], unexpected: set[str]) -> _Found:
    result = _Found()
    result.missing, result.unexpected = missing, unexpected
    return result


def names(*layers: int) -> set[str]:
    return {f"m.layers.{layer}.{part}" for layer in layers for part in ("a", "b.0.c")}


def test_layers_at_the_end_are_taken_together() -> None:
    lacking = found(names(2, 3) | {"head"}, set())
    gaps = layer_gaps(sorted(names(0, 1, 2, 3) | {"head"}), lacking)
    assert gaps == [{"stack": "m.layers", "model": 4, "stored": 2, "tensors": 4}]
    assert lacking.missing == {"head"}
    beyond = found(set(), names(2) | {"value_head"})
    assert layer_gaps(sorted(names(0, 1)), beyond) == [{"stack": "m.layers", "model": 2, "stored": 3, "tensors": 2}]
    assert beyond.unexpected == {"value_head"}


def test_other_gaps_are_no_layers() -> None:
    """One in the middle, part of the last, and all of them."""
    for missing in (names(1), {"m.layers.3.a"}, names(0, 1, 2, 3)):
        lacking = found(set(missing), set())
        assert layer_gaps(sorted(names(0, 1, 2, 3)), lacking) == []
        assert lacking.missing == missing


def test_common_prefixes_are_those_of_nine_in_ten() -> None:
    tensors = [f"net.bert.layer.{number}.w" for number in range(19)] + ["loss.w"]
    assert common_prefixes(tensors) == ["net.", "net.bert.", "net.bert.layer."]
    assert common_prefixes(["a.w", "b.w"]) == []


def test_messages_are_one_line() -> None:
    assert first_line(ValueError("\nValidation error for field 'x':\n    TypeError: no")) == (
        "Validation error for field 'x': TypeError: no"
    )
    assert first_line(ValueError("")) == "ValueError"
    assert last_line("a\nb\n\n") == "b"
    assert len(first_line(ValueError("x" * 999))) == 300


class _Seamless:
    """A model that ignores the gaps of a whole module, as SeamlessM4T does, and of single buffers."""

    _keys_to_ignore_on_load_missing: ClassVar = {"vocoder", "final_logits_bias", r"num_batches_tracked"}

    def named_children(self) -> list[tuple[str, None]]:
        return [("vocoder", None), ("text_encoder", None)]


def test_a_class_cannot_hide_that_a_whole_module_is_missing() -> None:
    ignored = {"vocoder.conv.weight", "final_logits_bias", "text_encoder.norm.num_batches_tracked"}
    assert _hidden(_Seamless(), ignored) == {"vocoder.conv.weight"}
