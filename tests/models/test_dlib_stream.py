"""dlib's serialisation, from bytes written here by hand after its documentation."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import ModelDamagedError
from sameface.models.dlib_stream import DlibStream


def integer(value: int) -> bytes:
    """A control byte, then as many bytes as the magnitude takes."""
    magnitude = abs(value)
    width = (magnitude.bit_length() + 7) // 8
    return bytes([width | (0x80 if value < 0 else 0)]) + magnitude.to_bytes(width, "little")


def number(value: float) -> bytes:
    """A mantissa of at most 53 bits, and an exponent of two."""
    fraction, exponent = math.frexp(value)
    return integer(int(fraction * 2**53)) + integer(exponent - 53)


def stream(data: bytes) -> DlibStream:
    return DlibStream(data, "model.dat")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x00", 0),
        (b"\x01\x05", 5),
        (b"\x81\x05", -5),
        (b"\x02\x00\x01", 256),
        (b"\x88" + b"\xff" * 8, -(2**64 - 1)),
        (b"\x02\x05\x00", 5),  # more bytes than it takes
    ],
)
def test_integers_by_hand(data: bytes, value: int) -> None:
    read = stream(data)
    assert read.integer() == value
    read.end()


@given(st.integers(-(2**63), 2**63))
def test_integers(value: int) -> None:
    read = stream(integer(value))
    assert read.integer() == value
    read.end()


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_numbers(value: float) -> None:
    assert stream(number(value)).number() == value


def test_numbers_that_are_none() -> None:
    assert stream(integer(0) + integer(32000)).number() == math.inf
    assert stream(integer(0) + integer(32001)).number() == -math.inf
    assert math.isnan(stream(integer(0) + integer(32002)).number())


def test_texts_and_truth_values() -> None:
    read = stream(integer(4) + b"con_" + b"10")
    assert (read.string(), read.boolean(), read.boolean()) == ("con_", True, False)
    with pytest.raises(ModelDamagedError, match="truth value"):
        stream(b"2").boolean()


def test_a_matrix_goes_row_by_row() -> None:
    data = integer(-2) + integer(-3) + b"".join(number(value) for value in (1, 2, 3, 4, 5.5, -6))
    np.testing.assert_array_equal(stream(data).matrix(), [[1, 2, 3], [4, 5.5, -6]])
    assert stream(integer(0) + integer(0)).matrix().shape == (0, 0)


@pytest.mark.parametrize("sizes", [(2, -3), (-2, 3), (-(2**28), -1)])
def test_a_matrix_of_an_absurd_size(sizes: tuple[int, int]) -> None:
    with pytest.raises(ModelDamagedError, match="a matrix of"):
        stream(integer(sizes[0]) + integer(sizes[1]) + bytes(100)).matrix()


def test_a_tensor_is_raw_floats() -> None:
    values = np.arange(12, dtype="<f4").reshape(1, 2, 3, 2) / 7
    data = b"".join(integer(value) for value in (2, 1, 2, 3, 2)) + values.tobytes()
    read = stream(data)
    np.testing.assert_array_equal(read.tensor(), values)
    read.end()
    with pytest.raises(ModelDamagedError, match="version 1"):
        stream(integer(1) + data[2:]).tensor()
    with pytest.raises(ModelDamagedError, match="1 bytes too early"):
        stream(data[:-1]).tensor()


def test_an_alias_has_a_shape_and_no_data() -> None:
    read = stream(b"".join(integer(value) for value in (1, 4, 3, 2, 1)))
    assert read.alias_shape() == (4, 3, 2, 1)
    read.end()


@pytest.mark.parametrize("control", [0x09, 0x0F, 0x11, 0x70, 0xFF])
def test_control_bytes_that_mean_nothing(control: int) -> None:
    with pytest.raises(ModelDamagedError, match=f"control byte {control:#04x}"):
        stream(bytes([control]) + bytes(20)).integer()


@pytest.mark.parametrize("count", [-1, 2**28, 2**60])
def test_counts_that_no_file_has(count: int) -> None:
    with pytest.raises(ModelDamagedError, match=f"a count of {count}"):
        stream(integer(count)).count()


def test_faults_are_named_with_their_place() -> None:
    read = stream(integer(7) + struct.pack("<f", 1.0))
    assert read.expect(6, 7) == 7
    with pytest.raises(ModelDamagedError, match=r"4 bytes left over \(at byte 2\)"):
        read.end()
    with pytest.raises(ModelDamagedError, match=r"model\.dat"):
        stream(b"").integer()
    with pytest.raises(ModelDamagedError, match="version 3 where"):
        stream(integer(3)).expect(1, 2)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for part in ("integer", "number", "boolean", "string", "matrix", "tensor", "alias_shape"):
        read = stream(data)
        try:
            getattr(read, part)()
        except ModelDamagedError:
            continue
        assert read.position <= len(data)
