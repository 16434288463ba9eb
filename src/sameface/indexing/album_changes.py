"""What somebody decided while looking through a contact sheet: who is who, and which faces do not belong.

Faces are named by their ids, which are never reused, so a list made from an older sheet still means the same faces.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sameface.errors import DataError
from sameface.indexing.album import Album
from sameface.plain import known

FORMAT: Final = "sameface album changes 1"


@dataclass(frozen=True, slots=True)
class Named:
    """These faces are one person, of that name."""

    name: str
    faces: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """A list of decisions, as the contact sheet saves it.

    Attributes:
        apart: faces that do not belong to their group; each list becomes a group of its own.
        named: who is who. The same name twice, or that of another group, is one person.
    """

    apart: tuple[tuple[int, ...], ...] = ()
    named: tuple[Named, ...] = ()
    format: str = field(default=FORMAT, kw_only=True)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the decisions, counted.

    Attributes:
        named, apart: groups that got a name, faces that left their group.
        gone: faces that are in the album no more.
    """

    named: int
    apart: int
    gone: int


def load_changes(path: Path) -> Changes:
    """Read a list of decisions.

    Raises:
        DataError: no such file, or another one.
    """
    import msgspec

    try:
        changes = msgspec.json.decode(path.read_bytes(), type=known(Changes))
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(
            expected="the list that a contact sheet saves",
            got=f"{error} in {path}",
            advice="save it from the sheet again",
        ) from error
    if changes.format != FORMAT:
        raise DataError(expected=FORMAT, got=repr(changes.format), advice="save it from a sheet of this sameface")
    return changes


def apply_changes(album: Album, changes: Changes) -> Applied:
    """Do what was decided, and settle it: later runs leave it so."""
    mentioned = {face for faces in changes.apart for face in faces} | {
        face for item in changes.named for face in item.faces
    }
    group_of = {face.face_id: face.group for face in album.faces}
    apart = 0
    for faces in changes.apart:
        by_group: dict[int, set[int]] = {}
        for face in faces:
            if face in group_of:
                by_group.setdefault(group_of[face], set()).add(face)
        for number, leaving in by_group.items():
            if leaving < {face for face, group in group_of.items() if group == number}:
                new = album.split(number, leaving)
                group_of |= dict.fromkeys(leaving, new)
                apart += len(leaving)
    named = 0
    for item in changes.named:
        groups = Counter(group_of[face] for face in item.faces if face in group_of)
        if not groups or not item.name.strip():
            continue
        first, *others = [number for number, _ in groups.most_common()]
        name = item.name.strip()
        holder = next((number for number, known in album.names.items() if known == name), None)
        if holder is None:
            album.name(first, name)
        elif holder != first:
            others.append(first)
            first = holder
        album.merge(first, [number for number in others if number != first])
        group_of = {face.face_id: face.group for face in album.faces}
        named += 1
    return Applied(named, apart, len(mentioned - set(group_of)))
