"""Defects in the values of weights: one each in a sound model, and what looks like one and is none."""

from __future__ import annotations

import json
import math
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.judging import judge_opened
from support.weights import Shapes, header_of, numbers, overwrite, write_raw, write_safetensors, write_shards

from hubpub.core.findings import Finding
from hubpub.core.report import Skip
from hubpub.core.rule import Depth
from hubpub.model.folder import ModelFolder
from hubpub.model.safetensors import Tensor, read_header

Defect = Callable[[Path], object]
Found = tuple[str, str, str]

SAFE, BIN, INDEX = "model.safetensors", "pytorch_model.bin", "model.safetensors.index.json"
QUERY = "bert.encoder.layer.0.attention.self.query.weight"
HEAD = "classifier.weight"


def judge(folder: Path, depth: Depth = Depth.DEEP) -> list[Finding | Skip]:
    """What the rules about values say, and those about containers; what others say of it is not tested here."""
    return judge_opened(ModelFolder.open(folder), depth, family="WEIGHT00 WEIGHT02 WEIGHT03")


def brief(found: list[Finding | Skip]) -> list[Found]:
    return [(item.rule, item.severity.value, item.path or "") for item in found if isinstance(item, Finding)]


def config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))


def tensors_of(path: Path) -> dict[str, Tensor]:
    return read_header(lambda: path.open("rb")).tensors


def raw(path: Path, name: str) -> bytes:
    tensor = tensors_of(path)[name]
    header = read_header(lambda: path.open("rb"))
    return path.read_bytes()[header.data_start + tensor.begin : header.data_start + tensor.end]


def shapes_of(path: Path) -> Shapes:
    return {name: (tensor.dtype, tensor.shape) for name, tensor in tensors_of(path).items()}


def fill(name: str, value: float | None = None, file: str = SAFE, values: np.ndarray | None = None) -> Defect:
    """Set a whole F32 tensor to one value, or to these."""

    def defect(model: Path) -> None:
        shape = tensors_of(model / file)[name].shape
        content = np.full(shape, value, np.float32) if values is None else values
        overwrite(model / file, name, content.tobytes())

    return defect


def put(name: str, value: float, at: int = 7, file: str = SAFE) -> Defect:
    """Set the `at`-th number of an F32 tensor."""
    return lambda model: overwrite(model / file, name, struct.pack("<f", value), at * 4)


def rewrite(model: Path, dtype: str, **odd: bytes) -> None:
    """Write model.safetensors anew in another dtype."""
    shapes = {name: (dtype, shape) for name, (_, shape) in shapes_of(model / SAFE).items()}
    write_safetensors(model / SAFE, shapes, filled=True)
    config(model, dtype={"BF16": "bfloat16", "F16": "float16", "F32": "float32"}[dtype])


def in_dtype(dtype: str, *patches: tuple[str, bytes]) -> Defect:
    def defect(model: Path) -> None:
        rewrite(model, dtype)
        for name, content in patches:
            overwrite(model / SAFE, name, content, 10)

    return defect


def add(name: str, dtype: str, values: np.ndarray) -> Defect:
    """Add a tensor to model.safetensors."""

    def defect(model: Path) -> None:
        old = {key: (shape, raw(model / SAFE, key)) for key, shape in shapes_of(model / SAFE).items()}
        old[name] = ((dtype, values.shape), values.tobytes())
        header, _ = header_of({key: shape for key, (shape, _) in old.items()})
        write_raw(model / SAFE, header, b"".join(content for _, content in old.values()))

    return defect


def both(*defects: Defect) -> Defect:
    return lambda model: [defect(model) for defect in defects]


def mixed(model: Path) -> None:
    """Layer 1 in F16 between layers in F32."""
    shapes = {
        name: ("F16" if ".layer.1." in name else dtype, shape)
        for name, (dtype, shape) in shapes_of(model / SAFE).items()
        if ".layer.0." in name or ".layer.1." in name
    }
    write_safetensors(model / SAFE, shapes, filled=True)


NAN, INF = math.nan, math.inf
DEFECTS: dict[str, tuple[Defect, list[Found], str]] = {
    "b01 NaN in F32": (put(QUERY, NAN), [("WEIGHT020", "error", SAFE)], "1 NaN value in 1 tensor"),
    "NaN with the sign bit": (
        lambda model: overwrite(model / SAFE, QUERY, b"\x01\x00\xc0\xff", 16),
        [("WEIGHT020", "error", SAFE)],
        "1 NaN value",
    ),
    "signalling NaN": (
        lambda model: overwrite(model / SAFE, QUERY, b"\x01\x00\x80\x7f", 16),
        [("WEIGHT020", "error", SAFE)],
        "1 NaN value",
    ),
    "NaN in a bias": (put("classifier.bias", NAN, 1), [("WEIGHT020", "error", SAFE)], "classifier.bias"),
    "a tensor of NaN": (fill(QUERY, NAN), [("WEIGHT020", "error", SAFE)], "1,024 NaN values in 1 tensor"),
    "b02 Inf in F32": (put(QUERY, INF), [("WEIGHT021", "error", SAFE)], "1 infinite value in 1 tensor"),
    "-Inf": (put(QUERY, -INF), [("WEIGHT021", "error", SAFE)], "1 infinite value"),
    "b03 NaN in BF16": (in_dtype("BF16", (QUERY, b"\xc0\x7f")), [("WEIGHT020", "error", SAFE)], "1 NaN value"),
    "Inf in BF16": (in_dtype("BF16", (QUERY, b"\x80\xff")), [("WEIGHT021", "error", SAFE)], "1 infinite value"),
    "NaN in F16": (in_dtype("F16", (QUERY, b"\x01\x7e")), [("WEIGHT020", "error", SAFE)], "1 NaN value"),
    "Inf in F16": (in_dtype("F16", (QUERY, b"\x00\x7c")), [("WEIGHT021", "error", SAFE)], "1 infinite value"),
    "b04 zero matrix": (fill(QUERY, 0.0), [("WEIGHT022", "error", SAFE)], QUERY),
    "zero head": (fill(HEAD, 0.0), [("WEIGHT022", "error", SAFE)], HEAD),
    "negative zeros": (fill(HEAD, -0.0), [("WEIGHT022", "error", SAFE)], HEAD),
    "zero embedding": (
        fill("bert.embeddings.word_embeddings.weight", 0.0),
        [("WEIGHT022", "error", SAFE)],
        "word_embeddings",
    ),
    "the whole file is a hole": (
        lambda model: write_safetensors(model / SAFE, shapes_of(model / SAFE)),
        [("WEIGHT022", "error", SAFE)],
        "14 tensors",
    ),
    "constant matrix": (fill(QUERY, 0.5), [("WEIGHT024", "warning", SAFE)], QUERY),
    "overflow of the declared float16": (
        both(
            in_dtype("F16"),
            add("bert.extra.weight", "F32", np.linspace(0, 7e4, 64, dtype=np.float32).reshape(8, 8)),
        ),
        [("WEIGHT025", "error", SAFE)],
        "up to 7e+04",
    ),
    "overflow of the declared bfloat16": (
        both(
            in_dtype("BF16"),
            add("bert.extra.weight", "F32", np.linspace(0, 3.4e38, 64, dtype=np.float32).reshape(8, 8)),
        ),
        [("WEIGHT025", "error", SAFE)],
        "BF16",
    ),
    "d07 declared float16, stored F32": (
        lambda model: config(model, dtype="float16"),
        [("WEIGHT026", "warning", "config.json")],
        "declares float16, but the weights are stored in F32",
    ),
    "d07 in the older key": (
        lambda model: config(model, dtype=None, torch_dtype="float16"),
        [("WEIGHT026", "warning", "config.json")],
        "declares float16",
    ),
    "declared bfloat16, stored F16": (
        both(in_dtype("F16"), lambda model: config(model, dtype="bfloat16")),
        [("WEIGHT026", "warning", "config.json")],
        "stored in F16",
    ),
    "declared float32, stored BF16": (
        both(in_dtype("BF16"), lambda model: config(model, dtype="float32")),
        [("WEIGHT026", "info", "config.json")],
        "stored in BF16",
    ),
    "dtypes mixed between layers": (mixed, [("WEIGHT027", "warning", SAFE)], "F16 (1 layer) and F32 (1 layer)"),
}


@pytest.fixture
def whole(bert_classifier: Path, copy_of: Callable[[Path], Path]) -> Path:
    """A model saved by transformers that the test may break."""
    return copy_of(bert_classifier)


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, whole: Path) -> None:
    assert judge(whole) == []
    defect, expected, words = DEFECTS[name]
    defect(whole)
    found = judge(whole)
    assert brief(found) == expected
    [finding] = found
    assert isinstance(finding, Finding)
    assert words in finding.message
    assert (finding.path or "") in finding.message
    assert finding.hint
    assert "\n" not in finding.message


LEGITIMATE: dict[str, Defect] = {
    "zero bias": fill("bert.encoder.layer.0.output.dense.bias", 0.0),
    "zero norm weight, as Gemma has": fill("bert.encoder.layer.0.output.LayerNorm.weight", 0.0),
    "zero token types, as RoBERTa has": fill("bert.embeddings.token_type_embeddings.weight", 0.0),
    "zero positions, as ViT begins with": fill("bert.embeddings.position_embeddings.weight", 0.0),
    "zero pooler": fill("bert.pooler.dense.weight", 0.0),
    "zero pad row": put("bert.embeddings.word_embeddings.weight", 0.0, 0),
    "infinite limits, as Gemma 4 has": both(
        add("layer.input_min", "F32", np.array([-np.inf], np.float32)),
        add("layer.input_max", "F32", np.array([np.inf], np.float32)),
    ),
    "infinite causal mask": add("bert.attn_mask", "F32", np.triu(np.full((4, 4), -np.inf, np.float32), 1)),
    "zero position ids": add("bert.embeddings.position_ids", "I64", np.zeros((1, 8), np.int64)),
    "zero router": add("layers.0.mlp.router.gate.weight", "F32", np.zeros((4, 8), np.float32)),
    "zero correction bias": add("layers.0.mlp.gate.e_score_correction_bias", "F32", np.zeros((2, 4), np.float32)),
    "zero relative positions": add("layers.0.relative_position_bias_table", "F32", np.zeros((9, 4), np.float32)),
    "zero adaLN": add("blocks.0.adaLN_modulation.1.weight", "F32", np.zeros((9, 4), np.float32)),
    "zero cls token": add("embeddings.cls_token", "F32", np.zeros((1, 1, 8), np.float32)),
    "a matrix of one number": add("head.scorer.weight", "F32", np.ones((1, 1), np.float32)),
    "a tensor without elements": add("layers.0.k.weight", "F32", np.zeros((0, 4), np.float32)),
    "large numbers in F32": put(QUERY, 1e30),
    "huge mask beside float16": both(in_dtype("F16"), add("h.attn.masked_bias", "F32", np.array([-1e9], np.float32))),
    "norms and router in F32 beside BF16": both(
        in_dtype("BF16"),
        add("layers.0.norm.weight", "F32", np.ones(8, np.float32)),
        add("layers.0.router.weight", "F32", np.random.default_rng(0).random((4, 8), np.float32)),
    ),
    "a variant in another dtype": lambda model: write_safetensors(
        model / "model.fp16.safetensors",
        {name: ("F16", shape) for name, (_, shape) in shapes_of(model / SAFE).items()},
        filled=True,
    ),
    "tied and stored": both(
        lambda model: config(model, tie_word_embeddings=True),
        lambda model: add(
            "lm_head.weight",
            "F32",
            np.frombuffer(raw(model / SAFE, "bert.embeddings.word_embeddings.weight"), np.float32).reshape(-1, 32),
        )(model),
    ),
}


@pytest.mark.parametrize("name", LEGITIMATE)
def test_what_is_legitimate(name: str, whole: Path) -> None:
    LEGITIMATE[name](whole)
    assert judge(whole) == []


@pytest.mark.parametrize("name", ["bert_classifier", "chat_lm", "chat_lm_sharded", "minilm", "plain_model"])
def test_sound_models_are_silent_when_read_through(name: str, request: pytest.FixtureRequest) -> None:
    assert judge(request.getfixturevalue(name)) == []


def test_sharded(sharded: Path) -> None:
    assert judge(sharded) == []


def test_defect_in_a_shard_names_the_shard(sharded: Path) -> None:
    shard = next(path for path in sorted(sharded.glob("model-*")) if HEAD in tensors_of(path))
    put(HEAD, NAN, file=shard.name)(sharded)
    assert brief(judge(sharded)) == [("WEIGHT020", "error", shard.name)]


def test_values_are_not_looked_at_unless_asked_to(whole: Path) -> None:
    put(QUERY, NAN)(whole)
    assert judge(whole, Depth.QUICK) == []


def test_a_malformed_file_is_one_finding(whole: Path) -> None:
    content = (whole / SAFE).read_bytes()
    (whole / SAFE).write_bytes(content[:-1000])
    assert brief(judge(whole)) == [("WEIGHT002", "error", SAFE)]


def test_values_in_other_formats_are_told_to_be_unseen(whole: Path) -> None:
    (whole / "flax_model.msgpack").write_bytes(b"\x81" * 100)
    skips = [item for item in judge(whole) if isinstance(item, Skip)]
    assert [skip.what for skip in skips] == ["tensor values of 1 file (flax)"]


def test_quantised_weights_are_not_mixed_up_with_the_declared_dtype(whole: Path) -> None:
    shapes: Shapes = {f"layers.{n}.q_proj.weight": ("U8", (64, 64)) for n in range(2)}
    shapes |= {f"layers.{n}.q_proj.weight_scale": ("F32", (64, 1)) for n in range(2)}
    write_safetensors(whole / SAFE, shapes)
    for name in shapes:
        values = np.random.default_rng(1).integers(0, 255, 4096, np.uint8).tobytes()
        overwrite(whole / SAFE, name, values if "scale" not in name else np.ones(64, np.float32).tobytes())
    config(whole, dtype="bfloat16", quantization_config={"quant_method": "some"})
    assert judge(whole) == []
    config(whole, quantization_config=None)
    assert judge(whole) == []


# Tied weights


@pytest.fixture
def tied(chat_lm: Path, copy_of: Callable[[Path], Path]) -> Path:
    """A language model with its head stored beside its embedding."""
    return copy_of(chat_lm)


def test_d15_tied_weights_that_differ(tied: Path) -> None:
    assert judge(tied) == []
    config(tied, tie_word_embeddings=True)
    found = judge(tied)
    assert brief(found) == [("WEIGHT028", "warning", SAFE)]
    assert isinstance(found[0], Finding)
    assert "lm_head.weight unlike model.embed_tokens.weight" in found[0].message


def test_tied_weights_that_differ_in_one_number(tied: Path) -> None:
    config(tied, tie_word_embeddings=True)
    embedding = raw(tied / SAFE, "model.embed_tokens.weight")
    overwrite(tied / SAFE, "lm_head.weight", embedding)
    assert judge(tied) == []
    middle = len(embedding) // 8 * 4
    overwrite(tied / SAFE, "lm_head.weight", bytes([embedding[middle] ^ 1]), middle)
    assert brief(judge(tied)) == [("WEIGHT028", "warning", SAFE)]


def test_tie_of_a_multimodal_configuration(tied: Path) -> None:
    config(tied, tie_word_embeddings=None, text_config={"tie_word_embeddings": True})
    assert brief(judge(tied)) == [("WEIGHT028", "warning", SAFE)]


# The same weights twice


def beside_shards(model: Path, change: Callable[[Shapes], Shapes] = lambda shapes: shapes) -> None:
    """Put shards and their index beside model.safetensors, with the same numbers."""
    shapes = change(shapes_of(model / SAFE))
    names = list(shapes)
    write_shards(model, [{name: shapes[name] for name in names[at::2]} for at in range(2)], filled=True)


def test_l03_a_file_and_shards_with_other_values(model: Path) -> None:
    beside_shards(model)
    assert brief(judge(model)) == [("WEIGHT030", "info", SAFE)]
    put(HEAD, 1.0)(model)
    found = judge(model)
    assert brief(found) == [("WEIGHT030", "error", SAFE)]
    assert isinstance(found[0], Finding)
    assert "1 of 25 tensors (classifier.weight)" in found[0].message
    assert judge(model, Depth.QUICK) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda shapes: shapes | {"more.weight": ("F32", (2, 2))}, "1 tensor only in the shards (more.weight)"),
        (lambda shapes: {name: shapes[name] for name in shapes if name != HEAD}, "1 tensor only in the file"),
        (lambda shapes: shapes | {HEAD: ("F32", (4, 32))}, "1 tensor of another shape or dtype"),
        (lambda shapes: shapes | {HEAD: ("F16", (2, 32))}, "1 tensor of another shape or dtype"),
    ],
)
@pytest.mark.parametrize("depth", [Depth.QUICK, Depth.DEEP])
def test_a_file_and_shards_with_other_tensors(
    change: Callable[[Shapes], Shapes], words: str, depth: Depth, model: Path
) -> None:
    beside_shards(model, change)
    found = judge(model, depth)
    assert brief(found) == [("WEIGHT029", "error", SAFE)]
    assert isinstance(found[0], Finding)
    assert words in found[0].message


@pytest.fixture
def in_both_formats(saved_models: Path, copy_of: Callable[[Path], Path]) -> Path:
    """A classifier as model.safetensors and as pytorch_model.bin, of which one tensor was saved transposed."""
    return copy_of(saved_models / "both_formats")


def told(found: list[Finding | Skip]) -> list[str]:
    """The skips but for the one that says that values in torch's format are unseen."""
    return [item.what for item in found if isinstance(item, Skip) and not item.what.startswith("tensor values")]


def test_the_same_values_in_both_formats(in_both_formats: Path) -> None:
    found = judge(in_both_formats)
    assert brief(found) == []
    assert told(found) == []


@pytest.mark.parametrize("value", [1.0, -0.25])
def test_l01_both_formats_with_other_values(value: float, in_both_formats: Path) -> None:
    put(QUERY, value)(in_both_formats)
    found = judge(in_both_formats)
    assert brief(found) == [("WEIGHT030", "error", BIN)]
    [finding] = [item for item in found if isinstance(item, Finding)]
    assert QUERY in finding.message
    assert SAFE in finding.message


def test_older_format_in_another_dtype_is_not_compared(in_both_formats: Path) -> None:
    rewrite(in_both_formats, "BF16")
    found = judge(in_both_formats)
    assert brief(found) == []
    assert told(found) == [f"whether {BIN} holds the values of the safetensors beside it"]


def test_oldest_format_is_not_compared(in_both_formats: Path, saved_models: Path) -> None:
    shutil.copy(saved_models / "torch_files" / "legacy.bin", in_both_formats / BIN)
    found = judge(in_both_formats)
    assert brief(found) == []
    assert told(found) == [f"whether {BIN} holds the values of the safetensors beside it"]


# Adapters


def adapter(folder: Path, starts: dict[str, float | None], more: Shapes | None = None) -> Path:
    """An adapter: what its parts begin with, by name; None for random numbers."""
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "acme/base", "r": 4}')
    shapes: Shapes = dict.fromkeys(starts, ("F32", (8, 4)))
    path = folder / "adapter_model.safetensors"
    write_safetensors(path, shapes | (more or {}), filled=True)
    for name, value in starts.items():
        if value is not None:
            overwrite(path, name, np.full((8, 4), value, np.float32).tobytes())
    return folder


def lora(*values: float | None) -> dict[str, float | None]:
    prefix = "base_model.model.model.layers."
    parts: dict[str, float | None] = {}
    for layer, value in enumerate(values):
        parts[f"{prefix}{layer}.self_attn.q_proj.lora_A.weight"] = None
        parts[f"{prefix}{layer}.self_attn.q_proj.lora_B.weight"] = value
    return parts


FILE = "adapter_model.safetensors"


@pytest.mark.parametrize(
    "starts",
    [
        lora(0.0, 0.0),
        lora(-0.0),
        {"unet.down_blocks.0.to_q.lora.down.weight": None, "unet.down_blocks.0.to_q.lora.up.weight": 0.0},
        {"lora_unet_to_q.lora_down.weight": None, "lora_unet_to_q.lora_up.weight": 0.0},
        {"base_model.model.e.lora_embedding_A": 0.0, "base_model.model.e.lora_embedding_B": None},
        {"base_model.model.q.vera_lambda_b": 0.0, "base_model.model.q.vera_lambda_d": 0.1},
        {"base_model.model.q.oft_R.weight": 0.0},
        {"base_model.model.q.hada_w1_a": None, "base_model.model.q.hada_w2_b": 0.0},
        {"base_model.model.q.lokr_w1": 0.0, "base_model.model.q.lokr_w2": None},
        {"base_model.model.q.lora_A": None, "base_model.model.q.lora_B": None, "base_model.model.q.lora_E": 0.0},
        lora(0.0) | {"base_model.model.embed.base_layer.weight": None},
    ],
    ids=["lora", "-0.0", "diffusers", "kohya", "embedding", "vera", "oft", "loha", "lokr", "adalora", "with the base"],
)
def test_m04_adapter_that_does_nothing(starts: dict[str, float | None], tmp_path: Path) -> None:
    found = judge(adapter(tmp_path, starts))
    assert brief(found) == [("WEIGHT023", "error", FILE)]


@pytest.mark.parametrize("values", [(None, None), (0.0, None)], ids=["trained", "one layer without gradient"])
def test_trained_adapter(values: tuple[float | None, ...], tmp_path: Path) -> None:
    assert judge(adapter(tmp_path, lora(*values))) == []


def test_adapter_with_a_head_beside_it_is_a_warning(tmp_path: Path) -> None:
    head: Shapes = {"base_model.model.classifier.weight": ("F32", (2, 32))}
    assert brief(judge(adapter(tmp_path, lora(0.0, 0.0), head))) == [("WEIGHT023", "warning", FILE)]


def test_nan_in_an_adapter(tmp_path: Path) -> None:
    adapter(tmp_path, lora(None))
    overwrite(tmp_path / FILE, next(iter(lora(None))), struct.pack("<f", NAN))
    assert brief(judge(tmp_path)) == [("WEIGHT020", "error", FILE)]


# Files that do not hold still


def test_file_that_changes_between_the_header_and_the_reading(whole: Path) -> None:
    from hubpub.rules.run import check_folder

    folder = ModelFolder.open(whole)
    assert folder.weights.headers[SAFE].problems == ()
    with (whole / SAFE).open("ab") as file:
        file.write(b"more")
    report = check_folder(
        folder, target="model", depth=Depth.DEEP, ignore=["CONF", "TOKEN", "CODE", "FILE", "WEIGHT06", "WEIGHT07"]
    )
    assert [(finding.rule, finding.path) for finding in report.findings] == [("WEIGHT031", SAFE)]


def test_numbers_of_the_tests_are_what_they_say() -> None:
    assert len(numbers("a.weight", ("BF16", (4, 4)))) == 32
    assert numbers("a.bias", ("F32", (4,))) == bytes(16)
