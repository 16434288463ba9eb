"""How a vector lies in the record: as it is, or sealed."""

from __future__ import annotations

from typing import Final, Protocol

#: What the record's settings say about a gallery whose vectors lie as they are.
PLAIN: Final = "none"


class Vault(Protocol):
    """Turns the bytes of a vector into those that are stored, and back.

    Attributes:
        scheme: as written in the record: ``none`` or the name of a cipher.
    """

    @property
    def scheme(self) -> str: ...

    def seal(self, vector: bytes, template_id: int) -> bytes:
        """The bytes to store."""
        ...

    def unseal(self, stored: bytes, template_id: int) -> bytes:
        """The vector's bytes. Raises GalleryKeyError or GalleryDamagedError when they were not sealed so."""
        ...


class PlainVault:
    """Vectors as they are."""

    scheme: str = PLAIN

    def seal(self, vector: bytes, template_id: int) -> bytes:
        return vector

    def unseal(self, stored: bytes, template_id: int) -> bytes:
        return stored
