"""The services that one running hub consists of."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from hubpub.hub.accounts import Accounts
from hubpub.hub.config import HubConfig, Limits
from hubpub.hub.data_root import DataRoot
from hubpub.hub.large_files import LargeFiles
from hubpub.hub.lfs import LfsStore
from hubpub.hub.repos import Repos
from hubpub.hub.signing import Signer
from hubpub.hub.xet import XetStore

log = logging.getLogger("hubpub.hub")


@dataclass(frozen=True, slots=True)
class HubState:
    """What every request handler works with."""

    config: HubConfig
    root: DataRoot
    accounts: Accounts
    repos: Repos
    large_files: LargeFiles
    signer: Signer

    @classmethod
    def open(cls, config: HubConfig, accounts: Accounts) -> HubState:
        """Open the data folder.

        Raises:
            UsageError: it cannot be used.
        """
        root = DataRoot.open(config.root)
        repos = Repos(root, config.limits.lock_wait)
        large_files = LargeFiles(LfsStore(root), XetStore(root, config.limits.large_file), repos)
        return cls(config, root, accounts, repos, large_files, Signer(root.secret))

    @property
    def limits(self) -> Limits:
        """The bounds that requests are held to."""
        return self.config.limits

    def close(self) -> None:
        """Let go of the data folder."""
        self.repos.close()
