"""Small sound folders of the layouts that other libraries than transformers write."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import formats
from support.models import bert_config, bert_tensors, save_plain
from support.weights import write_safetensors


def _json(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2))


def sentence_transformers(folder: Path) -> None:
    """Transformer, Pooling, Normalize: the last without a directory, as on the Hub."""
    save_plain(folder)
    config = json.loads((folder / "config.json").read_text())
    config = {key: value for key, value in config.items() if key not in ("id2label", "label2id")}
    _json(folder / "config.json", config | {"architectures": ["BertModel"]})
    library = "sentence_transformers.models."
    names = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [
        {"idx": at, "name": str(at), "path": path, "type": library + name} for at, (path, name) in enumerate(names)
    ]
    _json(folder / "modules.json", modules)
    _json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True})
    _json(
        folder / "config_sentence_transformers.json",
        {"prompts": {"query": "query: "}, "default_prompt_name": None, "similarity_fn_name": "cosine"},
    )
    _json(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})


def lora(folder: Path) -> None:
    """peft's two files."""
    _json(
        folder / "adapter_config.json",
        {"peft_type": "LORA", "base_model_name_or_path": "acme/base", "r": 4, "target_modules": ["q_proj"]},
    )
    shapes = {"base_model.model.q_proj.lora_A.weight": (4, 8), "base_model.model.q_proj.lora_B.weight": (8, 4)}
    write_safetensors(folder / "adapter_model.safetensors", {name: ("F32", shape) for name, shape in shapes.items()})


def prompt_tuning(folder: Path) -> None:
    """An adapter that is no LoRA."""
    _json(
        folder / "adapter_config.json",
        {"peft_type": "PROMPT_TUNING", "base_model_name_or_path": "acme/base", "num_virtual_tokens": 8},
    )
    write_safetensors(folder / "adapter_model.safetensors", {"prompt_embeddings": ("F32", (8, 16))})


def diffusers(folder: Path) -> None:
    """A text-to-image pipeline without a safety checker, as diffusers writes it."""
    components = {
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "feature_extractor": [None, None],
        "safety_checker": [None, None],
    }
    index = {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.39.0", "requires_safety_checker": False}
    _json(folder / "model_index.json", index | components)
    _json(folder / "scheduler" / "scheduler_config.json", {"_class_name": "DDIMScheduler", "beta_start": 0.00085})
    _json(folder / "tokenizer" / "vocab.json", {"a": 0, "b": 1, "ab": 2})
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\na b\n")
    _json(folder / "tokenizer" / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer"})
    for name, stem in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        _json(folder / name / "config.json", {"_class_name": components[name][1], "in_channels": 4})
        write_safetensors(folder / name / f"{stem}.safetensors", {"conv.weight": ("F32", (4, 4))})


def gguf(folder: Path) -> None:
    """One GGUF file: version 3, no tensors, no metadata."""
    folder.mkdir(exist_ok=True)
    (folder / "model-Q4_K_M.gguf").write_bytes(b"GGUF" + (3).to_bytes(4, "little") + bytes(16))


def onnx(folder: Path) -> None:
    """As optimum exports it: the configuration of transformers beside model.onnx."""
    save_plain(folder)
    (folder / "model.safetensors").unlink()
    (folder / "model.onnx").write_bytes(formats.onnx())


def ctranslate2(folder: Path) -> None:
    """A Whisper model as ct2-transformers-converter writes it."""
    _json(folder / "config.json", {"alignment_heads": [[1, 0]], "lang_ids": [50259], "suppress_ids": []})
    _json(folder / "vocabulary.json", ["a", "b"])
    (folder / "model.bin").write_bytes(b"\x06\0\0\0\x0c\0WhisperSpec\0" + bytes(12))


def spacy(folder: Path) -> None:
    """A spaCy pipeline with a tagger."""
    _json(folder / "meta.json", {"lang": "en", "name": "core_web", "version": "1.0.0", "pipeline": ["tagger"]})
    (folder / "config.cfg").write_text('[nlp]\nlang = "en"\npipeline = ["tagger"]\n')
    _json(folder / "vocab" / "strings.json", ["~/.vimrc", "/tmp/x"])
    (folder / "tokenizer").write_bytes(b"\x81\xa6prefix\xa0")
    (folder / "tagger").mkdir()
    (folder / "tagger" / "model").write_bytes(b"\x82\xa5nodes\x90")


def timm(folder: Path) -> None:
    """A classifier as timm's push_to_hf_hub writes it."""
    pretrained = {"num_classes": 10, "classifier": "fc", "input_size": [3, 224, 224], "mean": [0.5, 0.5, 0.5]}
    _json(
        folder / "config.json",
        {"architecture": "resnet18", "num_classes": 10, "num_features": 512, "pretrained_cfg": pretrained},
    )
    write_safetensors(folder / "model.safetensors", {"fc.weight": ("F32", (10, 512)), "fc.bias": ("F32", (10,))})


def vision(folder: Path) -> None:
    """A ViT with its image processor."""
    _json(
        folder / "config.json",
        {"model_type": "vit", "architectures": ["ViTForImageClassification"], "image_size": 224, "num_channels": 3},
    )
    _json(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "ViTImageProcessor",
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "size": {"height": 224, "width": 224},
        },
    )
    write_safetensors(folder / "model.safetensors", {"classifier.weight": ("F32", (2, 8))})


def custom_code(folder: Path) -> None:
    """A model whose classes come with it."""
    save_plain(folder)
    config = bert_config(len(bert_tensors(10)))
    auto_map = {"AutoConfig": "modeling_own.OwnConfig", "AutoModel": "modeling_own.OwnModel"}
    _json(folder / "config.json", config | {"model_type": "own", "architectures": ["OwnModel"], "auto_map": auto_map})
    (folder / "modeling_own.py").write_text("class OwnConfig: ...\n\n\nclass OwnModel: ...\n")


def mixin(folder: Path) -> None:
    """What PyTorchModelHubMixin writes: the arguments of the class, and the weights."""
    _json(folder / "config.json", {"hidden_size": 8, "dropout": 0.1})
    write_safetensors(folder / "model.safetensors", {"head.weight": ("F32", (2, 8))})


def bare_weights(folder: Path) -> None:
    """One file under a name of its own."""
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "style_lora.safetensors", {"lora_unet_up.weight": ("F32", (2, 8))})


LAYOUTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "sentence-transformers": (sentence_transformers, "sentence-transformers"),
    "lora": (lora, "adapter"),
    "prompt tuning": (prompt_tuning, "adapter"),
    "diffusers": (diffusers, "diffusers"),
    "gguf": (gguf, "gguf"),
    "onnx": (onnx, "onnx"),
    "ctranslate2": (ctranslate2, "ctranslate2"),
    "spacy": (spacy, "spacy"),
    "timm": (timm, "timm"),
    "vision": (vision, "transformers"),
    "custom code": (custom_code, "transformers"),
    "mixin": (mixin, "weights"),
    "bare weights": (bare_weights, "weights"),
}
"""Name -> (what makes it in a folder, the kind that it is)."""
