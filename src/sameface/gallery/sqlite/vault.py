"""How a vector lies in the record: as it is, or sealed."""

from __future__ import annotations

from typing import Final, Protocol

from sameface.errors import GalleryKeyError, GallerySchemaError

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


def vault_for(scheme: str, proof: str, gallery_id: str, key: bytes | None, location: str) -> Vault:
    """The vault that a gallery was made with.

    Args:
        scheme, proof, gallery_id: as its record says.
        key: 32 bytes, None when there is none.

    Raises:
        GalleryKeyError: encrypted, and no key or the wrong one.
        GallerySchemaError: sealed in a way that this version does not know.
    """
    if scheme == PLAIN:
        return PlainVault()
    from sameface.gallery.sqlite.sealed import SCHEME, SealedVault

    if scheme != SCHEME:
        raise GallerySchemaError(
            expected=f"a gallery encrypted with {SCHEME}", got=scheme, advice="install the newer sameface"
        )
    if key is None:
        raise GalleryKeyError(
            expected=f"the key of {location}, which is encrypted",
            got="no key",
            advice="set SAMEFACE_GALLERY_KEY, or give the key's file",
        )
    sealed = SealedVault(key, gallery_id)
    sealed.require_key_of(proof, location)
    return sealed
