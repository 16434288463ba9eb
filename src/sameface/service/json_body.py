"""JSON bodies: how much they hold is known before anything is made of them, and base64 text is taken in the forms that programs write."""

from __future__ import annotations

import binascii
import re
from typing import Any, Final

import msgspec

from sameface.errors import MalformedRequestError
from sameface.imaging.formats import format_of

#: Commas and opening brackets of a body: each value in a list or object has one before it, texts may have more.
_MOST_MARKS: Final = 1_000_000
#: Values of a body: more than any form of the service holds.
_MOST_VALUES: Final = 2_000
_DATA_ADDRESS: Final = re.compile(r"\s*data:[^,]{0,200},", re.I)
_SPACES: Final = b" \t\r\n"


def malformed(faults: list[tuple[tuple[int | str, ...], str]]) -> MalformedRequestError:
    """The error for fields that do not fit; repeats where they are and why, never what they hold."""
    words = "; ".join(
        f"{'.'.join(str(part)[:80] for part in place) or 'body'}: {message}" for place, message in faults[:5]
    )
    return MalformedRequestError(expected="the fields of this request", got=words[:600], advice="see /v1/openapi.json")


def decode_object(body: bytes) -> dict[str, Any]:
    """A JSON object.

    30 MB of ``[0,0,0,…`` would become gigabytes of objects and of complaints about each, so values are counted first.

    Raises:
        MalformedRequestError: not JSON, not an object, or too many values.
    """
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > _MOST_MARKS:
        raise malformed([((), f"more than {_MOST_VALUES:,} values")])
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed([((), "not JSON")]) from None
    if not isinstance(fields, dict):
        raise malformed([((), "not a JSON object")])
    if _is_more_than(fields, _MOST_VALUES):
        raise malformed([((), f"more than {_MOST_VALUES:,} values")])
    return fields


def photo_bytes(text: str) -> bytes:
    """The bytes of a photo from base64 text: with line breaks, without padding, in the alphabet of addresses, or behind ``data:…,``.

    Raises:
        ValueError: anything else; the message says what, without repeating the text.

    >>> photo_bytes("aGVs\\r\\nbG8="), photo_bytes("data:image/png;base64,aGVsbG8=")
    (b'hello', b'hello')
    """
    address = _DATA_ADDRESS.match(text)
    if address is not None and not address[0].lower().rstrip(" ,").endswith(";base64"):
        raise ValueError("a photo behind `data:` is base64 text: write `data:image/jpeg;base64,…`")
    try:
        packed = text[address.end() if address else 0 :].encode("ascii").translate(None, _SPACES)
        packed = packed.translate(bytes.maketrans(b"-_", b"+/"))
        padded = packed.rstrip(b"=")
        data = binascii.a2b_base64(padded + b"=" * (-len(padded) % 4), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError(_REASON) from None
    if len(packed) % 4 and format_of(data) is None:  # /etc/passwd is base64 text too, by its letters
        raise ValueError(_REASON)
    return data


_REASON: Final = "a photo is a file part (curl: `-F photo=@FILE`, with the @) or, in JSON, base64 text; addresses and paths are not opened"


def _is_more_than(value: dict[str, Any], most: int) -> bool:
    """Whether a value holds more than so many values, all levels together."""
    waiting: list[Any] = [value]
    seen = 0
    while waiting:
        held = waiting.pop()
        inner = list(held.values()) if isinstance(held, dict) else held if isinstance(held, list) else ()
        seen += len(inner)
        if seen > most:
            return True
        waiting.extend(inner)
    return False
