"""What the values of a tensor are, gathered from its bytes as they pass by: NaN, infinite, zero, constant, largest.

Floats are looked at as integers. With the sign bit cleared the bits of IEEE floats order like their magnitudes, and
what lies above the largest finite number is infinite or NaN, so that the largest pattern tells all at once: it is
found at the speed of memory in every dtype, without converting anything. The 8-bit floats follow
https://arxiv.org/abs/2209.05433 (E5M2, E4M3) and https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


class Span(NamedTuple):
    """Where a tensor lies in a file: its bytes are `begin:end`; `dtype` as safetensors names it."""

    name: str
    dtype: str
    begin: int
    end: int


class Values(NamedTuple):
    """What is known of the values of one tensor.

    Attributes:
        nan: how many are NaN.
        infinite: how many are infinite.
        zero: whether all are zero, be it -0.0 or +0.0.
        constant: whether all are the same, bit for bit; True for a single one.
        largest: the largest finite magnitude; None for integers and floats of 8 bits and less.
    """

    nan: int
    infinite: int
    zero: bool
    constant: bool
    largest: float | None


@dataclass(frozen=True, slots=True)
class _Layout:
    """The bits of one dtype.

    Attributes:
        width: bytes of one number.
        finite: the bits of the largest finite magnitude; None where a number is just its bits.
        infinite: the bits of infinity, if it has one; what is above both is NaN.
        decoded: whether `Values.largest` is wanted.
        nan: the one pattern that is NaN, for dtypes where NaN is not above the largest number.
    """

    width: int
    finite: int | None = None
    infinite: int | None = None
    decoded: bool = False
    nan: int | None = None


_LAYOUTS = {
    "F64": _Layout(8, 0x7FEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000, decoded=True),
    "F32": _Layout(4, 0x7F7F_FFFF, 0x7F80_0000, decoded=True),
    "C64": _Layout(4, 0x7F7F_FFFF, 0x7F80_0000, decoded=True),
    "F16": _Layout(2, 0x7BFF, 0x7C00, decoded=True),
    "BF16": _Layout(2, 0x7F7F, 0x7F80, decoded=True),
    "F8_E5M2": _Layout(1, 0x7B, 0x7C),
    "F8_E4M3": _Layout(1, 0x7E),
    "F8_E5M2FNUZ": _Layout(1, nan=0x80),
    "F8_E4M3FNUZ": _Layout(1, nan=0x80),
    "F8_E8M0": _Layout(1, nan=0xFF),
    "I64": _Layout(8),
    "U64": _Layout(8),
    "I32": _Layout(4),
    "U32": _Layout(4),
    "I16": _Layout(2),
    "U16": _Layout(2),
}
_BYTES = _Layout(1)
_UNSIGNED: dict[int, Any] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
_SIGNED: dict[int, Any] = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}


class Gatherer:
    """Takes the bytes of a file's tensors in their order, in blocks of any size, and tells the values of each."""

    def __init__(self, spans: Sequence[Span]) -> None:
        """Spans hold at least one number each and may not overlap; what lies between them is ignored."""
        self._waiting = sorted(spans, key=lambda span: span.begin, reverse=True)
        self._current: _Tensor | None = None
        self.values: dict[str, Values] = {}

    def feed(self, block: memoryview, begin: int) -> None:
        """Take the next block of the file, which begins at the offset `begin`."""
        end = begin + len(block)
        while self._waiting and self._waiting[-1].begin < end:
            span = self._waiting[-1]
            if self._current is None:
                self._current = _Tensor(_LAYOUTS.get(span.dtype, _BYTES))
            self._current.feed(block[max(span.begin - begin, 0) : span.end - begin])
            if span.end > end:
                return
            self.values[span.name] = self._current.values()
            self._current = None
            self._waiting.pop()


class _Tensor:
    """What has been seen of one tensor."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout
        self._unsigned, self._signed = _UNSIGNED[layout.width], _SIGNED[layout.width]
        self._mask = (1 << (8 * layout.width - 1)) - 1
        self._rest = b""
        self._first: int | None = None
        self._constant = True
        self._nan = self._infinite = self._largest = 0

    def feed(self, block: memoryview) -> None:
        width = self._layout.width
        if self._rest:  # a number that the last block held only the beginning of
            missing = width - len(self._rest)
            self._rest += bytes(block[:missing])
            block = block[missing:]
            if len(self._rest) < width:
                return
            self._take(np.frombuffer(self._rest, self._unsigned))
            self._rest = b""
        whole = len(block) // width * width
        if whole:
            self._take(np.frombuffer(block[:whole], self._unsigned))
        self._rest = bytes(block[whole:])

    def _take(self, bits: Any) -> None:
        if self._first is None:
            self._first = int(bits[0])
        if self._constant:
            self._constant = bits[0] == self._first and bits[-1] == self._first and bool((bits == self._first).all())
        layout = self._layout
        if layout.nan is not None:
            self._nan += int(np.count_nonzero(bits == layout.nan))
        if layout.finite is None:
            return
        largest = int(bits.max())
        if largest > self._mask:  # some are negative: as signed numbers the positive ones are the largest
            largest = max(largest & self._mask, int(bits.view(self._signed).max()))
        if largest > layout.finite:
            largest = self._count(bits & self._unsigned(self._mask))
        self._largest = max(self._largest, largest)

    def _count(self, magnitudes: Any) -> int:
        """Count what is not finite; the largest finite magnitude."""
        finite = magnitudes <= self._layout.finite
        infinite = int(np.count_nonzero(magnitudes == self._layout.infinite)) if self._layout.infinite else 0
        self._infinite += infinite
        self._nan += len(magnitudes) - int(np.count_nonzero(finite)) - infinite
        return int(magnitudes.max(where=finite, initial=0))

    def values(self) -> Values:
        exact = self._layout.finite is not None
        zero = not (self._largest or self._nan or self._infinite) if exact else self._constant and self._first == 0
        largest = self._decoded() if self._layout.decoded else None
        return Values(self._nan, self._infinite, zero, bool(self._constant), largest)

    def _decoded(self) -> float:
        if self._layout.width == 2 and self._layout.finite == 0x7F7F:  # BF16 is the upper half of F32
            return float(np.array(self._largest << 16, np.uint32).view(np.float32))
        floats: dict[int, Any] = {2: np.float16, 4: np.float32, 8: np.float64}
        width = self._layout.width
        return float(np.array(self._largest, self._unsigned).view(floats[width]))
