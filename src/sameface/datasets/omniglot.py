"""Omniglot as it is unpacked: a folder per alphabet, in it a folder per character with twenty drawings.

``images_background``, ``images_evaluation`` and the two minimal sets have this form. Split files of the few-shot literature name characters, one
a line, as ``Angelic/character01`` or, where a turned character counts as another, ``Angelic/character01/rot090``. Source: Lake et al. 2015;
Vinyals et al. 2016, whose split (1,200 characters to train on, 423 others) is passed around as such files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from sameface.datasets.model import LabelledPhotos
from sameface.datasets.photo import PackedPhoto, Photo
from sameface.errors import DataError
from sameface.files import path_as_text

#: Quarter turns against the clock, by the last part of a name.
_TURNS: Final = {"rot090": 1, "rot180": 2, "rot270": 3}
_KNOWN: Final = ([], ["rot000"], *([turn] for turn in _TURNS))


def is_omniglot(folder: Path) -> bool:
    """Whether the first folder inside is an alphabet, or has one inside. Looks no further: a folder of people may be large."""
    place: Path | None = folder
    for _ in range(2):
        place = _first_folder(place) if place is not None else None
        if place is not None and (place / "character01").is_dir():
            return True
    return False


def _first_folder(folder: Path) -> Path | None:
    try:
        names = sorted(item for item in folder.iterdir() if not item.name.startswith("."))
    except OSError:
        return None
    return next((item for item in names if item.is_dir()), None)


def read_omniglot(folder: str | Path, split: str | Path | None = None) -> LabelledPhotos:
    """Read drawings labelled by character, ``Greek/character01``, with the alphabet as a group.

    Args:
        folder: has a folder per alphabet, or such folders inside (``images_background`` and ``images_evaluation``).
        split: a list of characters, the only ones wanted; None takes all. A character that is named with a turn is a class of its own.

    Raises:
        DataError: no alphabets, fewer than two characters, or a list that names one that is not there.
    """
    top = Path(folder)
    found: dict[str, Path] = {}
    for pattern in ("*/character[0-9][0-9]", "*/*/character[0-9][0-9]"):
        for place in sorted(top.glob(pattern)):
            found.setdefault(f"{place.parent.name}/{place.name}", place)
    wanted = sorted(found) if split is None else read_split(split)
    missing = [name for name in wanted if _upright(name) not in found]
    if missing or len(wanted) < 2:
        raise DataError(
            expected=f"folders of alphabets with two characters or more in {path_as_text(top)}",
            got=f"no {', '.join(missing[:3])}" if missing else f"{len(wanted)} characters",
            advice="unpack Omniglot's archives there: each alphabet a folder, each character one inside",
        )
    photos: list[Photo] = []
    people: list[int] = []
    for label, name in enumerate(wanted):
        drawings = sorted(found[_upright(name)].glob("*.png"))
        turn = name.removeprefix(f"{_upright(name)}/")
        photos += [_turned(path, turn) for path in drawings] if turn in _TURNS else drawings
        people += [label] * len(drawings)
    alphabets = tuple(name.split("/")[0] for name in wanted)
    return LabelledPhotos(
        top.name, tuple(photos), np.array(people, dtype=np.intp), tuple(wanted), (), {"alphabet": alphabets}
    )


def _upright(name: str) -> str:
    return "/".join(name.split("/")[:2])


def _turned(path: Path, turn: str) -> PackedPhoto:
    return PackedPhoto(path, ((0, path.stat().st_size),), turn, _TURNS[turn])


def read_split(file: str | Path) -> list[str]:
    """The classes that a list names, each once, in its order; ``rot000`` is the character itself.

    Raises:
        DataError: no such file, or lines that name no character.
    """
    path = Path(file)
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            expected=f"a list of characters at {path_as_text(path)}", got=str(error), advice="check the path"
        ) from error
    names = []
    for number, line in enumerate(lines, 1):
        parts = line.split("/")
        if len(parts) not in {2, 3} or not parts[1].startswith("character") or parts[2:] not in _KNOWN:
            raise DataError(
                expected="lines such as Angelic/character01 or Angelic/character01/rot090",
                got=f"{line!r} in line {number} of {path.name}",
                advice="give a split file of the few-shot literature",
            )
        names.append("/".join(part for part in parts if part != "rot000"))
    return list(dict.fromkeys(names))
