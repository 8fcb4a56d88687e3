"""Changing a tree: only the folders on the way to a change are read and written again."""

from __future__ import annotations

from collections.abc import Iterator

from dulwich.objects import ObjectID, Tree

from hubpub.hub.errors import ApiError, bad_request
from hubpub.hub.store.git import FILE_MODE, FOLDER_MODE, GitRepo

_Node = tuple[int, str]


class TreeEdit:
    """A folder that is being changed. Its entries are what they were, or edits of their own."""

    def __init__(self, git: GitRepo, oid: str | None) -> None:
        self._git = git
        self._entries: dict[str, _Node | TreeEdit] = {}
        if oid is not None:
            for item in git.tree(oid).iteritems():
                self._entries[item.path.decode("utf-8", "surrogateescape")] = (item.mode, item.sha.decode())

    def put(self, path: str, blob: str) -> None:
        """Put a blob at `path`; a file there is replaced.

        Raises:
            ApiError: 400 if a folder is there, or a part of the path is a file.
        """
        *folders, name = path.split("/")
        folder = self
        for segment in folders:
            child = folder._child(segment, create=True)
            if child is None:
                raise bad_request(f"{path} cannot be added: {segment} is a file")
            folder = child
        if folder._is_folder(name):
            raise bad_request(f"{path} cannot be added: it is a folder")
        folder._entries[name] = (FILE_MODE, blob)

    def remove(self, path: str, *, folder: bool) -> None:
        """Remove the file, or the folder with all it holds, at `path`.

        Raises:
            ApiError: 404 EntryNotFound if there is none.
        """
        *folders, name = path.split("/")
        parent: TreeEdit | None = self
        for segment in folders:
            parent = parent._child(segment, create=False) if parent else None
        if parent is None or name not in parent._entries or parent._is_folder(name) is not folder:
            what = "folder" if folder else "file"
            raise ApiError(404, f"A {what} with this name doesn't exist: {path}", code="EntryNotFound")
        del parent._entries[name]

    def write(self) -> Iterator[Tree]:
        """The new trees, each folder after those in it; folders without entries are dropped. The root is last."""
        tree = Tree()
        for name, entry in self._entries.items():
            if isinstance(entry, TreeEdit):
                written = list(entry.write())
                if not len(written[-1]):
                    continue
                yield from written
                node: _Node = (FOLDER_MODE, written[-1].id.decode())
            else:
                node = entry
            tree.add(name.encode("utf-8", "surrogateescape"), node[0], ObjectID(node[1].encode()))
        yield tree

    def _is_folder(self, name: str) -> bool:
        entry = self._entries.get(name)
        return isinstance(entry, TreeEdit) or (entry is not None and entry[0] == FOLDER_MODE)

    def _child(self, name: str, *, create: bool) -> TreeEdit | None:
        """The folder `name`, ready to be changed; None if there is none, or a file."""
        entry = self._entries.get(name)
        if isinstance(entry, TreeEdit):
            return entry
        if (entry is None and not create) or (entry is not None and entry[0] != FOLDER_MODE):
            return None
        child = TreeEdit(self._git, None if entry is None else entry[1])
        self._entries[name] = child
        return child
