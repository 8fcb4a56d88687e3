"""The accounts file of a hub that runs: read again once it has changed, or when whoever runs the hub says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hubpub.core.errors import UsageError
from hubpub.hub.access.accounts import Accounts
from hubpub.hub.access.accounts_file import load_accounts

_Stamp = tuple[int, ...] | None


class AccountsWatch:
    """An accounts file, and as of when it was read last.

    Attributes:
        path: the file.
        declared: what it said when the hub started.
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        """Read the file; `tell` is for what whoever runs the hub should know of later readings.

        Raises:
            UsageError: as `load_accounts`.
        """
        self.path = path
        self._tell = tell
        # Before it is read: what is written meanwhile is a change.
        self._read_as = self._seen_as = _stamp(path)
        self.declared = load_accounts(path)

    def look(self, accounts: Accounts) -> None:
        """Read the file again if it is another than the one that was read, and the same as at the last look.

        One that is being written has no end yet, and may well be valid without it.
        """
        now = _stamp(self.path)
        at_rest, self._seen_as = now == self._seen_as, now
        if at_rest and now != self._read_as:
            self.read(accounts)

    def read(self, accounts: Accounts) -> None:
        """Read the file again; if that fails, everything stays as it is."""
        self._read_as = _stamp(self.path)
        try:
            load_accounts(self.path).declare_to(accounts)
        except UsageError as error:
            self._tell(f"WARNING: the accounts stay as they were: {error.message}")
        else:
            self._tell(f"the accounts were read again from {self.path}")


def _stamp(path: Path) -> _Stamp:
    """What changes with a file, whether it is written to or replaced; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
