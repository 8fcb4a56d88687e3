"""A PEFT adapter: what adapter_config.json says, and the pairs of matrices that its weights hold.

https://huggingface.co/docs/peft/developer_guides/checkpoint describes the files; names of tensors are those that
`peft.utils.save_and_load.get_peft_model_state_dict` gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.model.jsonfile import JsonFile
from hubpub.model.safetensors import Tensor

DEFAULT_RANK = 8
"""What LoraConfig takes when the file has no `r`."""

# peft 0.21, peft/utils/peft_types.py.
_NAMES = """
ADALORA ADAMSS ADAPTION_PROMPT BEFT BOFT BONE C3A CARTRIDGE CPT DEFT DELORA FOURIERFT FROD GLORA GRALORA HIRA HRA IA3
LILY LN_TUNING LOHA LOKR LORA MISS MULTITASK_PROMPT_TUNING OFT OSF P_TUNING PEANUT POLY PREFIX_TUNING PROMPT_TUNING
PSOFT PVERA RANDLORA ROAD SHADOW SHIRA SUPERTUNING TINYLORA TRAINABLE_TOKENS UNILORA VBLORA VERA WAVEFT XLORA
"""
KNOWN_TYPES = frozenset(_NAMES.split())

# base_model.model.MODULE.lora_A.weight, with the name of the adapter in front of `weight` when saved by hand.
_HALF = re.compile(
    r"(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<half>[AB])\b(?!_)[\w.]*"
)
_PLAIN = re.compile(r"\^?(?:[\w-]|\\?\.)+\$?")
_LOCAL = re.compile(r"[/~]|\.{1,2}(?:[/\\]|$)|[A-Za-z]:[/\\]|\\\\|file:")
_HUB_ID = re.compile(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?")
_CHECKPOINT = re.compile(r"(?:^|/)(?:checkpoint-\d+|epoch[-_]\d+|step[-_]\d+)$")


@dataclass(frozen=True, slots=True)
class LoraPair:
    """The two matrices of one module; their product is added to its weight.

    Attributes:
        module: its name in the base model.
        embedding: whether it is an embedding, whose matrices lie the other way.
        a: the first matrix, [rank, in].
        b: the second matrix, [out, rank].
    """

    module: str
    embedding: bool = False
    a: Tensor | None = None
    b: Tensor | None = None

    @property
    def ranks(self) -> tuple[int, int] | None:
        """The rank by each matrix; None when one is not there, or they are no matrices."""
        if self.a is None or self.b is None or len(self.a.shape) < 2 or len(self.b.shape) < 2:
            return None
        return self.a.shape[0], self.b.shape[1]


@dataclass(frozen=True)
class Adapter:
    """An adapter as its files describe it.

    Attributes:
        config: adapter_config.json.
        pairs: of LoRA matrices, by module.
        tensors: how many tensors the weights have.
    """

    config: dict[str, Any]
    pairs: tuple[LoraPair, ...] = ()
    tensors: int = 0

    @property
    def peft_type(self) -> str | None:
        """`peft_type`, in capitals as peft compares it."""
        value = self.config.get("peft_type")
        return value.upper() if isinstance(value, str) else None

    @property
    def is_lora(self) -> bool:
        """Whether it is plain LoRA, DoRA and rsLoRA among it; not AdaLoRA, whose ranks vary."""
        return self.peft_type == "LORA"

    @property
    def base_model(self) -> str | None:
        """`base_model_name_or_path`; None when there is none."""
        value = self.config.get("base_model_name_or_path")
        return value.strip() if isinstance(value, str) and value.strip() else None

    @property
    def base_revision(self) -> str:
        """`revision`, which is that of the base; the newest commit where none is named."""
        value = self.config.get("revision")
        return value.strip() if isinstance(value, str) and value.strip() else "main"

    @property
    def base_is_custom(self) -> bool:
        """Whether the base is a class of another library or of one's own, which has no name to be found by."""
        mapping = self.config.get("auto_mapping")
        parent = mapping.get("parent_library") if isinstance(mapping, dict) else None
        return isinstance(parent, str) and not parent.startswith("transformers")

    @property
    def base_is_local(self) -> bool:
        """Whether the base is named by a path of some machine, and not as the Hub names models."""
        base = self.base_model
        return base is not None and bool(
            _LOCAL.match(base) or not _HUB_ID.fullmatch(base) or _CHECKPOINT.search(base) or "\\" in base
        )

    def ranks(self, module: str) -> frozenset[int]:
        """The ranks that the configuration allows a module: one, but for patterns too clever to be followed here."""
        value = self.config.get("r", DEFAULT_RANK)
        usual = value if type(value) is int else DEFAULT_RANK
        pattern = self.config.get("rank_pattern")
        if not isinstance(pattern, dict) or not pattern:
            return frozenset([usual])
        for key, rank in pattern.items():
            if type(rank) is int and _PLAIN.fullmatch(key) and _names(key.strip("^$").replace("\\", ""), module):
                return frozenset([rank])
        clever = [rank for key, rank in pattern.items() if not _PLAIN.fullmatch(key) and type(rank) is int]
        return frozenset([usual, *clever])

    @property
    def targets(self) -> tuple[str, ...] | None:
        """`target_modules` when it lists names; None for "all-linear", a pattern, or the default of the model type."""
        value = self.config.get("target_modules")
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            return None
        return tuple(value)

    def targeted(self, module: str) -> bool:
        """Whether `target_modules` names the module; True when that cannot be told."""
        targets = self.targets
        return targets is None or any(_names(target, module) for target in targets)


def read_adapter(config: JsonFile | None, tensors: Mapping[str, Tensor]) -> Adapter | None:
    """The adapter; None when the configuration is not one of PEFT (AdapterHub and MLX call theirs the same)."""
    if config is None or not isinstance(config.value, dict):
        return None
    document: dict[str, Any] = config.value
    if "peft_type" not in document and not {"base_model_name_or_path", "target_modules"} <= document.keys():
        return None
    return Adapter(document, tuple(_pairs(tensors.values())), len(tensors))


def _pairs(tensors: Iterable[Tensor]) -> list[LoraPair]:
    halves: dict[tuple[str, bool], dict[str, Tensor]] = {}
    for tensor in tensors:
        found = _HALF.fullmatch(tensor.name)
        if found:
            halves.setdefault((found["module"], bool(found["embedding"])), {})[found["half"]] = tensor
    return [LoraPair(*key, pair.get("A"), pair.get("B")) for key, pair in sorted(halves.items())]


def _names(target: str, module: str) -> bool:
    """As peft matches a name of `target_modules` or a plain key of `rank_pattern`."""
    return module == target or module.endswith("." + target)
