"""Rows as the bytes of a binary COPY, made a thousand at a time: a driver that turns each value by itself takes longer than the server.

Layout of a row: the number of fields (int16), then each field with its length in bytes (int32) before it, big-endian; -1 for nothing there. A vector
is its length (int16), two unused bytes and its numbers (float32).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.gallery.postgres.connections import Connection
from sameface.types import Embeddings, Template

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_NOTHING: Final = b"\xff\xff\xff\xff"
#: A text of no letters, twice, no box and no quality: most templates of a bulk load.
_PLAIN: Final = bytes(8) + 2 * _NOTHING
_LENGTH: Final = struct.Struct(">i")
_DOUBLE: Final = struct.Struct(">id")
#: An array of four float8: dimensions, no nulls, the type's number; length and first index; then each number with its length.
_BOX: Final = struct.Struct(">iiiIii" + 4 * "id")
_FLOAT8: Final = 701


def copy_in(connection: Connection, columns: str, rows: Sequence[bytes]) -> None:
    """Store rows, when there are any.

    Args:
        columns: the table, and the names of its columns in the order of the fields.
        rows: each whole, as said above.
    """
    if not rows:
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {columns} FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.write(b"".join((_HEAD, *rows, _END)))


def template_rows(
    owners: Sequence[bytes], numbers: Sequence[int], templates: Sequence[Template], vectors: Embeddings, moment: str
) -> list[bytes]:
    """Rows of templates: person_id, template_id, crc, embedding, source, source_sha256, box, quality, added.

    Args:
        owners: 16 bytes each.
        vectors: ``(n, d)``, in the order of the templates.
        moment: when those are added of which it is not known.
    """
    count, dimension = vectors.shape
    columns = [("fields", ">i2")]
    columns += [("owner_length", ">i4"), ("owner", "S16"), ("id_length", ">i4"), ("id", ">i8")]
    columns += [("crc_length", ">i4"), ("crc", ">i8"), ("length", ">i4"), ("dimension", ">i2"), ("unused", ">i2")]
    table: npt.NDArray[Any] = np.zeros(count, [*columns, ("vector", ">f4", (dimension,))])
    raw = np.ascontiguousarray(vectors, "<f4").tobytes()
    size = 4 * dimension
    table["fields"], table["owner_length"], table["id_length"], table["crc_length"] = 9, 16, 8, 8
    table["owner"], table["id"], table["vector"] = owners, numbers, vectors
    table["crc"] = [zlib.crc32(raw[place : place + size]) for place in range(0, len(raw), size)]
    table["length"], table["dimension"] = 4 + size, dimension
    whole, row = table.tobytes(), table.itemsize
    return [
        whole[number * row : (number + 1) * row] + _rest(template, moment) for number, template in enumerate(templates)
    ]


def _rest(template: Template, moment: str) -> bytes:
    """What differs in length from row to row."""
    if template.box is None and template.quality is None and not template.source and not template.source_sha256:
        return _PLAIN + text(template.added or moment)
    box = _NOTHING
    if template.box is not None:
        corners = [part for number in template.box.xyxy for part in (8, float(number))]
        box = _BOX.pack(_BOX.size - 4, 1, 0, _FLOAT8, 4, 1, *corners)
    quality = _NOTHING if template.quality is None else _DOUBLE.pack(8, float(template.quality))
    return text(template.source) + text(template.source_sha256) + box + quality + text(template.added or moment)


def text(value: str) -> bytes:
    """A text as a field."""
    raw = value.encode()
    return _LENGTH.pack(len(raw)) + raw


def fields(*values: bytes) -> bytes:
    """A row of fields that have their lengths."""
    return len(values).to_bytes(2, "big") + b"".join(values)


def truth(value: bool) -> bytes:
    """A boolean as a field."""
    return b"\0\0\0\1" + bytes([value])


def identity(person_id: bytes) -> bytes:
    """An id of 16 bytes as a field."""
    return b"\0\0\0\x10" + person_id


def number(value: int) -> bytes:
    """A bigint as a field."""
    return b"\0\0\0\x08" + value.to_bytes(8, "big", signed=True)
