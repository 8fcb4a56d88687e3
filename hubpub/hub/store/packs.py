"""Packs of git objects: written whole and durably, and put where they are found last of all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import ShaFile
from dulwich.pack import full_unpacked_object, write_pack_data, write_pack_index

from hubpub.hub.store.data_root import DataRoot


def write_pack(root: DataRoot, git_folder: Path, objects: Iterable[ShaFile], count: int) -> Path:
    """Write `count` objects as one pack of a repository, and return the path of its `.pack` file.

    Not dulwich's add_pack_data: it writes the index beside a lock file, and the pack in the pack folder. Here the
    index is moved into place last: a pack without one is not there for anybody.
    """
    with root.scratch_file() as (pack, pack_path), root.scratch_file() as (index, index_path):
        unpacked = map(full_unpacked_object, objects)
        entries, checksum = write_pack_data(pack.write, unpacked, DEFAULT_OBJECT_FORMAT, num_records=count)
        rows = sorted((oid, offset, crc) for oid, (offset, crc) in entries.items())
        write_pack_index(index, rows, checksum)
        target = git_folder / "objects" / "pack" / f"pack-{checksum.hex()}.pack"
        root.keep(pack, pack_path, target)
        root.keep(index, index_path, target.with_suffix(".idx"))
    return target
