"""An album brought up to date with its folder: what is new is encoded, what is gone is dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sameface.errors import DataError, ReaderMissingError, SamefaceError
from sameface.files import Skipped, path_as_text, path_from_text, photos_below
from sameface.indexing.album import Album, Face, PhotoState
from sameface.progress import Advance, no_advance
from sameface.recognizer.domain import Judgement
from sameface.types import Box, Embeddings

#: A photo's faces.
Encode = Callable[[Path], Sequence[tuple[Box, Embeddings, Judgement]]]


def photos_under(folder: Path, skipped: Callable[[Skipped], object] = lambda item: None) -> dict[str, PhotoState]:
    """The photos of a folder and those below it, by relative path as text; hidden files and folders are left out.

    Args:
        folder: the top.
        skipped: told what is passed over.

    Raises:
        DataError: no folder.
    """
    if not folder.is_dir():
        raise DataError(expected="a folder of photos", got=str(folder), advice="check the path")
    found = {}
    for path in photos_below(folder, skipped):
        try:
            state = path.stat()
        except OSError:  # deleted meanwhile
            continue
        found[path_as_text(path.relative_to(folder).as_posix())] = PhotoState(state.st_size, state.st_mtime_ns)
    return found


def refresh(
    album: Album,
    folder: Path,
    encode: Encode,
    advance: Advance = no_advance,
    skipped: Callable[[Skipped], object] = lambda item: None,
    *,
    keep: Callable[[], object] = lambda: None,
) -> tuple[int, int]:
    """Bring an album up to date with its folder: new and changed photos are encoded, those gone are dropped.

    Stopped at any moment, it is an album of what was done.

    Args:
        encode: gives the faces of a photo, with embedding and standing; an error is noted with the photo, which is tried again once it changes.
        advance: told of each photo that is done.
        skipped: told what is passed over. What lies in a folder that cannot be listed is not gone.
        keep: called after each photo that was encoded; may save the album as it is then.

    Returns:
        photos encoded, photos dropped.

    Raises:
        DataError: no folder; or it shows no photo where it showed some before: nothing is dropped then.
    """
    unlisted: list[str] = []

    def passed_over(item: Skipped) -> None:
        if item.folder:
            unlisted.append(path_as_text(item.path.relative_to(folder).as_posix()) + "/")
        skipped(item)

    present = photos_under(folder, passed_over)
    if album.photos and not present and not unlisted:
        raise DataError(
            expected=f"photos in {path_as_text(folder)}",
            got="none, where there were some before",
            advice="check that the disk is mounted; if the photos are gone, delete the album",
        )
    stale = {
        photo
        for photo, state in album.photos.items()
        if (photo not in present and not photo.startswith(tuple(unlisted)))
        or (photo in present and (state.size, state.modified) != (present[photo].size, present[photo].modified))
    }
    album.faces = [face for face in album.faces if face.photo not in stale]
    album.photos = {photo: state for photo, state in album.photos.items() if photo not in stale}
    encoded = 0
    for photo, state in present.items():
        if photo not in album.photos:
            album.photos[photo] = _encode_one(album, folder, photo, state, encode)
            encoded += 1
            keep()
        advance(1)
    remaining = {face.group for face in album.faces}
    album.names = {number: name for number, name in album.names.items() if number in remaining}
    return encoded, len(stale - set(present))


def _encode_one(
    album: Album,
    folder: Path,
    photo: str,
    state: PhotoState,
    encode: Encode,
) -> PhotoState:
    try:
        for box, embedding, judged in list(encode(folder / path_from_text(photo))):
            stored = embedding.astype("<f4").tobytes()
            album.faces.append(
                Face(album.next_face, photo, box, stored, standing=judged.standing, reason=judged.reason)
            )
            album.next_face += 1
    except ReaderMissingError as error:  # of no size that a photo has: tried again once its reader is installed
        return PhotoState(-1, -1, str(error))
    except SamefaceError as error:
        return PhotoState(state.size, state.modified, str(error))
    return state
