"""A small sound folder for each profile of the card's templates, and what a training run leaves in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import layouts
from support.formats import gguf
from support.models import save_plain
from support.tokenizer_kinds import save_chat, saved, unigram, word_level
from support.weights import write_safetensors


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file, and the directory that it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2))


def edit(path: Path, **changes: Any) -> None:
    """Change keys of a JSON object; None takes a key away."""
    document = json.loads(path.read_text()) if path.exists() else {}
    document |= changes
    write_json(path, {key: value for key, value in document.items() if value is not None})


def default(folder: Path) -> None:
    """A masked language model."""
    save_plain(folder)
    edit(folder / "config.json", architectures=["BertForMaskedLM"], id2label=None, label2id=None)


def llm(folder: Path) -> None:
    """A chat model that is a mixture of experts."""
    save_chat(folder)
    config = {"num_local_experts": 4, "num_experts_per_tok": 2, "num_hidden_layers": 1, "model_type": "mixtral"}
    edit(folder / "config.json", architectures=["MixtralForCausalLM"], max_position_embeddings=128, **config)
    edit(folder / "generation_config.json", temperature=0.7, top_p=0.9, do_sample=True)
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    experts = {f"model.layers.0.block_sparse_moe.experts.{i}.w1.weight": ("F32", (16, 8)) for i in range(4)}
    embedding = {"model.embed_tokens.weight": ("F32", (size, 8))}
    write_safetensors(folder / "model.safetensors", {**embedding, **experts})


def adapter(folder: Path) -> None:
    """A LoRA adapter."""
    folder.mkdir()
    layouts.lora(folder)
    more = {
        "task_type": "CAUSAL_LM",
        "lora_alpha": 8,
        "lora_dropout": 0.05,
        "revision": "0123abc",
        "peft_version": "0.21.2",
    }
    edit(folder / "adapter_config.json", **more)


def embedding(folder: Path) -> None:
    """A sentence-transformers model."""
    layouts.sentence_transformers(folder)


def classifier(folder: Path) -> None:
    """A text classifier."""
    save_plain(folder)


TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def token_classification(folder: Path) -> None:
    """A tagger with the labels of the scheme BIO."""
    save_plain(folder)
    labels = {"id2label": dict(enumerate(TAGS)), "label2id": {label: at for at, label in enumerate(TAGS)}}
    edit(folder / "config.json", architectures=["BertForTokenClassification"], **labels)


def seq2seq(folder: Path) -> None:
    """A T5 with a prefix for its task."""
    saved(folder, unigram(), tokenizer_class="T5Tokenizer", eos_token="</s>", unk_token="<unk>")
    tasks = {"summarization": {"prefix": "summarize: ", "num_beams": 4}}
    config = {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "d_model": 8, "num_layers": 1}
    write_json(folder / "config.json", {**config, "vocab_size": 64, "task_specific_params": tasks})
    write_json(folder / "generation_config.json", {"num_beams": 4, "max_length": 60})
    write_safetensors(folder / "model.safetensors", {"shared.weight": ("F32", (64, 8))})


def vision(folder: Path) -> None:
    """An image classifier."""
    folder.mkdir()
    layouts.vision(folder)
    edit(folder / "config.json", id2label={"0": "cat", "1": "dog"}, hidden_size=8, patch_size=16)


def speech(folder: Path) -> None:
    """A recogniser of speech with a vocabulary of characters."""
    saved(
        folder, word_level(["<pad>", "<unk>", "|", "a", "b"]), tokenizer_class="Wav2Vec2CTCTokenizer", pad_token="<pad>"
    )
    config = {"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "hidden_size": 8, "vocab_size": 5}
    write_json(folder / "config.json", config)
    extractor = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000, "do_normalize": True}
    write_json(folder / "preprocessor_config.json", {**extractor, "feature_size": 1, "padding_value": 0.0})
    write_safetensors(folder / "model.safetensors", {"lm_head.weight": ("F32", (5, 8))})


def quantized(folder: Path) -> None:
    """Two GGUF files of one model."""
    folder.mkdir()
    metadata = {
        "general.architecture": "llama",
        "llama.context_length": 128,
        "llama.embedding_length": 256,
        "llama.block_count": 1,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": ["a", "b", "c", "d"],
        "tokenizer.ggml.eos_token_id": 2,
        "general.base_model.0.repo_url": "https://huggingface.co/acme/base-llama",
    }
    for name, kind in (("tiny-Q4_0.gguf", "Q4_0"), ("tiny-Q6_K.gguf", "Q6_K")):
        tensors = {"token_embd.weight": (kind, (256, 4)), "output_norm.weight": ("F32", (256,))}
        (folder / name).write_bytes(gguf(tensors, metadata))


PROFILES: dict[str, Callable[[Path], None]] = {
    "default": default,
    "llm": llm,
    "adapter": adapter,
    "embedding": embedding,
    "classifier": classifier,
    "token-classification": token_classification,
    "seq2seq": seq2seq,
    "vision": vision,
    "speech": speech,
    "quantized": quantized,
}
"""Writers of a folder, by the profile that fits it."""


def write_run(folder: Path, evaluations: int = 31) -> None:
    """All kinds of files that a training run leaves, and a description of its data."""
    write_json(folder / "trainer_state.json", trainer_state(evaluations))
    results = {"epoch": 3.1, "eval_loss": 1.23456789, "eval_accuracy": 0.6789, "eval_samples": 200}
    results |= {"train_samples": 4000, "train_loss": 1.3, "train_runtime": 4321.5, "total_flos": 1.5e15}
    write_json(folder / "all_results.json", {**results, "test_accuracy": 0.65, "test_samples": 150})
    arguments = {"learning_rate": 2e-05, "per_device_train_batch_size": 8, "num_train_epochs": 3, "seed": 4242}
    write_json(folder / "training_args.json", {**arguments, "optim": "adamw_torch", "bf16": True})
    header = "timestamp,run_id,duration,emissions,energy_consumed,country_name,cpu_count,cpu_model,gpu_count,gpu_model"
    row = "2026-01-01T00:00:00,abc,4400.5,0.0123,0.034,Germany,8,Intel Xeon,1.0,1 x NVIDIA A100"
    (folder / "emissions.csv").write_text(
        f"{header},ram_total_size,python_version,codecarbon_version\n{row},64.0,3.11.4,2.8.0\n"
    )
    benchmark = {"alias": "hellaswag", "acc,none": 0.512345, "acc_stderr,none": 0.01, "acc_norm,none": 0.6}
    harness: dict[str, Any] = {"results": {"hellaswag": benchmark}, "n-shot": {"hellaswag": 5}, "date": 1735689600.0}
    harness |= {"configs": {"hellaswag": {"dataset_path": "Rowan/hellaswag"}}, "versions": {"hellaswag": 1.0}}
    write_json(folder / "results_2025-01-01T00-00-00.json", {**harness, "lm_eval_version": "0.4.9"})
    features = {"text": {"dtype": "string", "_type": "Value"}}
    features["label"] = {"names": ["neg", "pos"], "_type": "ClassLabel"}  # type: ignore[dict-item]
    splits = {
        "train": {"name": "train", "num_examples": 4000},
        "validation": {"name": "validation", "num_examples": 200},
    }
    data = {"dataset_name": "reviews", "features": features, "splits": splits, "license": "cc-by-4.0"}
    write_json(folder / "dataset_info.json", {**data, "version": {"version_str": "1.0.0"}})
    (folder / "CITATION.cff").write_text(
        "cff-version: 1.2.0\nmessage: Cite it.\ntitle: Tiny models & more\nyear: 2025\nurl: https://example.org/x_y\n"
        "authors:\n  - family-names: Lovelace\n    given-names: Ada\n"
    )


def trainer_state(evaluations: int) -> dict[str, Any]:
    """A log with a training loss before each evaluation; the last but four is the best."""
    log: list[dict[str, Any]] = []
    best = 50 * (evaluations - 4)
    for step in range(50, 50 * evaluations + 1, 50):
        place = {"epoch": step / 500, "step": step}
        log.append({"loss": 3 - step / 1100, "learning_rate": 2e-05 * (1 - step / 10_000), **place})
        loss = 2.7 - step / 1300 + (0.5 if step > best else 0)
        log.append({"eval_loss": loss, "eval_accuracy": 0.3 + step / 7000, "eval_runtime": 3.1, **place})
    last = log[2 * (evaluations - 4) - 1]
    state = {
        "best_metric": last["eval_loss"],
        "best_global_step": best,
        "best_model_checkpoint": f"/root/out/checkpoint-{best}",
    }
    state |= {"global_step": 50 * evaluations, "max_steps": 50 * evaluations, "epoch": 3.1, "num_train_epochs": 3}
    return {**state, "train_batch_size": 8, "total_flos": 1.5e15, "log_history": log}
