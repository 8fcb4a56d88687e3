"""Which rules run, and how much their findings matter: what settings and flags ask for.

Rules are named by words: a code, a prefix of one, a name, or ALL. As in ruff, the most specific word decides, an
ignore wins over an equally specific select, and what comes later (a flag) is read on top of what comes before (a file).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from hubpub.core.findings import Finding, Severity
from hubpub.core.rule import Needs, Rule
from hubpub.core.settings import LintSettings

Subject = TypeVar("Subject")

ALL = "ALL"
OFF = "off"

_EXACT = 100


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source asks for, such as the settings file or the command line.

    Attributes:
        select: rules to run in place of those that were to run so far.
        extend: rules to run besides.
        ignore: rules not to run.
        severity: "error", "warning", "info" or "off", by word.
    """

    select: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)

    def turns(self, rule: Rule[Any], on: bool) -> bool:
        """Whether the rule runs, when it was to run so far (`on`) or not."""
        wanted = _most_specific(rule, (*self.select, *self.extend))
        unwanted = _most_specific(rule, self.ignore)
        if _severity(rule, self.severity) == OFF:
            unwanted = max(unwanted, _most_specific(rule, self.severity))
        if unwanted >= max(wanted, 0):
            return False
        return wanted >= 0 or (on and not self.select)

    def words(self) -> Iterator[str]:
        """Everything in it that names rules."""
        yield from (*self.select, *self.extend, *self.ignore, *self.severity)


@dataclass(frozen=True, slots=True)
class Selection:
    """What all sources ask for together.

    Attributes:
        layers: the sources; a later one is read on top of those before it.
        per_file_ignores: rules not to run on the files that a glob matches.
        online: whether rules that need the network may run.
    """

    layers: tuple[Layer, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    online: bool = False

    @classmethod
    def without(cls, ignore: Iterable[str]) -> Selection:
        """The default rules without some."""
        return cls((Layer(ignore=tuple(ignore)),))

    @classmethod
    def for_cards(
        cls, ignore: Iterable[str], lint: LintSettings, flags: Layer | None = None, *, online: bool = False
    ) -> Selection:
        """What a project asks of cards: what it ignores everywhere, its settings for cards, and flags on top."""
        settings = Layer(
            split_words(lint.select), split_words(lint.extend_select), split_words(lint.ignore), lint.severity
        )
        per_file = {path_glob: split_words(words) for path_glob, words in lint.per_file_ignores.items()}
        return cls((Layer(ignore=split_words(ignore)), settings, flags or Layer()), per_file, online)

    def rules(self, known: Iterable[Rule[Subject]], path: str = "") -> list[Rule[Subject]]:
        """Those of the known rules that run on the file at `path`."""
        unwanted = [word for glob, words in self.per_file_ignores.items() if _names(glob, path) for word in words]
        return [rule for rule in known if self._runs(rule) and _most_specific(rule, unwanted) < 0]

    def judged(self, rule: Rule[Any], finding: Finding) -> Severity:
        """How much the finding matters."""
        for layer in reversed(self.layers):
            severity = _severity(rule, layer.severity)
            if severity and severity != OFF:
                return Severity(severity)
        return finding.severity

    def check(self, known: Iterable[Rule[Any]]) -> None:
        """Refuse a word that names no rule: it would do nothing and hide a typing mistake.

        Args:
            known: the rules that are asked first; what they do not know is looked for among all.

        Raises:
            UsageError: naming the first such word, and what was probably meant.
        """
        rules = list(known)
        words = [word for layer in self.layers for word in layer.words()]
        words += [word for ignored in self.per_file_ignores.values() for word in ignored]
        for word in words:
            if not any(names(word, rule.code, rule.name) for rule in rules):
                from hubpub.rules.catalogue import check_word  # imports the rules of both kinds

                check_word(word)

    def waiting(self, known: Iterable[Rule[Subject]]) -> list[Rule[Subject]]:
        """Those of the known rules that were selected but need the network, which may not be asked."""
        return [rule for rule in known if rule.needs is Needs.NETWORK and not self.online and self._is_on(rule)]

    def _runs(self, rule: Rule[Any]) -> bool:
        return self._is_on(rule) and (self.online or rule.needs is not Needs.NETWORK)

    def _is_on(self, rule: Rule[Any]) -> bool:
        on = self.online if rule.needs is Needs.NETWORK else rule.default
        for layer in self.layers:
            on = layer.turns(rule, on)
        return on


def split_words(values: Iterable[str]) -> tuple[str, ...]:
    """The words in values that may hold several, separated by commas."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def names(word: str, code: str, name: str) -> bool:
    """Whether `word` names the rule with that code and name."""
    return _specificity(word, code, name) >= 0


def _specificity(word: str, code: str, name: str) -> int:
    """How exactly a word names a rule; -1 when it does not."""
    upper = word.upper()
    if upper == code or word.lower() == name:
        return _EXACT
    if upper == ALL:
        return 0
    return len(word) if word and code.startswith(upper) else -1


def _most_specific(rule: Rule[Any], words: Iterable[str]) -> int:
    return max((_specificity(word, rule.code, rule.name) for word in words), default=-1)


def _severity(rule: Rule[Any], by_word: Mapping[str, str]) -> str | None:
    found = max(by_word, key=lambda word: _specificity(word, rule.code, rule.name), default="")
    return by_word[found] if found and names(found, rule.code, rule.name) else None


def _names(glob: str, path: str) -> bool:
    """Whether a glob means the file: the whole path, or its last parts; `*` crosses slashes."""
    return fnmatchcase(path, glob) or fnmatchcase(path, "*/" + glob)
