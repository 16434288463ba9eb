"""A photo of a data set: a file, or a piece of a file that holds many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sameface.files import path_as_text


@dataclass(frozen=True, slots=True)
class PackedPhoto:
    """A photo inside a file that holds many; its bytes stay there until they are asked for.

    Attributes:
        file: the file that holds it.
        pieces: where its bytes lie: offset and length of each run of them, in order.
        name: what to call it.
    """

    file: Path
    pieces: tuple[tuple[int, int], ...]
    name: str

    @property
    def parent(self) -> Path:
        """The file that holds it."""
        return self.file

    def is_file(self) -> bool:
        """Whether the file that holds it is there."""
        return self.file.is_file()

    def read_bytes(self) -> bytes:
        """The photo as it was packed, in whatever format it has. Raises OSError."""
        parts = []
        with self.file.open("rb") as file:
            for offset, length in self.pieces:
                file.seek(offset)
                parts.append(file.read(length))
        return b"".join(parts)


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
