"""Which lines of a file have changed since a git revision, so that a review is about its own lines only.

Git is asked for the old text, and told to compare it in an empty directory: nothing that a repository configures
(filters, diff drivers, textconv, a file system monitor, hooks) is run.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hubpub.core.errors import UsageError
from hubpub.core.findings import Finding
from hubpub.report.judged import Judged

_TIMEOUT = 60
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never")
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed in one file.

    Attributes:
        new: whether the file is not in the revision at all.
        lines: 1-based lines that are new or different.
    """

    new: bool
    lines: frozenset[int] = frozenset()

    def touch(self, finding: Finding) -> bool:
        """Whether the finding is about a line that has changed; one without a line is about a new file only."""
        return self.new or finding.line in self.lines


def on_changed_lines(judged: Judged, revision: str) -> Judged:
    """The report with only what is about changed lines.

    Raises:
        UsageError: there is no such revision, no repository, or no git.
    """
    changes: dict[str, Changes] = {}
    findings = []
    for finding in judged.report.findings:
        place = judged.place(finding)
        if place not in changes:
            text = judged.text_of(finding.path) if finding.path else None
            changes[place] = changed_lines(Path(place), text, revision)
        if changes[place].touch(finding):
            findings.append(finding)
    return replace(judged, report=replace(judged.report, findings=tuple(findings)))


def changed_lines(path: Path, text: str | None, revision: str) -> Changes:
    """What has changed in the file at `path`, whose text is now `text`, since its branch left `revision`.

    Raises:
        UsageError: there is no such revision, no repository, or no git.
    """
    folder = path.parent if path.parent.is_dir() else Path()
    commit = _commit(folder, revision)
    prefix = _git(folder, "rev-parse", "--show-prefix").stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    old = _git(folder, "cat-file", "blob", f"{commit}:{prefix}{path.name}")
    if old.returncode:
        return Changes(new=True)
    return Changes(new=False, lines=_compared(old.stdout, (text or "").encode("utf-8", "replace")))


def _commit(folder: Path, revision: str) -> str:
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = found.stdout.decode("ascii", "replace").strip()
    if found.returncode or not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        why = found.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(
            f"git knows no revision {revision!r} in {folder.absolute()}" + (f": {why[-1]}" if why else ""),
            "name a commit, branch or tag that was fetched; in CI fetch the whole history (fetch-depth: 0)",
        )
    base = _git(folder, "merge-base", commit, "HEAD")
    return base.stdout.decode("ascii").strip() if base.returncode == 0 else commit


def _compared(old: bytes, new: bytes) -> frozenset[int]:
    with tempfile.TemporaryDirectory(prefix="hubpub-") as name:
        folder = Path(name)
        # a checkout may have other line ends than the repository
        (folder / "old").write_bytes(_line_feeds(old))
        (folder / "new").write_bytes(_line_feeds(new))
        options = ("--no-index", "--no-ext-diff", "--no-textconv", "--no-color", "--unified=0", "--text")
        nobodys = {"GIT_DIR": str(folder / "none"), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = _git(folder, "diff", *options, "--", "old", "new", **nobodys)
    if done.returncode > 1:
        raise UsageError("git could not compare the card", done.stderr.decode("utf-8", "replace").strip()[:200])
    lines: set[int] = set()
    for hunk in _HUNK.finditer(done.stdout.decode("utf-8", "replace")):
        start = int(hunk[1])
        lines.update(range(start, start + int(hunk[2] or 1)))
    return frozenset(lines)


def _line_feeds(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _git(folder: Path, command: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    clean |= {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **env}
    command_line: Sequence[str] = ("git", *_SAFE, "--no-pager", command, *arguments)
    try:
        return subprocess.run(  # noqa: S603 -- no shell; what the user gave stands behind --end-of-options
            command_line,
            cwd=folder,
            env=clean,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError("there is no git", "install git, or leave --diff-base out") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git did not answer: {error}", "try again, or leave --diff-base out") from error
