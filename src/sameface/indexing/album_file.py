"""An album's file: one JSON document, written whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sameface.errors import DataError, GalleryMismatchError
from sameface.files import atomic_write
from sameface.indexing.album import BEFORE, FORMAT, Album
from sameface.plain import known
from sameface.types import EmbeddingSpace

#: The album's file within its folder, when no other is named.
FILE_NAME: Final = ".sameface-album.json"
#: Seconds between two savings at least, and how many times as long as saving takes.
_SECONDS: Final = 1.0
_SHARE: Final = 19


def load_album(path: Path, space: EmbeddingSpace | None = None) -> Album | None:
    """Read an album; None where there is none yet.

    Args:
        space: of the recognizer in use, to be compared; None takes any.

    Raises:
        DataError: not an album, or damaged.
        GalleryMismatchError: made by another encoder, detector or alignment.
    """
    import msgspec

    if not path.exists():
        return None
    try:
        album = msgspec.json.decode(path.read_bytes(), type=known(Album))
    except (msgspec.DecodeError, OSError) as error:
        raise DataError(
            expected="an album", got=f"{error} in {path}", advice="delete the file to start anew"
        ) from error
    if album.format == BEFORE:
        album.format = FORMAT
    if album.format != FORMAT:
        raise DataError(expected=FORMAT, got=album.format, advice="use the sameface that wrote it, or delete the file")
    if space is not None and album.space != space:
        raise GalleryMismatchError(
            expected=f"an album of {space}", got=f"one of {album.space}", advice="name another --album file"
        )
    return album


def save_album(album: Album, path: Path) -> None:
    """Write an album, whole or not at all; only its owner may read it."""
    import msgspec

    with atomic_write(path) as part:
        part.write_bytes(msgspec.json.encode(album))


class NowAndThen:
    """Saves an album while it grows, so that a kill costs the last seconds; of a large one seldom enough to take a twentieth of the time at most.

    Args:
        album, path: as for `save_album`.
        clock: seconds.
    """

    def __init__(self, album: Album, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._album, self._path, self._clock = album, path, clock
        self._due = clock() + _SECONDS

    def __call__(self) -> None:
        """Save it, where that is due."""
        begun = self._clock()
        if begun < self._due:
            return
        save_album(self._album, self._path)
        ended = self._clock()
        self._due = ended + max(_SECONDS, _SHARE * (ended - begun))
