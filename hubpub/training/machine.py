"""What a training runs on: processors, memory, versions of libraries. Nothing is imported for it that is not there."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

from hubpub.training.redact import text

_LIBRARIES = (
    "accelerate",
    "bitsandbytes",
    "datasets",
    "deepspeed",
    "diffusers",
    "evaluate",
    "flash_attn",
    "flax",
    "jax",
    "keras",
    "lightning",
    "numpy",
    "optimum",
    "peft",
    "pytorch_lightning",
    "safetensors",
    "scikit-learn",
    "sentence_transformers",
    "setfit",
    "spacy",
    "tensorflow",
    "timm",
    "tokenizers",
    "torch",
    "torchvision",
    "transformers",
    "trl",
    "unsloth",
)
_MODULES = {"scikit-learn": "sklearn"}


def hardware() -> dict[str, Any]:
    """Names and counts: "cpu", "cpu_count", "memory" in bytes, "gpu", "gpu_count", "gpu_memory" in bytes of one."""
    found: dict[str, Any] = {"cpu": _processor(), "cpu_count": os.cpu_count(), "memory": _memory(), **_accelerators()}
    return {name: value for name, value in found.items() if value}


def software() -> dict[str, str]:
    """Versions by name, of the libraries that the training has imported."""
    found = {"python": platform.python_version(), "os": f"{platform.system()} {platform.machine()}".strip()}
    for name in _LIBRARIES:
        if _MODULES.get(name, name) in sys.modules:
            try:
                found[name.replace("_", "-")] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
    torch = sys.modules.get("torch")
    for name in ("cuda", "hip"):
        version = getattr(getattr(torch, "version", None), name, None)
        if isinstance(version, str):
            found["cuda" if name == "cuda" else "rocm"] = version
    return {name: text(version)[:50] for name, version in found.items()}


def peak_gpu_memory() -> int | None:
    """The most bytes that tensors took on one GPU of this process; None without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return max(int(torch.cuda.max_memory_allocated(device)) for device in range(torch.cuda.device_count())) or None


def process() -> tuple[int, int]:
    """The number of this process among those that train together, and how many they are."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank()), int(distributed.get_world_size())
    # torchrun and accelerate, then MPI, then srun
    for rank, size in (
        ("RANK", "WORLD_SIZE"),
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
        ("SLURM_PROCID", "SLURM_NTASKS"),
    ):
        values = os.environ.get(rank, ""), os.environ.get(size, "1")
        if all(value.isdecimal() and len(value) < 9 for value in values):
            return int(values[0]), int(values[1])
    return 0, 1


def _processor() -> str | None:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            for line, _ in zip(file, range(100), strict=False):
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return text(value) or None
    except OSError:
        pass
    return text(platform.processor()) or text(platform.machine()) or None


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        psutil = sys.modules.get("psutil")
        return int(psutil.virtual_memory().total) if psutil else None


def _accelerators() -> dict[str, Any]:
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        names = dict.fromkeys(text(torch.cuda.get_device_name(device)) for device in range(count))
        memory = int(torch.cuda.get_device_properties(0).total_memory) if count else None
        return {"gpu": ", ".join(names), "gpu_count": count, "gpu_memory": memory}
    backend = getattr(torch.backends, "mps", None)
    if backend is not None and backend.is_available():
        return {"gpu": "Apple GPU (MPS)", "gpu_count": 1}
    return {}
