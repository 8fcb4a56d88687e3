"""hubpub's own templates are compiled once; nothing else than they can come from what is kept."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest

from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.writing import templating
from hubpub.card.writing.presentation import FILTERS, shown
from hubpub.card.writing.render import render_card
from hubpub.card.writing.templating import Templates

FACTS = CardFacts(name="tiny", kind="transformers", pipeline_tag="fill-mask", architecture="B")
INTENDED = "sections/intended-uses.md.jinja"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of hubpub's templates, which nothing was compiled of yet."""
    folder = tmp_path / "templates"
    shutil.copytree(templating.template_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(templating, "template_folder", lambda: folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    return folder


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that were compiled."""
    done: list[str] = []
    really = jinja2.Environment.compile

    def counted(self: jinja2.Environment, source: str, name: str, filename: str) -> object:
        done.append(name)
        return really(self, source, name, filename)

    monkeypatch.setattr(jinja2.Environment, "compile", counted)
    return done


@pytest.fixture
def render(own: Path, compilations: list[str]) -> Callable[..., tuple[str, list[str]]]:
    def made(templates: Templates = templating.OWN_TEMPLATES) -> tuple[str, list[str]]:
        """The card as another process makes it, and the templates that it compiles."""
        templating._own_environment.cache_clear()
        compilations.clear()
        return render_card(FACTS, templates), list(compilations)

    return made


Render = Callable[..., tuple[str, list[str]]]


@pytest.fixture(autouse=True)
def afterwards() -> object:
    yield
    templating._own_environment.cache_clear()


def kept(own: Path) -> list[Path]:
    return sorted(own.rglob("__pycache__/*"))


def test_they_are_compiled_once(own: Path, render: Render) -> None:
    first, compiled_first = render()
    assert len(compiled_first) > 5
    assert len(kept(own)) == len(compiled_first)
    assert render() == (first, [])


def test_a_changed_template_is_compiled_again(own: Path, render: Render) -> None:
    first, _ = render()
    path = own / INTENDED
    path.write_text(path.read_text().replace("## Intended uses", "## Intended uses of it"))
    second, again = render()
    assert again == [INTENDED]
    assert second == first.replace("## Intended uses", "## Intended uses of it")
    assert render() == (second, [])


@pytest.mark.parametrize("name", ["code_of", "MAGIC_NUMBER", "package_code"])
def test_another_version_compiles_again(render: Render, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    first, names = render()
    other = {
        "code_of": lambda files: f"other code in {len(files)} files",
        "MAGIC_NUMBER": b"other",
        "package_code": lambda package: f"another {package}",
    }
    monkeypatch.setattr(f"hubpub.card.writing.compiled.{name}", other[name])
    assert render() == (first, names)
    assert render() == (first, [])


def test_a_moved_folder_compiles_again(
    own: Path, render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code names the file that it comes from, which errors show."""
    first, names = render()
    moved = own.rename(tmp_path / "moved")
    monkeypatch.setattr(templating, "template_folder", lambda: moved)
    assert render() == (first, names)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-1],
        lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
        lambda content: content + b"more",
        lambda content: b"\0" * len(content),
    ],
)
def test_damaged_code_is_not_run(own: Path, render: Render, damage: Callable[[bytes], bytes]) -> None:
    first, names = render()
    for path in kept(own):
        path.write_bytes(damage(path.read_bytes()))
    assert render() == (first, names)
    assert render() == (first, [])


def test_where_nothing_can_be_written(own: Path, render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (own, *(path for path in own.iterdir() if path.is_dir())):
        (folder / "__pycache__").write_text("a file is in the way")
    first, names = render()
    assert render() == (first, names)

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    for path in kept(own):
        path.unlink()
    for path in own.rglob("__pycache__"):
        path.unlink()
    monkeypatch.setattr(Path, "write_bytes", full)
    assert render() == (first, names)
    assert kept(own) == []


def test_nothing_is_written_where_python_writes_nothing(
    own: Path, render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    render()
    assert list(own.rglob("__pycache__")) == []


def test_the_place_is_that_of_python(
    own: Path, render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "elsewhere"))
    first, _ = render()
    assert kept(own) == []
    assert len(list((tmp_path / "elsewhere").rglob("*.pyc"))) > 5
    assert render() == (first, [])


def test_no_template_of_a_project_is_kept(own: Path, render: Render, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "sections").mkdir(parents=True)
    (project / INTENDED).write_text("## Intended uses\n\nAsk {{ facts.name }}.\n")
    theirs = Templates(folder=project)
    first, names = render(theirs)
    assert INTENDED in names
    assert list(project.rglob("__pycache__")) == []
    assert not any("intended-uses" in path.name for path in kept(own))
    assert render(theirs) == (first, [INTENDED])
    assert "Ask tiny." in first


def test_compiling_calls_nothing_of_hubpub(own: Path, render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the code depends on nothing but the text of the template."""
    (own / INTENDED).write_text("## Intended uses\n\n{{ 'a*b' }} {{ 'it' | noted }} {{ 'x' | noted | length }}\n")
    compiling: list[str] = []
    calls: list[tuple[str, bool]] = []
    really = jinja2.Environment.compile

    def compiled(self: jinja2.Environment, source: str, name: str, filename: str) -> object:
        compiling.append(name)
        try:
            return really(self, source, name, filename)
        finally:
            compiling.pop()

    def noted(value: str) -> str:
        calls.append((value, bool(compiling)))
        return value

    monkeypatch.setattr(jinja2.Environment, "compile", compiled)
    monkeypatch.setattr("hubpub.card.writing.render.FILTERS", {**FILTERS, "noted": noted})
    monkeypatch.setattr("hubpub.card.writing.render.shown", lambda value: noted(shown(value)))
    text, _ = render()
    assert r"a\*b it 1" in text
    assert {("it", False), ("x", False), (r"a\*b", False)} <= set(calls)
    assert not any(while_compiling for _, while_compiling in calls)
