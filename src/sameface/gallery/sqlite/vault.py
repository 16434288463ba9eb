"""How a gallery lies in its record: as it is, or sealed."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import Final, Protocol

from sameface.errors import GalleryDamagedError, GalleryKeyError

#: What the record's settings say about a gallery whose vectors lie as they are.
PLAIN: Final = "none"
_HANDLE_BYTES: Final = 16


class Vault(Protocol):
    """Turns vectors and texts into what is stored, and back, and sums up what stands beside them.

    Attributes:
        scheme: as written in the record: ``none`` or the name of a cipher.
    """

    @property
    def scheme(self) -> str: ...

    def require_storable(self) -> None:
        """Raise GalleryKeyError when nothing may be stored this way."""
        ...

    def seal(self, vector: bytes, owner: int, template_id: int) -> bytes:
        """The bytes to store for a person's template, always of one length."""
        ...

    def unseal(self, stored: bytes, owner: int, template_id: int) -> bytes:
        """The vector's bytes. Raises GalleryDamagedError when they were not sealed so, for this person and this template."""
        ...

    def seal_text(self, text: str, kind: str, number: int) -> str | bytes:
        """What to store for a text of the row of that number; an empty one stays as it is."""
        ...

    def unseal_text(self, stored: str | bytes, kind: str, number: int) -> str:
        """The text. Raises GalleryDamagedError when it was not sealed for this row."""
        ...

    def handle(self, name: str) -> bytes:
        """By what somebody is found by their name."""
        ...

    def handles(self, name: str) -> Sequence[bytes]:
        """By what they may be found, the one that is written now first."""
        ...

    def sum(self, body: bytes) -> bytes:
        """The check sum of a row."""
        ...

    def fits(self, made: object, body: bytes) -> bool:
        """Whether a check sum is that of a row."""
        ...

    def link(self, body: bytes) -> bytes:
        """The hash, 16 bytes, that ties a line of the audit log to the one before."""
        ...

    def link_fits(self, made: bytes, body: bytes, seq: int) -> bool:
        """Whether the line of that number was tied so."""
        ...


class PlainVault:
    """Vectors and texts as they are, and sums that find damage.

    Args:
        location: for errors.
        has_key: whether there is a key all the same: then this is not the gallery that is meant, or somebody changed its settings, and nothing
            is stored in the clear.
    """

    scheme: str = PLAIN

    def __init__(self, location: str = "", *, has_key: bool = False) -> None:
        self._location, self._has_key = location, has_key

    def require_storable(self) -> None:
        if self._has_key:
            raise GalleryKeyError(
                expected=f"an encrypted gallery at {self._location}, for there is a key",
                got="one that keeps embeddings in the clear",
                advice="copy it into an encrypted one with `sameface gallery copy`, or unset SAMEFACE_GALLERY_KEY to add to this one",
            )

    def seal(self, vector: bytes, owner: int, template_id: int) -> bytes:
        self.require_storable()
        return vector

    def unseal(self, stored: bytes, owner: int, template_id: int) -> bytes:
        return stored

    def seal_text(self, text: str, kind: str, number: int) -> str | bytes:
        return text

    def unseal_text(self, stored: str | bytes, kind: str, number: int) -> str:
        if not isinstance(stored, str):
            raise not_a_text(kind, number)
        return stored

    def handle(self, name: str) -> bytes:
        return hashlib.blake2b(name.encode(), digest_size=_HANDLE_BYTES, person=b"sameface name").digest()

    def handles(self, name: str) -> Sequence[bytes]:
        return (self.handle(name),)

    def sum(self, body: bytes) -> bytes:
        return zlib.crc32(body).to_bytes(4, "little")

    def fits(self, made: object, body: bytes) -> bool:
        return made == self.sum(body)

    def link(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, digest_size=16).digest()

    def link_fits(self, made: bytes, body: bytes, seq: int) -> bool:
        return made == self.link(body)


def not_a_text(kind: str, number: int) -> GalleryDamagedError:
    """The error for a text that is not what was written."""
    return GalleryDamagedError(
        expected=f"the {kind} of row {number} as it was written",
        got="something else",
        advice="run `sameface gallery check`, then restore a backup",
    )
