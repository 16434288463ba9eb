"""One stored vector: its owner, its bytes and a check sum, always of one length.

The length matters: a record is only ever overwritten by one of the same length, which SQLite does in place. So each vector lies at one place of
the file for as long as it lives, and when it is forgotten, nothing of it is left in the unused part of some other page.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.exact.segment import KEY_BYTES, NOBODY

#: CRC-32 of any message that ends with its own CRC-32, little-endian.
RESIDUE: Final = 0x2144DF1C
_CRC_BYTES: Final = 4
#: Bytes of a record beyond the vector's own.
OVERHEAD: Final = KEY_BYTES + _CRC_BYTES


def pack(key: int, payload: bytes) -> bytes:
    """A record: the owner's key (8 bytes), the payload, the CRC-32 of both (4 bytes), all little-endian.

    >>> is_sound(pack(7, b"1234")), unpack(pack(7, b"1234"))
    (True, (7, b'1234'))
    """
    body = key.to_bytes(KEY_BYTES, "little", signed=True) + payload
    return body + zlib.crc32(body).to_bytes(_CRC_BYTES, "little")


def pack_rows(keys: Sequence[int], vectors: npt.NDArray[np.float32]) -> list[bytes]:
    """The record of each row of ``(n, d)``, as `pack` makes it.

    >>> pack_rows([7], np.ones((1, 2), np.float32)) == [pack(7, np.ones(2, "<f4").tobytes())]
    True
    """
    table = np.empty(len(keys), [("key", "<i8"), ("vector", "<f4", vectors.shape[1])])
    table["key"], table["vector"] = keys, vectors
    raw, size = table.tobytes(), table.dtype.itemsize
    bodies = [raw[place : place + size] for place in range(0, len(raw), size)]
    return [body + zlib.crc32(body).to_bytes(_CRC_BYTES, "little") for body in bodies]


def is_sound(record: object) -> bool:
    """Whether a record is as it was written. A zeroed one is not."""
    return isinstance(record, bytes) and zlib.crc32(record) == RESIDUE


def unpack(record: bytes) -> tuple[int, bytes]:
    """Owner and payload of a sound record."""
    return int.from_bytes(record[:KEY_BYTES], "little", signed=True), record[KEY_BYTES:-_CRC_BYTES]


def tombstone(length: int) -> bytes:
    """What a forgotten record of that many bytes is overwritten with."""
    return pack(NOBODY, bytes(length - OVERHEAD))
