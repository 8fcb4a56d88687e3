"""The hashes that name chunks, xorbs and files in xet, so that what is stored under a name is what it names.

Specification: https://huggingface.co/docs/xet/hashing; how nodes are grouped: `aggregated_hashes.rs` in
https://github.com/huggingface/xet-core.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blake3 import blake3

from hubpub.hub.store.xet_format import hash_text

Node = tuple[bytes, int]
"""Hash and length in bytes of a chunk, or of the chunks below a node."""

HASH_LENGTH = 32
_CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
_FILE_KEY = bytes(32)
_MEAN_CHILDREN = 4
_FEWEST_CHILDREN = 2
_MOST_CHILDREN = 2 * _MEAN_CHILDREN + 1


def chunk_node(content: bytes | memoryview) -> Node:
    """The node of a chunk's content."""
    return blake3(content, key=_CHUNK_KEY).digest(), len(content)


def xorb_hash(chunks: Iterable[Node]) -> str:
    """The name of the xorb that holds these chunks, of which there is at least one."""
    return hash_text(_root(chunks))


def file_hash(chunks: Iterable[Node]) -> str:
    """The name of the file that consists of these chunks."""
    root = _root(chunks)
    return hash_text(blake3(root, key=_FILE_KEY).digest() if any(root) else root)


def _root(chunks: Iterable[Node]) -> bytes:
    nodes = list(chunks)
    while len(nodes) > 1:
        parents = []
        start = 0
        while start < len(nodes):
            end = start + _children(nodes[start : start + _MOST_CHILDREN])
            parents.append(_parent(nodes[start:end]))
            start = end
        nodes = parents
    return nodes[0][0] if nodes else bytes(32)


def _children(nodes: Sequence[Node]) -> int:
    """How many of these nodes get one parent: up to the first, but for the first two, whose hash says so."""
    for index in range(_FEWEST_CHILDREN, len(nodes)):
        if int.from_bytes(nodes[index][0][24:], "little") % _MEAN_CHILDREN == 0:
            return index + 1
    return len(nodes)


def _parent(nodes: Sequence[Node]) -> Node:
    text = "".join(f"{hash_text(digest)} : {length}\n" for digest, length in nodes)
    return blake3(text.encode("ascii"), key=_NODE_KEY).digest(), sum(length for _, length in nodes)
