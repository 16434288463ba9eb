"""The keys of an encrypted gallery, old and new side by side.

Rows are sealed by a *data key*, random and made for the gallery. It lies in the gallery's settings, wrapped by the *key* that people keep; while a
key is changed, by both, so that who has the old one goes on. A change makes a new data key too: from that moment on everything is written by it,
and what the old one wrote is rewritten in the background. Until that is done, rows are read by either.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from sameface.errors import GalleryDamagedError, GalleryKeyError, GallerySchemaError
from sameface.gallery.sqlite.sealed import SCHEME, DataKey, summed
from sameface.gallery.sqlite.vault import not_a_text
from sameface.plain import known

_KEY_BYTES: Final = 32
_FIRST: Final = "1"


class Keys(msgspec.Struct):
    """What the settings hold.

    Attributes:
        current: the generation of data key that is written by.
        wrapped: by generation, and by the fingerprint of the key that it is wrapped by: the data key, hex.
        eras: up to which line of the audit log, and by which key (sealed by the current data key, hex), lines were tied before a change.
        texts: whether names, details, terms and sources are sealed too.
    """

    current: str
    wrapped: dict[str, dict[str, str]]
    eras: list[tuple[int, str]] = []  # msgspec makes a new one for each
    texts: bool = False


def encode(keys: Keys) -> str:
    """Keys as they lie in the settings."""
    return msgspec.json.encode(keys).decode()


def decode(text: str, location: str) -> Keys:
    """Keys of the settings. Raises GalleryDamagedError."""
    try:
        return msgspec.json.decode(text, type=known(Keys))
    except msgspec.DecodeError as error:
        raise GalleryDamagedError(
            expected=f"the keys of {location} as they were written", got="something else", advice="restore a backup"
        ) from error


@dataclass(frozen=True, slots=True)
class Opened:
    """Keys, opened by the key that somebody has.

    Attributes:
        text: as they lie in the settings.
        data: by generation, the current one first.
        eras: as of `Keys`, opened.
    """

    text: str
    keys: Keys
    data: Mapping[str, DataKey]
    eras: Sequence[tuple[int, bytes]] = ()

    @property
    def current(self) -> DataKey:
        return self.data[self.keys.current]


def fingerprint(key: bytes, gallery_id: str) -> str:
    """Tells keys apart and says nothing about them."""
    raw = bytes.fromhex(gallery_id)
    return hashlib.blake2b(raw, key=key, person=b"sameface which", digest_size=8).hexdigest()


def wrapped(data_key: bytes, generation: str, key: bytes, gallery_id: str) -> str:
    """A data key, wrapped by a key, hex."""
    return _wrapper(key, gallery_id).close_text(data_key, f"data key {generation}", 0).hex()


def first_keys(key: bytes, gallery_id: str, *, data_key: bytes = b"", texts: bool = False) -> Keys:
    """The keys of a new gallery.

    Args:
        key: that is kept by people.
        data_key: of a gallery that has one, else one is made.
    """
    made = wrapped(data_key or os.urandom(_KEY_BYTES), _FIRST, key, gallery_id)
    return Keys(_FIRST, {_FIRST: {fingerprint(key, gallery_id): made}}, texts=texts)


def opened(text: str, key: bytes | None, gallery_id: str, location: str) -> Opened:
    """The keys of the settings, opened.

    Raises:
        GalleryKeyError: no key, or one that opens nothing.
        GalleryDamagedError: they were changed.
    """
    if key is None:
        raise GalleryKeyError(
            expected=f"the key of {location}, which is encrypted",
            got="no key",
            advice="set SAMEFACE_GALLERY_KEY, or give the key's file; without its key a gallery is lost, and everybody is enrolled anew",
        )
    keys = decode(text, location)
    mine, data = fingerprint(key, gallery_id), {}
    for generation in sorted(keys.wrapped, key=lambda one: (one != keys.current, one)):
        slot = keys.wrapped[generation].get(mine)
        if slot is None:
            raise GalleryKeyError(
                expected=f"the key of {location}",
                got="another key",
                advice="set SAMEFACE_GALLERY_KEY to the right one; if the key was changed with `sameface gallery rotate-key`, to the new one",
            )
        raw = _unwrapped(slot, generation, key, gallery_id)
        if raw is None:
            raise _changed(location)
        data[generation] = DataKey(raw, gallery_id)
    if keys.current not in data:
        raise _changed(location)
    eras = []
    for place, (last, sealed) in enumerate(keys.eras):
        plain = data[keys.current].open_text(bytes.fromhex(sealed), "era", place)
        if plain is None:
            raise _changed(location)
        eras.append((last, plain))
    return Opened(text, keys, data, eras)


def _wrapper(key: bytes, gallery_id: str) -> DataKey:
    raw = bytes.fromhex(gallery_id)
    return DataKey(hashlib.blake2b(raw, key=key, person=b"sameface wrap", digest_size=_KEY_BYTES).digest(), gallery_id)


def _unwrapped(slot: str, generation: str, key: bytes, gallery_id: str) -> bytes | None:
    try:
        return _wrapper(key, gallery_id).open_text(bytes.fromhex(slot), f"data key {generation}", 0)
    except ValueError:
        return None


def _changed(location: str) -> GalleryDamagedError:
    return GalleryDamagedError(
        expected=f"the keys of {location} as they were written",
        got="others",
        advice="restore a backup; enroll nobody before you know who changed them",
    )


@dataclass
class SealedVault:
    """A `Vault` with keys. What does not open is tried again when the keys in the record have changed meanwhile.

    Sums of rows are keyed too, so names, groups and sources that lie open can be read but not changed or exchanged without the key.

    Attributes:
        ring: the keys as of now.
        again: the keys as they lie in the record now; None when they cannot be asked for.
    """

    ring: Opened
    again: Callable[[], Opened | None] = lambda: None
    scheme: str = SCHEME

    @property
    def changing(self) -> bool:
        """Whether rows may lie there that an old data key sealed."""
        return len(self.ring.keys.wrapped) > 1

    def adopt(self, ring: Opened) -> None:
        """Go on with other keys. Those of before still read: somebody may look at a state of then, as an export does."""
        self.ring = replace(
            ring, data={**ring.data, **{one: self.ring.data[one] for one in self.ring.data if one not in ring.data}}
        )

    def follow(self, text: str) -> None:
        """Write by the keys that lie in the settings now. Raises GalleryKeyError when they were changed and the old one opens nothing any more."""
        if text != self.ring.text:
            self._renewed()

    def _renewed(self) -> bool:
        found = self.again()
        if found is None or found.text == self.ring.text:
            return False
        self.adopt(found)
        return True

    def require_storable(self) -> None:
        """Sealed is as it should be."""

    def seal(self, vector: bytes, owner: int, template_id: int) -> bytes:
        return self.ring.current.seal(vector, owner, template_id)

    def unseal(self, stored: bytes, owner: int, template_id: int) -> bytes:
        while True:
            for key in self.ring.data.values():
                plain = key.unseal(stored, owner, template_id)
                if plain is not None:
                    return plain
            if not self._renewed():
                raise GalleryDamagedError(
                    expected=f"template {template_id} as it was sealed",
                    got="bytes that this key does not open",
                    advice="run `sameface gallery check`, then restore a backup",
                )

    def seal_text(self, text: str, kind: str, number: int) -> str | bytes:
        if not text or not self.ring.keys.texts:
            return text
        return self.ring.current.close_text(text.encode(), kind, number)

    def unseal_text(self, stored: str | bytes, kind: str, number: int) -> str:
        if isinstance(stored, str):
            return stored
        while isinstance(stored, bytes):
            for key in self.ring.data.values():
                plain = key.open_text(stored, kind, number)
                if plain is not None:
                    return plain.decode()
            if not self._renewed():
                break
        raise not_a_text(kind, number)

    def handle(self, name: str) -> bytes:
        return self.ring.current.handle(name)

    def handles(self, name: str) -> Sequence[bytes]:
        return [key.handle(name) for key in self.ring.data.values()]

    def sum(self, body: bytes) -> bytes:
        return self.ring.current.sum(body)

    def fits(self, made: object, body: bytes) -> bool:
        while True:
            if any(made == key.sum(body) for key in self.ring.data.values()):
                return True
            if not self._renewed():
                return False

    def link(self, body: bytes) -> bytes:
        return self.ring.current.sum(b"link" + body)

    def link_fits(self, made: bytes, body: bytes, seq: int) -> bool:
        for last, sum_key in self.ring.eras:
            if seq <= last:
                return made == summed(sum_key, b"link" + body)
        return made == self.link(body)


def require_scheme(scheme: str) -> None:
    """Raise GallerySchemaError for a gallery that is sealed in a way that this version does not know."""
    if scheme != SCHEME:
        raise GallerySchemaError(
            expected=f"a gallery encrypted with {SCHEME}", got=scheme, advice="install the newer sameface"
        )
