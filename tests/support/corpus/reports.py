"""The reports on the corpus, as `hubpub push` makes them: the rules for models and the rules for cards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from support.corpus import CONTROLS, DEFECTS, build, save_controls

from hubpub.card.source import find_card
from hubpub.core.findings import Finding
from hubpub.core.rule import Depth
from hubpub.model.architecture import compare_all
from hubpub.model.folder import ModelFolder
from hubpub.rules.run import check_folder, lint_card


class Corpus:
    """The controls and the defects, and the reports on them, each made once.

    Attributes:
        paths: the folders, by the name of the control or the defect.
    """

    def __init__(self, parent: Path) -> None:
        controls = parent / "controls"
        controls.mkdir()
        save_controls(controls)
        self.paths = {name: controls / name for name in CONTROLS}
        self.paths |= {name: build(name, controls, parent) for name in DEFECTS}
        self._folders = {name: ModelFolder.open(path) for name, path in self.paths.items()}
        # One child process for all, since it is the import of torch that takes the time.
        self._architectures = dict(zip(self._folders, compare_all(list(self._folders.values())), strict=True))
        self._reports: dict[tuple[str, Depth], list[Finding]] = {}

    def report(self, name: str, depth: Depth) -> list[Finding]:
        if (name, depth) not in self._reports:
            folder = self._folders[name]
            if depth is Depth.DEEP:
                vars(folder)["architecture"] = self._architectures[name]
            content, path, _ = find_card(self.paths[name])
            model = check_folder(folder, target=name, depth=depth)
            card = lint_card(content, path=path, target=name, folder=folder, given={"checked": True})
            self._reports[name, depth] = [*model.findings, *card.findings]
        return self._reports[name, depth]

    def added(self, name: str, depth: Depth) -> list[Finding]:
        """What the report on a defect has and the one on its control has not; it must have all that the latter has."""
        report, control = self.report(name, depth), self.report(DEFECTS[name].control, depth)
        assert not Counter(control) - Counter(report)
        return list((Counter(report) - Counter(control)).elements())

    def digests(self, name: str) -> dict[str, str | None]:
        """The SHA-256 of each file."""
        return {path: reading.sha256 for path, reading in self._folders[name].readings.items()}
