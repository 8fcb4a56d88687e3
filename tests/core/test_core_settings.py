from __future__ import annotations

import re
from pathlib import Path

import pytest

from hubpub.core.errors import UsageError
from hubpub.core.findings import Severity
from hubpub.core.settings import Settings, find_settings, load_settings


def test_the_nearest_file_wins(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.hubpub]\norg = "outer"\n')
    assert find_settings(inner).org == "outer"
    (tmp_path / "a" / "hubpub.toml").write_text('org = "inner"\nfail-on = "warning"\nignore = ["FILE006"]\n')
    found = find_settings(inner)
    assert (found.org, found.fail_on, found.ignore) == ("inner", Severity.WARNING, ("FILE006",))
    assert found.source == tmp_path / "a" / "hubpub.toml"


def test_a_pyproject_without_the_table_is_passed_over(tmp_path: Path) -> None:
    inner = tmp_path / "a"
    inner.mkdir()
    (inner / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "hubpub.toml").write_text("private = true\n")
    assert find_settings(inner).private is True


def test_the_card_table(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.hubpub.card]\nlicense = "mit"\nlanguage = "en"\ndatasets = ["a/b", "c/d"]\n')
    card = load_settings(path).card
    assert (card.license, card.language, card.datasets) == ("mit", ("en",), ("a/b", "c/d"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("orgg = 'acme'\n", "did you mean org"),
        ("token = 'hf_x'\n", "known keys"),
        ("hub = 'https://elsewhere'\n", "known keys"),
        ("private = 'yes'\n", "private = true"),
        ("ignore = [1]\n", "ignore"),
        ("fail-on = 'fatal'\n", "error, warning, info"),
        ("org = 3\n", "org"),
        ("card = 3\n", r"\[card\]"),
        ("[card]\nlicence = 'mit'\n", "card.license"),
        ("org = \n", "mend the file"),
        ("source = 'x'\n", "known keys"),
    ],
)
def test_what_is_wrong_is_named_with_the_next_step(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "hubpub.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        find_settings(tmp_path)
    assert str(path) in caught.value.message
    assert re.search(says, caught.value.next_step)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings(tmp_path / "none.toml")


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    if any((parent / "pyproject.toml").exists() for parent in tmp_path.parents):
        pytest.skip("the temporary folder lies inside a project")
    assert find_settings(tmp_path) == Settings()


def test_a_folder_that_may_not_be_entered_holds_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    is_file = Path.is_file

    def as_another_user(path: Path) -> bool:
        if path.parent == closed:
            raise PermissionError(13, "Permission denied")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", as_another_user)
    (tmp_path / "hubpub.toml").write_text('org = "acme"\n')
    assert find_settings(closed).org == "acme"


def test_templates_and_answers_of_a_project(tmp_path: Path) -> None:
    path = tmp_path / "hubpub.toml"
    path.write_text('[card]\ntemplate = "llm"\ntemplates = "cards"\n[card.answers]\ntags = ["acme"]\n')
    card = load_settings(path).card
    assert (card.template, card.templates, card.answers) == ("llm", "cards", {"tags": ["acme"]})
    assert card.source == path
    path.write_text('[card]\nanswers = "x"\n')
    with pytest.raises(UsageError, match=r"card\.answers is not a table"):
        load_settings(path)
