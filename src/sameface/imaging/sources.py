"""From whatever the caller holds to the bytes of one picture file, never more than the limit allows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sized
from os import PathLike, fspath
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from sameface.errors import (
    ImageAccessError,
    ImageArrayError,
    ImageNotFoundError,
    ImageTooLargeError,
    NotAnImageError,
    SamefaceError,
)
from sameface.files import path_as_text
from sameface.imaging.limits import Limits
from sameface.open_databases import is_open

if TYPE_CHECKING:
    from PIL.Image import Image

#: Longer than this, a path is hardly one: a whole photo as base64 text, say, which belongs in no message and no log.
_LONGEST_SHOWN: Final = 300
#: No system opens longer ones.
_LONGEST_PATH: Final = 4096

#: A path, the bytes of a file, an open binary file, a Pillow image, or an RGB or grey uint8 array.
ImageSource: TypeAlias = (
    "str | PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image | npt.NDArray[np.uint8]"
)


_FOR_TEXT: Final = "give base64 text as bytes: base64.b64decode(text)"
_FOR_ADDRESSES: Final = "download the picture first: addresses are not opened"


def is_pillow_image(source: object) -> bool:
    """Whether this is a Pillow image, asked without importing Pillow: who holds one has imported it.

    >>> is_pillow_image("a.jpg")
    False
    """
    return any(kind.__module__ == "PIL.Image" and kind.__name__ == "Image" for kind in type(source).__mro__)


def label_of(source: object) -> str:
    """What to call a source in messages and provenance: its path as text where it has one, else "".

    >>> label_of(Path("ada.jpg")), label_of(b"...")
    ('ada.jpg', '')
    """
    if isinstance(source, (str, PathLike)):
        return path_as_text(source)
    for attribute in ("filename", "name"):  # Pillow images, open files
        name = getattr(source, attribute, None)
        if isinstance(name, (str, PathLike)) and name:
            return path_as_text(name)
    return ""


def not_one_photo(source: object) -> ImageArrayError:
    """The error for what is no picture, in words for what it most likely is.

    >>> not_one_photo(None).got
    'None, which OpenCV gives for a file that it cannot read'
    >>> not_one_photo(["a.jpg", "b.jpg"]).got
    'a list of 2'
    """
    expected = "one photo: a path, bytes, a binary file, a PIL.Image or a uint8 array"
    if source is None:
        return ImageArrayError(
            expected=expected,
            got="None, which OpenCV gives for a file that it cannot read",
            advice="give the path itself, and it says what is wrong",
        )
    if isinstance(source, Iterable):
        count = f" of {len(source)}" if isinstance(source, Sized) else ""
        return ImageArrayError(
            expected=expected,
            got=f"a {type(source).__name__}{count}",
            advice="give one photo at a time, or ask `embed`, `identify_many` or `encode_photos`, which take many",
        )
    return ImageArrayError(
        expected=expected,
        got=f"an object of type {type(source).__name__}",
        advice="convert it to one of those first, for instance with numpy.asarray",
    )


def is_one_photo(source: object) -> bool:
    """Whether this is one photo, not several: anything that is no list, tuple, generator or table column of photos.

    >>> is_one_photo("a.jpg"), is_one_photo(b"..."), is_one_photo(["a.jpg"]), is_one_photo(iter(()))
    (True, True, False, False)
    """
    if isinstance(source, (str, PathLike, bytes, bytearray, memoryview)) or is_pillow_image(source):
        return True
    if isinstance(source, np.ndarray):
        return source.ndim < 4 and source.dtype.kind not in "OU"
    # Open files are iterable too, by lines.
    return hasattr(source, "read") or not isinstance(source, Iterable)


def short(name: str) -> str:
    """A source as messages call it: a path as it is, a text that somebody took for one cut off.

    >>> short("ada.jpg"), short("A" * 100_000)[-23:]
    ('ada.jpg', 'A… (100,000 characters)')
    """
    return name if len(name) <= _LONGEST_SHOWN else f"{name[:40]}… ({len(name):,} characters)"


def sha256_of_bytes(data: bytes) -> str:
    """Hex digest that names a photo by its content.

    >>> sha256_of_bytes(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def read_bytes(source: str | PathLike[str] | bytes | bytearray | memoryview | IO[bytes], limits: Limits) -> bytes:
    """The bytes of a picture file.

    Args:
        source: a path, bytes, or a binary file, which is read from where it stands.

    Raises:
        ImageNotFoundError: no file there; addresses (``https://…``) are paths that do not exist: nothing is fetched.
        ImageAccessError: a folder, or no permission.
        ImageTooLargeError: more bytes than the limit; at most one byte above it was read.
        NotAnImageError: zero bytes.
    """
    name = short(label_of(source)) or "the given bytes"
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source) if len(source) <= limits.max_bytes else _refuse_size(name, len(source), limits)
    elif isinstance(source, (str, PathLike)):
        if not fspath(source):  # as a Path it would be the working folder
            raise ImageNotFoundError(expected="the path of a picture", got="an empty one", advice="name the file")
        data = _read_path(Path(fspath(source)), name, limits)
    else:
        data = _read_file(source, name, limits)
    if not data:
        raise NotAnImageError(
            expected="a picture", got=f"zero bytes in {name}", advice="check that the file was saved or sent whole"
        )
    return data


def _read_path(path: Path, name: str, limits: Limits) -> bytes:
    if is_open(path):
        raise NotAnImageError(
            expected="a picture",
            got=f"{name!r}, a gallery that is in use",
            advice="name photos only, *.jpg for instance",
        )
    try:
        with path.open("rb") as file:
            return _read_file(file, name, limits)
    except SamefaceError:
        raise
    except FileNotFoundError as error:
        web = "://" in name
        text = len(fspath(path)) > _LONGEST_SHOWN
        raise ImageNotFoundError(
            expected="the path of a picture",
            got=f"{name!r}, where there is no file",
            advice=_FOR_TEXT if text else _FOR_ADDRESSES if web else "check the path",
        ) from error
    except IsADirectoryError as error:
        raise ImageAccessError(
            expected="a picture",
            got=f"the folder {name!r}",
            advice="name one picture in it, or use a command that takes folders",
        ) from error
    except PermissionError as error:
        raise ImageAccessError(
            expected="a picture that may be read",
            got=f"no permission for {name!r}",
            advice="change its permissions or its owner",
        ) from error
    except (ValueError, OSError) as error:
        # A null byte, a name too long, a loop of links, a disk that fails. The error's own text would repeat the whole name.
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ImageNotFoundError(
            expected="the path of a picture",
            got=f"{name!r} ({reason})",
            advice=_FOR_TEXT if len(fspath(path)) > _LONGEST_SHOWN else "check the path",
        ) from None


def _read_file(file: IO[bytes], name: str, limits: Limits) -> bytes:
    """All that comes: pipes, sockets and unbuffered files give less than was asked for, and more the next time."""
    pieces: list[bytes] = []
    room = limits.max_bytes + 1
    while room > 0:
        piece = _read_some(file, name, room)
        if not piece:
            break
        pieces.append(piece)
        room -= len(piece)
    if room <= 0:
        _refuse_size(name, None, limits)
    return b"".join(pieces)


def _read_some(file: IO[bytes], name: str, size: int) -> bytes:
    try:
        data: Any = file.read(size)
    except (ValueError, AttributeError) as error:  # closed; or opened for writing, which is an OSError as well
        closed = getattr(file, "closed", False)
        raise ImageAccessError(
            expected="an open binary file that may be read",
            got=f"a closed one: {name}" if closed else f"one that may not: {name}",
            advice="read it before it is closed" if closed else 'open it with mode "rb"',
        ) from error
    except OSError as error:
        if isinstance(error, SamefaceError):
            raise
        raise ImageAccessError(
            expected="a file that can be read to its end",
            got=f"{error.strerror or type(error).__name__} in {name}",
            advice="read it again, or copy it to another disk first",
        ) from error
    if data is None:
        raise ImageAccessError(
            expected="a file that waits for its bytes", got=f"one that does not: {name}", advice="set it to blocking"
        )
    if not isinstance(data, (bytes, bytearray)):
        raise ImageAccessError(
            expected="a file opened for bytes", got=f"text from {name}", advice='open it with mode "rb"'
        )
    return bytes(data)


def _refuse_size(name: str, size: int | None, limits: Limits) -> bytes:
    raise ImageTooLargeError(
        expected=f"a picture of at most {limits.max_bytes:,} bytes",
        got=f"{f'{size:,} bytes' if size is not None else 'more'} in {name}",
        advice="make the picture smaller, or save it as JPEG",
    )
