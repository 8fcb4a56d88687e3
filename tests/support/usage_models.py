"""Tiny untrained models of many kinds, each whole enough to be used: `python usage_models.py FOLDER`.

The runs of `tiny_runs` are the usual kinds; here is what else a usage snippet is written for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.formats import field
from support.models import CHAT_TEMPLATE
from support.tiny_runs import bytelevel, wordpiece

SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
IMAGE = SMALL | {"image_size": 32, "patch_size": 8}
STAGES = {"hidden_sizes": [8, 8, 16, 16], "num_attention_heads": [1, 1, 2, 2], "depths": [1, 1, 1, 1]}
SIDE = {"height": 32, "width": 32}
OWN_CODE = """
import torch
from transformers import PreTrainedConfig, PreTrainedModel


class LensConfig(PreTrainedConfig):
    model_type = "lens"
    width = 8


class LensModel(PreTrainedModel):
    config_class = LensConfig

    def __init__(self, config):
        super().__init__(config)
        self.words = torch.nn.Embedding(600, config.width)
        self.post_init()

    def forward(self, input_ids, **_):
        from transformers.modeling_outputs import BaseModelOutput

        return BaseModelOutput(last_hidden_state=self.words(input_ids))
"""
THINKING = CHAT_TEMPLATE + "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"
SEEING = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}\n{% endfor %}"
)


def _bert(name: str, **more: Any) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        import transformers

        tokenizer = wordpiece()
        config = transformers.BertConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **SMALL, **more)
        getattr(transformers, name)(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    return save


def _text(name: str, tokenizer_from: Callable[[], Any] = wordpiece, **more: Any) -> Callable[[Path], None]:
    """A model of another family with a tokenizer."""

    def save(folder: Path) -> None:
        import transformers

        tokenizer = tokenizer_from()
        cls = getattr(transformers, name)
        ids = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": tokenizer.bos_token_id}
        ids |= {"eos_token_id": tokenizer.eos_token_id}
        cls(cls.config_class(vocab_size=len(tokenizer), **ids, **more)).save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    return save


def _ended() -> Any:
    return bytelevel(("<pad>", "<|end|>"), pad_token="<pad>", bos_token="<|end|>", eos_token="<|end|>")


def _thinking() -> Any:
    tokenizer = bytelevel(("<pad>", "<|im_start|>", "<|im_end|>"), pad_token="<pad>", eos_token="<|im_end|>")
    tokenizer.chat_template = THINKING
    return tokenizer


def _seeing(name: str, processor: str | None, config: dict[str, Any], **settings: Any) -> Callable[[Path], None]:
    """A model that looks at pictures."""

    def save(folder: Path) -> None:
        import transformers

        cls = getattr(transformers, name)
        cls(cls.config_class(**config)).save_pretrained(folder)
        if processor:
            getattr(transformers, processor)(**settings).save_pretrained(folder)

    return save


def _clip(folder: Path) -> None:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPProcessor

    tokenizer = _ended()
    tokenizer.model_max_length = 77
    text = SMALL | {"vocab_size": len(tokenizer), "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
    CLIPModel(CLIPConfig(text_config=text, vision_config=IMAGE, projection_dim=16)).save_pretrained(folder)
    CLIPProcessor(CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SIDE), tokenizer).save_pretrained(folder)


def _letters(folder: Path) -> Any:
    from transformers import Wav2Vec2CTCTokenizer

    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz"]
    folder.mkdir(exist_ok=True)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({letter: number for number, letter in enumerate(letters)}))
    return Wav2Vec2CTCTokenizer(vocabulary)


_WAVES = {"conv_dim": [16, 16], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_feat_extract_layers": 2}


def _ctc(folder: Path) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC, Wav2Vec2Processor

    tokenizer = _letters(folder)
    Wav2Vec2ForCTC(Wav2Vec2Config(vocab_size=len(tokenizer), **SMALL, **_WAVES)).save_pretrained(folder)
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(sampling_rate=8000), tokenizer).save_pretrained(folder)


def _sound_classifier(folder: Path) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForSequenceClassification

    Wav2Vec2ForSequenceClassification(Wav2Vec2Config(**SMALL, **_WAVES)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)


def _whisper(folder: Path) -> None:
    from tokenizers import pre_tokenizers
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
    vocabulary = {token: number for number, token in enumerate([*letters, *special])}
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=[])
    heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
    end, start = vocabulary["<|endoftext|>"], vocabulary["<|startoftranscript|>"]
    ids = {"pad_token_id": end, "bos_token_id": end, "eos_token_id": end, "decoder_start_token_id": start}
    size = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "max_target_positions": 40}
    model = WhisperForConditionalGeneration(WhisperConfig(vocab_size=len(tokenizer), **heads, **ids, **size))
    settings = {"is_multilingual": False, "no_timestamps_token_id": vocabulary["<|notimestamps|>"], "max_length": 30}
    model.generation_config = GenerationConfig(**ids, **settings)
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)


def _vits(folder: Path) -> None:
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    _letters(folder)
    flows = {"prior_encoder_num_flows": 1, "duration_predictor_num_flows": 1, "duration_predictor_filter_channels": 16}
    waves = {"posterior_encoder_num_wavenet_layers": 1, "prior_encoder_num_wavenet_layers": 1}
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 32, "flow_size": 32}
    size |= {"spectrogram_bins": 17, "upsample_initial_channel": 16}
    VitsModel(VitsConfig(vocab_size=31, **size, **flows, **waves)).save_pretrained(folder)
    VitsTokenizer(folder / "vocab.json", is_uroman=False, phonemize=False).save_pretrained(folder)


def _llava(folder: Path) -> None:
    from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

    tokenizer = bytelevel(("<pad>", "<|end|>", "<image>"), pad_token="<pad>", eos_token="<|end|>")
    text = {"model_type": "llama", "vocab_size": len(tokenizer), "num_key_value_heads": 4} | SMALL
    text |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
    image = {"model_type": "clip_vision_model"} | IMAGE
    config = LlavaConfig(text_config=text, vision_config=image, image_token_id=2, vision_feature_layer=-1)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    processor = LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SIDE),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=SEEING,
    )
    processor.save_pretrained(folder)


def _captioner(folder: Path) -> None:
    from transformers import (
        BertConfig,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        ViTConfig,
        ViTImageProcessorPil,
    )

    tokenizer = wordpiece()
    reader = BertConfig(vocab_size=len(tokenizer), is_decoder=True, add_cross_attention=True, **SMALL)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(**IMAGE), reader)
    config.decoder_start_token_id, config.pad_token_id = tokenizer.cls_token_id, tokenizer.pad_token_id
    VisionEncoderDecoderModel(config).save_pretrained(folder)
    ViTImageProcessorPil(size=SIDE).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _own_code(folder: Path) -> None:
    import importlib.util

    folder.mkdir()
    (folder / "modeling_lens.py").write_text(OWN_CODE)
    spec = importlib.util.spec_from_file_location("modeling_lens", folder / "modeling_lens.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.LensModel(module.LensConfig()).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "modeling_lens.LensConfig", "AutoModel": "modeling_lens.LensModel"}
    (folder / "config.json").write_text(json.dumps(config))
    wordpiece().save_pretrained(folder)


def _cross_encoder(folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    _bert("BertForSequenceClassification", num_labels=1)(folder.parent / "reward")
    CrossEncoder(str(folder.parent / "reward"), device="cpu").save_pretrained(str(folder))


def _sparse_encoder(folder: Path) -> None:
    from sentence_transformers import SparseEncoder

    SparseEncoder(str(folder.parent / "masked"), device="cpu").save_pretrained(str(folder))


def _prompted(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    prompts = {"query": "search: ", "document": "text: "}
    SentenceTransformer(str(folder.parent / "masked"), device="cpu", prompts=prompts).save_pretrained(str(folder))


def _adapter(task: str | None, auto: str, base: str, **more: Any) -> Callable[[Path], None]:
    def save(folder: Path) -> None:
        import transformers
        from peft import LoraConfig, get_peft_model

        model = getattr(transformers, auto).from_pretrained(folder.parent / base, **more)
        model.config._name_or_path = model.name_or_path = f"acme/{base}"
        modules = ["query", "value"] if base != "t5" else ["q", "v"]
        adapted = get_peft_model(model, LoraConfig(task_type=task, r=2, target_modules=modules))
        adapted.save_pretrained(folder)
        if task is not None:
            transformers.AutoTokenizer.from_pretrained(folder.parent / base).save_pretrained(folder)

    return save


def _onnx(folder: Path) -> None:
    """A graph that turns the ids of tokens into floats, laid out as an export: onnx/model.onnx beside the tokenizer."""

    def value(name: str, kind: int) -> bytes:
        shape = b"".join(field(1, field(2, dimension)) for dimension in ("batch", "sequence"))
        return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))

    int64, float32 = 7, 1
    cast = field(1, "to") + field(3, float32) + field(20, 2)
    node = field(1, "input_ids") + field(2, "logits") + field(4, "Cast") + field(5, cast)
    graph = (
        field(1, node) + field(2, "main") + field(11, value("input_ids", int64)) + field(12, value("logits", float32))
    )
    (folder / "onnx").mkdir(parents=True)
    model = field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17))
    (folder / "onnx" / "model.onnx").write_bytes(model)
    wordpiece().save_pretrained(folder)
    (folder / "config.json").write_text((folder.parent / "masked" / "config.json").read_text())


_T5 = {"d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 1, "num_heads": 4, "decoder_start_token_id": 0}
_PAIR = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
_PAIR |= {"d_model": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "decoder_start_token_id": 0}
_GPT = {"n_embd": 32, "n_layer": 1, "n_head": 4}
_LABELS = {"id2label": {0: "a", 1: "b", 2: "c"}, "label2id": {"a": 0, "b": 1, "c": 2}}
_NLI = {"id2label": {0: "entailment", 1: "contradiction"}, "label2id": {"entailment": 0, "contradiction": 1}}

MODELS: dict[str, Callable[[Path], None]] = {
    "masked": _bert("BertForMaskedLM"),
    "reward": _bert("BertForSequenceClassification", num_labels=1),
    "several-labels": _bert("BertForSequenceClassification", problem_type="multi_label_classification", **_LABELS),
    "pairs": _bert("BertForSequenceClassification", **_NLI),
    "question-answering": _bert("BertForQuestionAnswering"),
    "multiple-choice": _bert("BertForMultipleChoice"),
    "features": _bert("BertModel"),
    "next-sentence": _bert("BertForNextSentencePrediction"),
    "distilbert": _text("DistilBertForMaskedLM", dim=32, hidden_dim=48, n_layers=1, n_heads=4),
    "gpt2": _text("GPT2LMHeadModel", _ended, **_GPT),
    "qwen3": _text("Qwen3ForCausalLM", _thinking, **SMALL, num_key_value_heads=2, head_dim=8),
    "llama-features": _text("LlamaModel", _ended, **SMALL, num_key_value_heads=2),
    "marian": _text("MarianMTModel", _ended, **_PAIR, max_position_embeddings=256),
    "t5": _text("T5ForConditionalGeneration", _ended, **_T5),
    "t5-encoder": _text("T5EncoderModel", _ended, **_T5),
    "segments": _seeing(
        "SegformerForSemanticSegmentation",
        "SegformerImageProcessorPil",
        STAGES | {"decoder_hidden_size": 16},
        size=SIDE,
    ),
    "objects": _seeing(
        "YolosForObjectDetection",
        "YolosImageProcessorPil",
        IMAGE | {"image_size": [64, 64], "num_detection_tokens": 5},
        size={"height": 64, "width": 64},
    ),
    "depth": _seeing("GLPNForDepthEstimation", "GLPNImageProcessorPil", STAGES | {"decoder_hidden_size": 16}),
    "image-features": _seeing("Dinov2Model", "BitImageProcessorPil", IMAGE, size={"shortest_edge": 32}, crop_size=SIDE),
    "no-processor": _seeing("ViTForImageClassification", None, IMAGE),
    "film": _seeing(
        "VideoMAEForVideoClassification",
        "VideoMAEImageProcessorPil",
        IMAGE | {"num_frames": 4, "tubelet_size": 2},
        size={"shortest_edge": 32},
        crop_size=SIDE,
    ),
    "clip": _clip,
    "ctc": _ctc,
    "sound-classifier": _sound_classifier,
    "whisper": _whisper,
    "vits": _vits,
    "llava": _llava,
    "captioner": _captioner,
    "own-code": _own_code,
    "cross-encoder": _cross_encoder,
    "sparse-encoder": _sparse_encoder,
    "prompted": _prompted,
    "adapter-classifier": _adapter("SEQ_CLS", "AutoModelForSequenceClassification", "masked", num_labels=3),
    "adapter-tagger": _adapter("TOKEN_CLS", "AutoModelForTokenClassification", "masked", num_labels=5),
    "adapter-seq2seq": _adapter("SEQ_2_SEQ_LM", "AutoModelForSeq2SeqLM", "t5"),
    "onnx": _onnx,
    "adapter-mapped": _adapter(None, "AutoModel", "masked"),
}


def main(root: Path) -> None:
    """Save all of them below `root`, each in a folder of its name."""
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for name, save in MODELS.items():
        torch.manual_seed(0)
        save(root / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
