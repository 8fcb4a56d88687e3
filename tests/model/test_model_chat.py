"""Where chat templates are found, which of them transformers takes, and what becomes of them in the child process."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path

import pytest

from hubpub.model.chat import LARGEST_TEMPLATE, MOST_TEMPLATES, ChatTemplate, Reader
from hubpub.model.chat_examination import examine
from hubpub.model.chat_tokens import ChatTokens, known_texts
from hubpub.model.folder import ModelFolder

NO_TOKENS = ChatTokens({}, {})


def sources(folder: Path) -> list[tuple[str, str, str | None, bool]]:
    return [(t.path, t.name, t.text, t.used) for t in ModelFolder.open(folder).chat_templates]


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def test_files_beat_the_tokenizer_config(tmp_path: Path) -> None:
    write(tmp_path / "chat_template.jinja", "a")
    write(tmp_path / "additional_chat_templates" / "rag.jinja", "b")
    write(tmp_path / "tokenizer_config.json", {"chat_template": "c"})
    assert sources(tmp_path) == [
        ("chat_template.jinja", "default", "a", True),
        ("additional_chat_templates/rag.jinja", "rag", "b", True),
        ("tokenizer_config.json", "default", "c", False),
    ]


def test_what_transformers_takes_is_what_is_used(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="a")).save(str(tmp_path / "tokenizer.json"))
    write(tmp_path / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": "config"})

    def taken() -> object:
        return transformers.PreTrainedTokenizerFast.from_pretrained(tmp_path).chat_template

    def used() -> dict[str, str | None]:
        return {name: text for _, name, text, used in sources(tmp_path) if used}

    assert used() == {"default": taken()}
    write(tmp_path / "additional_chat_templates" / "rag.jinja", "rag")
    assert used() == taken() == {"rag": "rag"}
    write(tmp_path / "chat_template.jinja", "file")
    assert used() == taken() == {"default": "file", "rag": "rag"}


def test_a_list_of_templates(tmp_path: Path) -> None:
    templates = [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]
    write(tmp_path / "tokenizer_config.json", {"chat_template": templates})
    found = ModelFolder.open(tmp_path).chat_templates
    assert [(t.name, t.text) for t in found] == [("default", "a"), ("tool_use", "b")]
    assert found[1].title == "the chat template 'tool_use' of tokenizer_config.json"


def test_processors_take_the_config_before_the_legacy_file(tmp_path: Path) -> None:
    write(tmp_path / "processor_config.json", {"chat_template": "a"})
    write(tmp_path / "chat_template.json", {"chat_template": "b"})
    assert sources(tmp_path) == [
        ("processor_config.json", "default", "a", True),
        ("chat_template.json", "default", "b", False),
    ]


def test_a_processor_config_without_a_template_is_none(tmp_path: Path) -> None:
    write(tmp_path / "processor_config.json", {"image_seq_length": 5})
    write(tmp_path / "tokenizer_config.json", {"model_max_length": 5})
    assert sources(tmp_path) == []


def test_a_huge_template_is_not_read(tmp_path: Path) -> None:
    write(tmp_path / "chat_template.jinja", "x" * (LARGEST_TEMPLATE + 1))
    [template] = ModelFolder.open(tmp_path).chat_templates
    assert template.text is None
    assert template.unseen is not None
    assert ModelFolder.open(tmp_path).chat_examinations == {}


def test_gguf(tmp_path: Path) -> None:
    def string(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    def pair(key: bytes, value: bytes) -> bytes:
        return string(key) + struct.pack("<I", 8) + string(value)

    path = tmp_path / "m.gguf"
    decoy = pair(b"general.description", b"tokenizer.chat_template\x08\0\0\0nothing")
    pairs = decoy + pair(b"tokenizer.chat_template", b"a") + pair(b"tokenizer.chat_template.rag", "ü".encode())
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 3) + pairs)
    assert sources(tmp_path) == [("m.gguf", "default", "a", True), ("m.gguf", "rag", "ü", True)]
    path.write_bytes(b"XXXX" + path.read_bytes()[4:])
    assert sources(tmp_path) == []


def test_special_tokens(tmp_path: Path) -> None:
    settings = {"eos_token": {"content": "</s>", "lstrip": False}, "pad_token": None, "bos_token": None}
    write(tmp_path / "tokenizer_config.json", settings)
    write(tmp_path / "special_tokens_map.json", {"pad_token": "<pad>", "unk_token": "<unk>"})
    tokens = ModelFolder.open(tmp_path).chat_tokens_in("")
    assert tokens.declared == tokens.variables == {"eos_token": "</s>", "unk_token": "<unk>"}


@pytest.mark.parametrize("escaped", [True, False])
def test_known_texts(tmp_path: Path, escaped: bool) -> None:
    tokens = {"<｜User｜>": 1, "<|end|>": 2}
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokens, ensure_ascii=escaped))
    folder = ModelFolder.open(tmp_path)
    found = known_texts("", {"tokenizer.json"}, ["<｜User｜>", "<|end|>", "<|nd|>", "end"], folder.start)
    assert found.known == {"<｜User｜>", "<|end|>"}
    assert found.piped
    assert found.readable


def template(text: str, path: str = "chat_template.jinja") -> ChatTemplate:
    return ChatTemplate(text, path, "default", Reader.TOKENIZER)


def test_no_template_starts_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.model.child.subprocess.Popen", lambda *_, **__: pytest.fail("a child was started"))
    assert examine([], lambda _: NO_TOKENS) == {}


def test_many_templates_are_not_all_looked_at() -> None:
    templates = [template(f"{{{{ messages }}}}{number}", f"{number}.jinja") for number in range(MOST_TEMPLATES + 2)]
    found = examine(templates, lambda _: NO_TOKENS)
    assert [found[t].unseen is None for t in templates] == [True] * MOST_TEMPLATES + [False] * 2


def test_the_environment_is_that_of_transformers() -> None:
    """Filters, tests and globals; and what comes out."""
    utils = pytest.importorskip("transformers.utils.chat_template_utils")
    from hubpub.model.children.template import TemplateEnvironment

    theirs, ours = utils._compile_jinja_template("x").environment, TemplateEnvironment()
    assert set(ours.filters) == set(theirs.filters)
    assert set(ours.tests) == set(theirs.tests)
    assert set(ours.globals) == set(theirs.globals)
    assert set(ours.extensions) != set()
    text = (
        "{%- for m in messages %}\n  {% generation %}{{ m|tojson }}{% endgeneration %}\n"
        "{% if loop.first %}{% continue %}{% endif %}\n{{ dict(a=1) }}"
        "{% set ns = namespace(x=2) %}{{ ns.x * 3 }}{{ 2 ** 3 }}\n{% endfor %}"
    )
    messages = [{"role": "user", "content": "<é>"}, {"role": "assistant", "content": "b"}]
    assert ours.from_string(text).render(messages=messages) == theirs.from_string(text).render(messages=messages)


def test_special_tokens_and_lines_of_errors() -> None:
    good = template("{{ bos_token }}{{ messages[0].content }}")
    bad = template("\n\n{{ messages[0].content.nothing.more }}", "bad.jinja")
    found = examine([good, bad], lambda _: ChatTokens({"bos_token": "<s>"}, {}))
    assert found[good].text("user") == "<s>uno-question"
    assert found[bad].chats["user"].line == 3


def test_what_ends_the_process_is_found_out_and_the_others_are_examined() -> None:
    """Deep recursion in C ends the child without an answer; each template is then tried in a child of its own."""
    nested = "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = [ns.l] %}{% endfor %}"
    killer = template(nested + "{{ ns.l|string }}")
    fine = template("{{ messages[0].content }}", "fine.jinja")
    started = time.monotonic()
    found = examine([killer, fine], lambda _: NO_TOKENS)
    assert found[fine].text("user") == "uno-question"
    assert found[killer].exhausted is not None or found[killer].chats["user"].failed is not None
    assert time.monotonic() - started < 20


def test_a_child_that_does_not_work_is_no_verdict_on_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubpub.model.chat_examination._FUNCTION", "hubpub.model.children.nothing:examine")
    one, two = template("a"), template("b", "b.jinja")
    found = examine([one, two], lambda _: NO_TOKENS)
    assert all(found[t].unseen is not None and found[t].exhausted is None for t in (one, two))
