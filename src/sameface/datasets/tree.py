"""The one walk over a tree with a folder per person; evaluation, training and enrolment see the same people in it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from sameface.errors import DataError
from sameface.files import Skipped, identity_of, natural, path_as_text, photos_below


@dataclass(frozen=True, slots=True)
class PeopleTree:
    """Who lies in a tree.

    Attributes:
        people: photos by the folder's name, both in natural order. Folders inside a person's are the person's too.
        empty: folders without a photo.
        deep: folders whose photos lie only in folders inside, which may be a person's or people: nobody is made of them.
        skipped: what else was passed over.
    """

    people: dict[str, list[Path]]
    empty: tuple[Path, ...]
    deep: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


def read_tree(folder: str | Path, *, only: Set[str] | None = None) -> PeopleTree:
    """Look through a folder that has a folder of photos per person; hidden files and folders are left out.

    Args:
        folder: the top folder.
        only: names of the people wanted, whose folders alone are looked into; None takes all.

    Raises:
        DataError: no such folder, or it cannot be listed.
    """
    top = Path(folder)
    if not top.is_dir():
        raise DataError(
            expected=f"a folder at {path_as_text(top)}",
            got="a file" if top.exists() else "nothing there",
            advice="give a folder that has one folder of photos per person",
        )
    people: dict[str, list[Path]] = {}
    empty: list[Path] = []
    deep: list[Path] = []
    skipped: list[Skipped] = []
    try:
        places = sorted((path for path in top.iterdir() if not path.name.startswith(".")), key=natural)
    except OSError as error:
        raise DataError(
            expected=f"a folder that can be listed at {path_as_text(top)}",
            got=error.strerror or str(error),
            advice="change its permissions or its owner",
        ) from error
    folders = [path for path in places if path.is_dir()]
    inside = set(folders)
    skipped += [Skipped(path, "not in a person's folder") for path in places if path not in inside]
    # A link from one person's folder to another's, or to the top, makes nobody's photos somebody else's.
    apart = frozenset(identity_of(place) for place in (top, *folders))
    for person in folders:
        if only is not None and path_as_text(person.name) not in only:
            continue
        photos = list(photos_below(person, skipped.append, apart=apart))
        if not photos:
            empty.append(person)
        elif all(photo.parent != person for photo in photos):
            deep.append(person)
        else:
            people[path_as_text(person.name)] = photos
    return PeopleTree(people, tuple(empty), tuple(deep), tuple(skipped))


def refuse_deep(tree: PeopleTree) -> None:
    """Raise DataError where it is not clear who the people are.

    Raises:
        DataError: photos lie only in folders inside a person's folder.
    """
    if tree.deep:
        raise DataError(
            expected="photos in each person's folder",
            got=f"photos only in folders inside {_named(tree.deep)}",
            advice="give the folder whose folders are people, or move the photos of each person up",
        )


def _named(folders: tuple[Path, ...]) -> str:
    shown = ", ".join(path_as_text(folder.name) for folder in folders[:3])
    return shown if len(folders) <= 3 else f"{shown} and {len(folders) - 3} more"
