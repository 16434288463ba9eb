"""An archive of photos as a gallery: every face of every photo, unnamed, to be found by example.

Each face is a person of its own in the gallery, named after the photo's content. What is stored is known by that content, so a run that was
stopped, killed or repeated goes on where it was, a photo that was moved is not encoded again, and nothing is in twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sameface.files import path_as_text, photos_below, sha256_of
from sameface.gallery import NewPerson, TemplateStore
from sameface.indexing import workers
from sameface.indexing.photos import Found, Job

#: The group of faces that came from an archive.
GROUP: Final = "archive"
#: Photos stored in one transaction at most, and seconds between two: what a kill can cost.
_PHOTOS_AT_ONCE: Final = 64
_SECONDS: Final = 5.0


@dataclass(slots=True)
class Indexed:
    """What a run did.

    Attributes:
        photos: encoded in this run.
        faces: stored in this run.
        known: photos that were in the gallery already, or twice in the folder.
        without_face: photos that show none.
        failed: path and reason of each that could not be read.
    """

    photos: int = 0
    faces: int = 0
    known: int = 0
    without_face: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def index_photos(
    folder: Path,
    store: TemplateStore,
    *,
    detector: str,
    encoder: str,
    processes: int = 1,
    scheduler: str | None = None,
    progress: Callable[[], object] = lambda: None,
) -> Indexed:
    """Encode every face of a folder of photos into a gallery.

    Args:
        folder: photos, in folders of any depth.
        store: a gallery of that detector's and encoder's space; this process alone writes to it.
        processes: how many of this machine; 1 works in this one.
        scheduler: a dask scheduler's address, or ``local``; takes the place of `processes`.
        progress: told after each photo.

    Returns:
        What was done. Photos that cannot be read are listed, and do not stop the rest.
    """
    done = Indexed()

    def jobs() -> Iterator[Job]:
        seen = store.sources()
        threads = None if processes == 1 and scheduler is None else 1
        for path in photos_below(folder):
            try:
                digest = sha256_of(path)
            except OSError as error:
                done.failed.append((path_as_text(path), error.strerror or "cannot be read"))
                progress()
                continue
            if digest in seen:
                done.known += 1
                progress()
                continue
            seen.add(digest)
            yield Job(path_as_text(path.absolute()), digest, detector, encoder, threads)

    if scheduler is not None:
        answers: Iterable[Found] = workers.cluster(jobs(), scheduler)
    elif processes > 1:
        answers = workers.processes(jobs(), processes)
    else:
        answers = workers.here(jobs())
    batch: list[Found] = []
    stored = time.monotonic()
    try:
        for found in answers:
            batch.append(found)
            if len(batch) >= _PHOTOS_AT_ONCE or time.monotonic() - stored > _SECONDS:
                _store(batch, store, done)
                stored = time.monotonic()
            progress()
    finally:
        _store(batch, store, done)  # Ctrl-C keeps what was encoded
    return done


def _store(batch: list[Found], store: TemplateStore, done: Indexed) -> None:
    """Store the faces of some photos in one transaction, and empty the list."""
    people = []
    for found in batch:
        if found.error:
            done.failed.append((found.path, found.error))
            continue
        done.photos += 1
        done.without_face += not found.templates
        named = [
            (f"photo {found.sha256[:24]} face {number}", template) for number, template in enumerate(found.templates, 1)
        ]
        people += [NewPerson(name, [template], groups=[GROUP]) for name, template in named if name not in store]
    batch.clear()
    if people:
        done.faces += store.add_many(people)
