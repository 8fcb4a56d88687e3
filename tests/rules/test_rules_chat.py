"""One defect each in a sound chat template: the report names that defect, and nothing else."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.chats import save_chat
from support.judging import judge_folder
from support.models import CHAT_TEMPLATE

from hubpub.core.findings import Finding

Defect = Callable[[Path], object]
Expected = list[tuple[str, str, str]]

JINJA, CONFIG = "chat_template.jinja", "tokenizer_config.json"
MARK = "{% for m in messages %}"
TURN = "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
END = "{% endfor %}"
GO = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
SOUND = MARK + TURN + END + GO


def template(text: str) -> Defect:
    return lambda model: (model / JINJA).write_text(text)


def extra(name: str, text: str) -> Defect:
    def defect(model: Path) -> None:
        (model / "additional_chat_templates").mkdir(exist_ok=True)
        (model / "additional_chat_templates" / name).write_text(text)

    return defect


def change(name: str, **values: Any) -> Defect:
    """Set keys of a JSON file, which may be new; None removes one."""

    def defect(model: Path) -> None:
        path = model / name
        document = json.loads(path.read_text()) if path.exists() else {}
        document |= values
        path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))

    return defect


def in_config(value: Any) -> Defect:
    return lambda model: ((model / JINJA).unlink(), change(CONFIG, chat_template=value)(model))


def together(*defects: Defect) -> Defect:
    return lambda model: [defect(model) for defect in defects]


def remove(name: str) -> Defect:
    return lambda model: (model / name).unlink()


def gguf(text: str) -> bytes:
    """A GGUF file of version 3 without tensors, with an architecture and a chat template."""

    def string(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    values = {"general.architecture": "llama", "tokenizer.chat_template": text}
    pairs = b"".join(string(key) + struct.pack("<I", 8) + string(value) for key, value in values.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(values)) + pairs


def with_gguf(text: str) -> Defect:
    return lambda model: (model / "model-Q4_K_M.gguf").write_bytes(gguf(text))


DEFECTS: dict[str, tuple[Defect, Expected]] = {
    "does not parse": (template("{% for m in messages %}{{ m.content }}"), [("CHAT001", "error", JINJA)]),
    "unknown tag": (template(SOUND + "{% nonsense %}"), [("CHAT001", "error", JINJA)]),
    "does not parse, in the config": (in_config("{{ messages["), [("CHAT001", "error", CONFIG)]),
    "does not parse, among several": (
        in_config([{"name": "default", "template": SOUND}, {"name": "rag", "template": "{% if %}"}]),
        [("CHAT001", "error", CONFIG)],
    ),
    "additional does not parse": (
        extra("rag.jinja", "{% if %}"),
        [("CHAT001", "error", EXTRA := "additional_chat_templates/rag.jinja")],
    ),
    "empty": (template(" \n"), [("CHAT001", "error", JINJA)]),
    "not UTF-8": (lambda model: (model / JINJA).write_bytes(b"{\xe9"), [("CHAT001", "error", JINJA)]),
    "a number": (in_config(7), [("CHAT001", "error", CONFIG)]),
    "a list of strings": (in_config([SOUND]), [("CHAT001", "error", CONFIG)]),
    "nested 3,000 deep": (template("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}"), [("CHAT001", "error", JINJA)]),
    "chat_template.json without one": (change("chat_template.json", a=1), [("CHAT001", "error", "chat_template.json")]),
    "unknown filter": (template(SOUND + "{{ messages | from_json }}"), [("CHAT002", "error", JINJA)]),
    "unknown filter in a branch": (
        template(SOUND + "{% if tools %}{{ tools | from_json }}{% endif %}"),
        [("CHAT002", "warning", JINJA)],
    ),
    "unknown test": (template(SOUND + "{{ messages is listy }}"), [("CHAT002", "error", JINJA)]),
    "unknown function": (template(SOUND + "{{ now() }}"), [("CHAT002", "error", JINJA)]),
    "include": (template(SOUND + "{% include 'other.jinja' %}"), [("CHAT002", "error", JINJA)]),
    "misspelt variable": (template(SOUND.replace("in messages", "in mesages.all")), [("CHAT003", "error", JINJA)]),
    "calls a string": (template(SOUND + "{{ messages[0].content() }}"), [("CHAT003", "error", JINJA)]),
    "underscored attribute of a namespace": (
        template("{% set ns = namespace() %}{% set ns._a = 1 %}" + SOUND),
        [("CHAT003", "error", JINJA)],
    ),
    "only with tools": (template(SOUND + "{% for t in tools %}{% endfor %}"), [("CHAT003", "warning", JINJA)]),
    "needs a variable": (template(SOUND + "{{ persona.name }}"), [("CHAT003", "warning", JINJA)]),
    "changes a list": (
        template("{% set l = [] %}{% if tools %}{{ l.append(1) }}{% endif %}" + SOUND),
        [("CHAT003", "warning", JINJA)],
    ),
    "refuses everything": (template("{{ raise_exception('no') }}"), [("CHAT003", "warning", JINJA)]),
    "no such token": (
        template(SOUND.replace("<|im_start|>", "<|start_header_id|>")),
        [("CHAT006", "error", JINJA)],
    ),
    "misspelt token": (template(SOUND.replace("<|im_end|>", "<|im_stop|>")), [("CHAT006", "error", JINJA)]),
    "no such token in tool calls": (
        template(SOUND + "{% if tools %}<|tool_list|>{% endif %}"),
        [("CHAT006", "warning", JINJA)],
    ),
    "no generation prompt": (template(MARK + TURN + END), [("CHAT007", "warning", JINJA)]),
    "no end of turns": (template(SOUND.replace("<|im_end|>", "")), [("CHAT008", "error", JINJA)]),
    "no end of the assistant's turn": (
        template(SOUND.replace("<|im_end|>", "{% if m.role != 'assistant' %}<|im_end|>{% endif %}")),
        [("CHAT008", "error", JINJA)],
    ),
    "end of turn is not set": (
        together(change(CONFIG, eos_token="<|endoftext|>"), template(SOUND.replace("<|im_end|>", "\n"))),
        [("CHAT008", "error", JINJA), ("TOKEN006", "error", "config.json")],
    ),
    "user dropped": (template(SOUND.replace("{{ m.content }}", "{{ m.text }}")), [("CHAT010", "error", JINJA)]),
    "assistant dropped": (
        template(SOUND.replace("in messages", "in messages if m.role != 'assistant'")),
        [("CHAT010", "error", JINJA)],
    ),
    "only the last message": (
        template(SOUND.replace("in messages", "in messages[-1:]")),
        [("CHAT010", "warning", JINJA)],
    ),
    "earlier turns dropped": (
        template(SOUND.replace("in messages", "in messages[-2:]")),
        [("CHAT010", "warning", JINJA)],
    ),
    "system dropped": (
        template(SOUND.replace("in messages", "in messages if m.role != 'system'")),
        [("CHAT010", "warning", JINJA)],
    ),
    "HTML": (template(SOUND.replace("m.content", "m.content|e")), [("CHAT010", "warning", JINJA)]),
    "no template": (remove(JINJA), [("CHAT011", "warning", CONFIG)]),
    "no template, by the generation config": (
        together(
            remove(JINJA),
            change(CONFIG, eos_token="<pad>", added_tokens_decoder={"3": {"content": "<|im_end|>"}}),
            change("generation_config.json", eos_token_id=[1, 3]),
        ),
        [("CHAT011", "warning", CONFIG), ("TOKEN006", "error", "generation_config.json")],
    ),
    "two that differ": (change(CONFIG, chat_template=SOUND + "\n{{ 'x' }}"), [("CHAT012", "warning", CONFIG)]),
    "processor and file differ": (
        change("chat_template.json", chat_template=SOUND + "{{ 'x' }}"),
        [("CHAT012", "warning", "chat_template.json")],
    ),
    "no default": (
        in_config([{"name": "rag", "template": SOUND}]),
        [("CHAT016", "warning", CONFIG)],
    ),
    "the default is replaced": (
        together(in_config(SOUND), extra("rag.jinja", SOUND)),
        [("CHAT016", "warning", EXTRA)],
    ),
    "conflicting files": (
        together(change("chat_template.json", chat_template=CHAT_TEMPLATE), extra("rag.jinja", SOUND)),
        [("CHAT017", "error", "chat_template.json")],
    ),
    "escape in a GGUF file": (
        with_gguf("{{ ''.__class__.__mro__ }}" + SOUND),
        [("CHAT005", "error", "model-Q4_K_M.gguf")],
    ),
    "escape in a file that nothing reads by itself": (
        lambda model: (model / "vllm_template.jinja").write_text("{{ ''.__class__ }}{{ x | unknown }}"),
        [("CHAT005", "error", "vllm_template.jinja")],
    ),
    "escape in processor_config.json": (
        change("processor_config.json", chat_template="{{ ''.__class__ }}"),
        [("CHAT005", "error", "processor_config.json")],
    ),
    "escape in a directory": (
        lambda model: ((model / "tokenizer").mkdir(), (model / "tokenizer" / JINJA).write_text("{{ ''.__class__ }}")),
        [("CHAT005", "error", f"tokenizer/{JINJA}")],
    ),
}


@pytest.fixture(scope="module")
def chat_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chat") / "model"
    save_chat(folder)
    return folder


@pytest.fixture
def model(chat_folder: Path, copy_of: Callable[[Path], Path]) -> Path:
    return copy_of(chat_folder)


def findings(model: Path) -> list[Finding]:
    """Errors and warnings; what the CHAT rules could not look at fails the test."""
    found = judge_folder(model)
    assert all(isinstance(finding, Finding) for finding in found)
    return [finding for finding in found if isinstance(finding, Finding) and finding.severity != "info"]


def test_the_control_is_sound(model: Path) -> None:
    assert judge_folder(model) == []
    template(SOUND)(model)
    assert judge_folder(model) == []


@pytest.mark.parametrize("name", DEFECTS)
def test_defect(name: str, model: Path) -> None:
    defect, expected = DEFECTS[name]
    defect(model)
    found = findings(model)
    assert [(f.rule, f.severity.value, f.path) for f in found] == expected
    assert (found[0].path or "") in found[0].message
    assert found[0].hint


SOUND_OTHERS = {
    "Mistral": "<s>{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'system' %}{{ raise_exception('no') }}{% else %} {{ m.content }}</s>{% endif %}{% endfor %}",
    "plain text": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}",
    "Zephyr": "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
    "always a generation prompt": MARK + TURN + END + "<|im_start|>assistant\n",
    "not closed at the very end": MARK
    + TURN.replace("<|im_end|>", "{% if not (loop.last and m.role == 'assistant') %}<|im_end|>{% endif %}")
    + END
    + GO,
    "parts only": "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for part in m.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}" + GO,
    "refuses a system message": "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + SOUND,
    "generation": MARK + "{% generation %}" + TURN + "{% endgeneration %}" + END + GO,
    "loop controls": SOUND + "{% for m in messages %}{% break %}{% endfor %}",
    "asks for a function": SOUND + "{% if my_now is defined %}{{ my_now() }}{% endif %}",
    "documents and thinking": SOUND + "{% for d in documents or [] %}{{ d.text }}{% endfor %}{{ enable_thinking }}",
    "Windows line ends": SOUND.replace("\n", "\r\n"),
    "separator instead of an end": "{% for m in messages %}{{ m.content }}<sep>{% endfor %}",
}


@pytest.mark.parametrize("name", SOUND_OTHERS)
def test_other_sound_templates(name: str, model: Path) -> None:
    template(SOUND_OTHERS[name])(model)
    assert findings(model) == []


def test_same_template_in_two_files_is_no_difference(model: Path) -> None:
    change(CONFIG, chat_template=CHAT_TEMPLATE + "\n")(model)
    change("chat_template.json", chat_template=CHAT_TEMPLATE)(model)
    with_gguf(CHAT_TEMPLATE)(model)
    assert findings(model) == []


def test_the_same_defect_in_two_files_is_one_finding(model: Path) -> None:
    template("{% if %}")(model)
    change(CONFIG, chat_template="{% if %}")(model)
    assert [(f.rule, f.path) for f in findings(model)] == [("CHAT001", JINJA)]


def test_line_of_a_file_and_of_a_template_in_json(model: Path) -> None:
    template("a\nb\n{% if %}")(model)
    [finding] = findings(model)
    assert finding.line == 3
    in_config("a\nb\n{% if %}")(model)
    [finding] = findings(model)
    assert finding.line is None
    assert "line 3 of the template" in finding.message


@pytest.mark.parametrize(
    "change_it",
    [
        change(CONFIG, eos_token="<|endoftext|>"),
        change("config.json", architectures=["LlamaForSequenceClassification"]),
        change(CONFIG, auto_map={"AutoTokenizer": ["tokenization.Tokenizer", None]}),
    ],
    ids=["base model with the tokens", "classifier", "code of its own"],
)
def test_no_template_is_missing_there(change_it: Defect, model: Path) -> None:
    """Base models have ChatML's tokens too; what ends an answer is what counts."""
    remove(JINJA)(model)
    change_it(model)
    assert [f for f in findings(model) if f.rule.startswith("CHAT")] == []


def test_a_classifier_needs_no_generation_prompt(model: Path) -> None:
    change("config.json", architectures=["LlamaForSequenceClassification"])(model)
    template(MARK + "<|im_start|>{{ m.content }}" + END)(model)
    assert [f for f in findings(model) if f.rule.startswith("CHAT")] == []


def test_plain_text_markers_are_info_where_the_tokenizer_has_none_of_that_style(model: Path) -> None:
    tokenizer = (model / "tokenizer.json").read_text()
    for name in ("im_start", "im_end", "endoftext"):
        tokenizer = tokenizer.replace(f'"<|{name}|>"', f'"[{name}]"')
    (model / "tokenizer.json").write_text(tokenizer)
    change(CONFIG, eos_token="[im_end]", bos_token="[endoftext]")(model)
    found = [f for f in judge_folder(model) if isinstance(f, Finding) and f.rule == "CHAT006"]
    assert [f.severity.value for f in found] == ["info"]


def test_what_a_template_adds_of_its_own_is_info(model: Path) -> None:
    prompt = (
        "<|im_start|>system\nYou are helpful to all. Knowledge cutoff: 2023-12-01\nToday is 26 Jul 2024.<|im_end|>\n"
    )
    template(prompt + SOUND.replace("assistant\n", "assistant: "))(model)
    found = [(f.rule, f.severity.value) for f in judge_folder(model) if isinstance(f, Finding)]
    assert found == [("CHAT013", "info"), ("CHAT014", "info"), ("CHAT015", "info")]
