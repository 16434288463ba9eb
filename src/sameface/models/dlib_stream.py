"""Reader of dlib's serialisation: integers, floats, strings, matrices and tensors, in sequence, without a header.

Source: dlib's serialize.h as described by its documentation; facts checked against the four published model files.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sameface.errors import ModelDamagedError

_INFINITE, _MINUS_INFINITE, _NAN = 32000, 32001, 32002
_SANE_COUNT = 1 << 28


class DlibStream:
    """A cursor over the bytes of a dlib file.

    Args:
        data: the whole file.
        name: what to call it in errors.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self._name = name
        self.position = 0

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if count < 0 or end > len(self._data):
            raise self.damaged(f"the end of the file {end - len(self._data)} bytes too early")
        chunk = self._data[self.position : end]
        self.position = end
        return chunk

    def damaged(self, got: str) -> ModelDamagedError:
        """The error for anything that does not belong here."""
        return ModelDamagedError(
            expected=f"a dlib model in {self._name}",
            got=f"{got} (at byte {self.position})",
            advice="install the package that brings the file again",
        )

    def integer(self) -> int:
        """A control byte (low nibble: bytes of magnitude; high bit: sign), then the magnitude, little-endian."""
        control = self._take(1)[0]
        width = control & 0x0F
        if width > 8 or control & 0x70:
            raise self.damaged(f"control byte {control:#04x}")
        magnitude = int.from_bytes(self._take(width), "little")
        return -magnitude if control & 0x80 else magnitude

    def expect(self, *versions: int) -> int:
        """An integer that must be one of `versions`."""
        value = self.integer()
        if value not in versions:
            raise self.damaged(f"version {value} where {versions} are known")
        return value

    def count(self) -> int:
        """A size: an integer that is neither negative nor absurd."""
        value = self.integer()
        if not 0 <= value < _SANE_COUNT:
            raise self.damaged(f"a count of {value}")
        return value

    def number(self) -> float:
        """Mantissa m and exponent e: ``m · 2^e``; three exponents stand for ∞, −∞ and NaN."""
        mantissa, exponent = self.integer(), self.integer()
        if exponent == _INFINITE:
            return math.inf
        if exponent == _MINUS_INFINITE:
            return -math.inf
        if exponent == _NAN:
            return math.nan
        return math.ldexp(mantissa, exponent)

    def boolean(self) -> bool:
        """One ASCII byte, ``1`` or ``0``."""
        byte = self._take(1)
        if byte not in (b"0", b"1"):
            raise self.damaged(f"{byte!r} where a truth value belongs")
        return byte == b"1"

    def string(self) -> str:
        """Length, then bytes."""
        return self._take(self.count()).decode("ascii", "replace")

    def matrix(self) -> npt.NDArray[np.float64]:
        """Minus rows, minus columns, then the elements row by row."""
        rows, columns = -self.integer(), -self.integer()
        if not (0 <= rows < _SANE_COUNT and 0 <= columns < _SANE_COUNT):
            raise self.damaged(f"a matrix of {rows} × {columns}")
        return np.array([self.number() for _ in range(rows * columns)], dtype=np.float64).reshape(rows, columns)

    def tensor(self) -> npt.NDArray[np.float32]:
        """Version 2, shape (n, k, rows, columns), then raw little-endian float32."""
        self.expect(2)
        shape = tuple(self.count() for _ in range(4))
        size = math.prod(shape)
        return np.frombuffer(self._take(4 * size), dtype="<f4").astype(np.float32).reshape(shape)

    def alias_shape(self) -> tuple[int, int, int, int]:
        """An alias tensor: version 1 and four integers, no data."""
        self.expect(1)
        return self.count(), self.count(), self.count(), self.count()

    def end(self) -> None:
        """Raise unless everything was read."""
        if self.position != len(self._data):
            raise self.damaged(f"{len(self._data) - self.position} bytes left over")
