"""Where converted and fetched models lie, and how a file gets there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from sameface.errors import ModelDamagedError, ModelMissingError, StorageFullError


def cache_folder() -> Path:
    """The folder for everything that can be made again: ``$SAMEFACE_CACHE``, else the system's own place."""
    chosen = os.environ.get("SAMEFACE_CACHE")
    return Path(chosen) if chosen else user_cache_path("sameface", appauthor=False)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Raise unless a weights file is the very file that was read and tested.

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
            advice="the file was changed or cut short: install the package that brings it again",
        )


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there when the block ends well, remove it otherwise.

    Raises:
        StorageFullError: no room on the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno == 28:  # ENOSPC
            raise StorageFullError(
                expected=f"room for {path.name} in {path.parent}",
                got="a full disk",
                advice="free some space or set SAMEFACE_CACHE to another folder",
            ) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The path of a cached file, made first when it is not there.

    Two processes may make the same file at once: both write whole files of the same content, and the last move wins.

    Args:
        name: file name inside the cache; carries a digest of everything the content depends on.
        make: writes the file at the path it is given.
    """
    path = cache_folder() / "models" / name
    if not path.is_file():
        with atomic_write(path) as part:
            make(part)
    return path
