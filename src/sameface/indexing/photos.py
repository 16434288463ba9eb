"""What one photo of an archive holds: the piece of bulk indexing that any process on any machine may do, any number of times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from sameface.errors import SamefaceError
from sameface.recognizer import Recognizer
from sameface.types import Template

#: File endings that are read as photos.
SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".pgm", ".ppm", ".gif", ".heic", ".avif"}
)


@dataclass(frozen=True, slots=True)
class Job:
    """A photo to encode and with what; small, so that it travels well.

    Attributes:
        path: where every worker can read it.
        sha256: of its bytes, as the coordinator read them.
        detector, encoder: names.
        threads: threads per network run, None for one per core.
    """

    path: str
    sha256: str
    detector: str
    encoder: str
    threads: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """The faces of one photo.

    Attributes:
        path, sha256: of the job.
        templates: one for each face, in reading order.
        error: why the photo could not be read, "" when it could.
    """

    path: str
    sha256: str
    templates: tuple[Template, ...]
    error: str = ""


def photos_below(folder: Path) -> Iterator[Path]:
    """Photos of a folder and all below it, in a fixed order; hidden ones are left out."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from photos_below(path)
        elif path.suffix.lower() in SUFFIXES:
            yield path


def digest_of(path: Path) -> str:
    """sha256 of a photo's bytes: what tells that it is known, wherever it lies."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encode(job: Job) -> Found:
    """Find and encode every face of a photo. Depends on nothing but the job, so doing it twice changes nothing."""
    try:
        faces = _recognizer(job.detector, job.encoder, job.threads).encode_faces(job.path)
    except SamefaceError as error:
        return Found(job.path, job.sha256, (), str(error))
    return Found(
        job.path, job.sha256, tuple(Template(face.embedding, job.path, job.sha256, face.box) for face in faces)
    )


@lru_cache(maxsize=1)
def _recognizer(detector: str, encoder: str, threads: int | None) -> Recognizer:
    """One per process: loading networks takes longer than a photo."""
    return Recognizer(detector=detector, encoder=encoder, threads=threads)
