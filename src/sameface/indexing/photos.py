"""What one photo of an archive holds: the piece of bulk indexing that any process on any machine may do, any number of times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import sameface
from sameface.errors import (
    ImageAccessError,
    ImageError,
    ImageNotFoundError,
    ReaderMissingError,
    SamefaceError,
    WorkerError,
)
from sameface.imaging import Limits
from sameface.imaging.sources import sha256_of_bytes
from sameface.indexing.sources import read_photo
from sameface.recognizer import Recognizer
from sameface.types import EmbeddingSpace, Template

#: Errors that say something of the file as it is now, so that reading it once more would end in the same; a disk or network may get well.
_OF_THE_FILE: Final = ImageError


@dataclass(frozen=True, slots=True)
class Job:
    """A photo to encode and with what; small, so that it travels well.

    Attributes:
        path: where every worker can read it: an address, or a path by `path_as_text`.
        detector, encoder: names.
        threads: threads per network run, None for one per core.
        known: sha256 of photos that need no encoding: what was stored before and could be this one.
        space: what the embeddings must be of; None takes whatever comes.
        version: of sameface, the same everywhere; "" takes any.
    """

    path: str
    detector: str
    encoder: str
    threads: int | None
    known: tuple[str, ...] = ()
    space: EmbeddingSpace | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The faces of one photo.

    Attributes:
        path: of the job.
        sha256: of the photo's bytes, "" where they could not be read.
        templates: one for each face, in reading order.
        error: why the photo could not be encoded, "" when it could.
        lasting: whether the error stays as long as the file does.
        known: it is one of the job's known photos, and was not encoded.
    """

    path: str
    sha256: str
    templates: tuple[Template, ...]
    error: str = ""
    lasting: bool = False
    known: bool = False


def encode(job: Job) -> Found:
    """Find and encode every face of a photo. Depends on nothing but the job, so doing it twice changes nothing.

    Raises:
        WorkerError: this process cannot do such jobs at all.
    """
    digest = ""
    try:
        data = read_photo(job.path, Limits().max_bytes)
        digest = sha256_of_bytes(data)
        if digest in job.known:
            return Found(job.path, digest, (), known=True)
        faces = _able(job).encode_faces(data)
    except WorkerError:
        raise
    except SamefaceError as error:
        passing = isinstance(error, (ImageNotFoundError, ImageAccessError, ReaderMissingError))
        return Found(job.path, digest, (), str(error), lasting=isinstance(error, _OF_THE_FILE) and not passing)
    except Exception as error:  # noqa: BLE001 - one photo must not end the work on millions
        return Found(job.path, digest, (), f"{type(error).__name__}: {error}")
    return Found(job.path, digest, tuple(Template(face.embedding, job.path, digest, face.box) for face in faces))


def _able(job: Job) -> Recognizer:
    if job.version not in ("", sameface.__version__):
        raise WorkerError(
            expected=f"sameface {job.version} on every worker",
            got=f"{sameface.__version__} on one",
            advice="install the same version on all of them",
        )
    try:
        recognizer = _recognizer(job.detector, job.encoder, job.threads)
    except SamefaceError as error:
        raise WorkerError(
            expected=f"a worker with {job.encoder} and {job.detector}", got=error.got, advice=error.advice
        ) from error
    if job.space not in (None, recognizer.space):
        raise WorkerError(
            expected=f"workers of {job.space}",
            got=f"one of {recognizer.space}",
            advice="put the same models on all of them",
        )
    return recognizer


@lru_cache(maxsize=1)
def _recognizer(detector: str, encoder: str, threads: int | None) -> Recognizer:
    """One per process: loading networks takes longer than a photo."""
    return Recognizer(detector=detector, encoder=encoder, threads=threads)
