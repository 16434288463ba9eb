"""A folder of people on this machine, and what of it a service does not have yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from unicodedata import normalize

from sameface.files import photos_below, sha256_of


def people_folders(folder: str | PathLike[str]) -> list[tuple[str, Path]]:
    """The people of a folder of folders, by name."""
    places = sorted(path for path in Path(folder).iterdir() if path.is_dir() and not path.name.startswith("."))
    return [(normalize("NFC", place.name), place) for place in places]


def digests_below(place: Path) -> set[str]:
    """The photos of a person, by their digests."""
    return set(_by_digest(place)[0].values())


def pages(digests: Sequence[str], at_once: int = 5000) -> Iterator[Sequence[str]]:
    """Digests, as many at a time as the service takes."""
    for start in range(0, len(digests), at_once):
        yield digests[start : start + at_once]


def parts_to_send(place: Path, kept: set[str], at_once: int) -> Iterator[list[Path]]:
    """The photos of a person that the service does not have, a few at a time; then each that cannot be read alone, which whoever sends it says."""
    digests, lost = _by_digest(place)
    new = [photo for photo, digest in digests.items() if digest not in kept]
    for start in range(0, len(new), at_once):
        yield new[start : start + at_once]
    for photo in lost:
        yield [photo]


def _by_digest(place: Path) -> tuple[dict[Path, str], list[Path]]:
    """The photos below a folder with their digests, and those that cannot be read: a link that leads nowhere, say."""
    digests: dict[Path, str] = {}
    lost: list[Path] = []
    for photo in photos_below(place, lambda item: lost.append(item.path) if item.lost else None):
        try:
            digests[photo] = sha256_of(photo)
        except OSError:
            lost.append(photo)
    return digests, lost
