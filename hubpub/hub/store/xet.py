"""Large files as xet clients upload them: xorbs kept as they came, and for each file where in them it is.

A xorb is kept only if its content has the hash that names it. A file is served by unpacking its terms from the
xorbs, so nothing is stored twice. When a shard announces a file, it is rebuilt once, block by block, to check
its hashes; only then can a commit name it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from hubpub.hub.store.content import BLOCK
from hubpub.hub.store.data_root import DataRoot
from hubpub.hub.store.xet_format import ShardFile, Term, XetFormatError, Xorb, read_xorb, unpack_chunks
from hubpub.hub.store.xet_hashing import HASH_LENGTH, Node, chunk_node, file_hash, xorb_hash

_REMEMBERED_XORBS = 256
_MOST_CHUNKS = 10_000_000


class CheckedXorbs:
    """The hashes of the chunks of the xorbs kept last, so that files made of them need not be hashed by chunk again."""

    def __init__(self) -> None:
        self._hashes: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, xorb: str) -> bytes | None:
        """The hashes of a xorb's chunks, one after the other; None if they are not remembered."""
        with self._lock:
            return self._hashes.get(xorb)

    def put(self, xorb: str, nodes: Iterable[Node]) -> bytes:
        """Remember the nodes of a xorb whose content has been checked."""
        hashes = b"".join(digest for digest, _ in nodes)
        with self._lock:
            self._hashes[xorb] = hashes
            while len(self._hashes) > _REMEMBERED_XORBS:
                self._hashes.popitem(last=False)
        return hashes


@dataclass(frozen=True, slots=True)
class XetStore:
    """The store below `xet/` of a data folder; `largest` is the size in bytes of the largest file it takes."""

    root: DataRoot
    largest: int
    checked: CheckedXorbs = field(default_factory=CheckedXorbs, repr=False)

    def has_xorb(self, xorb: str) -> bool:
        """Whether a xorb is here."""
        return self.xorb_path(xorb).exists()

    def xorb_path(self, xorb: str) -> Path:
        """Where a xorb is, if it is here."""
        return self.root.path / "xet" / "xorbs" / xorb[:2] / xorb

    def xorb(self, xorb: str) -> Xorb:
        """The chunk table of a xorb.

        Raises:
            XetFormatError: it is not here.
        """
        try:
            path = self.xorb_path(xorb)
            written = path.stat()
            return _chunk_table(path, (written.st_ino, written.st_mtime_ns))
        except FileNotFoundError:
            raise XetFormatError(f"xorb {xorb} has not been uploaded") from None

    def keep_xorb(self, file: BinaryIO, path: Path, xorb: str, table: Xorb, nodes: Sequence[Node]) -> None:
        """Keep an uploaded xorb that was read as it arrived: where its chunks are, and their nodes.

        Raises:
            XetFormatError: it is not the one of that name.
        """
        if len(table) != len(nodes) or xorb_hash(nodes) != xorb:
            raise XetFormatError("its content has another hash")
        self.root.keep(file, path, self.xorb_path(xorb))
        self.checked.put(xorb, nodes)

    def register(self, file: ShardFile) -> str:
        """Check a file that a shard announces, remember it, and return its SHA-256.

        Raises:
            XetFormatError: it names chunks that are not here, or its content has other hashes than announced.
        """
        known = self.file(file.hash)
        if known is not None and file.sha256 in (None, known.sha256):
            # A server that was killed between the two writes below has left the first alone.
            if self.file_hash(known.sha256) is None:
                self.root.write(self.sha256_path(known.sha256), file.hash.encode())
            return known.sha256
        content = XetFile(self, file.hash, "", file.terms)
        if content.size > self.largest or sum(term.end - term.first for term in file.terms) > _MOST_CHUNKS:
            raise XetFormatError(f"file {file.hash} is larger than {self.largest} bytes, or its chunks are too many")
        nodes: list[Node] = []
        for term in file.terms:
            table = self.xorb(term.xorb)
            if term.end > len(table) or table.unpacked(term.first, term.end) != term.length:
                raise XetFormatError(f"file {file.hash} names chunks that xorb {term.xorb} does not have")
            nodes += self._checked_nodes(term)
        digest = hashlib.sha256()
        for chunk in content.chunks():
            digest.update(chunk)
        sha256 = digest.hexdigest()
        if file.sha256 not in (None, sha256) or file_hash(nodes) != file.hash:
            raise XetFormatError(f"file {file.hash} does not have the announced hashes")
        document = {
            "sha256": sha256,
            "size": content.size,
            "terms": [[term.xorb, term.first, term.end, term.length] for term in file.terms],
        }
        self.root.write(self.file_path(file.hash), json.dumps(document).encode())
        self.root.write(self.sha256_path(sha256), file.hash.encode())
        return sha256

    def _checked_nodes(self, term: Term) -> Iterator[Node]:
        """The nodes of a term's chunks: a xorb is hashed when it is kept, and not again for every file."""
        table = self.xorb(term.xorb)
        hashes = self.checked.get(term.xorb)
        if hashes is None:
            hashes = self.checked.put(term.xorb, _nodes(self.xorb_path(term.xorb), table))
        for chunk in range(term.first, term.end):
            yield hashes[chunk * HASH_LENGTH : (chunk + 1) * HASH_LENGTH], table.lengths[chunk]

    def file(self, file_hash: str) -> XetFile | None:
        """The file with that xet hash; None if it is not here."""
        try:
            document = json.loads(self.file_path(file_hash).read_bytes())
        except FileNotFoundError:
            return None
        return XetFile(self, file_hash, document["sha256"], tuple(Term(*term) for term in document["terms"]))

    def file_hash(self, sha256: str) -> str | None:
        """The xet hash of the file with that SHA-256; None if it did not come through xet."""
        try:
            return self.sha256_path(sha256).read_text("ascii")
        except FileNotFoundError:
            return None

    def open(self, sha256: str) -> XetFile | None:
        """The file with that SHA-256; None if it did not come through xet."""
        file_hash = self.file_hash(sha256)
        return None if file_hash is None else self.file(file_hash)

    def stored_nodes(self, xorb: str) -> Iterator[Node]:
        """The nodes of a xorb's chunks, from what is on the disk.

        Raises:
            XetFormatError: it is not here, or not one.
        """
        return _nodes(self.xorb_path(xorb), self.xorb(xorb))

    def file_path(self, file_hash: str) -> Path:
        """Where the record of a file is, if it is here."""
        return self.root.path / "xet" / "files" / file_hash[:2] / f"{file_hash}.json"

    def sha256_path(self, sha256: str) -> Path:
        """Where it is written which file has that SHA-256, if one has."""
        return self.root.path / "xet" / "sha256" / sha256[:2] / sha256


@dataclass(frozen=True, slots=True)
class XetFile:
    """A file that is here as terms of xorbs."""

    store: XetStore
    hash: str
    sha256: str
    terms: tuple[Term, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(term.length for term in self.terms)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, in blocks of about `BLOCK` bytes.

        Raises:
            XetFormatError: a xorb is damaged.
        """
        position = 0
        for term in self.terms:
            end = position + term.length
            if position < stop and end > start:
                yield from self._read_term(term, max(start - position, 0), min(stop - position, term.length))
            position = end

    def chunks(self) -> Iterator[bytes | memoryview]:
        """The content chunk by chunk; each is only valid until the next one is asked for.

        Raises:
            XetFormatError: a xorb is damaged.
        """
        for term in self.terms:
            for _, packed in self._runs(term, 0, term.length):
                yield from unpack_chunks(packed)

    def _read_term(self, term: Term, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop` of what a term stands for."""
        for before, packed in self._runs(term, start, stop):
            block = b"".join(unpack_chunks(packed))
            yield block[max(start - before, 0) : stop - before]

    def _runs(self, term: Term, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """The packed chunks that hold these bytes of a term, run by run, each with where in the term it begins."""
        table = self.store.xorb(term.xorb)
        with self.store.xorb_path(term.xorb).open("rb", buffering=0) as file:
            for first, end, before in _chunk_runs(table, term, start, stop):
                file.seek(table.starts[first])
                yield before, file.read(table.starts[end] - table.starts[first])

    def part(self, start: int, stop: int) -> FilePart:
        """The terms that hold the bytes from `start` up to `stop`, cut down to the chunks that are needed."""
        terms: list[Term] = []
        skip = 0
        position = 0
        for term in self.terms:
            end = position + term.length
            if position < stop and end > start:
                table = self.store.xorb(term.xorb)
                edges = list(accumulate(table.lengths[term.first : term.end], initial=position))
                head = max(bisect_right(edges, start) - 1, 0)
                tail = bisect_left(edges, min(stop, end))
                if not terms:
                    skip = start - edges[head]
                length = edges[tail] - edges[head]
                terms.append(Term(term.xorb, term.first + head, term.first + tail, length))
            position = end
        return FilePart(skip, tuple(terms))


@dataclass(frozen=True, slots=True)
class FilePart:
    """Terms that hold a range of a file, and how many bytes of the first one come before the range."""

    skip: int
    terms: tuple[Term, ...]

    def chunk_ranges(self) -> dict[str, list[tuple[int, int]]]:
        """The chunks needed of each xorb as sorted ranges that neither overlap nor touch.

        hf_xet panics on overlapping ranges, which terms have when content repeats.
        """
        merged: dict[str, list[tuple[int, int]]] = {}
        for term in sorted(self.terms, key=lambda term: term.first):
            ranges = merged.setdefault(term.xorb, [])
            if ranges and term.first <= ranges[-1][1]:
                ranges[-1] = (ranges[-1][0], max(ranges[-1][1], term.end))
            else:
                ranges.append((term.first, term.end))
        return merged


def _chunk_runs(table: Xorb, term: Term, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """Runs of chunks of about `BLOCK` bytes that hold the range: first, end, offset of the first in the term."""
    first, before, length = term.first, 0, 0
    for chunk in range(term.first, term.end):
        if before + length >= stop:
            break
        length += table.lengths[chunk]
        if before + length <= start:
            first, before, length = chunk + 1, before + length, 0
        elif length >= BLOCK:
            yield first, chunk + 1, before
            first, before, length = chunk + 1, before + length, 0
    else:
        chunk = term.end
    if length:
        yield first, chunk, before


def _nodes(path: Path, table: Xorb) -> Iterator[Node]:
    """The nodes of a xorb's chunks, from their content."""
    with path.open("rb", buffering=0) as file:
        for first, end, _ in _chunk_runs(table, Term("", 0, len(table), 0), 0, table.unpacked(0, len(table))):
            file.seek(table.starts[first])
            yield from map(chunk_node, unpack_chunks(file.read(table.starts[end] - table.starts[first])))


@lru_cache(maxsize=_REMEMBERED_XORBS)
def _chunk_table(path: Path, _written: tuple[int, int]) -> Xorb:
    with path.open("rb", buffering=0) as file:
        return read_xorb(file)
