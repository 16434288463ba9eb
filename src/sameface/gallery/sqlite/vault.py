"""How a vector lies in the record: as it is, or sealed."""

from __future__ import annotations

import hashlib
import zlib
from typing import Final, Protocol

from sameface.errors import GalleryKeyError, GallerySchemaError

#: What the record's settings say about a gallery whose vectors lie as they are.
PLAIN: Final = "none"


class Vault(Protocol):
    """Turns the bytes of a vector into those that are stored, and back, and sums up what stands beside it.

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

    def sum(self, body: bytes) -> bytes:
        """The check sum of a row."""
        ...

    def link(self, body: bytes) -> bytes:
        """The hash, 16 bytes, that ties a line of the audit log to the one before."""
        ...


class PlainVault:
    """Vectors as they are, and sums that find damage.

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

    def sum(self, body: bytes) -> bytes:
        return zlib.crc32(body).to_bytes(4, "little")

    def link(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, digest_size=16).digest()


def vault_for(scheme: str, proof: str, gallery_id: str, key: bytes | None, location: str, version: int) -> Vault:
    """The vault that a gallery was made with.

    Args:
        scheme, proof, gallery_id: as its record says.
        key: 32 bytes, None when there is none.
        version: of the record's schema.

    Raises:
        GalleryKeyError: encrypted, and no key or the wrong one.
        GallerySchemaError: sealed in a way that this version does not know.
    """
    if scheme == PLAIN:
        return PlainVault(location, has_key=key is not None)
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
    sealed = SealedVault(key, gallery_id, version)
    sealed.require_key_of(proof, location)
    return sealed
