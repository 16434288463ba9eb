"""Vectors sealed at rest with AES-256-GCM. Needs the extra `encryption`.

What is sealed is the embedding, the biometric part. Names, details, groups and sources stay readable; keep the gallery on an encrypted disk if
they are secret too.
"""

from __future__ import annotations

import os
from typing import Final

from sameface.errors import ExtraMissingError, GalleryDamagedError, GalleryKeyError

SCHEME: Final = "aes-256-gcm"
_NONCE_BYTES: Final = 12
_PROOF: Final = b"sameface gallery key"


class SealedVault:
    """A `Vault` with a key. Each record has a random nonce, and is bound to its gallery and its template.

    Args:
        key: 32 bytes.
        gallery_id: of the gallery that the key is for.

    Raises:
        ExtraMissingError: the extra is not installed.
    """

    scheme: str = SCHEME

    def __init__(self, key: bytes, gallery_id: str) -> None:
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

    def seal(self, vector: bytes, template_id: int) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, vector, self._bound_to(template_id))

    def unseal(self, stored: bytes, template_id: int) -> bytes:
        try:
            return self._cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], self._bound_to(template_id))
        except self._invalid:
            raise GalleryDamagedError(
                expected=f"template {template_id} as it was sealed",
                got="bytes that this key does not open",
                advice="run `sameface gallery check`, then restore a backup",
            ) from None

    def proof(self) -> str:
        """What a gallery keeps to know its key again: a known text, sealed."""
        return self.seal(_PROOF, 0).hex()

    def require_key_of(self, proof: str, location: str) -> None:
        """Raise GalleryKeyError unless this is the key that made a proof."""
        try:
            right = self.unseal(bytes.fromhex(proof), 0) == _PROOF
        except (GalleryDamagedError, ValueError):
            right = False
        if not right:
            raise GalleryKeyError(
                expected=f"the key of {location}", got="another key", advice="set SAMEFACE_GALLERY_KEY to the right one"
            )

    def _bound_to(self, template_id: int) -> bytes:
        return self._gallery + template_id.to_bytes(8, "little")
