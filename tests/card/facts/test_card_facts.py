"""Each fact and each profile from small folders; every number of a card is traced to the file that it comes from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.layouts import LAYOUTS
from support.profile_folders import PROFILES, edit, write_json, write_run
from support.tracing import disagreeing, numbers_of, untraced

from hubpub.card.document import Card
from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.facts.collect import card_facts
from hubpub.card.facts.fact_list import list_facts
from hubpub.card.sections import course_sections
from hubpub.card.writing.presentation import FILTERS, section_names
from hubpub.card.writing.render import render_card
from hubpub.card.writing.snippets import snippet_names
from hubpub.card.writing.template_choice import TEMPLATES, choose_template
from hubpub.card.writing.templating import Templates
from hubpub.core.errors import UsageError
from hubpub.core.findings import Severity
from hubpub.core.settings import CardSettings
from hubpub.model.folder import ModelFolder
from hubpub.rules.run import lint_card

REGION = re.compile(r"<!-- hubpub:(begin|end) ([a-z0-9-]+)(?: sha256=[0-9a-f]{16})? -->")


def facts_of(path: Path) -> CardFacts:
    return card_facts(
        ModelFolder.open(path), repo_id="acme/tiny", settings=CardSettings(license="mit", language=("en",))
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, CardFacts, str]]:
    """The folder of a profile with all files of a run, its facts and its card."""
    root = tmp_path_factory.mktemp("profiles")
    made: dict[str, tuple[Path, CardFacts, str]] = {}

    def folder_of(profile: str) -> tuple[Path, CardFacts, str]:
        if profile not in made:
            folder = root / profile
            PROFILES[profile](folder)
            write_run(folder)
            facts = facts_of(folder)
            made[profile] = folder, facts, render_card(facts)
        return made[profile]

    return folder_of


def section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("profile", TEMPLATES)
def test_every_profile_leaves_only_what_a_person_must_write(
    profile: str, trained: Callable[[str], tuple[Path, CardFacts, str]]
) -> None:
    folder, facts, text = trained(profile)
    assert choose_template(facts) == profile
    (folder / "README.md").write_text(text)
    findings = lint_card(text.encode(), path="README.md", target="card", folder=ModelFolder.open(folder)).findings
    (folder / "README.md").unlink()
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
    assert [finding.message for finding in findings if finding.rule.startswith("SECT")] == [
        "Intended uses & limitations is still to be written",
        "Limitations and bias is still to be written",
    ]
    assert not {finding.rule for finding in findings if finding.rule.startswith(("EVAL", "TRAIN"))}
    assert [one.heading for one in Card.parse(text).sections if one.level == 2] == [
        *(required.title for required in course_sections()),
        "Citation",
    ]


@pytest.mark.parametrize("profile", TEMPLATES)
def test_every_number_of_a_card_is_that_of_a_file(
    profile: str, trained: Callable[[str], tuple[Path, CardFacts, str]]
) -> None:
    folder, facts, text = trained(profile)
    assert len(numbers_of(text)) > 100
    assert untraced(text, facts) == []
    assert disagreeing(facts, folder) == []
    assert set(facts.sources) == {fact.name for fact in list_facts(facts)}


def test_tracing_finds_a_number_from_nowhere(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    folder, facts, text = trained("classifier")
    assert untraced(text.replace("| 0.6789 |", "| 0.6798 |"), facts) == ["0.6798"]
    edit(folder / "config.json", hidden_size=31)
    wrong = disagreeing(facts, folder)
    edit(folder / "config.json", hidden_size=32)
    assert [fact.name for fact in wrong] == ["hidden_size"]


@pytest.mark.parametrize("profile", TEMPLATES)
def test_what_is_rendered_stands_in_regions(
    profile: str, trained: Callable[[str], tuple[Path, CardFacts, str]]
) -> None:
    _, facts, text = trained(profile)
    marks = REGION.findall(text)
    names = [name for kind, name in marks if kind == "begin"]
    assert marks == [mark for name in names for mark in (("begin", name), ("end", name))]
    assert len(set(names)) == len(names)
    body = Card.parse(text).text[Card.parse(text).front_matter.body_start :]
    outside = re.sub(
        r"<!-- hubpub:begin ([a-z0-9-]+) sha256=\w+ -->\n.*?\n<!-- hubpub:end \1 -->\n", "", body, flags=re.DOTALL
    )
    left = [line for line in outside.splitlines() if line and not line.startswith(("#", "<!-- hubpub:todo", "*To be"))]
    assert left == []
    assert render_card(facts) == text


def test_a_mixture_of_experts_tells_its_active_parameters(
    trained: Callable[[str], tuple[Path, CardFacts, str]],
) -> None:
    _, facts, text = trained("llm")
    assert facts.parameters is not None
    assert facts.active_parameters == facts.parameters - 2 * 16 * 8
    assert "config.json: num_experts_per_tok" in facts.sources["active_parameters"]
    assert f"of which {facts.active_parameters:,} are active for each token, are stored as float32" in text


@pytest.mark.parametrize(
    ("tensors", "settings", "idle"),
    [
        ({"m.layers.0.mlp.experts.gate_up_proj": ("BF16", (8, 4, 4))}, {"num_experts_per_tok": 2}, 6 * 16),
        ({"m.layers.0.mlp.shared_experts.up_proj.weight": ("BF16", (8, 4))}, {"num_experts_per_tok": 2}, None),
        ({"m.layers.0.mlp.experts.gate_up_proj": ("BF16", (8, 4, 4))}, {}, None),
        ({"m.layers.0.mlp.experts.gate_up_proj": ("BF16", (2, 4, 4))}, {"num_experts_per_tok": 4}, None),
    ],
)
def test_only_routed_experts_are_idle(
    tensors: dict[str, tuple[str, tuple[int, ...]]], settings: dict[str, int], idle: int | None, tmp_path: Path
) -> None:
    from support.weights import write_safetensors

    config = {"model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"]}
    write_json(tmp_path / "config.json", {**config, **settings})
    write_safetensors(tmp_path / "model.safetensors", {"embed.weight": ("BF16", (10, 4)), **tensors})
    facts = facts_of(tmp_path)
    assert facts.parameters is not None
    assert facts.active_parameters == (None if idle is None else facts.parameters - idle)


def test_the_tokenizer_is_told(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    facts = trained("classifier")[1].tokenizer
    assert (facts.kind, facts.fast, facts.class_name, facts.longest) == ("WordPiece", True, "BertTokenizer", 64)
    assert {token.role: token.content for token in facts.special}["mask_token"] == "[MASK]"
    assert all(token.id is not None for token in facts.special)
    described = section(trained("llm")[2], "Model description")
    assert "| Kind | byte-level BPE |" in described
    assert "| `eos_token` | `<\\|im_end\\|>` | 3 |" in described
    assert trained("speech")[1].tokenizer.kind == "character level"
    assert trained("seq2seq")[1].tokenizer.kind == "Unigram"
    assert trained("quantized")[1].tokenizer.kind == "byte-level BPE"


def test_what_a_chat_template_can_do(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    chat = trained("llm")[1].chat
    assert chat is not None
    assert dict(chat.abilities) == {
        "System message": True,
        "Generation prompt": True,
        "Tools": False,
        "Results of tools": False,
        "Thinking switched on and off": False,
        "Reasoning effort": False,
        "Documents": False,
        "Images": False,
    }


def test_a_template_with_tools_thinking_and_images(tmp_path: Path) -> None:
    PROFILES["llm"](tmp_path / "m")
    (tmp_path / "m" / "chat_template.jinja").write_text(
        "{% if tools %}{{ tools | tojson }}{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n"
        "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
        "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% if enable_thinking is false %}<think></think>{% endif %}{% endif %}"
    )
    chat = facts_of(tmp_path / "m").chat
    assert chat is not None
    able = {name for name, able in chat.abilities if able}
    expected = {"System message", "Generation prompt", "Tools", "Results of tools", "Images"}
    assert able == expected | {"Thinking switched on and off"}


PARTS_ALONE = (
    "{% for message in messages %}{{ message.role | upper }}: {% for part in message.content FILTERED %}"
    "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}\n{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)


@pytest.mark.parametrize("filtered", ["", "| selectattr('type', 'in', ['image', 'text'])"])
def test_a_template_that_takes_only_parts_can_what_it_can_with_parts(tmp_path: Path, filtered: str) -> None:
    PROFILES["llm"](tmp_path / "m")
    (tmp_path / "m" / "chat_template.jinja").write_text(PARTS_ALONE.replace("FILTERED", filtered))
    chat = facts_of(tmp_path / "m").chat
    assert chat is not None
    assert {name for name, able in chat.abilities if able} == {"System message", "Generation prompt", "Images"}


def test_a_broken_chat_template_has_no_abilities(tmp_path: Path) -> None:
    PROFILES["llm"](tmp_path / "m")
    (tmp_path / "m" / "chat_template.jinja").write_text("{% for %}")
    facts = facts_of(tmp_path / "m")
    assert facts.chat is not None
    assert facts.chat_template
    assert facts.chat.abilities == ()
    assert "Supported" not in render_card(facts)


def test_an_adapter_is_told_by_its_settings(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    _, facts, text = trained("adapter")
    assert facts.base_model_revision == "0123abc"
    described = section(text, "Model description")
    assert "an adapter of PEFT for [acme/base](https://huggingface.co/acme/base) at revision `0123abc`" in described
    assert "| Dropout | 0.05 |" in section(text, "Training procedure")


def test_an_embedding_model_is_told_by_its_modules(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    described = section(trained("embedding")[2], "Model description")
    for line in ("| Module 1 | Pooling (mean\\_tokens) |", "| Similarity | cosine |", "| query | query: |"):
        assert line.replace("\\_", "_") in described.replace("\\_", "_")
    assert "A text becomes a vector of 32 dimensions." in described


def test_entities_are_told_by_type(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    described = section(trained("token-classification")[2], "Model description")
    assert "It finds 2 types of entities: `PER`, `LOC`. Each token gets one of 5 labels:" in described


def test_results_by_label_have_a_table_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    PROFILES["token-classification"](folder)
    metrics = {"eval_PER_f1": 0.91, "eval_PER_number": 120, "eval_LOC_f1": 0.87, "eval_LOC_number": 80}
    write_json(folder / "eval_results.json", {**metrics, "eval_overall_f1": 0.895, "eval_loss": 0.2})
    text = render_card(facts_of(folder))
    results = section(text, "Evaluation results")
    assert "| Label | `f1` | `number` |\n|---|---|---|\n| LOC | 0.87 | 80 |\n| PER | 0.91 | 120 |" in results
    assert "| `overall_f1` | 0.895 |" in results
    assert "PER_f1" not in results


def test_gguf_files_are_told_one_by_one(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    _, facts, text = trained("quantized")
    assert (facts.context_length, facts.hidden_size, facts.base_model) == (128, 256, "acme/base-llama")
    described = section(text, "Model description")
    assert "a quantised version of [acme/base-llama]" in described
    rows = [line for line in described.splitlines() if line.startswith("| `tiny-")]
    assert [row.split(" | ")[1] for row in rows] == ["Q4_0", "Q6_K"]
    # blocks of Q4_0 have 18 bytes for 32 weights; 256 weights of the norm are F32
    assert f"| {round(8 * (32 * 18 + 1024) / (5 * 256), 2)} |" in rows[0]


def test_quantisation_settings_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    PROFILES["llm"](folder)
    quantisation = {
        "quant_method": "gptq",
        "bits": 4,
        "group_size": 128,
        "desc_act": False,
        "_private": 1,
        "dataset": None,
    }
    edit(folder / "config.json", quantization_config=quantisation)
    facts = facts_of(folder)
    assert choose_template(facts) == "quantized"
    described = section(render_card(facts), "Model description")
    for line in ("| `bits` | 4 |", "| `group_size` | 128 |", "| `desc_act` | false |", "quantised by `gptq`"):
        assert line in described
    assert "private" not in described


def test_a_long_log_is_cut_to_what_a_reader_can_take(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    _, facts, text = trained("classifier")
    rows = facts.summary.log.rows
    assert len(rows) <= 20 < facts.summary.log.total == 31
    assert (rows[0].step.value, rows[-1].step.value) == (50, 1550)  # type: ignore[union-attr]
    assert [row.step.value for row in rows if row.step and row.best] == [1350]
    procedure = section(text, "Training procedure")
    assert f"{len(rows)} of the 31 evaluations during the training, rounded to 4 decimals:" in procedure
    assert "| **2.7** | **1,350** | **1.7727** | **1.6615** | **0.4929** |" in procedure
    assert "The best checkpoint is `checkpoint-1350`, in bold above." in procedure
    assert "/root" not in text


@pytest.mark.parametrize("loaded", [True, False, None])
def test_results_of_a_log_are_those_of_the_weights_that_were_saved(loaded: bool | None, tmp_path: Path) -> None:
    """The Trainer names the best checkpoint, and only its arguments say whether that is what it saved."""
    PROFILES["classifier"](tmp_path / "m")
    log = [{"eval_loss": loss, "eval_accuracy": 1 - loss, "step": step} for step, loss in ((5, 0.25), (10, 0.5))]
    state = {"global_step": 10, "best_metric": 0.25, "best_global_step": 5, "best_model_checkpoint": "o/checkpoint-5"}
    write_json(tmp_path / "m" / "trainer_state.json", {**state, "log_history": log})
    if loaded is not None:
        arguments = {"learning_rate": 1e-5, "num_train_epochs": 2, "load_best_model_at_end": loaded}
        write_json(tmp_path / "m" / "training_args.json", {**arguments, "per_device_train_batch_size": 4})
    facts = facts_of(tmp_path / "m")
    results = section(render_card(facts), "Evaluation results")
    last, best = "Measured on the evaluation set after step 10:", "Measured on the evaluation set after step 5"
    assert (last in results, best in results) == (loaded is not True, loaded is not False)
    assert ("that of the best checkpoint; no file tells whether it was saved:" in results) is (loaded is None)
    assert disagreeing(facts, tmp_path / "m") == []
    assert untraced(render_card(facts), facts) == []


def test_how_far_trl_has_come_is_no_result(tmp_path: Path) -> None:
    PROFILES["llm"](tmp_path / "m")
    log = [{"eval_loss": 1.0, "eval_num_tokens": 1140.0, "step": step} for step in (5, 10)]
    write_json(tmp_path / "m" / "trainer_state.json", {"global_step": 10, "log_history": log})
    text = render_card(facts_of(tmp_path / "m"))
    assert "num_tokens" not in text
    assert "| `loss` | 1.0 |" in text


def test_a_model_of_which_nothing_is_known_is_for_a_person_to_describe(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "weights.npz").write_bytes(b"PK\x05\x06" + bytes(18))
    text = render_card(facts_of(tmp_path / "m"))
    assert "is a model." not in text
    assert "<!-- hubpub:todo model-description -->" in text


def test_the_parameters_of_an_older_embedding_model_are_counted(tmp_path: Path) -> None:
    """Before sentence-transformers 2.3, models were saved as pickles."""
    PROFILES["embedding"](tmp_path / "m")
    counted = facts_of(tmp_path / "m").parameters
    pytest.importorskip("torch")
    convert = "import torch, safetensors.torch as s; torch.save(s.load_file('model.safetensors'), 'pytorch_model.bin')"
    subprocess.run([sys.executable, "-c", convert], cwd=tmp_path / "m", check=True, timeout=120)
    (tmp_path / "m" / "model.safetensors").unlink()
    facts = facts_of(tmp_path / "m")
    assert facts.parameters == counted
    assert f"Its {counted:,} parameters are stored as float32." in render_card(facts)


def test_a_single_evaluation_needs_no_table(tmp_path: Path) -> None:
    PROFILES["classifier"](tmp_path / "m")
    write_json(
        tmp_path / "m" / "trainer_state.json",
        {"global_step": 5, "log_history": [{"loss": 1.5, "step": 5}, {"eval_loss": 1.0, "step": 5}]},
    )
    text = render_card(facts_of(tmp_path / "m"))
    assert "evaluations during" not in text
    assert "Measured on the evaluation set after step 5:" in text


def test_machine_emissions_data_and_citation(trained: Callable[[str], tuple[Path, CardFacts, str]]) -> None:
    text = trained("classifier")[2]
    procedure, data = section(text, "Training procedure"), section(text, "Training data")
    for line in (
        "0.0123 kg of CO2 equivalent and 0.034 kWh of energy in 4400.5 seconds (1 h 13 min) in Germany.",
        "| GPU | 1 x NVIDIA A100 |",
        "| Main memory | 64.0 GiB |",
        "| python | 3.11.4 |",
        "| `seed` | 4242 |",
        "| `bf16` | true |",
        "| Training time | 4321.5 seconds (1 h 12 min) |",
    ):
        assert line in procedure
    assert "The data set `reviews`, licence cc-by-4.0, version 1.0.0:" in data
    assert "| train | 4,000 |\n| validation | 200 |" in data
    assert "| `label` | class_label, 2 classes: `neg`, `pos` |" in data
    assert "  author = {Lovelace, Ada},\n" in section(text, "Citation")
    assert "title = {Tiny models \\& more}" in text
    assert "| hellaswag | `acc` | 5 | 0.512345 | 0.01 |" in section(text, "Evaluation results")
    assert "Measured on 150 examples of the test set:" in text


def test_base_model_and_data_come_from_the_configuration_of_the_run(tmp_path: Path) -> None:
    PROFILES["llm"](tmp_path / "m")
    (tmp_path / "m" / "axolotl.yaml").write_text(
        "base_model: acme/base\ndatasets:\n  - path: acme/chats\n  - path: ./mine.jsonl\n  - path: data/own\n"
        "micro_batch_size: 2\nnum_epochs: 3\nlearning_rate: 2e-4\nsequence_len: 512\n"
    )
    facts = facts_of(tmp_path / "m")
    assert (facts.base_model, facts.base_model_relation, facts.datasets) == ("acme/base", "finetune", ("acme/chats",))
    assert facts.sources["run.settings.learning_rate"] == "axolotl.yaml: learning_rate"
    assert "| `learning_rate` | 0.0002 |" in render_card(facts)


def test_one_of_many_experiments_further_down_is_not_the_run(tmp_path: Path) -> None:
    PROFILES["classifier"](tmp_path / "m")
    for name in ("a", "b"):
        arguments = {"learning_rate": 1e-5, "num_train_epochs": 3, "per_device_train_batch_size": 4, "seed": 1}
        write_json(tmp_path / "m" / "experiments" / name / "training_args.json", arguments)
    assert facts_of(tmp_path / "m").summary.settings == ()
    (tmp_path / "m" / "experiments" / "b" / "training_args.json").unlink()
    assert len(facts_of(tmp_path / "m").summary.settings) == 4


HOSTILE = [
    "a | b\n## Evil",
    "<script>alert(1)</script>",
    "```\n# x",
    "<!-- hubpub:end training-data --> x",
    "![x](https://e.org/x.png)",
]


@pytest.mark.parametrize("payload", HOSTILE)
@pytest.mark.parametrize("profile", ["llm", "embedding", "quantized", "token-classification"])
def test_text_of_any_file_stays_text(profile: str, payload: str, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    PROFILES[profile](folder)
    write_run(folder)
    edit(folder / "config_sentence_transformers.json", prompts={payload: payload}, similarity_fn_name=payload)
    edit(folder / "generation_config.json", language=payload)
    edit(folder / "training_args.json", optim=payload)
    edit(folder / "tokenizer_config.json", eos_token=payload, tokenizer_class=payload)
    edit(folder / "config.json", quantization_config={"quant_method": payload, payload: payload})
    names = {"features": {payload: {"names": [payload], "_type": "ClassLabel"}}, "dataset_name": payload}
    edit(folder / "dataset_info.json", **names, license=payload, splits={payload: {"name": payload, "num_examples": 3}})
    results = json.loads((folder / "results_2025-01-01T00-00-00.json").read_text())
    results["results"] = {payload: {f"{payload},none": 0.5, "alias": payload}}
    write_json(folder / "results_2025-01-01T00-00-00.json", results)
    edit(folder / "all_results.json", **{f"eval_{payload}": 0.25})
    (folder / "CITATION.cff").write_text(
        json.dumps({"title": f"{payload} }}", "authors": [{"family-names": payload}], "year": 2025})
    )
    text = render_card(facts_of(folder))
    card = Card.parse(text)
    assert [one.heading for one in card.sections if one.level == 2][:7] == [one.title for one in course_sections()]
    assert len(REGION.findall(text)) == len(re.findall(r"^<!-- hubpub:(?:begin|end)", text, re.MULTILINE))
    shown = "\n".join(block.text for block in card.blocks if block.kind != "code")
    outside_code = re.sub(r"`[^`\n]*`", "", shown)
    assert "<script" not in outside_code
    assert not re.search(r"(?<!\\)\]\(https://e.org", outside_code)
    assert not any(block.kind == "html" and "hubpub:" not in block.text for block in card.blocks)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_files_gets_a_card_without_errors(layout: str, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    LAYOUTS[layout][0](folder)
    text = render_card(facts_of(folder))
    (folder / "README.md").write_text(text)
    findings = lint_card(text.encode(), path="README.md", target="card", folder=ModelFolder.open(folder)).findings
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
    facts = facts_of(folder)
    assert untraced(text, facts) == []


def test_the_real_model(minilm: Path) -> None:
    facts = facts_of(minilm)
    described = section(render_card(facts), "Model description")
    assert "| Module 1 | Pooling (mean_tokens) |" in described
    assert "| Kind | WordPiece |\n| Tokens in all | 30,522 |" in described
    assert "| `mask_token` | `[MASK]` | 103 |" in described
    assert untraced(render_card(facts), facts) == []
    wrong = disagreeing(facts, minilm)
    assert [fact.name for fact in wrong] == []


def test_an_unknown_template_is_an_error_with_the_names_of_all() -> None:
    for name in ("nothing", "../default", "sections/citation"):
        with pytest.raises(UsageError, match="there is no template") as error:
            render_card(CardFacts(name="x"), Templates(name=name))
        assert "token-classification" in str(error.value.next_step)
    assert "## Model description" in render_card(CardFacts(name="x"), Templates(name="speech"))


def test_pictures_stand_in_their_sections() -> None:
    class Picture:
        def __init__(self, path: str, section: str) -> None:
            self.path, self.alt, self.caption, self.section = path, "Loss [by] step", "The *loss*", section

    pictures = (
        Picture("assets/loss.svg", "training-procedure"),
        Picture("assets/scores.svg", "evaluation-results"),
        Picture("https://e.org/x.svg", "evaluation-results"),
        Picture("../x.svg", "evaluation-results"),
    )
    text = render_card(CardFacts(name="x", architecture="A", pictures=pictures))
    results = section(text, "Evaluation results")
    assert "![Loss \\[by\\] step](assets/scores.svg)\n\n*The \\*loss\\**" in results
    assert "<!-- hubpub:begin evaluation-results-pictures sha256=" in results
    assert "e.org" not in text
    assert "../x" not in text


def test_the_docs_name_all_that_templates_may_use() -> None:
    page = (Path(__file__).parents[3] / "docs" / "card-templates.md").read_text()
    code = " ".join(re.findall(r"`([^`\n]+)`", page))
    words = set(re.findall(r"[\w-]+", code))
    facts = CardFacts(name="x")
    assert set(section_names(facts)) | set(snippet_names(facts)) | set(FILTERS) | set(TEMPLATES) <= words
