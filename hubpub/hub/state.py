"""The services that one running hub consists of."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from hubpub.hub.access.accounts import Accounts
from hubpub.hub.access.signing import Signer
from hubpub.hub.config import HubConfig, Limits
from hubpub.hub.store.data_root import DataRoot
from hubpub.hub.store.discussions import Discussions
from hubpub.hub.store.large_files import LargeFiles
from hubpub.hub.store.last_commits import LastCommits
from hubpub.hub.store.lfs import LfsStore
from hubpub.hub.store.repo_facts import FactsReader
from hubpub.hub.store.repos import Repos
from hubpub.hub.store.xet import XetStore
from hubpub.hub.web.direct import Transfers
from hubpub.hub.web.faults import Faults
from hubpub.hub.web.metrics import Metrics
from hubpub.hub.web.readers import Readers

log = logging.getLogger("hubpub.hub")
_READERS = 6


@dataclass(frozen=True, slots=True)
class HubState:
    """What every request handler works with."""

    config: HubConfig
    root: DataRoot
    accounts: Accounts
    repos: Repos
    large_files: LargeFiles
    discussions: Discussions
    facts: FactsReader
    last_commits: LastCommits
    signer: Signer
    faults: Faults
    metrics: Metrics
    readers: Readers
    transfers: Transfers

    @classmethod
    def open(cls, config: HubConfig, accounts: Accounts) -> HubState:
        """Open the data folder.

        Raises:
            UsageError: it cannot be used.
        """
        root = DataRoot.open(config.root)
        repos = Repos(root, config.limits.lock_wait)
        large_files = LargeFiles(LfsStore(root), XetStore(root, config.limits.large_file), repos)
        discussions, facts = Discussions(root, repos), FactsReader(large_files)
        signer, faults = Signer(root.secret), Faults(config.faults)
        return cls(
            config,
            root,
            accounts,
            repos,
            large_files,
            discussions,
            facts,
            LastCommits(),
            signer,
            faults,
            Metrics(),
            Readers(_READERS),
            Transfers(),
        )

    @property
    def limits(self) -> Limits:
        """The bounds that requests are held to."""
        return self.config.limits

    def close(self) -> None:
        """Let go of the data folder."""
        self.readers.close()
        self.transfers.close()
        self.repos.close()
        self.root.close()
