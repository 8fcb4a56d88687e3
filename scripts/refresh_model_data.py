"""Write hubpub/model/data/*.json anew from the installed transformers and torch.

Run it with the versions that the data should speak for:

    python scripts/refresh_model_data.py

hubpub itself never imports transformers or torch to check a folder; these files carry what it needs to know.
"""

from __future__ import annotations

import ast
import contextlib
import datetime
import importlib
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "hubpub" / "model" / "data"

# Tasks whose output is text, whatever goes in: their models are of no use without a tokenizer.
TEXT_OUT = (
    "CAUSAL_LM",
    "MASKED_LM",
    "SEQ_TO_SEQ_CAUSAL_LM",
    "IMAGE_TEXT_TO_TEXT",
    "MULTIMODAL_LM",
    "SPEECH_SEQ_2_SEQ",
    "CTC",
)

# In VOCAB_FILES_NAMES, but useless without the vocabulary itself.
NOT_VOCABULARIES = {
    "byte_maps.json",
    "emoji.json",
    "merges.txt",
    "normalizer.json",
    "tokenizer_config.json",
    "word_pronunciation.json",
    "word_shape.json",
}


# Not those of predictors, Mamba or linear attention, whose widths are others.
HEADS = re.compile(r"(?:num_)?(?:(?:encoder|decoder)_)?(?:num_)?attention_heads|n_heads?|num_heads")
# Parts of models, which inherit the modalities of the whole and are used without its preprocessor.
PARTS = re.compile(r"Text|Backbone|Encoder|Decoder|Tokenizer")
DIVIDE = re.compile(r"divisib|multiple of|divide|evenly", re.IGNORECASE)


def main() -> None:
    """Write the data files."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    write("tokenizers.json", tokenizers(today))
    write("tokenizer_classes.json", tokenizer_classes(today))
    write("torch_globals.json", torch_globals(today))
    write("configs.json", configs(today))


def write(name: str, document: dict[str, Any]) -> None:
    """Write one data file, a line per key."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    (DATA / name).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def tokenizers(today: str) -> dict[str, Any]:
    """Which classes and model types of transformers take text, and which files hold a vocabulary."""
    import transformers
    from transformers.models.auto import modeling_auto
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES
    from transformers.utils.import_utils import DummyObject

    text_out = {
        name
        for task in TEXT_OUT
        for value in getattr(modeling_auto, f"MODEL_FOR_{task}_MAPPING_NAMES").values()
        for name in ([value] if isinstance(value, str) else value)
    }
    needs: set[str] = set()
    needs_none: set[str] = set()
    types: dict[str, set[bool]] = {}
    for model_type, name in model_classes(modeling_auto):
        cls = getattr(transformers, name, None)
        if not isinstance(cls, type) or isinstance(cls, DummyObject):
            continue
        text = name in text_out or takes_text(cls, model_type in TOKENIZER_MAPPING_NAMES)
        (needs if text else needs_none).add(name)
        types.setdefault(model_type, set()).add(text)
    return {
        "source": "model classes (input_modalities, main_input_name, forward), MODEL_FOR_*_MAPPING_NAMES, "
        "TOKENIZER_MAPPING_NAMES and vocab_files_names of transformers",
        "version": transformers.__version__,
        "date": today,
        "vocabulary_files": sorted(vocabulary_files()),
        "classes_without_vocabulary": sorted(classes_without_vocabulary(TOKENIZER_MAPPING_NAMES.values())),
        "text_model_types": sorted(model_type for model_type, texts in types.items() if texts == {True}),
        "text_architectures": sorted(needs),
        "other_architectures": sorted(needs_none - needs),
    }


def model_classes(modeling_auto: Any) -> Iterator[tuple[str, str]]:
    """(model type, class name) of every model that an Auto class can make."""
    for attribute in dir(modeling_auto):
        if attribute.startswith("MODEL_") and attribute.endswith("MAPPING_NAMES"):
            for model_type, value in getattr(modeling_auto, attribute).items():
                for name in [value] if isinstance(value, str) else value:
                    yield model_type, name


def takes_text(cls: Any, has_tokenizer: bool) -> bool:
    """Whether the input is text; as "text" is the base class's default, a second sign is asked for."""
    modalities = cls.input_modalities
    modalities = {modalities} if isinstance(modalities, str) else set(modalities)
    if "text" not in modalities or not any(
        name.endswith("input_ids") for name in inspect.signature(cls.forward).parameters
    ):
        return False
    return cls.main_input_name == "input_ids" or has_tokenizer


def vocabulary_files() -> set[str]:
    """The file names in `VOCAB_FILES_NAMES` of every tokenizer module, also where an import would fail."""
    import transformers

    files: set[str] = set()
    for path in Path(transformers.__file__).parent.glob("models/*/tokenization_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VOCAB_FILES_NAMES":
                values = node.value.values if isinstance(node.value, ast.Dict) else []
                files |= {str(value.value) for value in values if isinstance(value, ast.Constant)}
    return files - NOT_VOCABULARIES


def classes_without_vocabulary(class_names: Iterable[str | None]) -> set[str]:
    """The tokenizer classes that read no file at all."""
    import transformers
    from transformers.utils.import_utils import DummyObject

    classes = {name: getattr(transformers, name, None) for name in class_names if name}
    return {
        name
        for name, cls in classes.items()
        if isinstance(cls, type) and not isinstance(cls, DummyObject) and getattr(cls, "vocab_files_names", None) == {}
    }


# Classes of transformers 4 that 5 may no longer have: AutoTokenizer takes the generic one, which needs tokenizer.json.
FORMER_CLASSES = (
    "BloomTokenizer",
    "Data2VecTextTokenizer",
    "ElectraTokenizer",
    "ErnieMTokenizer",
    "JukeboxTokenizer",
    "LEDTokenizer",
    "LayoutLMTokenizer",
    "LongformerTokenizer",
    "LxmertTokenizer",
    "MT5Tokenizer",
    "MegaTokenizer",
    "MvpTokenizer",
    "NezhaTokenizer",
    "RealmTokenizer",
    "RetriBertTokenizer",
    "TapexTokenizer",
    "TransfoXLTokenizer",
    "XLMProphetNetTokenizer",
    "XLMRobertaXLTokenizer",
)


def tokenizer_classes(today: str) -> dict[str, Any]:
    """Which class AutoTokenizer takes, what each class reads, and which models generate text.

    sentencepiece has to be installed: without it some classes are only stand-ins.
    """
    import transformers
    from transformers.models.auto import modeling_auto
    from transformers.models.auto.tokenization_auto import (
        MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS,
        TOKENIZER_MAPPING_NAMES,
        tokenizer_class_from_name,
    )
    from transformers.utils.import_utils import DummyObject

    listed = {name for name in TOKENIZER_MAPPING_NAMES.values() if name}
    public = {name for name in dir(transformers) if name.endswith(("Tokenizer", "TokenizerFast"))}
    classes: dict[str, Any] = {}
    for name in sorted(listed | public | {"PreTrainedTokenizerFast", *FORMER_CLASSES}):
        cls = tokenizer_class_from_name(name)
        if isinstance(cls, DummyObject):
            classes[name.removesuffix("Fast")] = {"files": None}
        elif isinstance(cls, type) and hasattr(cls, "vocab_files_names"):
            classes[name.removesuffix("Fast")] = tokenizer_class(cls)
    speech = {
        model_type
        for task in ("TEXT_TO_WAVEFORM", "TEXT_TO_SPECTROGRAM")
        for model_type in getattr(modeling_auto, f"MODEL_FOR_{task}_MAPPING_NAMES")
    }
    generators = {
        name
        for task in TEXT_OUT
        if task not in ("MASKED_LM", "CTC")
        for model_type, value in getattr(modeling_auto, f"MODEL_FOR_{task}_MAPPING_NAMES").items()
        if model_type not in speech
        for name in ([value] if isinstance(value, str) else value)
    }
    return {
        "source": "TOKENIZER_MAPPING_NAMES, MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS, vocab_files_names and model of "
        "the tokenizer classes, MODEL_FOR_*_MAPPING_NAMES of transformers",
        "version": transformers.__version__,
        "date": today,
        "model_types": {key: value for key, value in TOKENIZER_MAPPING_NAMES.items() if value},
        "declared_wrongly": sorted(MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS),
        "classes": classes,
        "former_classes": sorted(set(FORMER_CLASSES) - classes.keys()),
        "generators": sorted(generators),
    }


def tokenizer_class(cls: Any) -> dict[str, Any]:
    """The files that a class reads, the algorithm that it builds anew, and the tokens that it makes of no file."""
    model = getattr(cls, "model", None)
    own = "__init__" in cls.__dict__ and model is not None
    facts: dict[str, Any] = {"files": sorted(set(getattr(cls, "vocab_files_names", {}).values()) - {"tokenizer.json"})}
    if own:
        facts["algorithm"] = model.__name__
    with contextlib.suppress(Exception):  # it wants a file, as it should
        facts["toy"] = len(cls())
    return facts


def torch_globals(today: str) -> dict[str, Any]:
    """What a checkpoint may import under `torch.load(weights_only=True)`, by module."""
    torch = importlib.import_module("torch")
    unpickler = importlib.import_module("torch._weights_only_unpickler")
    allowed: dict[str, list[str]] = {}
    for name in sorted(unpickler._get_allowed_globals()):
        module, _, attribute = name.rpartition(".")
        allowed.setdefault(module, []).append(attribute)
    return {
        "source": "torch/_weights_only_unpickler.py, _get_allowed_globals",
        "version": torch.__version__.partition("+")[0],
        "date": today,
        "allowed": allowed,
    }


def configs(today: str) -> dict[str, Any]:
    """What transformers expects of configuration files: by trying it out, and from its tables."""
    import transformers
    from transformers import GenerationConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    transformers.logging.set_verbosity_error()
    images, audio = classes_with_preprocessor()
    return {
        "source": "models built on the meta device with a number of heads that does not divide the width; "
        "input_modalities of the classes whose model type has an image processor or a feature extractor; "
        "GenerationConfig; modeling_rope_utils",
        "version": transformers.__version__,
        "date": today,
        "heads_divide": dict(sorted(heads_divide().items())),
        "image_architectures": sorted(images),
        "audio_architectures": sorted(audio - images),
        "generation_keys": sorted(key for key in vars(GenerationConfig()) if not key.startswith("_")),
        "rope_types": sorted([*ROPE_INIT_FUNCTIONS, "default", "axial"]),
    }


def heads_divide() -> dict[str, list[list[str]]]:
    """Model type -> [key of the width, key of the heads], for each pair of which transformers refuses a remainder."""
    from transformers import CONFIG_MAPPING, MODEL_MAPPING, AutoModel
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    torch = importlib.import_module("torch")

    def refusal(cls: Any, **settings: int) -> str:
        try:
            config = cls(**settings)
            if cls in MODEL_MAPPING:
                with torch.device("meta"):
                    AutoModel.from_config(config)
        except Exception as error:
            return str(error) or type(error).__name__
        return ""

    found: dict[str, list[list[str]]] = {}
    for model_type in sorted(CONFIG_MAPPING_NAMES):
        try:
            cls = CONFIG_MAPPING[model_type]
            document = cls().to_dict()
        except Exception:  # noqa: S112  a type whose default does not exist has nothing to tell
            continue
        width_key = cls.attribute_map.get("hidden_size", "hidden_size")
        width = document.get(width_key)
        heads_keys = [key for key, value in document.items() if HEADS.fullmatch(key) and type(value) is int]
        if type(width) is not int or not heads_keys or refusal(cls):
            continue
        for key in heads_keys:
            odd = next(number for number in range(document[key] + 1, width) if width % number)
            settings = {key: odd}
            if "num_key_value_heads" in document and document["num_key_value_heads"] is not None:
                settings["num_key_value_heads"] = odd
            if DIVIDE.search(refusal(cls, **settings)):
                found.setdefault(model_type, []).append([width_key, key])
    return found


def classes_with_preprocessor() -> tuple[set[str], set[str]]:
    """Model classes that take images or videos, and those that take sound, of types with a preprocessor for them."""
    import transformers
    from transformers.models.auto import feature_extraction_auto, image_processing_auto, modeling_auto
    from transformers.utils.import_utils import DummyObject

    seen = set(image_processing_auto.IMAGE_PROCESSOR_MAPPING_NAMES)
    heard = set(feature_extraction_auto.FEATURE_EXTRACTOR_MAPPING_NAMES)
    images: set[str] = set()
    audio: set[str] = set()
    for model_type, name in model_classes(modeling_auto):
        cls = getattr(transformers, name, None)
        if not isinstance(cls, type) or isinstance(cls, DummyObject) or PARTS.search(name):
            continue
        modalities = cls.input_modalities
        modalities = {modalities} if isinstance(modalities, str) else set(modalities)
        if model_type in seen and modalities & {"image", "video"} and cls.main_input_name != "input_features":
            images.add(name)
        elif model_type in heard and "audio" in modalities:
            audio.add(name)
    return images, audio


if __name__ == "__main__":
    main()
