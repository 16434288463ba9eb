"""Changing the key of an encrypted gallery, while others use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sameface.errors import GalleryKeyError, SettingError
from sameface.gallery.location import open_store
from sameface.gallery.rules.places import is_server
from sameface.gallery.sqlite.key import read_key
from sameface.gallery.sqlite.store import SqliteStore
from sameface.gallery.store import CheckReport


def rotate_key(
    location: str | Path,
    new: str | Path,
    *,
    key: str | Path | None = None,
    seal_names: bool | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> CheckReport:
    """Encrypt everything in a gallery anew, under a new key; both keys open it until `retire_key`.

    Others may read and write meanwhile, by the old key or the new one. A call that was stopped, by a kill say, is made again to go on where it was.

    Args:
        location: a path.
        new: the new key, as for `open_store`; the same one makes new data keys alone.
        key: the key of now; None takes ``$SAMEFACE_GALLERY_KEY``.
        seal_names: whether names, details, terms and sources are encrypted too from now on, None as before.
        progress: told how many rows were rewritten, again and again.

    Returns:
        What a reading of every row by the new key alone found.

    Raises:
        GalleryKeyError: no key, or the wrong one.
        SettingError: a gallery that is not encrypted, or whose last change of the key is not finished.
        GalleryLockedError, GalleryReadOnlyError, StorageFullError, …: as for any change.
    """
    with _opened(location, key) as (store, mine):
        fresh = read_key(new)
        assert fresh is not None
        return store.rotate_key(mine, fresh, seal_names=seal_names, progress=progress)


def retire_key(location: str | Path, *, key: str | Path | None = None) -> int:
    """The end of a change: from now on only this key, the new one, opens the gallery. Returns how many others did.

    Args:
        location, key: as for `rotate_key`.
    """
    with _opened(location, key) as (store, mine):
        return store.retire_keys(mine)


@contextmanager
def _opened(location: str | Path, key: str | Path | None) -> Iterator[tuple[SqliteStore, bytes]]:
    if is_server(location):
        raise SettingError(
            expected="an encrypted gallery in a file",
            got="one on a server",
            advice="let the server encrypt its disk, and change its key there",
        )
    mine = read_key(key)
    if mine is None:
        raise GalleryKeyError(
            expected=f"the key of {location}", got="no key", advice="set SAMEFACE_GALLERY_KEY, or give the key's file"
        )
    with open_store(location, create=False, key=key) as store:
        assert isinstance(store, SqliteStore)
        yield store, mine
