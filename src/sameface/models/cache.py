"""Where converted and fetched models lie, and how a file gets there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from platformdirs import user_cache_path

from sameface.errors import ModelDamagedError, ModelMissingError, OutputError, SamefaceError, StorageFullError

#: Told the share of a long work that is done, 0 to 1.
Progress = Callable[[float], None]
#: Shows that something is made, named, while the context lasts; gives a function to tell how far it is.
Announce = Callable[[str], AbstractContextManager[Progress]]


def _silently(what: str) -> AbstractContextManager[Progress]:
    return nullcontext(lambda share: None)


_announce: Announce = _silently


def announce_conversions(announce: Announce | None) -> None:
    """From now on show every one-time conversion in this process, whichever model is loaded by whatever command; None stops it.

    A conversion happens deep below the commands, wherever a model is first needed; so the edge that has a terminal says once how
    to show it.
    """
    global _announce
    _announce = announce or _silently


def cache_folder() -> Path:
    """The folder for everything that can be made again: ``$SAMEFACE_CACHE``, else the system's own place."""
    chosen = os.environ.get("SAMEFACE_CACHE")
    return Path(chosen) if chosen else user_cache_path("sameface", appauthor=False)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there when the block ends well, remove it otherwise.

    Raises:
        StorageFullError: no room on the disk.
        OutputError: the folder is none, or may not be written, or a folder lies at `path`.
    """
    part: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}."[:200], suffix=".part")
        os.close(handle)
        part = Path(name)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except SamefaceError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(
                expected=f"room for {path.name} in {path.parent}",
                got="a full disk; nothing was written",
                advice="free some space or choose another folder (for models and caches: SAMEFACE_CACHE)",
            ) from error
        raise OutputError(
            expected=f"to write {path}",
            got=error.strerror or str(error),
            advice="choose another place or change its permissions (for models and caches: SAMEFACE_CACHE)",
        ) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def cached(name: str, make: Callable[[Path, Progress], None], *, what: str) -> Path:
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
