"""What one photo of an archive holds: the piece of bulk indexing that any process on any machine may do, any number of times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sameface.errors import SamefaceError
from sameface.files import path_from_text
from sameface.recognizer import Recognizer
from sameface.types import Template


@dataclass(frozen=True, slots=True)
class Job:
    """A photo to encode and with what; small, so that it travels well.

    Attributes:
        path: where every worker can read it, by `path_as_text`.
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


def encode(job: Job) -> Found:
    """Find and encode every face of a photo. Depends on nothing but the job, so doing it twice changes nothing."""
    try:
        faces = _recognizer(job.detector, job.encoder, job.threads).encode_faces(path_from_text(job.path))
    except SamefaceError as error:
        return Found(job.path, job.sha256, (), str(error))
    return Found(
        job.path, job.sha256, tuple(Template(face.embedding, job.path, job.sha256, face.box) for face in faces)
    )


@lru_cache(maxsize=1)
def _recognizer(detector: str, encoder: str, threads: int | None) -> Recognizer:
    """One per process: loading networks takes longer than a photo."""
    return Recognizer(detector=detector, encoder=encoder, threads=threads)
