"""Check sums: a flipped byte is found and named, not searched."""

from __future__ import annotations

import zlib


def crc_of_template(vector: bytes, person_key: int) -> int:
    """CRC-32 of a stored vector, begun with its owner's key, so that a vector under the wrong person is found too.

    >>> crc_of_template(b"1234", 1) == crc_of_template(b"1234", 2)
    False
    """
    return zlib.crc32(vector, person_key & 0xFFFFFFFF)


def crc_of_person(person_id: bytes, name: str, details_json: str) -> int:
    """CRC-32 of what is stored about a person; the parts are parted by a byte that UTF-8 never has."""
    return zlib.crc32(b"\xff".join((person_id, name.encode(), details_json.encode())))
