"""Write removed-api.json and auto-classes.json in hubpub/card/data: what snippets call and transformers has no longer.

Run it with the transformers that the data should speak for; the earlier ones are read from their wheels, not installed:

    python scripts/refresh_removed_api.py

hubpub itself never imports transformers to lint a card; these files carry what it needs to know.
"""

from __future__ import annotations

import ast
import datetime
import inspect
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "hubpub" / "card" / "data"

# The last of each era: the first with lazy imports, one before the tasks were thinned out, the last before 5.
EARLIER = ("4.2.2", "4.30.2", "4.57.3")
# Their names tell that they are gone, and there are a thousand of them.
OTHER_FRAMEWORKS = re.compile(r"_?(?:TF|Flax)[A-Z0-9]")
NOT_CALLED = re.compile(r"_|.*_(?:ARCHIVE_LIST|ARCHIVE_MAP|MAPPING|NAMES|DOCSTRING)$|dummy_|DUMMY_")

# What is the same under its present name.
RENAMED = {
    "AutoModelForVision2Seq": "AutoModelForImageTextToText",
    "MT5Tokenizer": "T5Tokenizer",
    "MT5TokenizerFast": "T5TokenizerFast",
}
INSTEAD = {
    "AdamW": "torch.optim.AdamW",
    "AutoModelWithLMHead": "AutoModelForCausalLM, AutoModelForMaskedLM or AutoModelForSeq2SeqLM",
    "SummarizationPipeline": "model and tokenizer themselves",
    "TranslationPipeline": "model and tokenizer themselves",
    "QuestionAnsweringPipeline": "model and tokenizer themselves",
    "Text2TextGenerationPipeline": "model and tokenizer themselves",
}
# Methods that tokenizers had; the call of the tokenizer itself does what those with "" did.
METHODS = {
    "encode_plus": "",
    "batch_encode_plus": "",
    "prepare_seq2seq_batch": None,
    "as_target_tokenizer": None,
}
# Arguments, by what takes them, and their present name; None where no other argument does the same.
ARGUMENTS: dict[str, dict[str, str | None]] = {
    "model": {
        "use_auth_token": "token",
        "load_in_8bit": None,
        "load_in_4bit": None,
        "use_flash_attention_2": None,
        "resume_download": None,
    },
    "Trainer": {"tokenizer": "processing_class"},
    "TrainingArguments": {
        "evaluation_strategy": "eval_strategy",
        "no_cuda": "use_cpu",
        "per_gpu_train_batch_size": "per_device_train_batch_size",
        "per_gpu_eval_batch_size": "per_device_eval_batch_size",
        "overwrite_output_dir": None,
        "fp16_opt_level": None,
        "include_inputs_for_metrics": None,
        "group_by_length": None,
    },
}


def main() -> None:
    """Write the data files."""
    import transformers

    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    write("removed-api.json", removed_api(today, transformers.__version__))
    write("auto-classes.json", auto_classes(today, transformers.__version__))


def write(name: str, document: dict[str, Any]) -> None:
    """Write one data file, a line per key."""
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    (DATA / name).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def removed_api(today: str, version: str) -> dict[str, Any]:
    """Names, tasks, methods and arguments that earlier versions had and the installed one has not."""
    import transformers
    from transformers import AutoModel, Trainer, TrainingArguments
    from transformers.models.bert.tokenization_bert import BertTokenizer
    from transformers.pipelines import REMOVED_TASKS, SUPPORTED_TASKS, TASK_ALIASES

    earlier = {name for wheel in wheels() for name in exported(python_of_wheel(wheel))}
    present = set(exported(python_of_package(Path(transformers.__file__).parent)))
    names = sorted(
        name
        for name in earlier - present
        if not NOT_CALLED.match(name) and not OTHER_FRAMEWORKS.match(name) and not hasattr(transformers, name)
    )
    renamed = {name: new for name, new in {**feature_extractors(names), **RENAMED}.items() if name in names}
    for name in renamed.values():
        getattr(transformers, name)
    signatures = {
        # what from_pretrained does not take out goes to the model's own __init__, which refuses it
        "model": inspect.getsource(transformers.PreTrainedModel.from_pretrained)
        + inspect.getsource(AutoModel.__base__),
        "Trainer": str(inspect.signature(Trainer.__init__)),
        "TrainingArguments": str(inspect.signature(TrainingArguments.__init__)),
    }
    for owner, arguments in ARGUMENTS.items():
        for argument in arguments:
            if re.search(rf"\b{argument}\b", signatures[owner]):
                sys.exit(f"{owner} takes {argument} again: take it out of ARGUMENTS")
    return {
        "source": "the exported names of transformers "
        + ", ".join(EARLIER)
        + " and of the version below; REMOVED_TASKS, "
        "SUPPORTED_TASKS and TASK_ALIASES of transformers.pipelines; signatures",
        "version": version,
        "date": today,
        "names": [name for name in names if name not in renamed],
        "renamed": renamed,
        "instead": INSTEAD,
        "methods": {name: new for name, new in METHODS.items() if not hasattr(BertTokenizer, name)},
        "arguments": ARGUMENTS,
        "removed_tasks": sorted(REMOVED_TASKS),
        "tasks": sorted({*SUPPORTED_TASKS, *TASK_ALIASES, "image-to-text"}),
    }


def wheels() -> Iterator[Path]:
    """The wheels of the earlier versions."""
    with tempfile.TemporaryDirectory() as directory:
        for version in EARLIER:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", directory]
            subprocess.run([*command, f"transformers=={version}"], check=True)  # noqa: S603  our own arguments
            yield next(Path(directory).glob(f"transformers-{version}-*.whl"))


def feature_extractors(names: list[str]) -> dict[str, str]:
    """Those for images were other names of image processors."""
    import transformers

    processors = {
        name: name.replace("FeatureExtractor", "ImageProcessor") for name in names if "FeatureExtractor" in name
    }
    return {name: new for name, new in processors.items() if hasattr(transformers, new)}


def python_of_wheel(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """The Python files of a wheel, by path."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("transformers/") and name.endswith(".py"):
                yield name, archive.read(name)


def python_of_package(root: Path) -> Iterator[tuple[str, bytes]]:
    """The Python files of an installed package, by path."""
    for path in root.rglob("*.py"):
        yield str(path.relative_to(root.parent)), path.read_bytes()


def exported(files: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """The names that a version exports: the strings of its `__init__`, and the `__all__` of its modules."""
    for name, content in files:
        tree = ast.parse(content)
        if name == "transformers/__init__.py":
            yield from (node.value for node in ast.walk(tree) if is_name(node))
        for node in tree.body:
            if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
                yield from (inner.value for inner in ast.walk(node.value) if is_name(inner))


def is_name(node: ast.AST) -> bool:
    """Whether a node is a string that could be the name of something exported."""
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and bool(re.fullmatch(r"[A-Za-z]\w+", node.value))
    )


def auto_classes(today: str, version: str) -> dict[str, Any]:
    """Which auto classes make which model class, and which model types each of them knows."""
    import transformers

    makes: dict[str, list[str]] = {}
    types: dict[str, str] = {}
    for auto in sorted(name for name in dir(transformers) if re.fullmatch(r"AutoModel(?:For\w+)?", name)):
        mapping = getattr(getattr(transformers, auto), "_model_mapping", None)
        if mapping is None:
            continue
        types[auto] = " ".join(sorted(mapping._model_mapping))
        for value in mapping._model_mapping.values():
            for made in [value] if isinstance(value, str) else value:
                if auto not in makes.setdefault(made, []):
                    makes[made].append(auto)
    return {
        "source": "_model_mapping of the AutoModel classes of transformers",
        "version": version,
        "date": today,
        "makes": {made: " ".join(autos) for made, autos in sorted(makes.items())},
        "types": types,
    }


if __name__ == "__main__":
    main()
