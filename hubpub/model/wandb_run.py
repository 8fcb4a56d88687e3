"""What Weights & Biases left on the disk of a run: its last numbers, the machine, the code's commit, the settings.

The files: https://github.com/wandb/wandb/blob/main/wandb/sdk/lib/filenames.py, in `wandb/run-<time>-<id>/files/`.
Of wandb-metadata.json only what tells of hardware, versions and code is taken: it also names user, host and paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hubpub.core.pattern import Pattern
from hubpub.model.curves import Curve
from hubpub.model.files import Fact, Files, Unread, finite, line_of, whole
from hubpub.model.git_checkout import web_address
from hubpub.model.run_config import RunConfig, parse_run_config
from hubpub.model.wandb_file import read_wandb_file
from hubpub.model.yamlfile import YAML_LIMIT, parse_yaml

_SUMMARY = Pattern(r"wandb-summary\.json", clues=("wandb-summary",))
_METADATA = Pattern(r"wandb-metadata\.json", clues=("wandb-metadata",))
_CONFIG = Pattern(r"(?:.*/)?(?:offline-)?run-\d{8}_\d{6}-[\w-]{1,130}/files/config[.]yaml")
_REQUIREMENTS = Pattern(rf"{_CONFIG.source.removesuffix('config[.]yaml')}requirements[.]txt")
_REQUIREMENT = Pattern(r"([A-Za-z0-9][\w.-]{0,60})==([\w.!+-]{1,40})")
_FRAMEWORKS = frozenset(
    [
        "accelerate",
        "axolotl",
        "bitsandbytes",
        "datasets",
        "deepspeed",
        "diffusers",
        "flax",
        "jax",
        "keras",
        "lightning",
        "llamafactory",
        "optimum",
        "peft",
        "sentence-transformers",
        "spacy",
        "tensorflow",
        "timm",
        "tokenizers",
        "torch",
        "torchtune",
        "torchvision",
        "transformers",
        "trl",
        "unsloth",
        "vllm",
    ]
)
_OFFLINE = Pattern(r"run-[\w-]{1,130}\.wandb", clues=(".wandb",))
_MOST_VALUES = 2000
_DEEPEST = 8
_COMMIT = Pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")
_VERSIONS = {"python_version": "python", "huggingface_version": "transformers", "cli_version": "wandb"}


@dataclass(frozen=True, slots=True)
class WandbRun:
    """A run's files.

    Attributes:
        directory: that they are in, with a slash at its end, or "".
        summary: the last number of everything that was logged, nested names joined by dots; without wandb's own.
        seconds: how long the run took, when the summary says so.
        hardware: "gpu", "gpu_count", "cpu_count", "gpu_memory" in bytes, ...
        software: versions by name.
        commit: of the training code.
        remote: web address of the training code.
        config: the settings; None when none are known here.
        curves: what was logged, where the run was offline; of others it is not on the disk.
    """

    directory: str
    summary: tuple[Fact, ...] = ()
    seconds: Fact | None = None
    hardware: tuple[Fact, ...] = ()
    software: tuple[Fact, ...] = ()
    commit: Fact | None = None
    remote: Fact | None = None
    config: RunConfig | None = None
    curves: tuple[Curve, ...] = ()


@dataclass
class _Found:
    documents: dict[str, dict[str, tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)

    def take(self, path: str, what: str, value: Any, problem: str | None) -> None:
        if isinstance(value, dict):
            self.documents.setdefault(path.rpartition("/")[0], {})[what] = path, value
        else:
            self.unread.append(Unread(path, problem or "holds no object"))


def read_wandb_runs(files: Files) -> tuple[tuple[WandbRun, ...], tuple[Unread, ...]]:
    """The runs, by directory; they are named after their time, so the last one comes last."""
    found = _Found()
    for what, pattern in (("summary", _SUMMARY), ("metadata", _METADATA)):
        for entry in files.named(pattern):
            document = files.json(entry.path)
            found.take(entry.path, what, document.value, document.problem.message if document.problem else None)
    for entry in files.named(Pattern(r"config\.yaml", clues=("config.yaml",)), total=4 * YAML_LIMIT):
        if _CONFIG.fullmatch(entry.path):
            config = parse_yaml(files.start(entry.path, YAML_LIMIT + 1))
            found.take(entry.path, "config", config.value, config.problem)
    for entry in files.named(Pattern(r"requirements\.txt", clues=("requirements.txt",)), total=16 << 20):
        if _REQUIREMENTS.fullmatch(entry.path):
            lines = files.start(entry.path, 1 << 20).decode("utf-8", "replace").splitlines()
            found.take(entry.path, "requirements", dict(_pinned(lines)), None)
    offline = {f"{entry.path.rpartition('/')[0]}/files": entry.path for entry in files.named(_OFFLINE)}
    runs = [
        _run(directory, documents)
        for directory, documents in sorted(found.documents.items())
        if directory not in offline or "summary" in documents
    ]
    done = {run.directory for run in runs}
    runs += [_offline(files, path, found) for beside, path in offline.items() if f"{beside}/" not in done]
    return tuple(sorted(runs, key=lambda run: run.directory)), tuple(found.unread)


def _offline(files: Files, path: str, found: _Found) -> WandbRun:
    file = read_wandb_file(files.opener(path), path)
    if file.problem:
        found.unread.append(Unread(path, file.problem))
    documents: dict[str, tuple[str, Mapping[str, Any]]] = {
        "summary": (path, file.summary),
        "metadata": (path, file.metadata),
        "config": (path, {name: {"value": value} for name, value in file.config.items()}),
    }
    beside = path.rpartition("/")[0] + "/files"
    if "requirements" in (known := found.documents.get(beside, {})):
        documents["requirements"] = known["requirements"]
    return replace(_run(path.rpartition("/")[0], documents), curves=file.curves)


def _run(directory: str, documents: Mapping[str, tuple[str, Mapping[str, Any]]]) -> WandbRun:
    nothing: tuple[str, Mapping[str, Any]] = ("", {})
    path, summary = documents.get("summary", nothing)
    own = summary.get("_wandb")
    took = finite(own.get("runtime")) if isinstance(own, dict) else None
    key = "_wandb.runtime" if took is not None else "_runtime"
    took = took if took is not None else finite(summary.get("_runtime"))
    numbers = [fact for fact, _ in zip(_numbers(summary, path, "", 0), range(_MOST_VALUES), strict=False)]
    metadata_path, metadata = documents.get("metadata", nothing)
    config_path, config = documents.get("config", nothing)
    commit, remote = _code(metadata, metadata_path)
    return WandbRun(
        directory + "/" if directory else "",
        tuple(numbers),
        Fact("seconds", took, path, key) if took is not None and took > 0 else None,
        tuple(_hardware(metadata, metadata_path)),
        (
            *_python(metadata, metadata_path),
            *_versions(config, config_path),
            *_pins(*documents.get("requirements", nothing)),
        ),
        commit,
        remote,
        parse_run_config(_plain(config), config_path, named=True) if config else None,
    )


def _numbers(values: Mapping[str, Any], path: str, before: str, depth: int) -> Iterator[Fact]:
    for name, value in values.items():
        if not isinstance(name, str) or name.startswith("_"):
            continue
        key = before + name[:200]
        number = finite(value)
        if number is not None:
            yield Fact(key, number, path, key)
        elif isinstance(value, dict) and depth < _DEEPEST and "_type" not in value:  # a table, an image, a histogram
            yield from _numbers(value, path, key + ".", depth + 1)


def _hardware(metadata: Mapping[str, Any], path: str) -> Iterator[Fact]:
    for key in ("gpu", "cpu_count", "gpu_count", "cpu_count_logical"):
        value = metadata.get(key)
        known = line_of(value, 200) if key == "gpu" else whole(value)
        if known:
            yield Fact(key, known, path, key)
    memory = metadata.get("memory")
    total = _integer(memory.get("total")) if isinstance(memory, dict) else None
    if total:
        yield Fact("memory", total, path, "memory.total")
    devices = metadata.get("gpu_nvidia", metadata.get("gpu_amd"))
    first = devices[0] if isinstance(devices, list) and devices and isinstance(devices[0], dict) else {}
    bytes_ = _integer(first.get("memoryTotal", first.get("memory_total")))
    if bytes_:
        kind = "gpu_nvidia" if "gpu_nvidia" in metadata else "gpu_amd"
        yield Fact("gpu_memory", bytes_, path, f"{kind}.0.memoryTotal")


def _integer(value: Any) -> int | None:
    """A whole number, which protobuf's JSON writes as text when it has 64 bits."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value):
        return int(value)
    return whole(value)


def _python(metadata: Mapping[str, Any], path: str) -> Iterator[Fact]:
    for name, key in (("python", "python"), ("cuda", "cudaVersion"), ("cuda", "cuda")):
        version = line_of(metadata.get(key), 50)
        if version:
            yield Fact(name, version.removeprefix("CPython "), path, key)


def _versions(config: Mapping[str, Any], path: str) -> Iterator[Fact]:
    own = config.get("_wandb")
    values = own.get("value") if isinstance(own, dict) else None
    for key, name in _VERSIONS.items():
        version = line_of(values.get(key), 50) if isinstance(values, dict) else None
        if version:
            yield Fact(name, version, path, f"_wandb.value.{key}")


def _pinned(lines: list[str]) -> Iterator[tuple[str, tuple[str, int]]]:
    for number, line in enumerate(lines, 1):
        if pin := _REQUIREMENT.fullmatch(line.strip()):
            yield pin[1].lower().replace("_", "-"), (pin[2], number)


def _pins(path: str, pinned: Mapping[str, Any]) -> Iterator[Fact]:
    for name in sorted(_FRAMEWORKS & pinned.keys()):
        version, line = pinned[name]
        yield Fact(name, version, path, name, line)


def _code(metadata: Mapping[str, Any], path: str) -> tuple[Fact | None, Fact | None]:
    git = metadata.get("git")
    if not isinstance(git, dict):
        return None, None
    commit, remote = git.get("commit"), git.get("remote")
    address = web_address(remote) if isinstance(remote, str) else None
    known = isinstance(commit, str) and _COMMIT.fullmatch(commit)
    return (
        Fact("commit", commit, path, "git.commit") if known else None,  # type: ignore[arg-type]
        Fact("remote", address, path, "git.remote") if address else None,
    )


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without the `value:` that wandb puts around each."""
    return {
        name: value["value"]
        for name, value in config.items()
        if isinstance(name, str) and isinstance(value, dict) and "value" in value and name != "_wandb"
    }
