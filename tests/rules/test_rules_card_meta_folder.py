"""Values of the metadata beside the files of a model folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.linting import codes_of, findings_of, fixed, subject

from hubpub.card.document import Card
from hubpub.card.facts.collect import card_facts
from hubpub.card.facts.tasks import pipeline_tag_of
from hubpub.card.writing.render import render_card
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.rules.registry import CardSubject

MIT = (
    "Copyright (c) 2024 Acme. Permission is hereby granted, free of charge, to any person obtaining a copy of this "
    'software and associated documentation files (the "Software"), to deal in the Software without restriction'
)
WHOLE = "license: mit\nlanguage: en\nlibrary_name: {library}\npipeline_tag: {task}"
BASE = "openai-community/gpt2"


def block(lines: str) -> str:
    return f"---\n{lines}\n---\n# x\n"


def config(architecture: str, **more: Any) -> dict[str, str]:
    return {"config.json": json.dumps({"model_type": "x", "architectures": [architecture], **more})}


def adapter(**more: Any) -> dict[str, str]:
    return {"adapter_config.json": json.dumps({"peft_type": "LORA", "base_model_name_or_path": BASE, **more})}


def whole(task: str, library: str = "transformers", more: str = "") -> str:
    return block(WHOLE.format(task=task, library=library) + more)


@pytest.mark.parametrize(
    ("text", "files", "codes"),
    [
        # licences
        (whole("fill-mask"), {**config("BertForMaskedLM"), "LICENSE": MIT}, []),
        (whole("fill-mask").replace("mit", "gpl"), {"LICENSE": "GNU General Public License\nVersion 3"}, []),
        (
            whole("fill-mask").replace("mit", "gpl-2.0"),
            {"LICENSE": "GNU General Public License\nVersion 3"},
            ["META015"],
        ),
        (whole("fill-mask").replace("mit", "[mit, apache-2.0]"), {"COPYING": MIT}, []),
        (whole("fill-mask").replace("mit", "llama3.1"), {"LICENSE": MIT, "MODEL_LICENSE": "x"}, []),
        (whole("fill-mask").replace("mit", "other\nlicense_name: x\nlicense_link: LICENSE"), {"LICENSE": MIT}, []),
        (block("license: other\nlicense_name: x\nlicense_link: ./LICENSE.txt"), {"LICENSE.txt": "x"}, []),
        (block("license: other\nlicense_name: x\nlicense_link: LICENSE.txt"), {"a.txt": "x"}, ["META014"]),
        (block("license: other\nlicense_name: x\nlicense_link: https://x.org/l"), {"a.txt": "x"}, []),
        # task
        (whole("text-ranking"), config("XLMRobertaForSequenceClassification"), []),
        (whole("fill-mask"), config("BertForSequenceClassification"), ["META025"]),
        (whole("token-classification"), config("BertForMaskedLM"), ["META025"]),
        (whole("fill-mask"), config("BertForSequenceClassification", auto_map={"AutoModel": "m.M"}), []),
        (whole("feature-extraction"), config("Qwen3ForCausalLM"), []),
        (whole("text-to-speech"), config("LlamaForCausalLM"), []),
        (whole("fill-mask"), config("LlamaForCausalLM"), ["META025"]),
        (whole("audio-classification"), config("Wav2Vec2ForSequenceClassification"), []),
        (whole("zero-shot-object-detection"), config("GroundingDinoForObjectDetection"), []),
        (whole("document-question-answering"), config("LayoutLMv3ForQuestionAnswering"), []),
        (whole("text-generation"), config("MyOwnModel"), []),
        (
            block("license: mit\nlanguage: en\nlibrary_name: transformers\ntags: [fill-mask]"),
            config("XForMaskedLM"),
            [],
        ),
        # library
        (whole("text-generation", "peft"), config("GPT2LMHeadModel"), ["META028"]),
        (whole("text-generation", "peft"), {**config("GPT2LMHeadModel"), **adapter()}, ["META029"]),
        (whole("sentence-similarity"), {**config("BertModel"), "modules.json": "[]"}, []),
        (whole("text-ranking", "sentence-transformers"), config("BertForSequenceClassification"), []),
        (whole("text-generation", "unsloth"), config("LlamaForCausalLM"), ["META027"]),
        # base model
        (whole("text-generation", "peft", f"\nbase_model: {BASE}\nbase_model_relation: adapter"), adapter(), []),
        (whole("text-generation", "peft", f"\nbase_model: {BASE}"), adapter(), ["META033"]),
        (
            whole("text-generation", "peft", f"\nbase_model: {BASE}\nbase_model_relation: finetune"),
            adapter(),
            ["META033"],
        ),
        (whole("text-generation", "peft"), adapter(base_model_name_or_path="./llama"), []),
        (whole("text-generation", "peft"), adapter(base_model_name_or_path="output/checkpoint-5"), []),
        (
            whole("text-generation", more=f"\nbase_model: {BASE}\nbase_model_relation: adapter"),
            config("XForCausalLM"),
            ["META033"],
        ),
        (
            whole("text-generation", more=f"\nbase_model: {BASE}"),
            config("XForCausalLM", quantization_config={"quant_method": "gptq"}),
            ["META033"],
        ),
        (
            whole("text-generation", more="\nbase_model: a/b-GPTQ"),
            config("XForCausalLM", quantization_config={"quant_method": "gptq"}),
            [],
        ),
        (whole("text-generation"), config("XForCausalLM", _name_or_path=BASE), ["META029"]),
        (whole("text-generation"), config("XForCausalLM", _name_or_path="/home/me/x"), []),
        # a folder that nothing can be told of
        (whole("fill-mask"), {"adapter_config.json": "[1", "mergekit_config.yml": "a: [*b", "config.json": "3"}, []),
    ],
)
def test_what_the_files_say(text: str, files: dict[str, str], codes: list[str], tmp_path: Path) -> None:
    assert sorted(codes_of(subject(text, files, tmp_path), "META")) == sorted(codes)


def test_a_card_that_says_nothing_learns_all_of_it_from_an_adapter(tmp_path: Path) -> None:
    text, files = "---\nx_y: z\n---\n# x\n", {**adapter(task_type="CAUSAL_LM"), "LICENSE": MIT}
    for step in range(6):
        found = [f for f in findings_of(subject(text, files, tmp_path / str(step)), "META") if f.fix and f.fix.safe]
        if not found:
            break
        text = fixed(text, found[0])
    assert text == (
        f"---\nx_y: z\nlicense: mit\npipeline_tag: text-generation\nlibrary_name: peft\nbase_model: {BASE}\n"
        "base_model_relation: adapter\n---\n# x\n"
    )


@pytest.mark.parametrize("name", ["plain_model", "bert_classifier", "chat_lm", "chat_lm_sharded", "minilm"])
def test_a_rendered_card_says_what_the_files_say(name: str, request: pytest.FixtureRequest) -> None:
    folder = ModelFolder.open(request.getfixturevalue(name))
    text = render_card(card_facts(folder, repo_id="acme/tiny", settings=CardSettings(license="apache-2.0")))
    judged = CardSubject(Card.parse(text), folder=folder, repo_id="acme/tiny")
    # the author knows the languages; sentence-transformers is a tag by its own custom, beside library_name
    assert set(codes_of(judged, "META")) <= {"META019", "META039"}


@pytest.mark.parametrize(
    ("architecture", "task"),
    [
        ("Wav2Vec2ForSequenceClassification", "audio-classification"),
        ("BertForSequenceClassification", "text-classification"),
        ("OwlViTForObjectDetection", "zero-shot-object-detection"),
        ("DetrForObjectDetection", "object-detection"),
        ("ViltForQuestionAnswering", "visual-question-answering"),
        ("TapasForQuestionAnswering", "table-question-answering"),
        ("VitsModel", "text-to-speech"),
    ],
)
def test_a_class_that_does_something_else_than_its_head_says(architecture: str, task: str) -> None:
    assert pipeline_tag_of(architecture, None, sees=False, reads=True) == task


def test_a_merge_has_all_its_parents(tmp_path: Path) -> None:
    recipe = "models:\n- model: a/b\n- model: c/d\n  parameters: {weight: 1}\nbase_model: a/b\nmerge_method: ties\n"
    files = {**config("XForCausalLM"), "mergekit_config.yml": recipe}
    text = whole("text-generation")
    (finding,) = findings_of(subject(text, files, tmp_path), "META029")
    assert "base_model:\n  - a/b\n  - c/d\nbase_model_relation: merge\n---" in fixed(text, finding)
    files["mergekit_config.yml"] = recipe.replace("c/d", "./local/model")
    assert codes_of(subject(text, files, tmp_path / "local"), "META029") == []


def test_what_a_configuration_was_loaded_from_is_a_guess(tmp_path: Path) -> None:
    files = config("XForCausalLM", _name_or_path=BASE)
    (finding,) = findings_of(subject(whole("text-generation"), files, tmp_path), "META029")
    assert finding.fix
    assert not finding.fix.safe
    itself = subject(whole("text-generation"), files, tmp_path, repo_id=BASE)
    assert codes_of(itself, "META029") == []


def test_a_licence_file_does_not_free_a_model_of_its_base(tmp_path: Path) -> None:
    files = {**adapter(base_model_name_or_path="meta-llama/Llama-3.1-8B"), "LICENSE": MIT}
    (finding,) = findings_of(subject(block("language: en"), files, tmp_path), "META011")
    assert finding.fix is None


def test_the_task_of_the_class_beats_a_near_word(tmp_path: Path) -> None:
    text = block("license: mit\nlanguage: en\nlibrary_name: transformers\npipeline_tag: ner")
    found = findings_of(subject(text, config("BertForSequenceClassification"), tmp_path), "META02")
    assert [finding.rule for finding in found] == ["META024"]
    assert found[0].fix
    assert not found[0].fix.safe
    assert "pipeline_tag: text-classification" in fixed(text, found[0])
