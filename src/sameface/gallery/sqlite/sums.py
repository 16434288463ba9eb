"""What the check sums of rows are made of: everything that a row says, in one unambiguous string of bytes.

The sum itself is the vault's: a CRC-32 where embeddings lie in the clear, a keyed hash where they are sealed, so that whoever has no key cannot
give a template to somebody else either. Texts end with a byte that UTF-8 never has.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sameface.gallery.sqlite.vault import Vault

#: A sum that no row has: what was damaged before it was moved stays so.
WRONG: Final = b""
_END: Final = b"\xff"
_PERSON: Final = struct.Struct("<8sq16s?")
_TEMPLATE: Final = struct.Struct("<8sqq?d")
_CHANGE: Final = struct.Struct("<8sqq")
#: Settings that come and go while a gallery is used, outside the sum of all others.
NOTES: Final = ("rewrite", "erase", "rekeyed", "sum", "mac")


def of_person(
    key: int,
    person_id: bytes,
    name: str,
    details: str,
    created: str,
    terms: str,
    expires: str,
    held: int,
    groups: Sequence[str],
) -> bytes:
    """A person's row with their groups, in any order.

    >>> fields = 1, bytes(16), "Ada", "{}", "", "", "", 0
    >>> of_person(*fields, ["b", "a"]) == of_person(*fields, ["a", "b"])
    True
    """
    if len(person_id) != 16:
        raise ValueError("an id has 16 bytes")
    texts = _END.join((*(text.encode() for text in (name, details, created, terms, expires)), b""))
    if groups:
        texts += b"".join([group.encode() + _END for group in sorted(groups)])
    return _PERSON.pack(b"person", key, person_id, held) + texts


def of_template(
    template_id: int, key: int, source: str, digest: str, box: bytes | None, quality: float | None, added: str
) -> bytes:
    """A template's row, without its vector: that has a sum of its own (see `record`)."""
    head = _TEMPLATE.pack(b"template", template_id, key, quality is not None, quality or 0.0)
    return head + source.encode() + _END + digest.encode() + _END + added.encode() + _END + (box or b"")


def of_change(seq: int, key: int) -> bytes:
    """What caches are told about somebody whose templates were removed or moved."""
    return _CHANGE.pack(b"change", seq, key)


def of_settings(values: Mapping[str, str]) -> bytes:
    """All settings of a gallery but `NOTES`."""
    kept = sorted((key, value) for key, value in values.items() if key not in NOTES)
    return b"settings" + b"".join([key.encode() + _END + value.encode() + _END for key, value in kept])


def fits(stored: object, vault: Vault, make: Callable[..., bytes], *values: Any) -> bool:
    """Whether a stored sum is that of the values, which `make` puts together; values of a wrong kind, as damage makes them, fit nothing."""
    try:
        return vault.fits(stored, make(*values))
    except (AttributeError, TypeError, ValueError, struct.error):
        return False
