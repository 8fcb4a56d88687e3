"""Finished: a saved plan that was carried out already, by this machine or another one, is not carried out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hubpub.card.source import CARD, LARGEST_CARD
from hubpub.core.errors import ConflictError, HubError, HubpubError
from hubpub.model.folder import ModelFolder
from hubpub.publish.card import CardChoice, CardSource, sha256_hex
from hubpub.publish.client import HubClient
from hubpub.publish.expected import Expected
from hubpub.publish.journal import Entry
from hubpub.publish.local import LocalFile
from hubpub.publish.movement import movement
from hubpub.publish.refusals import RETRY_HINT
from hubpub.publish.remote import RemoteFile
from hubpub.publish.visibility import is_as_new

_NOTE = "the card of the saved plan, which is published"


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a saved plan: the commit that holds its release, the files of that one, and their card."""

    commit: str
    files: Mapping[str, RemoteFile]
    card: CardChoice


@dataclass(frozen=True, slots=True)
class SavedRelease:
    """The release of a saved plan: what it promises, the branch, and the folder, which holds what was promised."""

    expected: Expected
    revision: str
    folder: ModelFolder

    @property
    def repo_id(self) -> str:
        """Where it is published."""
        return self.expected.repo_id

    def finished(
        self,
        client: HubClient,
        head: str | None,
        files: Mapping[str, RemoteFile],
        local: bytes | None,
        begun: Entry | None,
    ) -> Finished | None:
        """What became of the plan; None when it has not been carried out.

        Args:
            client: the hub.
            head: commit that the branch is at.
            files: of that commit.
            local: README.md of the folder.
            begun: what an unfinished push has noted.

        Raises:
            ConflictError: it has been, and others have changed its files after that.
        """
        if head is None or head == self.expected.base:
            return None
        commit = self._commit(client, head, files, begun)
        if commit is None:
            return None
        there = files if commit == head else client.tree(self.repo_id, commit)
        return Finished(commit, there, self._card(client, commit, there, local))

    def _commit(self, client: HubClient, head: str, files: Mapping[str, RemoteFile], begun: Entry | None) -> str | None:
        """The commit of the release: by its id, or else by the whole tree, as a merged pull request has no id."""
        release = self.expected.release(self.revision)
        unread = HubError(f"the history of {self.repo_id} cannot be read", RETRY_HINT)
        moved = movement(client, self.repo_id, self.revision, self.expected.base, unread)
        made = moved.made_by(release)
        if made is None:
            return head if self._is_result(client, head, files) else None
        unfinished = begun is not None and begun.release == release
        if made.oid == head or unfinished or self._is_held(client, head, files):
            return made.oid
        raise ConflictError(
            f"the plan was published as {made.oid[:12]}, and its files were changed after that; {moved.told()}",
            f"`hubpub rollback {self.repo_id} --to {made.oid[:12]}` makes that release the newest again",
        )

    def _is_held(self, client: HubClient, commit: str, files: Mapping[str, RemoteFile]) -> bool:
        """Whether a commit holds every file of the release, and none that it deletes."""
        return not files.keys() & self.expected.delete and all(
            path in files and self._is_same(client, commit, files[path], size, sha256)
            for path, (size, sha256) in self.expected.files.items()
        )

    def _is_result(self, client: HubClient, head: str, files: Mapping[str, RemoteFile]) -> bool:
        """Whether a tree is what the plan makes of the one that it was made for, to the last file."""
        try:
            before = client.tree(self.repo_id, self.expected.base) if self.expected.base else {}
        except HubpubError:
            return False  # the history was rewritten
        ours = self.expected.files.keys() | self.expected.delete
        others = {path: file.blob for path, file in files.items() if path not in ours}
        kept = {path: file.blob for path, file in before.items() if path not in ours}
        same = others == kept if self.expected.base else is_as_new(others)
        return same and self._is_held(client, head, files)

    def _is_same(self, client: HubClient, commit: str, there: RemoteFile, size: int, sha256: str) -> bool:
        if there.size != size:
            return False
        if there.sha256 is None and there.path == CARD:  # it may not be in the folder
            return sha256_hex(client.read(self.repo_id, there, commit, LARGEST_CARD)) == sha256
        return LocalFile(there.path, f"{self.folder.root}/{there.path}", size, sha256, 0).equals(there)

    def _card(self, client: HubClient, commit: str, files: Mapping[str, RemoteFile], local: bytes | None) -> CardChoice:
        """The card that was published, whatever would be chosen or rendered today."""
        content = client.read(self.repo_id, files[CARD], commit, LARGEST_CARD) if CARD in files else b""
        if CARD not in self.expected.files:
            source = CardSource.HUB
        elif local is None:
            source = CardSource.RENDERED
        else:
            source = CardSource.FOLDER if local == content else CardSource.MERGED
        return CardChoice(source, content, _NOTE, before=content)
