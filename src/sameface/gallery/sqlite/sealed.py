"""One key of an encrypted gallery: AES-256-GCM for what is sealed, keyed hashes for what is summed. Needs the extra `encryption`."""

from __future__ import annotations

import hashlib
import os
from typing import Final

from sameface.errors import ExtraMissingError

SCHEME: Final = "aes-256-gcm"
_NONCE_BYTES: Final = 12
#: Bytes by which what is sealed is longer: the nonce and AES-GCM's tag.
ADDED: Final = _NONCE_BYTES + 16
_SUM_BYTES: Final = 16
_PROOF: Final = b"sameface gallery key"


class DataKey:
    """What a gallery's rows are sealed and summed with. Each record has a random nonce, and opens only in its gallery, as its row.

    Args:
        key: 32 bytes.
        gallery_id: of the gallery that the key is for.
        version: of the record's schema; the first bound no person.

    Raises:
        ExtraMissingError: the extra is not installed.
    """

    def __init__(self, key: bytes, gallery_id: str, version: int = 3) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise ExtraMissingError(
                expected="the extra `encryption` for galleries that are encrypted",
                got=f"no module {error.name}",
                advice='run `pip install "sameface[encryption]"`',
            ) from error
        self.key, self._gallery, self._version = key, bytes.fromhex(gallery_id), version
        self._cipher, self._invalid = AESGCM(key), InvalidTag
        # Keys of their own for sums and names: what one is used for says nothing about the others.
        self.sum_key = self._derived(b"sameface sums")
        self._name_key = self._derived(b"sameface names")

    def _derived(self, what: bytes) -> bytes:
        return hashlib.blake2b(self._gallery, key=self.key, person=what, digest_size=32).digest()

    # -- vectors ------------------------------------------------------------------------------------------------------
    def seal(self, vector: bytes, owner: int, template_id: int) -> bytes:
        """A sealed vector."""
        return self._closed(vector, self._of_template(owner, template_id))

    def unseal(self, stored: bytes, owner: int, template_id: int) -> bytes | None:
        """A vector, None when it was not sealed by this key for this row."""
        return self._opened(stored, self._of_template(owner, template_id))

    def _of_template(self, owner: int, template_id: int) -> bytes:
        template = template_id.to_bytes(8, "little")
        if self._version == 1:
            return self._gallery + template
        return b"sameface template" + self._gallery + owner.to_bytes(8, "little") + template

    # -- texts and keys -----------------------------------------------------------------------------------------------
    def close_text(self, text: bytes, kind: str, number: int) -> bytes:
        """A sealed text of the row of that number."""
        return self._closed(text, self._of_text(kind, number))

    def open_text(self, stored: bytes, kind: str, number: int) -> bytes | None:
        """A text, None when it was not sealed by this key for this row."""
        return self._opened(stored, self._of_text(kind, number))

    def _of_text(self, kind: str, number: int) -> bytes:
        return b"sameface text" + self._gallery + number.to_bytes(8, "little") + kind.encode()

    def _closed(self, plain: bytes, bound_to: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound_to)

    def _opened(self, stored: bytes, bound_to: bytes) -> bytes | None:
        try:
            return self._cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], bound_to)
        except (self._invalid, ValueError):  # too short to be one
            return None

    # -- sums ---------------------------------------------------------------------------------------------------------
    def sum(self, body: bytes) -> bytes:
        """The check sum of a row."""
        return summed(self.sum_key, body)

    def handle(self, name: str) -> bytes:
        """By what somebody is found by their name: who has no key cannot guess names and look."""
        return hashlib.blake2b(name.encode(), key=self._name_key, digest_size=_SUM_BYTES).digest()

    def is_key_of(self, proof: str) -> bool:
        """Whether this is the key that made the proof of a gallery of schema 1 or 2: a known text, sealed."""
        try:
            return self.unseal(bytes.fromhex(proof), 0, 0) == _PROOF
        except ValueError:
            return False


def summed(sum_key: bytes, body: bytes) -> bytes:
    """A keyed hash, 16 bytes."""
    return hashlib.blake2b(body, key=sum_key, digest_size=_SUM_BYTES).digest()
