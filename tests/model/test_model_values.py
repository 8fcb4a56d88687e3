from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.model.safetensors import DTYPE_BITS
from hubpub.model.values import Gatherer, Span, Values

FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


def gather(dtype: str, *contents: bytes, block: int = 1 << 20, gap: int = 3) -> list[Values]:
    """The values of tensors with these bytes, laid out with gaps and read in blocks."""
    file, spans = b"", []
    for number, content in enumerate(contents):
        file += b"\xff" * gap
        spans.append(Span(str(number), dtype, len(file), len(file) + len(content)))
        file += content
    file += b"\xff" * gap
    gatherer = Gatherer(spans)
    for begin in range(0, len(file), block):
        gatherer.feed(memoryview(file)[begin : begin + block], begin)
    return [gatherer.values[str(number)] for number in range(len(contents))]


def expected(array: np.ndarray) -> Values:
    """The same, by what numpy says of the numbers."""
    finite = np.abs(array[np.isfinite(array)])
    return Values(
        nan=int(np.isnan(array).sum()),
        infinite=int(np.isinf(array).sum()),
        zero=bool((array == 0).all()),
        constant=len({number.tobytes() for number in array}) == 1,
        largest=float(finite.max()) if len(finite) else 0.0,
    )


@pytest.mark.parametrize("dtype", FLOATS)
@given(data=st.data())
def test_floats_are_as_numpy_says(dtype: str, data: st.DataObject) -> None:
    kind = FLOATS[dtype]
    width = np.dtype(kind).itemsize * 8
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0]
    numbers = st.one_of(st.floats(width=width), st.sampled_from(special))  # type: ignore[arg-type]
    arrays = [
        np.array(data.draw(st.lists(numbers, min_size=1, max_size=40)), kind)
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    block = data.draw(st.integers(1, 200))
    found = gather(dtype, *(array.tobytes() for array in arrays), block=block)
    assert found == [expected(array) for array in arrays]


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=60), st.integers(1, 50))
def test_bf16_is_the_upper_half_of_f32(bits: list[int], block: int) -> None:
    numbers = np.array(bits, np.uint16)
    wide = (numbers.astype(np.uint32) << 16).view(np.float32)
    [found] = gather("BF16", numbers.tobytes(), block=block)
    assert found == expected(wide)._replace(constant=len(set(bits)) == 1)


@pytest.mark.parametrize(
    ("dtype", "nan", "infinite"),
    [("F8_E5M2", 6, 2), ("F8_E4M3", 2, 0), ("F8_E5M2FNUZ", 1, 0), ("F8_E4M3FNUZ", 1, 0), ("F8_E8M0", 1, 0)],
)
def test_8_bit_floats_of_every_pattern(dtype: str, nan: int, infinite: int) -> None:
    [found] = gather(dtype, bytes(range(256)), block=100)
    assert (found.nan, found.infinite, found.zero) == (nan, infinite, False)


@pytest.mark.parametrize("dtype", sorted(set(DTYPE_BITS)))
def test_every_dtype_of_the_format_can_be_zero_or_constant(dtype: str) -> None:
    zeros, ones, mixture = bytes(48), bytes([1]) * 48, bytes(range(48))
    found = gather(dtype, zeros, ones, mixture, block=7)
    assert [values.constant for values in found] == [True, True, False]
    assert [values.zero for values in found] == [True, False, False]
    assert [(values.nan, values.infinite) for values in found] == [(0, 0)] * 3


def test_complex_numbers_are_pairs() -> None:
    [found] = gather("C64", np.array([1 + 2j, complex(0, math.nan), complex(math.inf, 3)], np.complex64).tobytes())
    assert (found.nan, found.infinite, found.largest) == (1, 1, 3.0)


def test_zeros_of_both_signs_are_zero_and_not_constant() -> None:
    [found] = gather("F32", np.array([0.0, -0.0], np.float32).tobytes())
    assert (found.zero, found.constant) == (True, False)


def test_a_change_in_a_later_block_is_seen() -> None:
    array = np.ones(1000, np.float32)
    array[777] = 2
    [found] = gather("F32", array.tobytes(), block=64)
    assert not found.constant
