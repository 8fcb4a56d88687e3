"""What the name of a tensor says of it: a weight that training fills, or something that may well be zero or infinite.

The exceptions are those of transformers' `_init_weights` (every modeling file of 5.23 was built with its defaults and
looked at), of diffusers' zero modules, and of conversion scripts, such as fairseq's RoBERTa without token types.
"""

from __future__ import annotations

import re

from hubpub.model.safetensors import Tensor

# What ends in this is multiplied with activations, or looked up: trained, and never the same number throughout.
_WEIGHT = re.compile(
    r"(?:^|\.)(?:weight|weight_v|weight_packed|qweight|kernel|original1|(?:in|[qkv])_proj_weight"
    r"|(?:gate|up|down|gate_up|in|out|[qkvo])_proj(?:_blocks)?|w[123])$"
)
# Zero or constant when made, in models that are whole; by any part of the name.
_MAY_BE_ZERO = re.compile(
    r"bias|norm|(?:^|[._])ln(?:_?\w)?[._]|grn|scale|gamma|beta"
    r"|(?:^|[._])gates?\.|gating|router|zero|ada_?ln|modulation|controlnet|motion_module|final_layer"
    r"|norm_out|time_?mix|loss|sampling_offsets|attention_weights|bbox|box_embed|refpoint|reference_point|reg_conf"
    r"|pos(?:ition)?(?:al)?_?emb|position|(?:^|[._])wpe[._]|token_type|type_emb|segment|rel(?:ative)?_|rel_pos"
    r"|codebook|quantizer|pooler|mask|mean|running_|blur|_filter|window|fixed|frozen|dummy|unused|pad(?:ding)?[._]"
)
# Built with a zero weight by one architecture, under names that elsewhere are trained from the start.
_ZERO_BY_MODEL = {
    "neomme": re.compile(r"o_proj|down_proj|value_embeddings"),
    "esm": re.compile(r"trunk|esm_s_mlp|(?:^|\.)(?:tri_|mlp_|seq_attention|pair_to_|sequence_to_)"),
    "qwen4_exp": re.compile(r"conv1d"),
    "minicpm_ocr": re.compile(r"linear_1"),
    "minicpmv4_6": re.compile(r"linear_1"),
    "minicpmv4_7": re.compile(r"linear_1"),
    "wavtokenizer": re.compile(r"shift"),
}
# Limits and masks are infinite on purpose: observers of ranges, clipping bounds (Gemma 4), additive attention masks.
_MAY_BE_INFINITE = re.compile(r"(?:^|[._])(?:min|max)(?:_val(?:ue)?)?s?$|mask|alibi|attn_bias|attention_bias")

# What an adapter multiplies to change a weight; one factor is zero before training: `reset_*_parameters` of the tuners
# of peft 0.21. diffusers and kohya call lora_A and lora_B "down" and "up".
_ADAPTER_FACTOR = re.compile(
    r"(?:^|[._])(?:\w*lora[._](?:A|B|E|up|down|mid|embedding_A|embedding_B)|(?:hira|delora|lily|peanut)_[AB]"
    r"|hada_w[12]_[ab]|lokr_w[12](?:_[ab])?|b?oft_R|vera_lambda_[bd]|randlora_lambda|fourierft_spectrum|waveft_spectrum"
    r"|shira_weight|miss_block|adaption_gate)(?:[._]|$)"
)
_ADAPTER = re.compile(
    r"lora|hada_w|lokr_|(?:^|[._])b?oft_|vera_|fourierft|waveft|shira|hira_|lily_|peanut_|miss_block|adaption_|ia3_"
    r"|base_layer"
)


def is_matrix(tensor: Tensor) -> bool:
    """Whether it is a matrix or more: two lengths above 1, or a matrix of one row, as a regression head is."""
    return sum(length > 1 for length in tensor.shape) >= 2 or (len(tensor.shape) == 2 and tensor.elements > 1)


def is_trained_weight(tensor: Tensor, model_type: str | None) -> bool:
    """Whether it is a matrix that is neither zero nor constant in any sound model, as far as its name tells."""
    name = tensor.name
    if not is_matrix(tensor) or not _WEIGHT.search(name) or _ADAPTER.search(name):
        return False
    special = _ZERO_BY_MODEL.get(model_type or "")
    return not _MAY_BE_ZERO.search(name.lower()) and not (special and special.search(name))


def may_be_infinite(name: str) -> bool:
    """Whether infinite or huge numbers are meant to be in a tensor of this name: it holds limits, or a mask."""
    return _MAY_BE_INFINITE.search(name.lower()) is not None


def adapted_module(name: str) -> str | None:
    """The module that a tensor adapts, if it is a factor of an adapter; all factors of a module give the same name."""
    found = _ADAPTER_FACTOR.search(name)
    return name[: found.start()] if found else None


def is_adapter_part(name: str) -> bool:
    """Whether it belongs to an adapter (LoRA and its kin)."""
    return _ADAPTER.search(name) is not None
