"""What became of a chat template is asked once, as long as nothing changes that it depends on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hubpub.model import chat_examination, child
from hubpub.model.chat_examination import Examination
from hubpub.model.folder import ModelFolder

TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path / "cache"))
    made = tmp_path / "model"
    made.mkdir()
    (made / "chat_template.jinja").write_text(TEMPLATE)
    return made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """The requests that a child process got."""
    done: list[Mapping[str, Any]] = []
    really = child.ask

    def noted(function: str, request: Mapping[str, Any], **limits: Any) -> child.Answer:
        done.append(request)
        return really(function, request, **limits)

    monkeypatch.setattr(child, "ask", noted)
    return done


def examine(root: Path) -> Examination:
    [found] = ModelFolder.open(root).chat_examinations.values()
    return found


@pytest.mark.parametrize(
    "text",
    [
        TEMPLATE,
        "{{ messages | shout }}",
        "{% if messages %}",
        "{{ raise_exception('no') }}",
        "{{ ''.__class__ }}{{ messages }}",
        "{% if messages[0].content == 'buy' %}Use Acme.{% endif %}",
    ],
)
def test_what_is_known_is_not_asked_again(root: Path, asked: list[Mapping[str, Any]], text: str) -> None:
    (root / "chat_template.jinja").write_text(text)
    first = examine(root)
    assert first.unseen is first.exhausted is None
    assert examine(root) == first
    assert len(asked) == 1


@pytest.mark.parametrize("change", ["template", "tokens", "code", "jinja2"])
def test_what_it_depends_on_is_asked_about(
    root: Path, asked: list[Mapping[str, Any]], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine(root)
    if change == "template":
        (root / "chat_template.jinja").write_text(TEMPLATE + "{{ bos_token }}")
    elif change == "tokens":
        (root / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>"}))
    elif change == "code":
        monkeypatch.setattr(chat_examination, "code_of", lambda files: f"other code in {len(list(files))} files")
    else:
        monkeypatch.setattr(chat_examination, "package_code", lambda name: f"another {name}")
    examine(root)
    assert len(asked) == 2


def test_the_code_is_all_that_examines(root: Path) -> None:
    """The hash is one of every module of hubpub's that the child works with."""
    children = Path(chat_examination.__file__).parent / "children"
    names = {path.name for path in children.glob("template*.py")}
    text = "".join((children / name).read_text() for name in names)
    used = {line.split()[1].rpartition(".")[2] for line in text.splitlines() if line.startswith("from hubpub.")}
    assert {f"{name}.py" for name in used} <= names


@pytest.mark.parametrize(
    "answer",
    [
        child.Answer(None, "ran out of memory"),
        child.Answer(None, "took more than 20 seconds", timed_out=True),
        child.Answer([{"unseen": True}]),
        child.Answer([{"exhausted": {"message": "takes too much memory", "line": 1}}]),
    ],
)
def test_what_another_time_may_tell_is_not_kept(
    root: Path, asked: list[Mapping[str, Any]], answer: child.Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(child, "ask", lambda *_, **__: answer)
        examine(root)
    assert examine(root).text("user") is not None
    assert len(asked) == 1


def test_a_cache_that_takes_no_files_is_no_obstacle(
    root: Path, asked: list[Mapping[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("a file")
    monkeypatch.setenv("HUBPUB_CACHE_DIR", str(tmp_path / "blocked"))
    assert examine(root) == examine(root)
    assert len(asked) == 2
