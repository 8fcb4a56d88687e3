"""Pickles: what each would import if it were loaded, found by disassembling, never by loading.

picklescan (https://github.com/mmaitre314/picklescan) reads the opcodes and knows the dangerous imports. It would
read whole files, so it is handed only the pickles inside: of a torch zip the .pkl members, not the tensors.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, BinaryIO

from hubpub.model.data_files import read_data
from hubpub.model.signatures import is_pickle
from hubpub.model.window import BoundedReads

PICKLE_LIMIT = 64 << 20
"""Bytes of one pickle that are disassembled; a checkpoint of 100,000 tensors has a pickle of 20 MB."""

_MOST_OPCODES = 1_500_000
_SUFFIXES = frozenset(
    [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill", ".dat", ".data", ".npy", ".npz", ".th"]
)
_MEMBER_SUFFIXES = (".pkl", ".pickle", ".joblib", ".dill", ".npy")
_TENSOR_MEMBER = re.compile(r"(?:.*/)?data/\d+")
# A protocol 0 or 1 pickle has no magic; one that imports something begins like this.
_TEXT_PICKLE = re.compile(rb"\(*[ci][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")
_COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"7z\xbc\xaf\x27\x1c", "7z"))
_NUMPY = b"\x93NUMPY"
# Constructors of plain numbers: NumPy's, and those of TorchScript's constants.
_MORE_HARMLESS = {
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("torch.jit._pickle", "build_boollist"),
    ("torch.jit._pickle", "build_doublelist"),
    ("torch.jit._pickle", "build_intlist"),
    ("torch.jit._pickle", "build_tensorlist"),
    ("torch.jit._pickle", "restore_type_tag"),
}
_OBJECT_DTYPE = re.compile(rb"'descr':.*O.*'fortran_order'", re.DOTALL)


class Danger(StrEnum):
    """How an import is judged: on picklescan's list of dangerous ones, or on nobody's list."""

    DANGEROUS = "dangerous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PickleImport:
    """`module.name`, which loading the pickle would import and could call."""

    module: str
    name: str
    danger: Danger

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"[:200]


@dataclass(frozen=True, slots=True)
class PickleScan:
    """What a file would import.

    Attributes:
        imports: the dangerous and the unknown ones, sorted; harmless ones are left out.
        unseen: why part of the file was not looked at; None when all of it was.
    """

    imports: tuple[PickleImport, ...] = ()
    unseen: str | None = None


def may_be_pickle(suffix: str, start: bytes) -> bool:
    """Whether a file with this extension (".pt") and these first bytes is to be scanned."""
    return suffix in _SUFFIXES or is_pickle(start) or start.startswith(b"PK\x03\x04") or bool(_TEXT_PICKLE.match(start))


def scan(file: BinaryIO, suffix: str) -> PickleScan:
    """What loading `file` would import, be it one pickle, several in a row, a torch zip or a NumPy file."""
    start = file.read(16)
    file.seek(0)
    for magic, name in _COMPRESSED:
        if start.startswith(magic):
            return PickleScan((), f"it is compressed with {name}")
    if suffix == ".joblib" and start[:1] == b"\x78":
        return PickleScan((), "it is compressed with zlib")
    collected = _Collected()
    if start.startswith(b"PK\x03\x04"):
        _scan_zip(file, collected)
    elif start.startswith(_NUMPY):
        _scan_numpy(file, collected)
    else:
        _scan_pickles(collected.read(file), collected)
    return collected.result()


class _Collected:
    """Imports and obstacles of one file, and how much of it may still be read."""

    def __init__(self) -> None:
        self.imports: set[PickleImport] = set()
        self.unseen: str | None = None
        self.budget = PICKLE_LIMIT  # bytes

    def result(self) -> PickleScan:
        ordered = sorted(self.imports, key=lambda found: (found.danger, found.module, found.name))
        return PickleScan(tuple(ordered), self.unseen)

    def read(self, stream: IO[bytes]) -> bytes:
        """The rest of the stream as far as the budget goes, and one byte more to tell that there is more."""
        content = stream.read(self.budget + 1)
        self.budget = max(self.budget - len(content), 0)
        return content


def _scan_zip(file: BinaryIO, collected: _Collected) -> None:
    import zipfile
    import zlib

    from picklescan.relaxed_zipfile import RelaxedZipFile  # type: ignore[import-untyped]

    try:
        # Like torch's own reader this one forgives wrong checksums, which are used to make scanners give up.
        with RelaxedZipFile(BoundedReads(file)) as archive:
            for member in archive.infolist():
                if not _TENSOR_MEMBER.fullmatch(member.filename) and not member.is_dir():
                    with archive.open(member) as stream:
                        _scan_member(member.filename, stream, collected)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, EOFError) as error:
        collected.unseen = f"it cannot be read as a zip archive: {error}"


def _scan_member(name: str, stream: IO[bytes], collected: _Collected) -> None:
    start = stream.read(16)
    if name.endswith(_MEMBER_SUFFIXES) or is_pickle(start):
        content = io.BytesIO(start + collected.read(stream))
        if start.startswith(_NUMPY):
            _scan_numpy(content, collected)
        else:
            _scan_pickles(content.getvalue(), collected)


def _scan_numpy(file: IO[bytes], collected: _Collected) -> None:
    """Only an array of objects is a pickle: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html."""
    major = file.read(8)[6:7]
    length = int.from_bytes(file.read(2 if major == b"\x01" else 4), "little")
    header = file.read(min(length, 1 << 20))
    if _OBJECT_DTYPE.search(header):
        _scan_pickles(collected.read(file), collected)


def _scan_pickles(content: bytes, collected: _Collected) -> None:
    """Scan one pickle or several in a row, as legacy torch files have them; what follows is tensor data."""
    import logging

    from picklescan.scanner import SafetyLevel, scan_bytes  # type: ignore[import-untyped]

    logging.getLogger("picklescan").disabled = True  # it tells on stderr what is returned here
    extent = _extent(content)
    if extent is None:
        collected.unseen = f"its pickle has more than {_MOST_OPCODES:,} opcodes"
        return
    if extent >= len(content) and not collected.budget:
        collected.unseen = f"only its first {PICKLE_LIMIT >> 20} MB of pickles were looked at"
    try:
        found = scan_bytes(io.BytesIO(content), "", ".bin").globals
    except (ValueError, IndexError, TypeError, AttributeError, OverflowError):
        # Opcodes that cannot be followed. In tensor data they mean nothing; in a pickle they hide something.
        if is_pickle(content[:16]) or _TEXT_PICKLE.match(content[:1000]):
            collected.imports.add(PickleImport("unknown", "unknown", Danger.DANGEROUS))
        return
    for imported in found:
        if imported.safety is SafetyLevel.Dangerous:
            collected.imports.add(PickleImport(imported.module, imported.name, Danger.DANGEROUS))
        elif imported.safety is SafetyLevel.Suspicious and not _harmless(imported.module, imported.name):
            # A dotted name reaches through a module to another: torch.serialization "os.system".
            danger = Danger.DANGEROUS if "." in imported.name else Danger.UNKNOWN
            collected.imports.add(PickleImport(imported.module, imported.name, danger))


def _extent(content: bytes) -> int | None:
    """Up to which byte `content` is pickles in a row; what follows in a legacy torch file is tensor data.

    None when there are too many opcodes to disassemble in little time and memory: a pickle can be millions of them.
    """
    import pickletools

    stream = io.BytesIO(content)
    opcodes = 0
    try:
        while stream.tell() < len(content):
            for _ in pickletools.genops(stream):
                opcodes += 1
                if opcodes > _MOST_OPCODES:
                    return None
    except (ValueError, IndexError, OverflowError, struct.error):
        pass
    return stream.tell()


def _harmless(module: str, name: str) -> bool:
    """Whether torch.load(weights_only=True) would import it, or it is a class of a TorchScript archive."""
    if module.partition(".")[0] == "__torch__" or (module, name) in _MORE_HARMLESS:
        return True
    return name in _torch_allows().get(module, ())


def _torch_allows() -> dict[str, list[str]]:
    return read_data("torch_globals.json")["allowed"]  # type: ignore[no-any-return]
