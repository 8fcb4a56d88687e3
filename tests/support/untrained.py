"""Tiny models of many architectures, as transformers makes them untrained: `python untrained.py FOLDER`.

Their values are what `_init_weights` gives, zeros and constants among them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 99}
GROUPED = TEXT | {"num_key_value_heads": 2, "pad_token_id": 0, "head_dim": 8}
PAIR = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "vocab_size": 99, "pad_token_id": 1}
PAIR |= {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
IMAGE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
IMAGE |= {"image_size": 32, "patch_size": 8}
T5 = {"d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4, "vocab_size": 99}
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99, "bos_token_id": 1, "eos_token_id": 1}

# (class, what its configuration has small)
MODELS: list[tuple[str, dict[str, Any]]] = [
    ("BertForMaskedLM", TEXT),
    ("RobertaForSequenceClassification", TEXT),
    ("DistilBertForMaskedLM", {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "vocab_size": 99}),
    ("ElectraForPreTraining", TEXT | {"embedding_size": 32}),
    ("AlbertForMaskedLM", TEXT | {"embedding_size": 16}),
    ("DebertaV2ForMaskedLM", TEXT | {"relative_attention": True, "position_biased_input": False}),
    ("MPNetForMaskedLM", TEXT),
    ("ModernBertForMaskedLM", TEXT | {"pad_token_id": 0}),
    ("GPT2LMHeadModel", GPT),
    ("GPTNeoXForCausalLM", TEXT),
    ("BloomForCausalLM", {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99}),
    ("OPTForCausalLM", TEXT | {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    ("FalconForCausalLM", TEXT),
    ("LlamaForCausalLM", GROUPED),
    ("MistralForCausalLM", GROUPED),
    ("Qwen2ForCausalLM", GROUPED),
    ("Qwen3ForCausalLM", GROUPED),
    ("Gemma2ForCausalLM", GROUPED),
    ("PhiForCausalLM", GROUPED),
    ("Olmo2ForCausalLM", GROUPED),
    ("MixtralForCausalLM", GROUPED | EXPERTS),
    ("Qwen3MoeForCausalLM", GROUPED | EXPERTS),
    ("MambaForCausalLM", {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 99, "state_size": 8}),
    ("T5ForConditionalGeneration", T5),
    ("BartForConditionalGeneration", PAIR),
    ("MarianMTModel", PAIR | {"decoder_vocab_size": 99, "decoder_start_token_id": 1}),
    ("WhisperForConditionalGeneration", PAIR | {"num_mel_bins": 8, "max_source_positions": 16}),
    ("ViTForImageClassification", IMAGE),
    ("DeiTForImageClassification", IMAGE),
    ("BeitForImageClassification", IMAGE | {"use_relative_position_bias": True}),
    ("Dinov2ForImageClassification", IMAGE),
    ("ViTMAEForPreTraining", IMAGE),
    ("ConvNextV2ForImageClassification", {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16]}),
    ("ResNetForImageClassification", {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16], "embedding_size": 8}),
    ("SwinForImageClassification", {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "image_size": 64}),
    ("CLIPModel", {"text_config": TEXT, "vision_config": IMAGE, "projection_dim": 16}),
    ("SiglipModel", {"text_config": TEXT, "vision_config": IMAGE}),
    ("Wav2Vec2ForCTC", TEXT | {"conv_dim": [16, 16], "conv_stride": [5, 2], "conv_kernel": [10, 3]}),
    ("ASTForAudioClassification", IMAGE | {"max_length": 64, "num_mel_bins": 16, "patch_size": 8}),
    ("TimeSeriesTransformerForPrediction", PAIR | {"prediction_length": 4}),
]
# Saved in 16 bits as well.
HALVES = ("BertForMaskedLM", "MixtralForCausalLM", "T5ForConditionalGeneration", "ViTForImageClassification")


def main(folder: Path) -> None:
    """Save each in a folder of its name."""
    import torch
    import transformers

    torch.manual_seed(0)
    for name, small in MODELS:
        cls = getattr(transformers, name)
        model = cls(cls.config_class(**small))
        model.save_pretrained(folder / name)
        if name in HALVES:
            model.to(torch.bfloat16).save_pretrained(folder / f"{name}-bf16")
            model.to(torch.float16).save_pretrained(folder / f"{name}-fp16")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
