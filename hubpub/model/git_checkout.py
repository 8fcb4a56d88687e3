"""The commit and the remote of a git checkout, read from the files in .git; git itself is not run.

The files: https://git-scm.com/docs/gitrepository-layout, https://git-scm.com/docs/git-config#_syntax.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hubpub.core.pattern import Pattern
from hubpub.model.walk import open_regular

_SHORT = 1 << 12
_CONFIG_LIMIT = 1 << 18
_PACKED_LIMIT = 32 << 20
_COMMIT = Pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = Pattern(r"ref: (refs/[^\x00-\x20~^:?*\[\\\x7f]{1,400})")
_SECTION = Pattern(r'[ \t]*\[[ \t]*([\w.-]{1,100})(?:[ \t]+"((?:[^"\\\n]|\\.){0,200})")?[ \t]*\]')
_URL = Pattern(r"[ \t]*url[ \t]*=[ \t]*([^\n]{1,2000})", re.IGNORECASE)
_HOST = Pattern(r"(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,8}[a-z][a-z0-9-]{0,62}", re.IGNORECASE)
_SCP = Pattern(r"(?:[^@/:\s]{1,200}@)?([^@/:\s]{1,255}):(?!/?/)(\S{1,1000})")
_PATH = Pattern(r"/?([\w.~+-]{1,200}(?:/[\w.~+-]{1,200}){1,8})/?")


@dataclass(frozen=True, slots=True)
class GitCheckout:
    """What a checkout says of itself. Whether its files are those of the commit cannot be told without git.

    Attributes:
        commit: id of the commit that is checked out; None when there is none yet, or it cannot be read.
        commit_path: the file that says so, relative to the checkout or absolute.
        branch: name of the branch, None when none is checked out.
        remote: web address of "origin", or of the only other remote, free of names and passwords; None for one that
            is on the machine or in its network.
        remote_path: the file that says so.
    """

    commit: str | None = None
    commit_path: str = ""
    branch: str | None = None
    remote: str | None = None
    remote_path: str = ""


def read_git_checkout(directory: Path | str) -> GitCheckout | None:
    """What the checkout at `directory` says; None when there is none."""
    root = Path(directory)
    git = _git_directory(root)
    if git is None:
        return None
    head = _text(git / "HEAD", _SHORT)
    if head is None:
        return None
    common = _common(git)
    ref = _REF.match(head)
    commit, where = _commit(head, ref[1] if ref else None, git, common)
    branch = ref[1].removeprefix("refs/heads/") if ref and ref[1].startswith("refs/heads/") else None
    config = common / "config"
    remote = _remote(_text(config, _CONFIG_LIMIT) or "")
    return GitCheckout(
        commit,
        _shown(where, root) if where else "",
        branch if branch != ".invalid" else None,  # of a repository whose refs are in a reftable
        remote,
        _shown(config, root) if remote else "",
    )


def web_address(remote: str) -> str | None:
    """The https address of a remote, without names, passwords and what follows the path.

    None when it is no address that others can reach: a path, a host without a domain, an IP address.
    """
    remote = remote.strip()[:2000]
    scp = None if "://" in remote else _SCP.fullmatch(remote)
    if scp:
        host, path = scp[1], scp[2]
    else:
        try:
            parts = urlsplit(remote)
            host, path = parts.hostname or "", parts.path
        except ValueError:
            return None
        if parts.scheme not in ("https", "http", "ssh", "git", "git+ssh", "git+https"):
            return None
    found = _PATH.fullmatch(path)
    if (
        not found
        or not _HOST.fullmatch(host)
        or host.casefold().endswith((".local", ".internal", ".lan", ".localdomain"))
    ):
        return None
    return f"https://{host.casefold()}/{found[1].removesuffix('.git')}"


def _git_directory(root: Path) -> Path | None:
    """.git, or where it says that it is, as in worktrees and submodules."""
    git = root / ".git"
    if git.is_dir():
        return git
    text = _text(git, _SHORT)
    if text is None or not text.startswith("gitdir: "):
        return None
    elsewhere = root / text.removeprefix("gitdir: ").splitlines()[0].strip()
    return elsewhere if _is_directory(elsewhere) else None


def _common(git: Path) -> Path:
    text = _text(git / "commondir", _SHORT)
    common = git / text.strip() if text and text.strip() else git
    return common if _is_directory(common) else git


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _commit(head: str, ref: str | None, git: Path, common: Path) -> tuple[str | None, Path | None]:
    if ref is None:
        commit = head.strip()
        return (commit, git / "HEAD") if _COMMIT.fullmatch(commit) else (None, None)
    if ".." in ref:
        return None, None
    for place in dict.fromkeys((git / ref, common / ref)):
        commit = (_text(place, _SHORT) or "").strip()
        if _COMMIT.fullmatch(commit):
            return commit, place
    packed = common / "packed-refs"
    found = re.search(
        rf"^([0-9a-f]{{40,64}}) {re.escape(ref)}[ \t\r]*$", _text(packed, _PACKED_LIMIT) or "", re.MULTILINE
    )
    return (found[1], packed) if found and _COMMIT.fullmatch(found[1]) else (None, None)


def _remote(config: str) -> str | None:
    urls: dict[str, str] = {}
    name = None
    for line in config.splitlines():
        if section := _SECTION.match(line):
            name = section[2] if section[1].casefold() == "remote" and section[2] else None
            line = line[section.end() :]  # a value may stand behind the section's name
        if name is not None and (value := _URL.match(line)) and name not in urls:
            urls[name] = re.split(r"[ \t][#;]", value[1])[0].strip().strip('"')
    url = urls.get("origin") or (next(iter(urls.values())) if len(urls) == 1 else None)
    return web_address(url) if url else None


def _shown(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def _text(path: Path, limit: int) -> str | None:
    try:
        with open_regular(os.fspath(path)) as file:
            return file.read(limit).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
