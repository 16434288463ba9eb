"""Converted models: made once, kept in the cache, and said while they are made."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from sameface.errors import ModelDamagedError, ModelMissingError
from sameface.files import atomic_write, cache_folder, sha256_of
from sameface.progress import Share

#: Shows that something is made, named, while the context lasts; gives a function to tell how far it is.
Announce = Callable[[str], AbstractContextManager[Share]]


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
    """The path of a cached file, made first when it is not there.

    Two processes may make the same file at once: both write whole files of the same content, and the last move wins.

    Args:
        name: file name inside the cache; carries a digest of everything the content depends on.
        make: writes the file at the path it is given, and may tell how far it is.
        what: what people call it, while it is made.
    """
    path = cache_folder() / "models" / name
    if not path.is_file():
        with _announce(what) as tell, atomic_write(path) as part:
            make(part, tell)
    return path
