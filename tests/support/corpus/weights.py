"""Defects of the containers, of the values, and of the index."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.corpus.controls import BERT, BF16, SHARDED
from support.corpus.editing import (
    Change,
    Defect,
    Stored,
    cut,
    numbers,
    parts,
    read_tensors,
    remove,
    rewrite_json,
    stored,
    tensors,
    write,
    write_tensors,
)

SAFE, INDEX = "model.safetensors", "model.safetensors.index.json"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0f" * 32 + b"\nsize 117979485\n"
PAGE = "<!DOCTYPE html>\n<html><head><title>404</title></head><body>Entry not found</body></html>\n"

Parts = tuple[dict[str, Any] | bytes, bytes]


def header_length(of: Callable[[int], int]) -> Change:
    """A length field that is a function of the file's size."""

    def change(folder: Path) -> None:
        raw = (folder / SAFE).read_bytes()
        (folder / SAFE).write_bytes(struct.pack("<Q", of(len(raw))) + raw[8:])

    return change


def last_two(header: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    entries = [entry for name, entry in header.items() if name != "__metadata__"]
    entries.sort(key=lambda entry: entry["data_offsets"])
    return entries[-2], entries[-1]


def overlap(header: dict[str, Any], data: bytes) -> Parts:
    before, last = last_two(header)
    begin, end = last["data_offsets"]
    shared = min(end - begin, before["data_offsets"][1] - before["data_offsets"][0])
    last["data_offsets"] = [begin - shared, end - shared]
    return header, data[:-shared]


def hole(header: dict[str, Any], data: bytes) -> Parts:
    _, last = last_two(header)
    begin, end = last["data_offsets"]
    last["data_offsets"] = [begin + 64, end + 64]
    return header, data[:begin] + bytes(64) + data[begin:]


def named_twice(header: dict[str, Any], data: bytes) -> Parts:
    name = list(header)[-1]
    again = f", {json.dumps(name)}: {json.dumps(header[name])}}}"
    return json.dumps(header).removesuffix("}").encode() + again.encode(), data


def entry(**values: Any) -> Callable[[dict[str, Any], bytes], Parts]:
    def change(header: dict[str, Any], data: bytes) -> Parts:
        last_two(header)[1].update(values)
        return header, data

    return change


def flip(folder: Path) -> None:
    path = folder / "model-00001-of-00004.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-4] ^= 1  # the lowest bit of a mantissa
    path.write_bytes(raw)


def number(name: str, value: float) -> Change:
    """One number of a tensor that becomes another; of BF16 its bits."""

    def change(found: dict[str, Stored]) -> None:
        values = numbers(found[name])
        values[3, 5] = value
        found[name] = stored(values, found[name].dtype)

    return tensors(change)


def all_zero(found: dict[str, Stored]) -> None:
    name = "bert.encoder.layer.1.output.dense.weight"
    found[name] = found[name]._replace(data=bytes(len(found[name].data)))


def mapped(change: Callable[[dict[str, str]], object]) -> Change:
    return rewrite_json(INDEX, lambda index: change(index["weight_map"]))


def out_of_the_folder(folder: Path) -> None:
    index = json.loads((folder / INDEX).read_text())
    shard = folder / index["weight_map"][NORM]
    found = read_tensors(shard)
    write_tensors(folder.parent / "outside.safetensors", {NORM: found.pop(NORM)})
    write_tensors(shard, found)
    index["weight_map"][NORM] = "../outside.safetensors"
    (folder / INDEX).write_text(json.dumps(index, indent=2))


NORM = "model.norm.weight"
QUERY = "bert.encoder.layer.0.attention.self.query.weight"
SHARDS = [f"model-{number:05d}-of-00004.safetensors" for number in range(1, 5)]

CONTAINER = {
    "a01": Defect("model.safetensors is a git-LFS pointer, not weights", BERT, write(SAFE, POINTER)),
    "a02": Defect("model.safetensors has 0 bytes", BERT, write(SAFE, b"")),
    "a03": Defect("model.safetensors cut 1,000 bytes short", BERT, cut(SAFE, 1000)),
    "a04": Defect("header length field is 2^62", BERT, header_length(lambda size: 1 << 62)),
    "a05": Defect("header length field is past the end of the file", BERT, header_length(lambda size: size + 1000)),
    "a06": Defect("two tensors share the same bytes", BERT, parts(overlap)),
    "a07": Defect("a 64-byte gap between two tensors' data", BERT, parts(hole)),
    "a08": Defect("the JSON header names the same tensor twice", BERT, parts(named_twice)),
    "a09": Defect(
        "4,096 extra bytes after the last tensor", BERT, parts(lambda head, data: (head, data + bytes(4096)))
    ),
    "a10": Defect("the header is not JSON", BERT, parts(lambda head, data: (b"{nonsense" + b"x" * 991, data))),
    "a11": Defect("a tensor has the dtype F17", BERT, parts(entry(dtype="F17"))),
    "a12": Defect("a shape needs more bytes than its data_offsets span", BERT, parts(entry(shape=[999, 32]))),
    "a14": Defect("model.safetensors is a saved HTML error page", BERT, write(SAFE, PAGE)),
    "a16": Defect("one data byte of a shard is flipped", SHARDED, flip),
}

VALUES = {
    "b01": Defect("one NaN in an F32 weight", BERT, number(QUERY, float("nan"))),
    "b02": Defect("one Inf in an F32 weight", BERT, number(QUERY, float("inf"))),
    "b03": Defect("one NaN in a BF16 weight", BF16, number("model.layers.0.mlp.up_proj.weight", 0x7FC0)),
    "b04": Defect("a whole weight matrix is zero", BERT, tensors(all_zero)),
}

IN_INDEX = {
    "c01": Defect("a shard named by the index is not in the folder", SHARDED, remove(SHARDS[2])),
    "c02": Defect(
        "the index sends one tensor to a shard that does not exist",
        SHARDED,
        mapped(lambda found: found.update({NORM: "model-00009-of-00004.safetensors"})),
    ),
    "c03": Defect(
        "the index names a tensor that is in no shard",
        SHARDED,
        mapped(lambda found: found.update({"model.layers.0.mlp.router.weight": SHARDS[0]})),
    ),
    "c04": Defect(
        "a shard holds a tensor that the index does not name", SHARDED, mapped(lambda found: found.pop(NORM))
    ),
    "c05": Defect("the index points at ../outside.safetensors", SHARDED, out_of_the_folder),
    "c07": Defect("the index is not JSON", SHARDED, write(INDEX, '{"metadata": {}, "weight_map": {')),
    "c08": Defect(
        "the index sends a tensor to the wrong (existing) shard",
        SHARDED,
        mapped(lambda found: found.update({NORM: next(shard for shard in SHARDS if shard != found[NORM])})),
    ),
    "c09": Defect(
        "a shard file that the index never names",
        SHARDED,
        lambda folder: shutil.copy(folder / SHARDS[0], folder / "model-00001-of-00005.safetensors"),
    ),
    "c11": Defect("one shard is cut short", SHARDED, cut(SHARDS[1], 1000)),
    "c12": Defect("shards without model.safetensors.index.json", SHARDED, remove(INDEX)),
}
