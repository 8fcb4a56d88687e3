"""Settings from `hubpub.toml` or `[tool.hubpub]` in pyproject.toml; a flag beats the file, the file beats the default.

Where a push goes and which token it uses are not settings on purpose: a file in a checkout must not be able
to send somebody's token to another host. They come from the command line or the environment only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from hubpub.core.errors import UsageError
from hubpub.core.findings import Severity

_LARGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class CardSettings:
    """`[tool.hubpub.card]`: what the files of a model cannot tell, the same for every model of a project.

    Attributes:
        license: the Hub's id, where no LICENSE file says otherwise.
        language: language codes.
        datasets: ids of the training data sets.
        data: files and directories of the training data, relative to the settings file.
        plots: whether cards get pictures.
        template: the template that makes a card: a name of hubpub's own, or a file, relative to the settings file.
        templates: folder of templates that come before hubpub's own, relative to the settings file; without it,
            `templates/` beside that file, if there is one.
        answers: what card.yaml may hold as well, unchecked.
        source: the file that these came from; None for the defaults.
    """

    license: str | None = None
    language: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    plots: bool = False
    template: str | None = None
    templates: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class LintSettings:
    """`[tool.hubpub.lint]`: what `hubpub lint` asks of the cards of a project.

    Rules are named by code, prefix of a code, name, or ALL.

    Attributes:
        select: rules to run in place of the default ones.
        extend_select: rules to run besides those.
        ignore: rules not to run.
        per_file_ignores: rules not to run on some files, by the glob of these files.
        severity: "error", "warning", "info" or "off", by rule.
        profile: the name of the set of sections that a card must have; None takes the usual one.
        required_sections: ids of the sections that a card must have, in place of the profile's.
        section_aliases: more headings that mean a section, by its id.
        baseline: file of findings that are known, relative to the settings file.
        inline_ignores: whether comments in a card may silence rules.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    severity: Mapping[str, str] = field(default_factory=dict)
    profile: str | None = None
    required_sections: tuple[str, ...] = ()
    section_aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baseline: str | None = None
    inline_ignores: bool = True


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """`[tool.hubpub.release]`: what happens after a release.

    Attributes:
        webhooks: addresses to tell of it; only `push --webhooks` does so, because a checkout must not decide alone whom
            a machine talks to.
    """

    webhooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """`[tool.hubpub]`.

    Attributes:
        org: the namespace that `push` publishes to when none is named.
        private: whether a repo that `push` creates is private.
        fail_on: the lowest severity that makes a command exit with 1.
        ignore: rules that are not run, by code, prefix of a code, or name.
        exclude: globs of files that are neither checked nor published.
        include: globs of files that are published although hubpub would leave them out.
        card: what goes into the card.
        lint: what is asked of a card.
        release: what happens after a release.
        source: the file that these came from; None for the defaults.
    """

    org: str | None = None
    private: bool = False
    fail_on: Severity = Severity.ERROR
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    card: CardSettings = field(default_factory=CardSettings)
    lint: LintSettings = field(default_factory=LintSettings)
    release: ReleaseSettings = field(default_factory=ReleaseSettings)
    source: Path | None = None


def find_settings(start: Path) -> Settings:
    """The settings of the nearest `hubpub.toml`, or pyproject.toml with `[tool.hubpub]`, at or above `start`.

    Raises:
        UsageError: the file is not TOML, or holds a key or value that hubpub does not know.
    """
    for folder in (start, *start.parents):
        path = folder / "hubpub.toml"
        if _is_file(path):
            return parse_settings(_read_toml(path), path)
        path = folder / "pyproject.toml"
        if _is_file(path):
            table = _read_toml(path).get("tool", {}).get("hubpub")
            if table is not None:
                return parse_settings(table, path)
    return Settings()


def load_settings(path: Path) -> Settings:
    """The settings of one named file, as `--config FILE` gives it.

    Raises:
        UsageError: as `find_settings`, or the file is not there.
    """
    document = _read_toml(path)
    if path.name == "pyproject.toml":
        document = document.get("tool", {}).get("hubpub", {})
    return parse_settings(document, path)


def parse_settings(table: Mapping[str, Any], source: Path) -> Settings:
    """Settings from the parsed table of `source`.

    Raises:
        UsageError: a key or value that hubpub does not know.
    """
    values = _checked(table, Settings, source, "")
    for name, into in _TABLES.items():
        inner = values.pop(name, {})
        if not isinstance(inner, Mapping):
            raise UsageError(
                f"{source}: {name} is not a table", f"write [tool.hubpub.{name}], or [{name}] in hubpub.toml"
            )
        values[name] = into(**_checked(inner, into, source, f"{name}."))
    values["card"] = replace(values["card"], source=source)
    return Settings(**values, source=source)


def _is_file(path: Path) -> bool:
    """Whether there is such a file, as far as this user may see: a closed folder above holds nobody's settings."""
    try:
        return path.is_file()
    except OSError:
        return False


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib  # most runs have no settings to read

    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a settings file that exists") from error
    if len(data) > _LARGEST_FILE:
        raise UsageError(f"{path} is larger than 1 MB", "keep settings in a file of their own, hubpub.toml")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}", "mend the file and run again") from error


_TABLES: Mapping[str, type] = {"card": CardSettings, "lint": LintSettings, "release": ReleaseSettings}
_LISTS = {
    "webhooks",
    "ignore",
    "exclude",
    "include",
    "language",
    "datasets",
    "data",
    "select",
    "extend-select",
    "required-sections",
}
_TABLES_OF_LISTS = {"per-file-ignores", "section-aliases"}
_BOOLEANS = {"private", "plots", "inline-ignores"}
_SEVERITIES = ("error", "warning", "info", "off")


def _checked(table: Mapping[str, Any], into: type, source: Path, prefix: str) -> dict[str, Any]:
    """The table's values under their attribute names, each of the type that its attribute has."""
    known = {field.name.replace("_", "-"): field.name for field in fields(into) if field.name != "source"}
    checked: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            import difflib

            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known keys: {', '.join(known)}"
            raise UsageError(f"{source}: unknown setting {prefix}{key}", hint)
        checked[known[key]] = _value(prefix + key, value, source)
    return checked


def _value(key: str, value: Any, source: Path) -> Any:
    name = key.rpartition(".")[2]
    if key in _TABLES:
        return value
    if name == "answers":
        return dict(_table(key, value, source))
    if name in _LISTS:
        return _list(key, value, source)
    if name in _TABLES_OF_LISTS:
        return {inner: _list(f"{key}.{inner}", items, source) for inner, items in _table(key, value, source).items()}
    if name == "severity":
        table = _table(key, value, source)
        for rule, severity in table.items():
            if severity not in _SEVERITIES:
                raise UsageError(f"{source}: {key}.{rule} is {severity!r}", f"write one of {', '.join(_SEVERITIES)}")
        return dict(table)
    if name in _BOOLEANS:
        if not isinstance(value, bool):
            raise UsageError(f"{source}: {key} is not a boolean", f"write {name} = true")
        return value
    if not isinstance(value, str):
        raise UsageError(f"{source}: {key} is not a string", f'write {name} = "..."')
    if name == "fail-on":
        try:
            return Severity(value)
        except ValueError as error:
            raise UsageError(f"{source}: {key} is {value!r}", "write one of error, warning, info") from error
    return value


def _list(key: str, value: Any, source: Path) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise UsageError(f"{source}: {key} is not a list of strings", f'write {key.rpartition(".")[2]} = ["..."]')
    return tuple(items)


def _table(key: str, value: Any, source: Path) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{source}: {key} is not a table", f"write [tool.hubpub.{key}]")
    return value
