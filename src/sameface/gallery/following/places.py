"""Where the search cache of a gallery on a server lies, on the machine that searches."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sameface.errors import SettingError
from sameface.files import cache_folder

#: ``off``: the server searches alone. ``memory``: nothing on this machine's disk. A folder: there. Unset: in sameface's cache folder.
VARIABLE: Final = "SAMEFACE_SEARCH_CACHE"
OFF: Final = "off"
_MEMORY: Final = "memory"


def wanted() -> bool:
    """Whether a gallery on a server is followed by an index in this process."""
    return _value() != OFF


def cache_path(gallery_id: str) -> Path | None:
    """The cache of a gallery; None where it shall stay in memory, or its folder cannot be made.

    Raises:
        SettingError: another word that is no absolute path.
    """
    value = _value()
    if value in (OFF, _MEMORY):
        return None
    if value and not Path(value).is_absolute():
        raise SettingError(
            expected=f"{VARIABLE} as {OFF}, {_MEMORY}, or the path of a folder from / on",
            got=repr(value),
            advice="correct it, or remove it",
        )
    folder = Path(value) if value else cache_folder() / "galleries"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # a disk that may not be written: all the same but the time to open
        return None
    return folder / f"{gallery_id}-cache"


def _value() -> str:
    return os.environ.get(VARIABLE, "").strip()
