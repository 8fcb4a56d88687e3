from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hubpub.card.facts.card_facts import CardFacts
from hubpub.card.writing import templating
from hubpub.card.writing.render import render_card
from hubpub.card.writing.templating import Templates, eject, find_templates, partial_names
from hubpub.core.errors import UsageError
from hubpub.core.settings import CardSettings, load_settings
from hubpub.model.folder import ModelFolder

Copy = Callable[[Path], Path]

FACTS = CardFacts(name="tiny", kind="transformers", pipeline_tag="fill-mask", architecture="B")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a settings file and room for templates."""
    folder = tmp_path / "project"
    (folder / "templates" / "sections").mkdir(parents=True)
    (folder / "hubpub.toml").write_text("")
    return folder


def templates_of(project: Path, chosen: str | None = None) -> Templates:
    return find_templates(load_settings(project / "hubpub.toml").card, chosen)


def test_a_project_replaces_one_partial_and_keeps_the_others(project: Path) -> None:
    (project / "templates/sections/intended-uses.md.jinja").write_text("## Intended uses\n\nAsk {{ facts.name }}.\n")
    own, theirs = render_card(FACTS), render_card(FACTS, templates_of(project))
    assert "## Intended uses\n\nAsk tiny.\n" in theirs
    start, end = "## Intended uses", "## How to use"
    assert own.partition(start)[0] == theirs.partition(start)[0]
    assert own.partition(end)[2] == theirs.partition(end)[2]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- hubpub:begin House Rule -->\nx\n<!-- hubpub:end House Rule -->",
        "<!-- hubpub:begin house -->\nx",
        "<!-- hubpub:begin house --> x\n<!-- hubpub:end house -->",
        "<!-- hubpub:begin how-to-use -->\nx\n<!-- hubpub:end how-to-use -->",
    ],
)
def test_markers_that_make_no_region_are_an_error(project: Path, text: str) -> None:
    """What stands there would come into no card that is there already, and follow nothing."""
    (project / "templates/sections/intended-uses.md.jinja").write_text(f"## Intended uses\n\n{text}\n")
    with pytest.raises(UsageError, match="your templates write a marker of the region"):
        render_card(FACTS, templates_of(project))


def test_a_file_is_the_whole_card_and_includes_what_it_wants(project: Path) -> None:
    (project / "card.md.jinja").write_text(
        "{{ front_matter }}\n# {{ facts.name }}\n{% include 'sections/how-to-use.md.jinja' %}\n"
    )
    text = render_card(FACTS, templates_of(project, str(project / "card.md.jinja")))
    assert re.findall(r"^#+ .*", text, re.MULTILINE) == ["# tiny", "## How to use"]
    (project / "hubpub.toml").write_text('[card]\ntemplate = "card.md.jinja"\n')
    assert render_card(FACTS, templates_of(project)) == text
    (project / "hubpub.toml").write_text('[card]\ntemplates = "templates"\ntemplate = "default"\n')
    assert templates_of(project) == Templates("default", folder=project / "templates")


@pytest.mark.parametrize(
    ("source", "line", "says", "hint"),
    [
        ("a\n\n{{ facts.licence }}", 3, "has no attribute 'licence'", "did you mean license?"),
        ("{{ fact.name }}", 1, "'fact' is undefined", "did you mean facts?"),
        ("a\n{% if facts.labels == nothing %}{% endif %}", 2, "'nothing' is undefined", ""),
        ("a\n{% if facts %}\n", 2, "Unexpected end of template", ""),
        ("\n\n{{ facts.name | shout }}", 3, "No filter named 'shout'", ""),
        ("\n{% include 'sections/none.md.jinja' %}", 2, "there is no template 'sections/none.md.jinja'", ""),
        ("\n{% include '../../../etc/passwd' %}", 2, "there is no template", ""),
        ("\n{{ 1 / 0 }}", 2, "division by zero", ""),
        ("{{ facts.name | count }}", 1, "Cannot specify ',' with 's'", ""),
        ("\n{{ ''.__class__.__mro__ }}", 2, "access to attribute '__class__' of 'str' object is unsafe", ""),
        ("\n{{ gap.__globals__ }}", 2, "unsafe", ""),
        ("\n{{ facts.__init__.__globals__ }}", 2, "unsafe", ""),
        ("\n{% set x = [] %}{{ x.append(1) }}", 2, "access to attribute 'append'", ""),
        ("\n{{ 'x' * 10**9 }}", 2, "", ""),
        ("\n{{ 9 ** 9 ** 9 }}", 2, "a power is too large", ""),
        ("{% for a in range(99999) %}\n{% for b in range(99999) %}{{ 'x' * 99 }}{% endfor %}{% endfor %}", 2, "", ""),
    ],
)
def test_an_error_names_file_and_line(project: Path, source: str, line: int, says: str, hint: str) -> None:
    path = project / "templates/sections/intended-uses.md.jinja"
    path.write_text(source)
    with pytest.raises(UsageError) as caught:
        render_card(FACTS, templates_of(project))
    if "range(99999)" not in source:
        assert caught.value.message.startswith(f"{path}:{line}: ")
    assert says in caught.value.message
    assert hint in caught.value.next_step
    assert sys.gettrace() is None or "coverage" in repr(sys.gettrace())


def test_a_template_that_loops_is_stopped(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templating, "_SECONDS", 1.0)
    path = project / "templates/sections/training-data.md.jinja"
    path.write_text("\n{% for a in range(99999) %}{% for b in range(99999) %}\n{% endfor %}{% endfor %}")
    with pytest.raises(UsageError, match=r"training-data\.md\.jinja:\d: it takes more than 1 seconds"):
        render_card(FACTS, templates_of(project))


def test_a_template_is_text_of_some_size(project: Path) -> None:
    path = project / "templates/sections/training-data.md.jinja"
    path.write_bytes(b"x" * 300_000)
    with pytest.raises(UsageError, match="more than 262,144 bytes"):
        render_card(FACTS, templates_of(project))
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not UTF-8 at byte 0"):
        render_card(FACTS, templates_of(project))


def test_templates_of_a_model_folder_are_never_used(plain_model: Path, copy_of: Copy) -> None:
    folder = copy_of(plain_model)
    (folder / "templates" / "sections").mkdir(parents=True)
    (folder / "templates/sections/how-to-use.md.jinja").write_text("## How to use\n\nRun my code.\n")
    (folder / "hubpub.toml").write_text("")
    model = ModelFolder.open(folder)
    assert find_templates(load_settings(folder / "hubpub.toml").card, None, model).are_own
    (folder / "hubpub.toml").write_text('[card]\ntemplates = "templates"\n')
    with pytest.raises(UsageError, match="lies in the model folder"):
        find_templates(load_settings(folder / "hubpub.toml").card, None, model)
    with pytest.raises(UsageError, match="lies in the model folder"):
        find_templates(CardSettings(), str(folder / "templates/sections/how-to-use.md.jinja"), model)


def test_a_template_that_is_not_there(project: Path) -> None:
    with pytest.raises(UsageError) as caught:
        templates_of(project, "defualt")
    assert caught.value.next_step == "did you mean default?"
    (project / "hubpub.toml").write_text('[card]\ntemplate = "none.md.jinja"\n')
    with pytest.raises(UsageError, match=r"hubpub\.toml: card\.template: there is no template"):
        templates_of(project)
    (project / "hubpub.toml").write_text('[card]\ntemplates = "none"\n')
    with pytest.raises(UsageError, match="there is no folder"):
        templates_of(project)


def test_every_template_can_be_copied_to_start_from(tmp_path: Path) -> None:
    for name in partial_names():
        path = eject(name.removesuffix(".md.jinja"), tmp_path / "templates")
        assert path == tmp_path / "templates" / name
    (tmp_path / "hubpub.toml").write_text("")
    assert render_card(FACTS, templates_of(tmp_path)) == render_card(FACTS)
    with pytest.raises(UsageError, match="is there already"):
        eject("default", tmp_path / "templates")
    with pytest.raises(UsageError) as caught:
        eject("sections/intended-use", tmp_path)
    assert caught.value.next_step == "did you mean sections/intended-uses?"


def test_settings_make_no_other_file_a_template(project: Path, tmp_path: Path) -> None:
    """They come with a checkout, and what a template says is published."""
    secret = tmp_path / "private" / "token"
    secret.parent.mkdir()
    secret.write_text("a token")
    (project / "card.md.jinja").symlink_to(secret)
    for template in (str(secret), "../private/token", "card.md.jinja"):
        (project / "hubpub.toml").write_text(f'[card]\ntemplate = "{template}"\n')
        with pytest.raises(UsageError, match=r"is no template|there is no template"):
            templates_of(project)
    (project / "hubpub.toml").write_text(f'[card]\ntemplates = "{secret.parent}"\n')
    (secret.parent / "link.jinja").symlink_to(secret)
    own = tmp_path / "mine.txt"
    for name in ("token", "link.jinja"):
        own.write_text("{% include '" + name + "' %}")
        with pytest.raises(UsageError, match="there is no template"):
            render_card(FACTS, templates_of(project, str(own)))
