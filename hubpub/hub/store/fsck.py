"""Is everything that the refs name still there, byte for byte? Looks, and changes nothing.

Checked: `hub.json`, each repo's record, discussions and refs, every git object in the history of a ref, packs, and
every large file that such a commit names: LFS files by SHA-256, xet files by their record, by the hash of each xorb
that they are made of, and by the SHA-256 and the xet hash of what these add up to.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob

from hubpub.core.errors import UsageError
from hubpub.hub.naming import RepoId
from hubpub.hub.store.content import BLOCK
from hubpub.hub.store.data_root import FORMAT, DataRoot
from hubpub.hub.store.lfs import LfsStore
from hubpub.hub.store.pointer import parse_pointer
from hubpub.hub.store.reachable import reachable, read_bases, read_refs, repo_folders
from hubpub.hub.store.repos import MAIN, Repos
from hubpub.hub.store.xet import XetStore
from hubpub.hub.store.xet_format import is_hash
from hubpub.hub.store.xet_hashing import Node, file_hash, xorb_hash

SCHEMA = "hubpub.fsck/1"
_CHECKSUM = 20


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that is not as it was written.

    Attributes:
        kind: `store`, `repo`, `discussion`, `redirect`, `ref`, `git-object`, `pack`, `lfs`, `xet-file`, `xorb`.
        where: the file below the root; of a git object, the repository and the object's id.
        what: what is wrong with it.
        needed_by: a file or ref of a repo that is lost or spoilt by it; empty if that is the thing itself.
    """

    kind: str
    where: str
    what: str
    needed_by: str = ""


@dataclass(slots=True)
class FsckReport:
    """What was looked at, and what is damaged.

    Attributes:
        root: the data folder.
        damage: everything found, in the order of looking.
        notes: oddities that are no damage.
        checked: how many of each kind were looked at, and how many bytes of large files.
        seconds: how long it took.
    """

    root: Path
    damage: list[Damage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damage

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "schema": SCHEMA,
            "root": str(self.root),
            "ok": self.ok,
            "damage": [asdict(item) for item in self.damage],
            "notes": self.notes,
            "checked": dict(sorted(self.checked.items())),
            "seconds": round(self.seconds, 3),
        }


def fsck(path: Path) -> FsckReport:
    """Check the data folder at `path`. A server may be running on it.

    Raises:
        UsageError: it is not a hub's data folder, or one of another version.
    """
    started = time.monotonic()
    path = path.absolute()
    if not (path / "hub.json").exists() and not (path / "repos").is_dir():
        raise UsageError(f"{path} does not hold a hub's data", "name a hub's data folder with --root")
    check = _Check(FsckReport(path))
    check.run()
    check.report.seconds = time.monotonic() - started
    return check.report


class _Check:
    def __init__(self, report: FsckReport) -> None:
        self.report = report
        # Only its path is used; hub.json itself may be damaged.
        self._root = DataRoot(report.root, "", b"")
        self._repos = Repos(self._root, 0)
        self._lfs = LfsStore(self._root)
        self._xet = XetStore(self._root, 1 << 62)
        self._named: dict[str, tuple[int, str]] = {}
        self._xorbs: dict[str, tuple[Node, ...] | None] = {}

    def run(self) -> None:
        self._check_about()
        for repo, folder in repo_folders(self._root):
            if repo is None:
                self._damaged("repo", folder, "no repo can have this name")
            else:
                before = len(self.report.damage)
                self._check_repo(repo, folder)
                if not folder.exists():
                    # Deleted or moved meanwhile, by a server that runs on the folder.
                    del self.report.damage[before:]
        for path in sorted((self._root.path / "moved").rglob("*.json")):
            self._check_json("redirect", path)
        for sha256, (size, needed_by) in sorted(self._named.items()):
            self._check_large(sha256, size, needed_by)

    def _check_about(self) -> None:
        path = self._root.path / "hub.json"
        try:
            document = json.loads(path.read_bytes())
            newer = document["format"] != FORMAT and str(document["format"]).startswith(FORMAT.partition("/")[0])
            if not newer:
                DataRoot.existing(self._root.path)
        except (UsageError, OSError, ValueError, KeyError, TypeError):
            self._damaged("store", path, "it is missing or cannot be read")
            return
        if newer:
            raise UsageError(f"{path.parent} has the format {document['format']!r}", "use the hubpub that wrote it")

    def _check_repo(self, repo: RepoId, folder: Path) -> None:
        self.report.checked["repos"] += 1
        try:
            if self._repos.get(repo) is None:
                self._damaged("repo", folder / "repo.json", "it is missing")
        except (OSError, ValueError, TypeError):
            self._damaged("repo", folder / "repo.json", "it cannot be read")
        git = folder / "git"
        name = f"{repo.kind.plural}/{repo}"
        refs = read_refs(git, lambda ref, what, _: self._damaged("ref", git / ref, what))
        self.report.checked["refs"] += len(refs)
        if MAIN not in refs and not (git / MAIN).exists():
            self._damaged("ref", git / MAIN, "it is missing")
        try:
            head = (git / "HEAD").read_bytes()
        except OSError:
            head = b""
        if head != f"ref: {MAIN}\n".encode():
            self._damaged("ref", git / "HEAD", f"it does not stand for {MAIN}")
        self._check_packs(git)
        bases = read_bases(folder, refs, lambda path, what, _: self._damaged("discussion", folder / path, what))
        objects = DiskObjectStore(git / "objects")
        try:
            for found in reachable(objects, refs | bases, self._git_damage(git, name)):
                self.report.checked[f"{found.item.type_name.decode()}s"] += 1
                if isinstance(found.item, Blob):
                    self._note_pointer(repo, found.item.data, f"{name}: {found.path} at {found.ref}")
        finally:
            objects.close()

    def _git_damage(self, git: Path, name: str) -> Callable[[str, str, str], None]:
        where = git.relative_to(self._root.path).as_posix()

        def tell(oid: str, what: str, needed_by: str) -> None:
            self.report.damage.append(Damage("git-object", f"{where} {oid}", what, f"{name}: {needed_by}"))

        return tell

    def _check_packs(self, git: Path) -> None:
        """Check that a pack and its index end in the SHA-1 of what goes before, as git writes them."""
        for path in sorted((git / "objects" / "pack").glob("*.pack")):
            index = path.with_suffix(".idx")
            # A pack without an index is what a server that was killed left; nothing refers to it.
            if not index.exists():
                continue
            for file in (path, index):
                self.report.checked["packs"] += file is path
                digest, last = hashlib.sha1(usedforsecurity=False), b""
                with file.open("rb") as stream:
                    while block := stream.read(BLOCK):
                        digest.update((last + block)[:-_CHECKSUM])
                        last = (last + block)[-_CHECKSUM:]
                if digest.digest() != last:
                    self._damaged("pack", file, "its checksum is wrong")

    def _note_pointer(self, repo: RepoId, data: bytes, where: str) -> None:
        pointer = parse_pointer(data)
        if pointer is None:
            return
        marker = self._repos.folder(repo) / "lfs" / pointer.sha256[:2] / pointer.sha256
        if marker.exists():
            self._named.setdefault(pointer.sha256, (pointer.size, where))
        else:
            self.report.notes.append(f"{where} reads like a pointer to a file that was not uploaded to this repo")

    def _check_large(self, sha256: str, size: int, needed_by: str) -> None:
        self.report.checked["large files"] += 1
        self.report.checked["bytes"] += size
        path = self._lfs.path(sha256)
        mapping = self._xet.sha256_path(sha256)
        if not path.exists() and not mapping.exists():
            self._damaged("lfs", path, "it is missing, and did not come through xet either", needed_by)
        if path.exists():
            self._check_lfs(path, sha256, needed_by)
        if mapping.exists():
            self._check_xet(mapping, sha256, size, needed_by)

    def _check_lfs(self, path: Path, sha256: str, needed_by: str) -> None:
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            self._damaged("lfs", path, f"it cannot be read: {error.strerror}", needed_by)
            return
        if found != sha256:
            self._damaged("lfs", path, "its content has another sha256", needed_by)

    def _check_xet(self, mapping: Path, sha256: str, size: int, needed_by: str) -> None:
        try:
            name = mapping.read_text("ascii")
        except (OSError, ValueError):
            name = ""
        if not is_hash(name):
            self._damaged("xet-file", mapping, "it does not hold the hash of a xet file", needed_by)
            return
        record = self._xet.file_path(name)
        try:
            file = self._xet.file(name)
        except (OSError, ValueError, KeyError, TypeError):
            self._damaged("xet-file", record, "it cannot be read", needed_by)
            return
        if file is None:
            self._damaged("xet-file", record, "it is missing", needed_by)
            return
        nodes: list[Node] = []
        for term in file.terms:
            of_xorb = self._xorb_nodes(term.xorb, needed_by)
            if of_xorb is None:
                return
            nodes += of_xorb[term.first : term.end]
        if file.sha256 != sha256 or file.size != size or file_hash(nodes) != name:
            self._damaged("xet-file", record, "it does not describe the file that it is named for", needed_by)
            return
        digest = hashlib.sha256()
        try:
            for chunk in file.chunks():
                digest.update(chunk)
        except (OSError, ValueError, IndexError):
            digest = hashlib.sha256()
        if digest.hexdigest() != sha256:
            self._damaged("xet-file", record, "what its terms add up to has another sha256", needed_by)

    def _xorb_nodes(self, xorb: str, needed_by: str) -> tuple[Node, ...] | None:
        """The chunks of a xorb, which is checked the first time; None if it is damaged."""
        if xorb in self._xorbs:
            return self._xorbs[xorb]
        self.report.checked["xorbs"] += 1
        path = self._xet.xorb_path(xorb)
        nodes: tuple[Node, ...] | None = None
        try:
            nodes = tuple(self._xet.stored_nodes(xorb))
            what = "" if xorb_hash(nodes) == xorb else "its content has another hash"
        except (OSError, ValueError, IndexError) as error:
            what = f"it cannot be read: {error}" if path.exists() else "it is missing"
        if what:
            nodes = None
            self._damaged("xorb", path, what, needed_by)
        self._xorbs[xorb] = nodes
        return nodes

    def _check_json(self, kind: str, path: Path) -> None:
        try:
            if not isinstance(json.loads(path.read_bytes()), dict):
                raise ValueError
        except (OSError, ValueError, RecursionError):
            self._damaged(kind, path, "it cannot be read")

    def _damaged(self, kind: str, path: Path, what: str, needed_by: str = "") -> None:
        where = path.relative_to(self._root.path).as_posix()
        self.report.damage.append(Damage(kind, where, what, needed_by))
