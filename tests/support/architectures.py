"""Tiny models of many architectures of transformers, as save_pretrained writes them.

Run as a module it saves them all: `python -m support.architectures FOLDER`. Each configuration is the class's own
default with its sizes made small, so that no architecture needs code of its own here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TEXT = (
    # encoders
    "AlbertForMaskedLM",
    "BertForMaskedLM",
    "BertForSequenceClassification",
    "BigBirdForMaskedLM",
    "CamembertForTokenClassification",
    "ConvBertForMaskedLM",
    "DebertaForMaskedLM",
    "DebertaV2ForSequenceClassification",
    "DistilBertForMaskedLM",
    "DistilBertForSequenceClassification",
    "ElectraForPreTraining",
    "ElectraForTokenClassification",
    "ErnieForMaskedLM",
    "FNetForMaskedLM",
    "LayoutLMForTokenClassification",
    "LongformerForMaskedLM",
    "MPNetForMaskedLM",
    "MegatronBertForMaskedLM",
    "MobileBertForMaskedLM",
    "ModernBertForMaskedLM",
    "NystromformerForMaskedLM",
    "RemBertForMaskedLM",
    "RoFormerForMaskedLM",
    "RobertaForQuestionAnswering",
    "RobertaForSequenceClassification",
    "SqueezeBertForSequenceClassification",
    "XLMRobertaForTokenClassification",
    "XLNetForSequenceClassification",
    # decoders
    "BloomForCausalLM",
    "CTRLLMHeadModel",
    "CodeGenForCausalLM",
    "CohereForCausalLM",
    "FalconForCausalLM",
    "GPT2ForSequenceClassification",
    "GPT2LMHeadModel",
    "GPTBigCodeForCausalLM",
    "GPTJForCausalLM",
    "GPTNeoForCausalLM",
    "GPTNeoXForCausalLM",
    "Gemma2ForCausalLM",
    "Gemma3ForCausalLM",
    "GemmaForCausalLM",
    "GlmForCausalLM",
    "GraniteForCausalLM",
    "LlamaForCausalLM",
    "LlamaForSequenceClassification",
    "Mamba2ForCausalLM",
    "MambaForCausalLM",
    "MistralForCausalLM",
    "MptForCausalLM",
    "OPTForCausalLM",
    "Olmo2ForCausalLM",
    "OlmoForCausalLM",
    "Phi3ForCausalLM",
    "PhiForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
    "Qwen3ForSequenceClassification",
    "RecurrentGemmaForCausalLM",
    "SmolLM3ForCausalLM",
    "StableLmForCausalLM",
    "Starcoder2ForCausalLM",
    "XGLMForCausalLM",
    # mixtures of experts
    "DeepseekV2ForCausalLM",
    "DeepseekV3ForCausalLM",
    "GptOssForCausalLM",
    "GraniteMoeForCausalLM",
    "JetMoeForCausalLM",
    "MixtralForCausalLM",
    "OlmoeForCausalLM",
    "PhimoeForCausalLM",
    "Qwen2MoeForCausalLM",
    "Qwen3MoeForCausalLM",
    "SwitchTransformersForConditionalGeneration",
    # encoder and decoder
    "BartForConditionalGeneration",
    "BartForSequenceClassification",
    "BlenderbotForConditionalGeneration",
    "BlenderbotSmallForConditionalGeneration",
    "LEDForConditionalGeneration",
    "LongT5ForConditionalGeneration",
    "M2M100ForConditionalGeneration",
    "MBartForConditionalGeneration",
    "MT5ForConditionalGeneration",
    "MarianMTModel",
    "PegasusForConditionalGeneration",
    "ProphetNetForConditionalGeneration",
    "T5EncoderModel",
    "T5ForConditionalGeneration",
    "UMT5ForConditionalGeneration",
)
VISION = (
    "BeitForImageClassification",
    "ConvNextForImageClassification",
    "ConvNextV2ForImageClassification",
    "DeiTForImageClassification",
    "Dinov2ForImageClassification",
    "MobileNetV2ForImageClassification",
    "MobileViTForImageClassification",
    "PoolFormerForImageClassification",
    "RegNetForImageClassification",
    "ResNetForImageClassification",
    "SegformerForSemanticSegmentation",
    "SwinForImageClassification",
    "Swinv2ForImageClassification",
    "ViTForImageClassification",
    "ViTMAEForPreTraining",
    "ViTMSNForImageClassification",
    "VideoMAEForVideoClassification",
    "YolosForObjectDetection",
)
AUDIO = (
    "ASTForAudioClassification",
    "HubertForSequenceClassification",
    "SEWForSequenceClassification",
    "UniSpeechForSequenceClassification",
    "Wav2Vec2ForSequenceClassification",
    "WavLMForSequenceClassification",
)
MULTIMODAL = (
    "AltCLIPModel",
    "Blip2ForConditionalGeneration",
    "BlipForConditionalGeneration",
    "CLIPModel",
    "CLIPSegForImageSegmentation",
    "ChineseCLIPModel",
    "GitForCausalLM",
    "Idefics3ForConditionalGeneration",
    "LlavaForConditionalGeneration",
    "OwlViTForObjectDetection",
    "PaliGemmaForConditionalGeneration",
    "Qwen2VLForConditionalGeneration",
    "SiglipModel",
    "ViltForQuestionAnswering",
    "VisionTextDualEncoderModel",
    "WhisperForConditionalGeneration",
)
FAMILIES = {"text": TEXT, "vision": VISION, "audio": AUDIO, "multimodal": MULTIMODAL}

_STAGES = {"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1]}
_WAVES = {"conv_dim": [32] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}

# What a configuration needs besides small sizes, by the beginning of the name of the class.
CHANGES: dict[str, dict[str, Any]] = {
    "Beit": {"out_features": None, "out_indices": None},
    "ConvNext": _STAGES,
    "DeepseekV": {
        "first_k_dense_replace": 1,
        "kv_lora_rank": 16,
        "n_group": 1,
        "q_lora_rank": 16,
        "qk_nope_head_dim": 8,
        "qk_rope_head_dim": 8,
        "topk_group": 1,
        "v_head_dim": 8,
    },
    "GlmFor": {"eos_token_id": 2, "pad_token_id": 0},
    "GPTNeoFor": {"attention_types": [[["global", "local"], 1]]},
    "Hubert": _WAVES,
    "Mamba2": {"num_heads": 8, "head_dim": 8, "state_size": 16, "n_groups": 1},
    "PoolFormer": _STAGES,
    "Qwen2VL": {"vision_config": {"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 4, "patch_size": 8}},
    "RecurrentGemma": {"lru_width": 32, "attention_window_size": 16},
    "RegNet": {**_STAGES, "groups_width": 8},
    "ResNet": _STAGES,
    "Segformer": {**_STAGES, "num_attention_heads": [1, 2, 2, 4], "decoder_hidden_size": 32},
    "Swin": {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4, "patch_size": 4},
    "UniSpeech": {**_WAVES, "codevector_dim": 32, "proj_codevector_dim": 32},
    "ViTMAE": {"decoder_hidden_size": 32, "decoder_num_hidden_layers": 1, "decoder_intermediate_size": 64},
    "Wav": {**_WAVES, "codevector_dim": 32, "proj_codevector_dim": 32},
    "XLNet": {"d_head": 8},
}

# Sizes by the name of a setting. What divides what: 4 heads of 8 make 32.
SMALL: dict[str, Any] = {
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "model_dim", "embed_dim", "embedding_size"), 32),
    **dict.fromkeys(("word_embed_proj_dim", "projection_dim", "conv_dim", "hidden_dim", "vision_feature_dim"), 32),
    **dict.fromkeys(("intermediate_size", "d_ff", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim", "n_inner"), 64),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size", "expert_ffn_size"), 32),
    **dict.fromkeys(("num_hidden_layers", "num_layers", "n_layer", "n_layers", "encoder_layers", "decoder_layers"), 2),
    **dict.fromkeys(("num_encoder_layers", "num_decoder_layers", "depth"), 2),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "num_encoder_attention_heads", "num_decoder_attention_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads"), 2),
    **dict.fromkeys(("head_dim", "d_kv", "kv_channels"), 8),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_source_positions"), 128),
    **dict.fromkeys(("max_target_positions", "max_encoder_position_embeddings"), 128),
    **dict.fromkeys(("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "moe_top_k", "top_k_experts"), 2),
    **dict.fromkeys(("image_size",), 32),
    **dict.fromkeys(("patch_size",), 8),
}


# Follows from other settings, and has to follow from the small ones.
DERIVED = ("layer_types", "mlp_layer_types", "stage_names", "out_features", "out_indices", "attention_layers")

PAD, BOS, EOS = 0, 1, 2
TOKENS = {"pad_token_id": PAD, "bos_token_id": BOS, "eos_token_id": EOS, "decoder_start_token_id": PAD}

IMAGES = {
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
    "image_std": [0.5, 0.5, 0.5],
    "size": {"height": 32, "width": 32},
}


def tokenizer() -> Any:
    """A byte-level tokenizer without a chat's tokens, for a model of any kind."""
    from support.models import TEXT as SAMPLES
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, show_progress=False, initial_alphabet=alphabet
    )
    trained.train_from_iterator(SAMPLES, trainer)
    names = dict(zip(("pad_token", "bos_token", "eos_token", "unk_token", "mask_token"), special, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=trained, model_max_length=128, **names)


def tiny_config(cls: Any, vocabulary: int) -> Any:
    """The default configuration of a model class, small."""
    document = cls.config_class().to_dict()
    shrink(document, vocabulary)
    for start, changes in CHANGES.items():
        if cls.__name__.startswith(start):
            document.update(changes)
    config = cls.config_class.from_dict(document)
    if getattr(config, "is_encoder_decoder", False) and getattr(config, "decoder_start_token_id", None) is None:
        config.decoder_start_token_id = PAD
    return config


def shrink(document: dict[str, Any], vocabulary: int) -> None:
    """Make the sizes of a configuration and of its parts small, in place."""
    for key in DERIVED:
        document.pop(key, None)
    for key, value in document.items():
        if isinstance(value, dict):
            shrink(value, vocabulary)
        elif type(value) is int and key in SMALL:
            document[key] = SMALL[key]
        elif type(value) is int and key in TOKENS:
            document[key] = TOKENS[key]
        elif type(value) is int and key in ("vocab_size", "decoder_vocab_size"):
            document[key] = vocabulary
        elif type(value) is int and str(key).endswith("_token_id"):
            document[key] = min(value, vocabulary - 1)


def save(folder: Path, name: str, family: str, *, shards: bool) -> None:
    """Save a model of a class, with the files that belong beside it."""
    import transformers

    text = tokenizer()
    cls = getattr(transformers, name)
    model = cls(tiny_config(cls, len(text)))
    model.save_pretrained(folder, **({"max_shard_size": "60KB"} if shards else {}))
    if family in ("text", "multimodal"):
        text.save_pretrained(folder)
    if family in ("vision", "multimodal"):
        (folder / "preprocessor_config.json").write_text(json.dumps(IMAGES, indent=2))
    if family == "audio":
        transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)


def main(folder: Path) -> None:
    """Save all of them, each in a folder of its name; every fourth in shards."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    number = 0
    for family, names in FAMILIES.items():
        for name in names:
            number += 1
            save(folder / name, name, family, shards=number % 4 == 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
