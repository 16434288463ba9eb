"""A run of templates in memory: the matrix and, beside it, whose each row is."""

from __future__ import annotations

import mmap
import sys
import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.exact.codes import BLOCK, Codes, encoded

#: Bytes of an owner's key under a check sum.
KEY_BYTES: Final = 8
#: The owner of a row that was forgotten. Real keys begin at 1.
NOBODY: Final = -1
#: Blocks of a mapped file that may stay in this process's memory after they were looked at: 128 MiB of 128 numbers.
_HELD_BLOCKS: Final = 4096


class StaleRowError(Exception):
    """A row in memory is no longer what was enrolled; the caller loads it again. Never leaves the gallery room."""


def crc_of(key: int, payload: bytes) -> int:
    """CRC-32 over owner and vector, so that a sound vector under the wrong person is found too.

    >>> crc_of(1, b"1234") == crc_of(2, b"1234")
    False
    """
    return zlib.crc32(payload, zlib.crc32(key.to_bytes(KEY_BYTES, "little", signed=True)))


class Segment:
    """Rows in the order of enrolment. Reading is safe while another thread appends: what a reader counted does not move.

    Attributes:
        matrix: ``(capacity, d)`` float32; may be a read-only view of a mapped file.
        ids, keys: ``(capacity,)`` int64, template id and person key of each row.
        crcs: ``(capacity,)`` uint32, `crc_of` of each row as it lies here.
        sq_norms: ``(capacity,)`` float32, ‖x‖² of each row.
        alive: ``(capacity,)`` bool, False for rows that were forgotten.
        count: rows in use.
        codes: the first rows once more in 8 bits, None while there are too few for it to pay.
        mapped: the file that the matrix lies in, None in memory.
        unchecked: ``(blocks,)`` bool, of a mapped file: blocks whose rows were not compared with their check sums yet; None: all were.
    """

    def __init__(
        self,
        matrix: npt.NDArray[np.float32],
        ids: npt.NDArray[np.int64],
        keys: npt.NDArray[np.int64],
        crcs: npt.NDArray[np.uint32],
        sq_norms: npt.NDArray[np.float32],
        count: int,
    ) -> None:
        self.matrix, self.ids, self.keys, self.crcs, self.sq_norms, self.count = (
            matrix,
            ids,
            keys,
            crcs,
            sq_norms,
            count,
        )
        self.alive = np.zeros(len(matrix), dtype=np.bool_)
        self.alive[:count] = True
        self.writable = bool(matrix.flags.writeable)
        self.codes: Codes | None = None
        self.mapped: mmap.mmap | None = None
        self.unchecked: npt.NDArray[np.bool_] | None = None
        self._held = 0
        self._low: tuple[int, npt.NDArray[np.float32], float] | None = None

    @classmethod
    def empty(cls, capacity: int, dimension: int) -> Segment:
        """Room for `capacity` rows."""
        return cls(
            np.zeros((capacity, dimension), np.float32),
            np.zeros(capacity, np.int64),
            np.zeros(capacity, np.int64),
            np.zeros(capacity, np.uint32),
            np.zeros(capacity, np.float32),
            0,
        )

    def append(
        self,
        vectors: npt.NDArray[np.float32],
        ids: npt.NDArray[np.int64],
        keys: npt.NDArray[np.int64],
        crcs: npt.NDArray[np.uint32],
    ) -> None:
        """Add rows at the end; there must be room."""
        start, stop = self.count, self.count + len(vectors)
        self.matrix[start:stop], self.ids[start:stop], self.keys[start:stop], self.crcs[start:stop] = (
            vectors,
            ids,
            keys,
            crcs,
        )
        self.sq_norms[start:stop] = square_norms(vectors)
        self.alive[start:stop] = True
        self.count = stop

    def kill(self, person_keys: npt.NDArray[np.int64]) -> int:
        """Take the rows of these people out of every answer, and overwrite their vectors where this process may."""
        rows = np.flatnonzero(among(self.keys[: self.count], person_keys) & self.alive[: self.count])
        self.alive[rows] = False
        if self.writable:
            self.matrix[rows] = 0
        if self.codes is not None and self.codes.rows.flags.writeable:
            self.codes.rows[rows[rows < len(self.codes)]] = 0
        return len(rows)

    def encode(self, least: int | None) -> None:
        """Bring the codes up to the rows, when that many have none and they are not a small part of all; None: never."""
        done = len(self.codes) if self.codes is not None else 0
        if least is None or self.count - done < max(least, done // 4):
            return
        self.codes = encoded(self.matrix[: self.count], self.codes)

    def look(self, blocks: npt.NDArray[np.int64]) -> None:
        """Say which blocks are about to be looked at in full.

        Raises:
            StaleRowError: a row of them is not what was enrolled.
        """
        if self.unchecked is not None:
            for block in blocks[self.unchecked[blocks]].tolist():
                for row in range(block * BLOCK, min(self.count, (block + 1) * BLOCK)):
                    key = int(self.keys[row])
                    if key != NOBODY and self.alive[row] and crc_of(key, self.matrix[row].tobytes()) != self.crcs[row]:
                        raise StaleRowError
                self.unchecked[block] = False
        if self.mapped is not None:
            self._held += len(blocks)
            if self._held > _HELD_BLOCKS:
                self.release()

    def release(self) -> None:
        """Give the memory of full rows back that a mapped file has taken; they are read from the file again when they are wanted."""
        self._held = 0
        if self.mapped is not None and sys.platform != "win32" and hasattr(mmap, "MADV_DONTNEED"):
            start = len(self.mapped) - self.matrix.nbytes // mmap.PAGESIZE * mmap.PAGESIZE
            start = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
            if start < len(self.mapped):
                self.mapped.madvise(mmap.MADV_DONTNEED, start)

    def lowest_norms(self, count: int) -> tuple[npt.NDArray[np.float32], float]:
        """The smallest ‖x‖² of each block of the first `count` rows, and the largest of all."""
        low = self._low
        if low is None or low[0] != count:
            norms = self.sq_norms[:count]
            low = (count, np.minimum.reduceat(norms, np.arange(0, count, BLOCK)), float(norms.max()))
            self._low = low
        return low[1], low[2]


def among(numbers: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which numbers of a segment are wanted, ``(n,)``.

    Of a copy: they may lie in a mapped file where another process crosses people out at this moment, and `numpy.isin` reads them more than once.
    """
    return np.isin(numbers.copy(), wanted)


def square_norms(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``‖x‖²`` of each row, ``(n,)`` float32."""
    with np.errstate(over="ignore"):
        norms: npt.NDArray[np.float32] = np.einsum("ij,ij->i", vectors, vectors)
        return norms
