"""A photo of a data set: a file, or a piece of a file that holds many."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from sameface.files import path_as_text

_TURNS: Final[Mapping[int, Image.Transpose]] = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True, slots=True)
class PackedPhoto:
    """A photo inside a file that holds many; its bytes stay there until they are asked for.

    Attributes:
        file: the file that holds it.
        pieces: where its bytes lie: offset and length of each run of them, in order.
        name: what to call it.
        turns: quarter turns against the clock that it is given.
    """

    file: Path
    pieces: tuple[tuple[int, int], ...]
    name: str
    turns: int = 0

    @property
    def parent(self) -> Path:
        """The file that holds it."""
        return self.file

    def is_file(self) -> bool:
        """Whether the file that holds it is there."""
        return self.file.is_file()

    def read_bytes(self) -> bytes:
        """The photo as it was packed, in whatever format it has; a turned one as PNG. Raises OSError."""
        parts = []
        with self.file.open("rb") as file:
            for offset, length in self.pieces:
                file.seek(offset)
                parts.append(file.read(length))
        content = b"".join(parts)
        return _turned(content, self.turns) if self.turns else content


def _turned(content: bytes, turns: int) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        picture.transpose(_TURNS[turns]).save(out, format="PNG")
    return out.getvalue()


#: What data sets consist of. Both have ``name``, ``parent``, ``is_file`` and ``read_bytes``.
Photo = Path | PackedPhoto


def source_of(photo: Photo) -> Path | bytes:
    """What `imaging.load_image` reads: the path, or the bytes of a packed photo."""
    return photo if isinstance(photo, Path) else photo.read_bytes()


def photo_as_text(photo: Photo) -> str:
    """How a photo is named in reports.

    >>> photo_as_text(PackedPhoto(Path("lfw.bin"), ((0, 1),), "image 3"))
    'lfw.bin: image 3'
    """
    if isinstance(photo, PackedPhoto):
        return f"{path_as_text(photo.file)}: {photo.name}"
    return path_as_text(photo)
