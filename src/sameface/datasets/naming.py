"""Names of a data set's photos in files beside it: short, and found again wherever the data set lies."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from sameface.datasets.photo import PackedPhoto, Photo, photo_as_text
from sameface.errors import DataError
from sameface.files import path_as_text


def photo_names(photos: Sequence[Photo]) -> list[str]:
    """A name for each photo: its path from the folder that all of them share, with ``/``; ``lfw.bin: image 3`` inside a file.

    >>> photo_names([Path("lfw/Ada/1.jpg"), Path("lfw/Bo/1.jpg")])
    ['Ada/1.jpg', 'Bo/1.jpg']
    """
    files = {photo.parent for photo in photos}
    try:
        shared = os.path.commonpath(files) if files else ""
    except ValueError:  # relative and absolute ones, or several drives
        shared = ""
    names = []
    for photo in photos:
        if isinstance(photo, PackedPhoto):
            names.append(f"{path_as_text(photo.file.name)}: {photo.name}")
        else:
            names.append(path_as_text(PurePath(os.path.relpath(photo, shared) if shared else photo).as_posix()))
    return names


def find_photos(photos: Sequence[Photo], names: Sequence[str], where: str) -> dict[str, int]:
    """Which photo each name means: as `photo_names` gives it, or by the end of its path that no other photo has.

    Args:
        photos: of the data set.
        names: to look for; those that name none are left out.
        where: what to call the file that holds the names, in an error.

    Raises:
        DataError: a name that several photos have.

    >>> find_photos([Path("lfw/Ada/1.jpg"), Path("lfw/Bo/1.jpg")], ["Bo/1.jpg", "lfw/Ada/1.jpg", "Cy/1.jpg"], "x.csv")
    {'Bo/1.jpg': 1, 'lfw/Ada/1.jpg': 0}
    """
    exact = {name: place for place, name in enumerate(photo_names(photos))}
    by_length: dict[int, Mapping[tuple[str, ...], list[int]]] = {}
    found = {}
    for name in names:
        if name in exact:
            found[name] = exact[name]
            continue
        parts = PurePath(name).parts
        if not parts:
            continue
        if len(parts) not in by_length:
            by_length[len(parts)] = _ends(photos, len(parts))
        places = by_length[len(parts)].get(parts, [])
        if len(places) > 1:
            shown = " and ".join(photo_as_text(photos[place]) for place in places[:2])
            raise DataError(
                expected=f"one photo named {name!r} in {where}",
                got=f"{len(places)}, {shown} among them",
                advice="give more of the path, for instance PERSON/FILE",
            )
        if places:
            found[name] = places[0]
    return found


def _ends(photos: Sequence[Photo], length: int) -> Mapping[tuple[str, ...], list[int]]:
    ends: dict[tuple[str, ...], list[int]] = {}
    for place, photo in enumerate(photos):
        own = Path(photo.name).parts if isinstance(photo, PackedPhoto) else photo.parts
        ends.setdefault(own[-length:], []).append(place)
    return ends
