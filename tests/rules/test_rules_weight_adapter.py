"""Adapters of PEFT: one defect each, and the settings that must stay silent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.judging import judge_folder as judge
from support.weights import Shapes, write_safetensors

from hubpub.core.findings import Finding, Severity
from hubpub.core.report import Skip

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def settings(**changes: Any) -> dict[str, Any]:
    """adapter_config.json of a LoRA as peft 0.21 writes it; a change to ... removes the key."""
    document = {
        "alpha_pattern": {},
        "auto_mapping": None,
        "base_model_name_or_path": "acme/base",
        "bias": "none",
        "inference_mode": True,
        "lora_alpha": 16,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": 8,
        "rank_pattern": {},
        "target_modules": ["q_proj", "v_proj"],
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": False,
    }
    return {key: value for key, value in (document | changes).items() if value is not ...}


def pair(module: str, rank: int = 8, end: str = ".weight") -> Shapes:
    """Both halves of one module."""
    name = f"base_model.model.model.{module}"
    return {f"{name}.lora_A{end}": ("F32", (rank, 32)), f"{name}.lora_B{end}": ("F32", (32, rank))}


def lora(rank: int = 8, end: str = ".weight", modules: tuple[str, ...] = ("q_proj", "v_proj")) -> Shapes:
    """Both halves in two layers."""
    return {
        name: tensor
        for layer in range(2)
        for module in modules
        for name, tensor in pair(f"layers.{layer}.self_attn.{module}", rank, end).items()
    }


def without(tensors: Shapes, end: str) -> Shapes:
    return {name: tensor for name, tensor in tensors.items() if not name.endswith(end)}


@dataclass(frozen=True)
class Case:
    config: dict[str, Any]
    tensors: Shapes = field(default_factory=lora)
    expected: tuple[tuple[str, str, str], ...] = ()
    words: tuple[str, ...] = ()


def error(code: str, path: str) -> tuple[tuple[str, str, str], ...]:
    return ((f"WEIGHT0{code}", "error", path),)


INFO = Severity.INFO.value
EMBEDDING: Shapes = {
    "base_model.model.model.embed_tokens.lora_embedding_A": ("F32", (8, 100)),
    "base_model.model.model.embed_tokens.lora_embedding_B": ("F32", (32, 8)),
}
CLEAN = {
    "LoRA": Case(settings()),
    "saved with the name of the adapter": Case(settings(), lora(end=".default.weight")),
    "rsLoRA": Case(settings(use_rslora=True, alpha_pattern={"q_proj": 32})),
    "DoRA": Case(
        settings(use_dora=True),
        lora() | {"base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector": ("F32", (32,))},
    ),
    "rank_pattern": Case(
        settings(rank_pattern={"v_proj": 4}), lora(8, modules=("q_proj",)) | lora(4, modules=("v_proj",))
    ),
    "rank_pattern of one layer": Case(
        settings(rank_pattern={"layers.1.self_attn.q_proj": 2}),
        lora() | pair("layers.1.self_attn.q_proj", 2),
    ),
    "rank_pattern with a pattern": Case(
        settings(rank_pattern={r"layers\.[01]\.self_attn\.q_proj": 2}), lora() | pair("layers.1.self_attn.q_proj", 2)
    ),
    "rank_pattern with a class of characters": Case(
        settings(rank_pattern={r"^model\.layers\.\d\.self_attn\.q_proj": 2}),
        lora() | pair("layers.1.self_attn.q_proj", 2),
    ),
    "excluded modules": Case(settings(target_modules=["q_proj", "v_proj", "o_proj"], exclude_modules=["o_proj"])),
    "no r": Case(settings(r=...)),
    "all-linear": Case(settings(target_modules="all-linear")),
    "a pattern of targets": Case(settings(target_modules=r".*self_attn\.[qv]_proj$")),
    "the default of the model type": Case(settings(target_modules=None)),
    "a full name as target": Case(
        settings(target_modules=[f"model.layers.{n}.self_attn.{p}_proj" for n in (0, 1) for p in "qv"])
    ),
    "modules_to_save": Case(
        settings(modules_to_save=["score"], task_type="SEQ_CLS"),
        lora() | {"base_model.model.score.weight": ("F32", (2, 32))},
    ),
    "an embedding": Case(settings(target_modules=["q_proj", "v_proj", "embed_tokens"]), lora() | EMBEDDING),
    "a convolution": Case(
        settings(target_modules=["conv"]),
        {
            "base_model.model.conv.lora_A.weight": ("F32", (8, 3, 3, 3)),
            "base_model.model.conv.lora_B.weight": ("F32", (16, 8, 1, 1)),
        },
    ),
    "experts": Case(
        settings(target_parameters=["mlp.experts.gate_up_proj"], target_modules=[]), pair("layers.0.mlp.experts", 32)
    ),
    "AdaLoRA": Case(settings(peft_type="ADALORA", target_r=8, init_r=12), lora(12)),
    "IA3": Case(settings(peft_type="IA3"), {"base_model.model.model.layers.0.mlp.down_proj.ia3_l": ("F32", (1, 64))}),
    "a prompt": Case(settings(peft_type="PROMPT_TUNING"), {"prompt_embeddings": ("F32", (8, 32))}),
    "a base of one's own": Case(
        settings(
            base_model_name_or_path=None,
            task_type=None,
            auto_mapping={"base_model_class": "Net", "parent_library": "acme"},
        )
    ),
    "a base without an organisation": Case(settings(base_model_name_or_path="gpt2")),
    "AdapterHub": Case({"config": {"mh_adapter": False}, "model_name": "bert-base-uncased", "hidden_size": 768}),
    "MLX": Case({"fine_tune_type": "lora", "model": "mlx-community/x", "lora_parameters": {"rank": 8}}),
}
DEFECTS = {
    "no base": Case(settings(base_model_name_or_path=...), expected=error("74", CONFIG)),
    "base is null": Case(settings(base_model_name_or_path=None), expected=error("74", CONFIG)),
    "base is empty": Case(settings(base_model_name_or_path=" "), expected=error("74", CONFIG)),
    "no peft_type": Case(settings(peft_type=...), expected=error("74", CONFIG), words=("peft_type",)),
    **{
        f"base is {path}": Case(settings(base_model_name_or_path=path), expected=error("75", CONFIG), words=("local",))
        for path in (
            "/home/me/llama",
            "./base",
            "../base",
            "~/models/base",
            "C:\\models\\base",
            "outputs/sft/final",
            "outputs/checkpoint-500",
            "file:///base",
        )
    },
    "rank": Case(settings(), lora(4), error("76", CONFIG), ("r 8", "rank 4 in 4 modules")),
    "rank of one module": Case(
        settings(), lora() | pair("layers.1.self_attn.q_proj", 4), error("76", CONFIG), ("in 1 module",)
    ),
    "rank of a module in rank_pattern": Case(
        settings(rank_pattern={"q_proj": 4}), lora(), error("76", CONFIG), ("r 4", "rank 8 in 2 modules")
    ),
    "halves of two ranks": Case(
        settings(),
        lora() | {"base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": ("F32", (32, 4))},
        error("76", WEIGHTS),
        ("rank 8", "has 4"),
    ),
    "no lora_B": Case(
        settings(), without(lora(), "layers.0.self_attn.q_proj.lora_B.weight"), error("77", WEIGHTS), ("lora_B for 1",)
    ),
    "no lora_A at all": Case(settings(), without(lora(), "lora_A.weight"), error("77", WEIGHTS), ("lora_A for 4",)),
    "half of an embedding": Case(
        settings(target_modules=["q_proj", "v_proj", "embed_tokens"]),
        without(lora() | EMBEDDING, "lora_embedding_B"),
        error("77", WEIGHTS),
        ("embed_tokens",),
    ),
    "a module that is not a target": Case(
        settings(target_modules=["q_proj"]), lora(), error("78", WEIGHTS), ("2 modules", "v_proj")
    ),
    "a target without a module": Case(
        settings(target_modules=["q_proj", "v_proj", "query_key_value"]),
        expected=(("WEIGHT078", INFO, CONFIG),),
        words=("query_key_value",),
    ),
    "no task type": Case(settings(task_type=None), expected=(("WEIGHT079", INFO, CONFIG),)),
    "ready for training": Case(settings(inference_mode=False), expected=(("WEIGHT079", INFO, CONFIG),)),
}


def save(folder: Path, case: Case) -> None:
    (folder / CONFIG).write_text(json.dumps(case.config))
    write_safetensors(folder / WEIGHTS, case.tensors)


@pytest.mark.parametrize("name", CLEAN)
def test_clean(name: str, tmp_path: Path) -> None:
    save(tmp_path, CLEAN[name])
    assert judge(tmp_path) == []


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, tmp_path: Path) -> None:
    case = DEFECTS[name]
    save(tmp_path, case)
    findings = judge(tmp_path)
    assert [(f.rule, f.severity.value, f.path) for f in findings if isinstance(f, Finding)] == list(case.expected)
    [finding] = findings
    assert isinstance(finding, Finding)
    assert (finding.path or "-") in finding.message
    assert all(word in finding.message for word in case.words), finding.message
    assert finding.hint


def test_unknown_method_is_not_checked(tmp_path: Path) -> None:
    save(tmp_path, Case(settings(peft_type="NOVA")))
    [skip] = judge(tmp_path)
    assert isinstance(skip, Skip)
    assert "NOVA" in skip.reason


def test_hostile_configuration_is_no_crash(tmp_path: Path) -> None:
    """Patterns are never run, and values may be of any type."""
    evil = "(a+)+" * 50 + "$"
    for changes in (
        {"rank_pattern": {evil: 4}, "target_modules": [evil]},
        {"rank_pattern": ["x"], "r": "8", "target_modules": {"a": 1}, "auto_mapping": "x"},
        {"peft_type": 5, "base_model_name_or_path": ["x"], "r": -1, "target_parameters": 3},
    ):
        save(tmp_path, Case(settings(**changes)))
        judge(tmp_path)
