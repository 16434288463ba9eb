"""Galleries that lie beside another: whoever is forgotten in one may be known in them too."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sameface.errors import SamefaceError
from sameface.gallery.location import read_space
from sameface.gallery.rules.places import is_server

#: The folder that a service takes by default.
_USUAL: Final = "galleries"


def galleries_beside(location: str | Path) -> list[Path]:
    """Other files of galleries near one: in its folder, in ``galleries`` below it, and above where it lies in a folder of that name; sorted.

    Nothing is opened for writing, so an old one stays as it is. Around a server's gallery nothing is looked for.
    """
    if is_server(location):
        return []
    folder = Path(location).parent
    near = [folder, folder / _USUAL, *([folder.parent] if folder.resolve().name == _USUAL else [])]
    return sorted(
        path
        for each in near
        for path in each.glob("*.db")
        if path.is_file() and not path.samefile(location) and _is_gallery(path)
    )


def _is_gallery(path: Path) -> bool:
    try:
        read_space(path)
    except (SamefaceError, OSError):
        return False
    return True
