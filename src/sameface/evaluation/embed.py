"""A data set's photos to embeddings: several at once, from the cache where they were made before, failures counted.

Of several faces in a photo the one nearest the centre is taken, as is usual on LFW and its like; every report says so.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sameface.datasets.photo import Photo, source_of
from sameface.errors import FaceError, ImageError, NoFaceError, SamefaceError
from sameface.evaluation.cache import EmbeddingCache, Found, NoUsableFace
from sameface.faces.choose import Choice
from sameface.files import sha256_of
from sameface.imaging import open_photo
from sameface.imaging.sources import sha256_of_bytes
from sameface.progress import Advance, no_advance
from sameface.types import Detection, Embeddings, EmbeddingSpace

if TYPE_CHECKING:
    from sameface.recognizer import Recognizer

#: How one face of a photo is chosen.
RULE: Final[Choice] = "centre"
#: Photos that one worker takes at a time: also what a stop can lose.
BATCH: Final = 32


@dataclass(frozen=True, slots=True)
class Failure:
    """A photo that gave no embedding.

    Attributes:
        photo: its index.
        reason: ``no face``, ``face not usable`` or ``unreadable``.
        message: one sentence.
    """

    photo: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPhotos:
    """Embeddings of a data set's photos.

    Attributes:
        space: what they belong to.
        embeddings: ``(n, d)`` float32; zero where `found` is not.
        found: ``(n,)`` whether the photo gave an embedding.
        sha256: of each photo's bytes, "" where it could not be read.
        failures: the photos that gave none.
        encoded: photos that went through the networks now; from_cache: those that had been before.
        seconds: wall clock.
        whole_pipeline: whether every photo encoded now was also searched for faces now; only then do its seconds tell the pipeline's speed.
        faces: the face of each photo, None where there is none; empty for embeddings that were given.
    """

    space: EmbeddingSpace
    embeddings: Embeddings
    found: npt.NDArray[np.bool_]
    sha256: tuple[str, ...]
    failures: tuple[Failure, ...]
    encoded: int
    from_cache: int
    seconds: float
    whole_pipeline: bool = True
    faces: tuple[Detection | None, ...] = ()


def embed_photos(
    recognizer: Recognizer,
    photos: Sequence[Photo],
    *,
    cache: EmbeddingCache | None = None,
    workers: int | None = None,
    advance: Advance = no_advance,
) -> EmbeddedPhotos:
    """Find, align and encode the face nearest the centre of each photo.

    Args:
        recognizer: detector, alignment and encoder; best made with ``threads=1``, since photos run side by side.
        photos: paths, or pieces of files; the same content is encoded once, whatever its name.
        cache: where results are kept; None keeps nothing.
        workers: photos worked on at once; None takes one per core.
        advance: called with the number of photos done.

    Returns:
        One row per photo, in order. Stopped by Ctrl-C, all finished batches are in the cache.
    """
    start = time.perf_counter()
    own_cache = cache if cache is not None else EmbeddingCache()
    workers = workers or os.cpu_count() or 1
    detector, rule = recognizer.space.detector, _rule(recognizer)
    with ThreadPoolExecutor(workers) as pool:
        digests = list(pool.map(_digest, photos))
        wanted = {digest: path for digest, path in zip(digests, photos, strict=True) if digest}
        vectors = own_cache.embeddings(recognizer.space, rule, wanted)
        faces = own_cache.faces(detector, rule, wanted)
        all_faces = dict(faces)
        failed = {sha: found for sha, found in faces.items() if isinstance(found, NoUsableFace)}
        todo = [sha for sha in wanted if sha not in vectors and sha not in failed]
        known = len(wanted) - len(todo)
        advance(sum(1 for digest in digests if not digest or digest in vectors or digest in failed))
        copies = Counter(digests)
        for part in _each(pool, workers, recognizer, own_cache, todo, wanted):
            keep = {sha: found for sha, found in part.faces.items() if sha not in part.unreadable}
            if not part.kept:
                own_cache.put(detector, rule, keep, recognizer.space, part.vectors)
            vectors |= part.vectors
            all_faces |= part.faces
            failed |= {sha: found for sha, found in part.faces.items() if isinstance(found, NoUsableFace)}
            advance(sum(copies[sha] for sha in part.faces))
    if cache is None:
        own_cache.__exit__(None, None, None)
    done = _assemble(recognizer, digests, photos, vectors, failed, len(todo), known, time.perf_counter() - start)
    each = (all_faces.get(sha) for sha in digests)
    return replace(
        done,
        whole_pipeline=not any(sha in faces for sha in todo),
        faces=tuple(face if isinstance(face, Detection) else None for face in each),
    )


@dataclass(slots=True)
class _Part:
    """What one worker made of one batch."""

    faces: dict[str, Found]
    vectors: dict[str, Embeddings]
    unreadable: set[str]
    kept: bool = False


def _each(
    pool: ThreadPoolExecutor,
    workers: int,
    recognizer: Recognizer,
    cache: EmbeddingCache,
    todo: Sequence[str],
    paths: Mapping[str, Photo],
) -> Iterator[_Part]:
    """Results as they come, with few batches waiting, so that a stop is quick.

    The cache is asked again for each batch: two evaluations at once share their work.
    """
    rule = _rule(recognizer)
    batches = (todo[at : at + BATCH] for at in range(0, len(todo), BATCH))
    running: set[Future[_Part]] = set()
    try:
        while True:
            while len(running) < workers + 1 and (batch := next(batches, None)) is not None:
                vectors = cache.embeddings(recognizer.space, rule, batch)
                faces = cache.faces(recognizer.space.detector, rule, batch)
                if vectors:
                    yield _Part({sha: faces[sha] for sha in vectors if sha in faces}, vectors, set(), kept=True)
                left = {sha: (paths[sha], faces.get(sha)) for sha in batch if sha not in vectors}
                if left:
                    running.add(pool.submit(_encode, recognizer, left))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in running:
            future.cancel()


def _rule(recognizer: Recognizer) -> str:
    """How the face was chosen, for the cache: everything beside detector and alignment that decides which face an embedding is of."""
    return f"{RULE}, turned upright" if recognizer.finder.upright else RULE


def _encode(recognizer: Recognizer, batch: Mapping[str, tuple[Photo, Found | None]]) -> _Part:
    finder = recognizer.finder
    faces: dict[str, Found] = {}
    crops: dict[str, npt.NDArray[np.uint8]] = {}
    unreadable = set()
    for sha, (path, known) in batch.items():
        try:
            photo = open_photo(source_of(path), limits=finder.limits)
            found = known or finder.choose(photo, RULE, source=path.name)
            faces[sha] = found
            if not isinstance(found, NoUsableFace):
                crops[sha] = finder.crops(photo, [found])[0]
        except ImageError as error:
            unreadable.add(sha)
            faces[sha] = NoUsableFace("unreadable", str(error))
        except SamefaceError as error:
            if not isinstance(error, FaceError):
                raise
            faces[sha] = NoUsableFace("no face" if isinstance(error, NoFaceError) else "face not usable", str(error))
    rows = recognizer.encoder.encode(np.stack(list(crops.values()))) if crops else ()
    return _Part(faces, dict(zip(crops, rows, strict=True)), unreadable)


def _assemble(
    recognizer: Recognizer,
    digests: Sequence[str],
    photos: Sequence[Photo],
    vectors: Mapping[str, Embeddings],
    failed: Mapping[str, Found],
    encoded: int,
    known: int,
    seconds: float,
) -> EmbeddedPhotos:
    embeddings = np.zeros((len(photos), recognizer.card.dimension), dtype=np.float32)
    found = np.zeros(len(photos), dtype=np.bool_)
    failures = []
    for index, sha in enumerate(digests):
        if sha in vectors:
            embeddings[index], found[index] = vectors[sha], True
        else:
            why = failed.get(sha)
            if not isinstance(why, NoUsableFace):
                why = NoUsableFace(
                    "unreadable", f"expected a photo; got a file that cannot be read: {photos[index].name}"
                )
            failures.append(Failure(index, why.reason, why.message))
    return EmbeddedPhotos(recognizer.space, embeddings, found, tuple(digests), tuple(failures), encoded, known, seconds)


def _digest(photo: Photo) -> str:
    try:
        return sha256_of(photo) if isinstance(photo, Path) else sha256_of_bytes(photo.read_bytes())
    except OSError:
        return ""
