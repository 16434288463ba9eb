"""Files on this machine: where caches lie, whole files or none, digests, the one walk over a tree of photos, and paths as text."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from platformdirs import user_cache_path

from sameface.errors import OutputError, SamefaceError, StorageFullError

#: Files with other endings are no photos; what a file really holds is found when it is decoded.
PHOTO_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"}
    | {".pgm", ".ppm", ".pbm", ".pnm", ".gif", ".heic", ".heif", ".avif"}
)

#: Python holds a byte of a path that is no UTF-8 as one of these.
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
#: Backslashes in front of such a byte, or of what its text form looks like.
_BEFORE_A_BYTE: Final = re.compile(r"\\+(?=[\udc80-\udcff]|x[89a-f][0-9a-f])")
_ESCAPED: Final = re.compile(r"(\\+)x([89a-f][0-9a-f])")


def is_photo(path: Path) -> bool:
    """Whether a file counts as a photo by its name: a photo's ending, and not hidden.

    >>> is_photo(Path("ada.JPG")), is_photo(Path(".ada.jpg")), is_photo(Path("ada.txt"))
    (True, False, False)
    """
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".")


def natural(path: Path) -> list[tuple[int, str]]:
    """Sort key that puts 2 before 10, and a name before the same name with a number.

    >>> [p.name for p in sorted([Path("s10.jpg"), Path("s2.jpg"), Path("s1b.jpg"), Path("s.jpg")], key=natural)]
    ['s.jpg', 's1b.jpg', 's2.jpg', 's10.jpg']
    """
    parts = [*re.split(r"(\d+)", path.stem), path.suffix]
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


#: Device and inode.
Identity = tuple[int, int]


class Skipped(NamedTuple):
    """A file or folder that was passed over, and why.

    Attributes:
        lost: whether photos were missed by it: a folder that cannot be listed, a photo that is no file.
        folder: whether it is a folder, with whatever is inside.
    """

    path: Path
    reason: str
    lost: bool = False
    folder: bool = False


def photos_below(
    folder: Path, skipped: Callable[[Skipped], object] | None = None, *, apart: Set[Identity] = frozenset()
) -> Iterator[Path]:
    """Photos of a folder and of all folders below it, in natural order; hidden ones are left out.

    Links to folders are followed, each real folder once: what lies behind links comes after all that lies in the tree itself. A link to a folder
    above is passed over, so nothing goes in circles and nothing outside is taken for a part.

    Args:
        folder: the top; a link to one is fine.
        skipped: told what is passed over; None raises instead where photos may be missed.
        apart: folders that are not entered, though links lead there, by `identity_of`.

    Raises:
        OSError: the folder, or without `skipped` one below it, cannot be listed.
    """
    seen = {identity_of(place) for place in folder.resolve().parents}
    behind_links = deque([folder])
    while behind_links:
        waiting = [iter([behind_links.popleft()])]
        while waiting:
            path = next(waiting[-1], None)
            if path is None:
                waiting.pop()
            elif path == folder or path.is_dir():
                if len(waiting) > 1 and path.is_symlink():
                    behind_links.append(path)
                elif path == folder:
                    waiting.append(_entered(path, seen, None))
                else:
                    waiting.append(_entered(path, seen, skipped, apart))
            elif not is_photo(path):
                _tell(skipped, Skipped(path, "not a photo by its name"))
            elif not path.is_file():
                _tell(skipped, Skipped(path, "a photo by its name, but no file", lost=True))
            else:
                yield path


def _entered(
    folder: Path,
    seen: set[Identity],
    skipped: Callable[[Skipped], object] | None,
    apart: Set[Identity] = frozenset(),
) -> Iterator[Path]:
    """What lies in a folder; nothing when it was entered before, is apart, or cannot be listed."""
    try:
        identity = identity_of(folder)
        if identity in seen or identity in apart:
            return iter(())
        seen.add(identity)
        return iter(sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=natural))
    except OSError as error:
        if skipped is None:
            raise
        skipped(Skipped(folder, f"cannot be listed: {error.strerror or error}", lost=True, folder=True))
        return iter(())


def identity_of(path: Path) -> Identity:
    """What tells a real folder or file from all others, by whatever name or link it was reached."""
    about = path.stat()
    return about.st_dev, about.st_ino


def _tell(skipped: Callable[[Skipped], object] | None, item: Skipped) -> None:
    if skipped is not None:
        skipped(item)


def is_text(name: str) -> bool:
    """Whether a name is valid Unicode, as libraries in C want it; paths on POSIX need not be.

    >>> is_text("ren\\u00e9.jpg"), is_text(os.fsdecode(b"ren\\xe9.jpg"))
    (True, False)
    """
    return not any("\ud800" <= character <= "\udfff" for character in name)


def path_as_text(path: str | os.PathLike[str]) -> str:
    """A path as valid Unicode, to be stored and printed: bytes that are no UTF-8 become ``\\xff``; `path_from_text` undoes it.

    Other paths stay as they are, but for a backslash before an ``x`` and two digits that could be taken for such a byte: it is doubled.

    >>> path_as_text(os.fsdecode(b"photos/ren\\xe9.jpg"))
    'photos/ren\\\\xe9.jpg'
    >>> path_as_text("a\\\\b.jpg"), path_as_text("a\\\\xe9.jpg")
    ('a\\\\b.jpg', 'a\\\\\\\\xe9.jpg')
    """
    text = _BEFORE_A_BYTE.sub(lambda found: 2 * found[0], os.fspath(path))
    text = _UNDECODED.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", text)
    return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair: no path can hold it


def path_from_text(text: str) -> Path:
    """The path that `path_as_text` made a text of.

    >>> os.fsencode(path_from_text("photos/ren\\\\xe9.jpg"))
    b'photos/ren\\xe9.jpg'
    """

    def decoded(found: re.Match[str]) -> str:
        slashes = found[1]
        half = slashes[: len(slashes) // 2]
        return half + (chr(0xDC00 + int(found[2], 16)) if len(slashes) % 2 else f"x{found[2]}")

    return Path(_ESCAPED.sub(decoded, text))


def cache_folder() -> Path:
    """The folder for everything that can be made again: ``$SAMEFACE_CACHE``, else the system's own place."""
    chosen = os.environ.get("SAMEFACE_CACHE")
    return Path(chosen) if chosen else user_cache_path("sameface", appauthor=False)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(path: Path, so_far: str) -> Iterator[None]:
    """What the system says of writing a file, as our own errors; those pass as they are.

    Args:
        path: of the file.
        so_far: what a full disk leaves behind, for its message.

    Raises:
        StorageFullError: no room on the disk.
        OutputError: the folder is none, or may not be written, or a folder lies at `path`.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, SamefaceError):
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(
                expected=f"room for {path.name} in {path.parent}",
                got=f"a full disk; {so_far}",
                advice="free some space or choose another folder (for models and caches: SAMEFACE_CACHE)",
            ) from error
        raise OutputError(
            expected=f"to write {path}",
            got=error.strerror or str(error),
            advice="choose another place or change its permissions (for models and caches: SAMEFACE_CACHE)",
        ) from error


@contextmanager
def atomic_write(path: Path, *, everybody: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; move it there when the block ends well, remove it otherwise.

    Args:
        path: where to.
        everybody: others may read it: weights, which are no secret, in a folder that users share. Else its owner only.

    Raises:
        StorageFullError: no room on the disk.
        OutputError: the folder is none, or may not be written, or a folder lies at `path`.
    """
    part: Path | None = None
    made = [folder for folder in (path.parent, *path.parent.parents) if not os.path.exists(folder)]  # noqa: PTH110  raises nothing
    try:
        with writing(path, "nothing was written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}."[:200], suffix=".part")
            os.close(handle)
            part = Path(name)
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            if everybody:
                part.chmod(0o644)
            part.replace(path)
    except BaseException:
        if part is not None:
            part.unlink(missing_ok=True)
        with suppress(OSError):  # others have put something there meanwhile
            for folder in made:
                folder.rmdir()
        raise
