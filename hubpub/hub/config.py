"""What a hub is started with, and the bounds it keeps to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hubpub.hub.web.faults import Fault

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may ask of the hub; sizes in bytes, times in seconds.

    Attributes:
        json_body: of a request that is read whole before it is answered.
        commit_body: of the NDJSON of one commit, which is spooled to disk.
        commit_operations: files added, copied or deleted by one commit.
        regular_file: of a file kept in git itself; anything larger must go through LFS or xet.
        large_file: of one LFS or xet file.
        xorb: of one uploaded xorb. The format's own limit is 64 MiB of chunks.
        shard: of one uploaded shard.
        multipart_from: LFS files of this size or more are uploaded in parts.
        part: of one part of a multipart upload.
        page: entries in one page of a listing.
        lock_wait: how long a write waits for another write to the same repo.
        transfer_ttl: how long an upload or download address stays valid.
        cas_ttl: how long a CAS token stays valid.
    """

    json_body: int = 8 * _MIB
    commit_body: int = _GIB
    commit_operations: int = 50_000
    regular_file: int = 10 * _MIB
    large_file: int = 512 * _GIB
    xorb: int = 96 * _MIB
    shard: int = 64 * _MIB
    multipart_from: int = _GIB
    part: int = 128 * _MIB
    page: int = 1000
    lock_wait: float = 60.0
    transfer_ttl: int = 6 * 3600
    cas_ttl: int = 3600


@dataclass(frozen=True, slots=True)
class HubConfig:
    """Where a hub keeps its data and where it listens.

    Attributes:
        root: the data folder; created if it is not there.
        host: the address to bind.
        port: 0 for any free port.
        public_url: the address that clients use when it is not the bound one (a container, a proxy).
        limits: the bounds it keeps to.
        faults: which requests go wrong, and how.
        admin_token: opens the admin route, by which faults are changed while the hub runs; None for no such route.
    """

    root: Path
    host: str = "127.0.0.1"
    port: int = 0
    public_url: str | None = None
    limits: Limits = field(default_factory=Limits)
    faults: tuple[Fault, ...] = ()
    admin_token: str | None = field(default=None, repr=False)
