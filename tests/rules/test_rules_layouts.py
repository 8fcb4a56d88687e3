"""The layouts of other libraries: nothing is said of sound ones, and one defect each is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.defects import REMOVED, Defect, Expected, all_of, remove, settings, write
from support.judging import judge_folder as judge
from support.layouts import LAYOUTS

from hubpub.core.findings import Finding
from hubpub.model.folder import ModelFolder


@pytest.fixture
def layout(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of the layout that the test names."""
    folder = tmp_path / "model"
    folder.parent.mkdir(exist_ok=True)
    if request.param not in ("sentence-transformers", "onnx", "custom code"):
        folder.mkdir()
    LAYOUTS[request.param][0](folder)
    return folder


@pytest.mark.parametrize(("layout", "name"), [(name, name) for name in LAYOUTS], indirect=["layout"])
def test_sound(layout: Path, name: str) -> None:
    assert ModelFolder.open(layout).kind.value == LAYOUTS[name][1]
    found = judge(layout)
    if name == "custom code":  # the one thing that is always told about it
        found = [finding for finding in found if not (isinstance(finding, Finding) and finding.rule == "CODE005")]
    assert [finding for finding in found if not isinstance(finding, Finding) or finding.severity.value != "info"] == []


def entry(type_name: str, path: str) -> Defect:
    """Append a module to modules.json."""

    def defect(model: Path) -> None:
        modules = json.loads((model / "modules.json").read_text())
        modules.append({"idx": len(modules), "name": str(len(modules)), "path": path, "type": type_name})
        (model / "modules.json").write_text(json.dumps(modules))

    return defect


def one(code: str, severity: str, path: str) -> Expected:
    return [(code, severity, path)]


POOLING = "1_Pooling/config.json"
PREPROCESSOR = "preprocessor_config.json"
DEFECTS: dict[str, tuple[str, Defect, Expected]] = {
    "no pooling": ("sentence-transformers", remove(POOLING), one("CONF023", "error", POOLING)),
    "no dense": (
        "sentence-transformers",
        entry("sentence_transformers.models.Dense", "3_Dense"),
        one("CONF023", "error", "3_Dense/config.json"),
    ),
    "modules without type": (
        "sentence-transformers",
        write("modules.json", "[{}]"),
        one("CONF023", "error", "modules.json"),
    ),
    "no modules": ("sentence-transformers", write("modules.json", "[]"), one("CONF023", "error", "modules.json")),
    "width": (
        "sentence-transformers",
        settings(POOLING, word_embedding_dimension=768),
        one("CONF024", "error", POOLING),
    ),
    "width, new key": (
        "sentence-transformers",
        settings(POOLING, word_embedding_dimension=REMOVED, embedding_dimension=768),
        one("CONF024", "error", POOLING),
    ),
    "pooling is no JSON": ("sentence-transformers", write(POOLING, "{"), one("CONF002", "error", POOLING)),
    "custom module": ("sentence-transformers", entry("own.Module", "3_Own"), one("CONF025", "info", "modules.json")),
    "similarity": (
        "sentence-transformers",
        settings("config_sentence_transformers.json", similarity_fn_name="cos"),
        one("CONF026", "error", "config_sentence_transformers.json"),
    ),
    "prompt": (
        "sentence-transformers",
        settings("config_sentence_transformers.json", default_prompt_name="passage"),
        one("CONF026", "error", "config_sentence_transformers.json"),
    ),
    "no vae": (
        "diffusers",
        lambda model: shutil.rmtree(model / "vae"),
        one("CONF027", "error", "vae/"),
    ),
    "no scheduler": (
        "diffusers",
        lambda model: shutil.rmtree(model / "scheduler"),
        one("CONF027", "error", "scheduler/"),
    ),
    "unet without config": ("diffusers", remove("unet/config.json"), one("CONF027", "error", "unet/config.json")),
    "half a pair": (
        "diffusers",
        settings("model_index.json", unet=["diffusers"]),
        one("CONF027", "error", "model_index.json"),
    ),
    "custom component": (
        "diffusers",
        settings("model_index.json", unet=["my_unet", "OwnModel"]),
        one("CONF028", "info", "model_index.json"),
    ),
    "scheduler is no JSON": (
        "diffusers",
        write("scheduler/scheduler_config.json", "{,}"),
        one("CONF002", "error", "scheduler/scheduler_config.json"),
    ),
    "classes": ("timm", settings("config.json", num_classes=1000), one("CONF029", "error", "config.json")),
    "no vocabulary": ("ctranslate2", remove("vocabulary.json"), one("CONF031", "error", "vocabulary.json")),
    "meta.json": ("spacy", write("meta.json", '{"lang": "en",}'), one("CONF002", "error", "meta.json")),
    "no image processor": ("vision", remove(PREPROCESSOR), one("CONF021", "warning", PREPROCESSOR)),
    "mean and std": ("vision", settings(PREPROCESSOR, image_std=[0.5]), one("CONF022", "error", PREPROCESSOR)),
    "std of 0": ("vision", settings(PREPROCESSOR, image_std=[0.5, 0, 0.5]), one("CONF022", "error", PREPROCESSOR)),
    "mean is a string": ("vision", settings(PREPROCESSOR, image_mean=["a"]), one("CONF022", "error", PREPROCESSOR)),
    "grey": ("vision", settings("config.json", num_channels=1), one("CONF022", "error", PREPROCESSOR)),
    "height only": ("vision", settings(PREPROCESSOR, size={"height": 224}), one("CONF022", "error", PREPROCESSOR)),
    "size is a string": ("vision", settings(PREPROCESSOR, size="224"), one("CONF022", "error", PREPROCESSOR)),
    "no size": ("vision", settings(PREPROCESSOR, size=0), one("CONF022", "error", PREPROCESSOR)),
    "processor in the processor": (
        "vision",
        settings("processor_config.json", image_processor={"crop_size": -1}),
        one("CONF022", "error", "processor_config.json"),
    ),
    "path of the tokenizer": (
        "diffusers",
        settings("unet/config.json", _name_or_path="/home/alice/sd/unet"),
        one("CONF005", "warning", "unet/config.json"),
    ),
}


@pytest.mark.parametrize(
    ("layout", "name"), [(layout, name) for name, (layout, _, _) in DEFECTS.items()], indirect=["layout"]
)
def test_defect(layout: Path, name: str) -> None:
    control = judge(layout)
    _, defect, expected = DEFECTS[name]
    defect(layout)
    found = [finding for finding in judge(layout) if finding not in control]
    assert [(f.rule, f.severity.value, f.path or "") for f in found if isinstance(f, Finding)] == expected
    assert len(found) == len(expected)
    for finding in found:
        assert isinstance(finding, Finding)
        assert finding.hint
        assert finding.path in finding.message


SOUND: dict[str, tuple[str, Defect]] = {
    "processor instead of preprocessor": (
        "vision",
        all_of(remove(PREPROCESSOR), settings("processor_config.json", processor_class="X")),
    ),
    "no resize": ("vision", settings(PREPROCESSOR, do_resize=False, size=0)),
    "one number": ("vision", settings(PREPROCESSOR, size=224, crop_size={"shortest_edge": 224})),
    "part of a model": ("vision", all_of(remove(PREPROCESSOR), settings("config.json", architectures=["ViTBackbone"]))),
    "text tower": (
        "vision",
        all_of(
            remove(PREPROCESSOR),
            settings("config.json", model_type="clip_vision_model", architectures=["SomethingElse"]),
        ),
    ),
    "other similarity": (
        "sentence-transformers",
        settings("config_sentence_transformers.json", similarity_fn_name="dot", default_prompt_name="query"),
    ),
    "no head": ("timm", settings("config.json", num_classes=0)),
    "custom pipeline": ("diffusers", settings("model_index.json", _class_name=["pipeline", "Own"], scales=[1, 2])),
    "old vocabulary": (
        "ctranslate2",
        lambda model: (model / "vocabulary.json").rename(model / "shared_vocabulary.txt"),
    ),
}


@pytest.mark.parametrize(
    ("layout", "name"), [(layout, name) for name, (layout, _) in SOUND.items()], indirect=["layout"]
)
def test_no_false_alarm(layout: Path, name: str) -> None:
    control = judge(layout)
    SOUND[name][1](layout)
    assert [found for found in judge(layout) if found not in control] == []
