"""The weights of a folder: files by format, safetensors headers, shards and indexes. No data is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from hubpub.model.jsonfile import JsonFile, JsonProblem
from hubpub.model.safetensors import Header, Tensor
from hubpub.model.signatures import is_pickle
from hubpub.model.walk import FileEntry

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<total>\d{5})(?P<suffix>\.[a-z]+)")
_INDEX = re.compile(r"(?P<stem>.+)(?P<suffix>\.safetensors|\.bin)\.index(?P<variant>\.[\w-]+)?\.json")
_TORCH_BIN = re.compile(
    r"(?:pytorch_(?:model|adapter)|adapter_model|diffusion_pytorch_model|consolidated|model)\b.*\.bin"
)

_FORMATS = {
    ".safetensors": "safetensors",
    ".pt": "pytorch",
    ".pth": "pytorch",
    ".ckpt": "pytorch",
    ".jit": "torchscript",
    ".gguf": "gguf",
    ".ggml": "gguf",
    ".onnx": "onnx",
    ".h5": "keras",
    ".keras": "keras",
    ".msgpack": "flax",
    ".tflite": "tflite",
    ".pb": "tensorflow",
    ".npz": "numpy",
    ".nemo": "nemo",
    ".mlmodel": "coreml",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".joblib": "pickle",
    ".skops": "skops",
    # Formats that hubpub does not look into: those who publish them must not hear that there are no weights.
    ".caffemodel": "caffe",
    ".cbm": "catboost",
    ".dduf": "dduf",
    ".ftz": "fasttext",
    ".hef": "hailo",
    ".litertlm": "litert",
    ".llamafile": "llamafile",
    ".mar": "torchserve",
    ".mdl": "kaldi",
    ".mnn": "mnn",
    ".ot": "tch",
    ".pdiparams": "paddle",
    ".pdparams": "paddle",
    ".pte": "executorch",
    ".rknn": "rknn",
    ".task": "litert",
    ".ubj": "xgboost",
    ".weights": "darknet",
}

_BIN_SIGNATURES = (
    (b"lmgg", "ggml"),  # whisper.cpp, and llama.cpp before GGUF: GGML_FILE_MAGIC of ggml.h
    (b"fmgg", "ggml"),
    (b"tjgg", "ggml"),
    (b"\xba\x16\x4f\x2f", "fasttext"),  # FASTTEXT_FILEFORMAT_MAGIC_INT32 of fasttext.cc
)
_MLC_SHARD = re.compile(r"params_shard_\d+\.bin")
# save_to_zip_file of stable_baselines3/common/save_util.py writes the entry "data" first.
_STABLE_BASELINES = re.compile(rb"PK\x03\x04.{22}\x04\x00..data", re.DOTALL)

# What loaders take first when several are there in one directory; transformers, diffusers and peft each have
# theirs (SAFE_WEIGHTS_NAME and the like).
SINGLE_FILES = ("model.safetensors", "diffusion_pytorch_model.safetensors", "adapter_model.safetensors")

_PACKED_SUFFIXES = (".weight", ".qweight", ".weight_packed", "_blocks")


@dataclass(frozen=True, slots=True)
class ShardSet:
    """The files of one `stem-00001-of-00003.suffix` series.

    Attributes:
        directory: where they are, "" or "dir/".
        stem: what the names begin with, "model".
        suffix: ".safetensors", ".bin", ".gguf".
        total: how many the names say there are.
        present: path by number; numbers begin at 1.
    """

    directory: str
    stem: str
    suffix: str
    total: int
    present: dict[int, str]

    @property
    def missing_count(self) -> int:
        """How many of the files that the names promise are not there."""
        return self.total - sum(1 for number in self.present if 1 <= number <= self.total)

    def missing(self, most: int) -> list[str]:
        """At most `most` of the paths that are not there."""
        numbers = (number for number in range(1, self.total + 1) if number not in self.present)
        names = (f"{self.stem}-{number:05d}-of-{self.total:05d}{self.suffix}" for number in numbers)
        return [self.directory + name for name in islice(names, most)]

    @property
    def index_path(self) -> str:
        """Where the index of this series belongs."""
        return f"{self.directory}{self.stem}{self.suffix}.index.json"


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """A shard index (`model.safetensors.index.json`).

    Attributes:
        path: of the index.
        suffix: of the shards that it is for, ".safetensors" or ".bin".
        weight_map: tensor name -> file name, as the index says.
        problem: why the index cannot be used, or what is odd about it.
    """

    path: str
    suffix: str
    weight_map: dict[str, str]
    problem: JsonProblem | None = None

    @property
    def directory(self) -> str:
        """Where it is, "" or "dir/"."""
        return self.path[: self.path.rfind("/") + 1]

    def shards(self) -> list[str]:
        """The file names in the weight map, each once, sorted."""
        return sorted(set(self.weight_map.values()))


@dataclass(frozen=True)
class Weights:
    """What is known of the weights without reading them.

    Attributes:
        files: by format ("safetensors", "pytorch", "gguf", "onnx", ...).
        headers: of every safetensors file, by path.
        indexes: every shard index.
        shard_sets: every numbered series.
    """

    files: dict[str, tuple[FileEntry, ...]] = field(default_factory=dict)
    headers: dict[str, Header] = field(default_factory=dict)
    indexes: tuple[ShardIndex, ...] = ()
    shard_sets: tuple[ShardSet, ...] = ()

    @cached_property
    def primary(self) -> tuple[str, ...]:
        """The safetensors files that loaders take: per directory the single file, else the indexed shards."""
        by_directory: dict[str, list[str]] = {}
        for path in self.headers:
            by_directory.setdefault(path[: path.rfind("/") + 1], []).append(path)
        return tuple(path for directory, paths in by_directory.items() for path in self._primary(directory, paths))

    def _primary(self, directory: str, paths: list[str]) -> list[str]:
        for name in SINGLE_FILES:
            if directory + name in self.headers:
                return [directory + name]
        for index in self.indexes:
            if index.directory == directory and index.suffix == ".safetensors" and index.weight_map:
                return [directory + name for name in index.shards() if directory + name in self.headers]
        return paths

    @cached_property
    def parameters_by_dtype(self) -> dict[str, int]:
        """Elements of the primary safetensors files, by dtype as the format names it."""
        counts: dict[str, int] = {}
        for path in self.primary:
            for dtype, count in self.headers[path].elements_by_dtype().items():
                counts[dtype] = counts.get(dtype, 0) + count
        return dict(sorted(counts.items()))

    @cached_property
    def parameters(self) -> int | None:
        """How many parameters the primary safetensors files hold, as the Hub counts: every element stored.

        None when that cannot be told: no safetensors, a broken file, or integers that pack several parameters
        each (GPTQ, AWQ, compressed-tensors, MXFP4 blocks, bitsandbytes, MLX).
        """
        if not self.primary or any(self.headers[path].problems for path in self.primary):
            return None
        if any(self._packed(path) for path in self.primary):
            return None
        return sum(self.parameters_by_dtype.values())

    def _packed(self, path: str) -> bool:
        return any(
            tensor.dtype in ("U8", "I32", "U32") and tensor.name.endswith(_PACKED_SUFFIXES)
            for tensor in self.headers[path].tensors.values()
        )

    @property
    def mlx(self) -> bool:
        """Whether MLX saved them."""
        return any(header.metadata.get("format") == "mlx" for header in self.headers.values())

    @cached_property
    def weight_bytes(self) -> int:
        """Bytes of the primary safetensors files; without any, of all weight files."""
        if self.primary:
            return sum(self.headers[path].size for path in self.primary)
        return sum(entry.size for entries in self.files.values() for entry in entries)

    @property
    def tensors(self) -> Iterator[Tensor]:
        """Those of the primary safetensors files."""
        return (tensor for path in self.primary for tensor in self.headers[path].tensors.values())

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats present, sorted."""
        return tuple(sorted(self.files))


def read_weights(
    files: Sequence[FileEntry],
    *,
    header: Callable[[str], Header],
    index: Callable[[str], JsonFile],
    start: Callable[[str], bytes],
    torchscript: Callable[[str], bool],
) -> Weights:
    """Gather the facts about weights among `files`.

    Args:
        files: the files of the folder that belong to a release.
        header: reads the safetensors header of a path.
        index: reads a shard index.
        start: the first bytes of a path; b"" when it cannot be read.
        torchscript: whether a zip archive at a path is one of TorchScript.
    """
    by_format: dict[str, list[FileEntry]] = {}
    names = {entry.path for entry in files}
    for entry in files:
        if entry.suffix == ".bin":
            found = _bin_format(entry, names, start)
        elif entry.suffix == ".zip":
            found = "stable-baselines3" if _STABLE_BASELINES.match(start(entry.path)) else None
        else:
            found = _FORMATS.get(entry.suffix)
        if found == "pytorch" and start(entry.path).startswith(b"PK\x03\x04") and torchscript(entry.path):
            found = "torchscript"
        if found is not None:
            by_format.setdefault(found, []).append(entry)
    return Weights(
        {name: tuple(entries) for name, entries in sorted(by_format.items())},
        {entry.path: header(entry.path) for entry in by_format.get("safetensors", ())},
        tuple(_read_index(entry.path, found["suffix"], index) for entry, found in _indexes(files)),
        _shard_sets(files),
    )


def _bin_format(entry: FileEntry, names: set[str], start: Callable[[str], bytes]) -> str | None:
    """`.bin` says nothing: torch, CTranslate2 and OpenVINO all use it, and so do data files."""
    stem = entry.path.removesuffix(".bin")
    if stem + ".xml" in names:
        return "openvino"
    if stem + ".param" in names:
        return "ncnn"
    if _MLC_SHARD.fullmatch(entry.name):
        return "mlc"
    begin = start(entry.path)
    if begin.startswith(b"PK\x03\x04") or is_pickle(begin):
        return "pytorch"
    if signed := next((name for signature, name in _BIN_SIGNATURES if begin.startswith(signature)), None):
        return signed
    # CTranslate2's model.bin begins with its format version (32 bits; ctranslate2/specs/model_spec.py).
    if entry.name == "model.bin" and 0 < int.from_bytes(begin[:4], "little") < 64:
        return "ctranslate2"
    return "pytorch" if _TORCH_BIN.fullmatch(entry.name) else None


def _indexes(files: Iterable[FileEntry]) -> list[tuple[FileEntry, re.Match[str]]]:
    return [(entry, found) for entry in files if (found := _INDEX.fullmatch(entry.name))]


def _read_index(path: str, suffix: str, read: Callable[[str], JsonFile]) -> ShardIndex:
    document = read(path)
    if document.value is None:
        return ShardIndex(path, suffix, {}, document.problem)
    weight_map = document.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        return ShardIndex(path, suffix, {}, JsonProblem("has no weight_map"))
    if not all(isinstance(file, str) for file in weight_map.values()):
        return ShardIndex(path, suffix, {}, JsonProblem("has a weight_map that does not map names to file names"))
    return ShardIndex(path, suffix, weight_map, document.problem)


def _shard_sets(files: Iterable[FileEntry]) -> tuple[ShardSet, ...]:
    sets: dict[tuple[str, str, str, int], dict[int, str]] = {}
    for entry in files:
        found = _SHARD.fullmatch(entry.name)
        if found and found["suffix"] in (".safetensors", ".bin", ".gguf"):
            directory = entry.path.removesuffix(entry.name)
            key = (directory, found["stem"], found["suffix"], int(found["total"]))
            sets.setdefault(key, {})[int(found["number"])] = entry.path
    return tuple(ShardSet(*key, present) for key, present in sorted(sets.items()))


def escapes(file: str) -> bool:
    """Whether a file name of a weight map leads out of the directory of its index, on any system."""
    parts = file.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in file
