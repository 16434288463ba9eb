"""Who is to be enrolled: people with their photos, from a mapping or from a folder of folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import cast

from sameface.datasets.tree import read_tree
from sameface.errors import DataError, SamefaceError
from sameface.files import path_as_text
from sameface.imaging import ImageSource
from sameface.imaging.sources import is_one_photo


@dataclass(slots=True)
class Roster:
    """People with their photos.

    Attributes:
        people: photos by name.
        refused: folders that nobody is made of, and what else is lost, each with the reason.
        passed_over: what else was left out, in words.
    """

    people: dict[str, list[ImageSource]]
    refused: list[tuple[str, SamefaceError]] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def roster_of(people: Mapping[str, ImageSource | Iterable[ImageSource]] | str | PathLike[str]) -> Roster:
    """Read who is to be enrolled.

    Args:
        people: photos by name, or a folder that holds a folder of photos per person.

    Raises:
        DataError: neither, or nobody is in it.

    >>> roster_of({"Ada": "ada.jpg", "Grace": ["g1.jpg", "g2.jpg"]}).people
    {'Ada': ['ada.jpg'], 'Grace': ['g1.jpg', 'g2.jpg']}
    """
    if isinstance(people, (str, PathLike)):
        return _of_tree(Path(people))
    if not isinstance(people, Mapping):
        raise DataError(
            expected="photos by name, as a dictionary, or a folder that holds a folder per person",
            got=f"a {type(people).__name__}",
            advice='write {"Ada": ["ada.jpg"]}, or use `enroll` for one person',
        )
    return Roster({name: as_photos(photos) for name, photos in people.items()})


def as_photos(photos: ImageSource | Iterable[ImageSource]) -> list[ImageSource]:
    """One photo or several as a list.

    >>> as_photos("a.jpg"), as_photos(name for name in ("a.jpg", "b.jpg"))
    (['a.jpg'], ['a.jpg', 'b.jpg'])
    """
    if is_one_photo(photos):
        return [cast("ImageSource", photos)]
    return list(cast("Iterable[ImageSource]", photos))


def as_tags(groups: Iterable[str]) -> tuple[str, ...]:
    """Groups as they are stored; one text is one of them, not its letters.

    >>> as_tags("staff"), as_tags(["staff", "board"])
    (('staff',), ('staff', 'board'))
    """
    return (groups,) if isinstance(groups, str) else tuple(groups)


def _of_tree(folder: Path) -> Roster:
    if not folder.is_dir():
        raise DataError(
            expected="a name and a photo, or a folder that holds a folder per person",
            got=f"{path_as_text(folder)!r} alone",
            advice="write `sameface enroll NAME PHOTO`, or in Python `enroll(name, photo)`",
        )
    tree = read_tree(folder)
    refused = {
        path_as_text(
            place.name
        ): f"{path_as_text(place)}: photos only in folders inside: one person, or a folder of people?"
        for place in tree.deep
    }
    passed_over = []
    for item in tree.skipped:
        person = path_as_text(item.path.relative_to(folder).parts[0])
        if not item.lost:
            passed_over.append(f"{path_as_text(item.path)}: {item.reason}")
        elif person in tree.people:  # one of the person's photos that cannot be read, and its report says so
            tree.people[person].append(item.path)
        else:
            refused.setdefault(person, f"{path_as_text(item.path)}: {item.reason}")
    passed_over += [
        f"{path_as_text(place)}: no photo in the folder"
        for place in tree.empty
        if path_as_text(place.name) not in refused
    ]
    errors: list[tuple[str, SamefaceError]] = [
        (
            person,
            DataError(
                expected="photos in a person's folder",
                got=why,
                advice="put the person's photos into the folder, or remove it",
            ),
        )
        for person, why in refused.items()
    ]
    if not tree.people:
        raise DataError(
            expected="a folder that holds a folder of photos per person",
            got=f"none in {path_as_text(folder)!r}" + "".join(f"; {error.got}" for _, error in errors[:3]),
            advice="put each person's photos into a folder with the person's name",
        )
    return Roster(
        {person: [str(photo) for photo in photos] for person, photos in tree.people.items()}, errors, passed_over
    )
