"""Vectors sealed at rest with AES-256-GCM. Needs the extra `encryption`.

What is sealed is the embedding, the biometric part. Names, details, groups and sources stay readable; keep the gallery on an encrypted disk if
they are secret too. They cannot be changed unnoticed without the key.
"""

from __future__ import annotations

import hashlib
import os
from typing import Final

from sameface.errors import ExtraMissingError, GalleryDamagedError, GalleryKeyError

SCHEME: Final = "aes-256-gcm"
_NONCE_BYTES: Final = 12
#: Bytes by which a sealed vector is longer: the nonce and AES-GCM's tag.
ADDED: Final = _NONCE_BYTES + 16
_SUM_BYTES: Final = 16
_PROOF: Final = b"sameface gallery key"


class SealedVault:
    """A `Vault` with a key. Each record has a random nonce, and opens only in its gallery, as its template, for its person.

    Sums of rows are keyed too, so names, groups and sources can be read but not changed or exchanged without the key.

    Args:
        key: 32 bytes.
        gallery_id: of the gallery that the key is for.
        version: of the record's schema; the first bound no person.

    Raises:
        ExtraMissingError: the extra is not installed.
    """

    scheme: str = SCHEME

    def __init__(self, key: bytes, gallery_id: str, version: int) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise ExtraMissingError(
                expected="the extra `encryption` for galleries that are encrypted",
                got=f"no module {error.name}",
                advice="pip install 'sameface[encryption]'",
            ) from error
        self._cipher, self._invalid, self._gallery = AESGCM(key), InvalidTag, bytes.fromhex(gallery_id)
        self._version = version
        # A key of its own for the sums: what one is used for says nothing about the other.
        self._sum_key = hashlib.blake2b(self._gallery, key=key, person=b"sameface sums", digest_size=32).digest()

    def require_storable(self) -> None:
        """Sealed is as it should be."""

    def seal(self, vector: bytes, owner: int, template_id: int) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, vector, self._bound_to(owner, template_id))

    def unseal(self, stored: bytes, owner: int, template_id: int) -> bytes:
        try:
            return self._cipher.decrypt(
                stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], self._bound_to(owner, template_id)
            )
        except self._invalid:
            raise GalleryDamagedError(
                expected=f"template {template_id} as it was sealed",
                got="bytes that this key does not open",
                advice="run `sameface gallery check`, then restore a backup",
            ) from None

    def sum(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._sum_key, digest_size=_SUM_BYTES).digest()

    def link(self, body: bytes) -> bytes:
        return self.sum(b"link" + body)

    def proof(self) -> str:
        """What a gallery keeps to know its key again: a known text, sealed."""
        return self.seal(_PROOF, 0, 0).hex()

    def require_key_of(self, proof: str, location: str) -> None:
        """Raise GalleryKeyError unless this is the key that made a proof."""
        try:
            right = self.unseal(bytes.fromhex(proof), 0, 0) == _PROOF
        except (GalleryDamagedError, ValueError):
            right = False
        if not right:
            raise GalleryKeyError(
                expected=f"the key of {location}", got="another key", advice="set SAMEFACE_GALLERY_KEY to the right one"
            )

    def _bound_to(self, owner: int, template_id: int) -> bytes:
        template = template_id.to_bytes(8, "little")
        if self._version == 1:
            return self._gallery + template
        return b"sameface template" + self._gallery + owner.to_bytes(8, "little") + template
