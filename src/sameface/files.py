"""Files on this machine: where caches lie, whole files or none, digests, and the one walk over a tree of photos."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from sameface.errors import OutputError, SamefaceError, StorageFullError

#: Files with other endings are no photos; what a file really holds is found when it is decoded.
PHOTO_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"}
    | {".pgm", ".ppm", ".pbm", ".pnm", ".gif", ".heic", ".heif", ".avif"}
)


def is_photo(path: Path) -> bool:
    """Whether a file counts as a photo by its name: a photo's ending, and not hidden.

    >>> is_photo(Path("ada.JPG")), is_photo(Path(".ada.jpg")), is_photo(Path("ada.txt"))
    (True, False, False)
    """
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".")


def natural(path: Path) -> list[tuple[int, str]]:
    """Sort key that puts 2 before 10.

    >>> [p.name for p in sorted([Path("s10"), Path("s2"), Path("s1b")], key=natural)]
    ['s1b', 's2', 's10']
    """
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def photos_below(folder: Path) -> Iterator[Path]:
    """Photos of a folder and of all folders below it, in natural order; hidden ones are left out.

    Links to folders are followed, each real folder once: a link to a folder above ends nothing in a circle.

    Raises:
        OSError: the folder, or one below it, cannot be listed.
    """
    yield from _photos_below(folder, set())


def _photos_below(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    about = folder.stat()
    if (about.st_dev, about.st_ino) in seen:
        return
    seen.add((about.st_dev, about.st_ino))
    for path in sorted(folder.iterdir(), key=natural):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _photos_below(path, seen)
        elif path.is_file() and is_photo(path):
            yield path


def cache_folder() -> Path:
    """The folder for everything that can be made again: ``$SAMEFACE_CACHE``, else the system's own place."""
    chosen = os.environ.get("SAMEFACE_CACHE")
    return Path(chosen) if chosen else user_cache_path("sameface", appauthor=False)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
