from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path

import pytest

from hubpub.card.code.removed_api import auto_classes_that_make
from hubpub.card.document import Card
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.facts.licence_text import licence_of_text
from hubpub.card.facts.usage import Usage
from hubpub.card.metadata.schema import validate_card
from hubpub.card.metadata.yaml_text import dump
from hubpub.card.sanitise import inline_code, markdown_text, one_line, python_string
from hubpub.card.sections import course_sections, required_sections
from hubpub.card.writing.render import render_card
from hubpub.card.writing.snippets import choose_snippet
from hubpub.card.writing.templating import template_folder
from hubpub.core.findings import Severity
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.rules.run import lint_card

GAPS_OF_AN_UNTRAINED_MODEL = {"Intended uses & limitations", "Limitations and bias", "Training data"} | {
    "Training procedure",
    "Evaluation results",
}


def facts_of(path: Path, repo_id: str | None = "acme/tiny", settings: CardSettings | None = None) -> CardFacts:
    return card_facts(ModelFolder.open(path), repo_id=repo_id, settings=settings or CardSettings(license="mit"))


def rendered(path: Path, **keywords: object) -> str:
    return render_card(facts_of(path, **keywords))  # type: ignore[arg-type]


def snippets(text: str) -> list[str]:
    return [block.text for block in Card.parse(text).blocks if block.kind == "code" and block.language == "python"]


@pytest.mark.parametrize("name", ["plain_model", "bert_classifier", "chat_lm", "chat_lm_sharded", "minilm"])
def test_a_rendered_card_has_no_findings_but_its_gaps(name: str, request: pytest.FixtureRequest) -> None:
    text = rendered(request.getfixturevalue(name))
    report = lint_card(text.encode(), path="README.md", target="card")
    # which languages the model knows, only its author can tell
    findings = [finding for finding in report.findings if finding.rule != "META019"]
    assert {finding.rule for finding in findings} == {"SECT010"}
    told = {"Training data"} if name == "minilm" else set()  # by data_config.json
    gaps = {finding.message.removesuffix(" is still to be written") for finding in findings}
    assert gaps == GAPS_OF_AN_UNTRAINED_MODEL - told
    assert validate_card(text).issues == ()
    assert [section.heading for section in Card.parse(text).sections if section.level == 2] == [
        section.title for section in course_sections()
    ]
    for snippet in snippets(text):
        ast.parse(snippet)
        assert "acme/tiny" in snippet


def test_a_classifier_is_described_by_its_files(plain_model: Path) -> None:
    facts = facts_of(plain_model)
    assert (facts.architecture, facts.pipeline_tag, facts.library_name) == (
        "BertForSequenceClassification",
        "text-classification",
        "transformers",
    )
    assert facts.labels == ("negative", "positive")
    assert (facts.context_length, facts.hidden_size, facts.layers) == (64, 32, 1)
    assert facts.base_model is None
    text = render_card(facts)
    assert f"{facts.parameters:,} parameters are stored as float32" in text
    assert "| 0 | negative |\n| 1 | positive |" in text
    assert 'pipeline("text-classification", model="acme/tiny")' in text
    assert Card.parse(text).front_matter.data == {
        "license": "mit",
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "widget": [{"text": "The parcel arrived two days late, but the support team answered within minutes."}],
    }


def test_a_chat_model_is_used_with_its_template(chat_lm: Path) -> None:
    text = rendered(chat_lm)
    assert "apply_chat_template" in text
    assert Card.parse(text).front_matter.data == {
        "license": "mit",
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["conversational"],
        "widget": [{"messages": [{"role": "user", "content": "Why is the sky blue? Answer in two sentences."}]}],
    }


def test_a_real_model(minilm: Path) -> None:
    facts = facts_of(minilm, settings=CardSettings())
    assert (facts.parameters, facts.embedding_size, facts.context_length) == (22_713_728, 384, 256)
    assert (facts.pipeline_tag, facts.base_model) == ("sentence-similarity", "nreimers/MiniLM-L6-H384-uncased")
    assert 'SentenceTransformer("acme/tiny")' in render_card(facts)


def test_rendering_is_deterministic_and_tells_no_path(plain_model: Path) -> None:
    code = (
        "import sys; from hubpub.card.facts.collect import card_facts\n"
        "from hubpub.card.writing.render import render_card\n"
        "from hubpub.core.settings import CardSettings; from hubpub.model.folder import ModelFolder\n"
        "facts = card_facts(ModelFolder.open(sys.argv[1]), repo_id='acme/tiny', settings=CardSettings(license='mit'))\n"
        "sys.stdout.write(render_card(facts))"
    )
    other = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code, str(plain_model)], capture_output=True, text=True, check=True
    )
    text = rendered(plain_model)
    assert other.stdout == text == rendered(plain_model)
    assert str(plain_model.parent) not in text
    assert "hubpub" not in re.sub(r"<!-- hubpub:(?:todo|begin|end) [a-z-]+(?: sha256=[0-9a-f]{16})? -->", "", text)


def test_a_training_run_is_told_number_by_number(plain_model: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(plain_model)
    results = {"epoch": 3.0, "eval_accuracy": 0.9123456, "eval_loss": 0.25, "eval_runtime": 9.1, "eval_samples": 872}
    results |= {"train_loss": 0.1987, "train_runtime": 812.5, "train_samples": 67349, "total_flos": 1234567.0}
    (folder / "all_results.json").write_text(json.dumps(results))
    state = {"global_step": 6315, "train_batch_size": 32, "num_train_epochs": 3, "max_steps": 6315}
    state["log_history"] = [{"learning_rate": 2e-05, "loss": 0.4, "step": 500}, {"learning_rate": 1e-05, "loss": 0.2}]
    (folder / "trainer_state.json").write_text(json.dumps(state))
    (folder / "training_args.bin").write_bytes(b"\x80\x04never opened")
    settings = CardSettings(license="MIT", language=("en", "no"), datasets=("stanfordnlp/sst2",))
    text = rendered(folder, settings=settings)
    for line in (
        "| `accuracy` | 0.9123456 |",
        "| `loss` | 0.25 |",
        "| Training loss | 0.1987 |",
        "| Highest learning rate logged | 2e-05 |",
        "| Steps | 6,315 |",
        "| `train_batch_size` | 32 |",
        "Measured on 872 examples of the evaluation set:",
        "trained on [stanfordnlp/sst2](https://huggingface.co/datasets/stanfordnlp/sst2).",
        "| Training examples | 67,349 |",
    ):
        assert line in text
    assert "runtime" not in text.partition("## Evaluation results")[2]
    data = Card.parse(text).front_matter.data
    assert data is not None
    assert (data["license"], data["language"], data["datasets"]) == ("mit", ["en", "no"], ["stanfordnlp/sst2"])
    assert data["model-index"] == [
        {
            "name": "tiny",
            "results": [
                {
                    "task": {"type": "text-classification"},
                    "dataset": {"name": "stanfordnlp/sst2", "type": "stanfordnlp/sst2"},
                    "metrics": [{"type": "accuracy", "name": "accuracy", "value": 0.9123456}],
                }
            ],
        }
    ]
    assert validate_card(text).issues == ()
    findings = lint_card(text.encode(), path="README.md", target="card").findings
    assert [finding.message for finding in findings] == [
        "Intended uses & limitations is still to be written",
        "Limitations and bias is still to be written",
        "hyper-parameters are given, but no seed",
        "the training is described, but not the hardware",
    ]


def test_the_last_evaluation_in_the_log_serves_when_there_is_no_result_file(
    plain_model: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder = copy_of(plain_model)
    log = [{"eval_f1": 0.5, "step": 10}, {"eval_f1": 0.75, "eval_runtime": 1.0, "step": 20}, {"train_runtime": 3.0}]
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": log, "global_step": 20}))
    text = rendered(folder)
    assert "Measured on the evaluation set after step 20:" in text
    assert "| `f1` | 0.75 |" in text


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"log_history": 3}', '{"log_history": [1, null]}', '{"log_history": [{"loss": NaN}]}']
)
def test_broken_training_files_are_no_facts(plain_model: Path, copy_of: Callable[[Path], Path], content: str) -> None:
    folder = copy_of(plain_model)
    for name in ("trainer_state.json", "all_results.json", "eval_results.json"):
        (folder / name).write_text(content)
    assert not facts_of(folder).training


def test_an_adapter_names_its_base_model(tmp_path: Path) -> None:
    config = {"base_model_name_or_path": "meta-llama/Llama-3.1-8B", "peft_type": "LORA", "task_type": "CAUSAL_LM"}
    config |= {"r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": ["v_proj", "q_proj"]}
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    text = rendered(tmp_path)
    assert Card.parse(text).front_matter.data == {
        "license": "mit",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "base_model": "meta-llama/Llama-3.1-8B",
        "base_model_relation": "adapter",
        "tags": ["lora"],
        "widget": [{"text": "The three most important things about a good night's sleep are"}],
    }
    assert "AutoPeftModelForCausalLM.from_pretrained(" in text
    assert 'AutoTokenizer.from_pretrained("meta-llama/Llama-3.1-8B")' in text
    assert "| Rank | 16 |" in text
    assert "| Target modules | q_proj, v_proj |" in text


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("google-bert/bert-base-uncased", True),
        ("bert-base-uncased", True),
        ("/root/.cache/model", False),
        ("./out", False),
        ("results/checkpoint-500", False),
        ("output/best", False),
        ("my-model", False),
        ("acme/tiny", False),
        ("C:\\models\\x", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_public_id_is_a_base_model(
    plain_model: Path, copy_of: Callable[[Path], Path], name: str | None, kept: bool
) -> None:
    folder = copy_of(plain_model)
    config = json.loads((folder / "config.json").read_text()) | {"_name_or_path": name}
    (folder / "config.json").write_text(json.dumps(config))
    assert facts_of(folder).base_model == (name if kept else None)


def test_the_licence_is_read_from_its_file(plain_model: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(plain_model)
    (folder / "LICENSE").write_text("                 Apache License\n           Version 2.0, January 2004\n")
    assert facts_of(folder, settings=CardSettings(license="mit")).license == "apache-2.0"
    (folder / "LICENSE").write_text("All rights reserved.")
    assert facts_of(folder, settings=CardSettings()).license is None


def test_licence_texts() -> None:
    assert licence_of_text("GNU LESSER GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007") == "lgpl-3.0"
    assert licence_of_text("Attribution-NonCommercial 4.0 International\n====") == "cc-by-nc-4.0"
    assert licence_of_text("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT") == "llama3.1"
    assert licence_of_text("") is None


HOSTILE = [
    "{{ ''.__class__.__mro__ }}",
    "{% for x in range(10**9) %}x{% endfor %}",
    "x\n---\nlicense: evil\n---\n# Title",
    "</td><script>alert(1)</script>",
    "[click](https://example.org) ![x](y)",
    "a | b | c\n|---|",
    "```\nimport os\n```",
    "`code` <!-- hubpub:todo how-to-use -->",
    "# heading",
    "- item",
    "\u202eevil\u202c\x00\x1b[31m",
    "[More Information Needed]"[::-1],
    "a" * 100_000,
    '"; import os; os.system("x") #',
]


@pytest.mark.parametrize("payload", HOSTILE)
def test_text_from_the_folder_stays_text(plain_model: Path, copy_of: Callable[[Path], Path], payload: str) -> None:
    folder = copy_of(plain_model)
    config = json.loads((folder / "config.json").read_text())
    config |= {"id2label": {"0": payload, "1": "good"}, "model_type": payload, "transformers_version": payload}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text()) | {"chat_template": payload}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    clean = Card.parse(render_card(facts_of(folder)))
    assert validate_card(clean.text).errors == ()
    assert [section.heading for section in clean.sections if section.level == 2] == [
        section.title for section in course_sections()
    ]
    assert "<script" not in clean.text
    assert not any(block.kind == "html" and "hubpub" not in block.text for block in clean.blocks)
    description = clean.sections[1]
    kinds = [block.kind for block in description.blocks if block.kind != "html"]
    assert kinds == ["text", "text", "table", "table", "table", "table"]
    assert "license: evil" not in clean.front_matter.raw
    assert len(clean.text) < 20_000


@pytest.mark.parametrize("payload", HOSTILE)
def test_a_hostile_name_stays_a_name(payload: str) -> None:
    usage = Usage("AutoModelForMaskedLM", tokenizer=True)
    facts = CardFacts(payload, kind="transformers", architecture=payload, mask_token=payload, usage=usage)
    card = Card.parse(render_card(facts))
    assert [section.heading for section in card.sections if section.level == 2] == [
        section.title for section in course_sections()
    ]
    assert sum(section.level == 1 for section in card.sections) == 1
    (snippet,) = snippets(card.text)
    calls = [node for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.Call)]
    assert not any(isinstance(call.func, ast.Attribute) and call.func.attr == "system" for call in calls)
    assert required_sections(card)
    report = lint_card(card.text.encode(), path="README.md", target="card")
    assert [finding for finding in report.findings if finding.severity is Severity.ERROR] == []


def test_metadata_means_the_same_to_both_readers() -> None:
    values = {"tags": ["1e3", "no", "0o12", "12:30:45", "a: b", "x\n---\ny", "~", "2024-01-01", "- a", "#", "é"]}
    front_matter = Card.parse(f"---\n{dump(values)}---\n").front_matter
    assert front_matter.data == front_matter.hub_data
    assert front_matter.data == {"tags": [value.replace("\n", " ") for value in values["tags"]]}


def test_sanitising() -> None:
    assert one_line("a\n\tb\u202e\x00") == "a b"
    assert markdown_text("*a* <b> {{x}} snake_case _x_ 1. a") == (
        "\\*a\\* &lt;b&gt; &#123;&#123;x&#125;&#125; snake_case \\_x\\_ 1. a"
    )
    assert markdown_text("1. a") == "1\\. a"
    assert inline_code("x_y") == "`x_y`"
    assert inline_code("a`b") == "a\\`b"
    assert ast.literal_eval(python_string('"\\\n')) == '"\\'


def models() -> Iterator[CardFacts]:
    """Models of every kind, auto class and library, with all that a snippet may need and with nothing of it."""
    for kind in ("adapter", "diffusers", "gguf", "onnx", "timm", "other"):
        yield CardFacts("x", kind=kind, library_name="peft", usage=Usage(gguf=(("x.gguf", ""),), onnx="model.onnx"))
    yield CardFacts("x", usage=Usage(setfit=True))
    yield CardFacts("x", base_model="a/b", usage=Usage(adapters=("one", "other")))
    yield CardFacts("x", kind="transformers", library_name="mlx", pipeline_tag="text-generation")
    for name in ("SentenceTransformer", "CrossEncoder", "SparseEncoder"):
        yield CardFacts("x", usage=Usage(sentence_class=name))
    for auto_class in {"AutoModel", *chain.from_iterable(auto_classes_that_make().values())}:
        for full, chat, image in product((True, False), repeat=3):
            usage = Usage(auto_class, tokenizer=full, preprocessor=full, chat=chat, image=image)
            several = [usage, replace(usage, classes=1), replace(usage, tokenizer=False)]
            for one, family in product(several, ("bert", "blip", "vits")):
                yield CardFacts("x", kind="transformers", model_type=family, mask_token="[MASK]", usage=one)
            yield CardFacts("x", kind="transformers", mask_token="[MASK]", usage=replace(usage, preprocessor=False))


def test_every_model_gets_a_snippet_in_the_current_api_and_every_snippet_has_its_models() -> None:
    by_snippet = {choose_snippet(facts): facts for facts in models()}
    partials = {path.name.partition(".")[0] for path in (template_folder() / "snippets").glob("*.md.jinja")}
    assert set(by_snippet) == partials - {"own-code", "vllm"}  # which the others include
    removed = re.compile(r"TF\w+|Flax\w+|AutoModelWithLMHead|pipeline\(\"(?:summarization|translation|question)")
    for name, facts in by_snippet.items():
        text = render_card(facts)
        assert snippets(text), name
        assert not removed.search(text), name
        for snippet in snippets(text):
            ast.parse(snippet)


def test_the_templates_are_found_in_a_checkout() -> None:
    assert (template_folder() / "default.md.jinja").is_file()
