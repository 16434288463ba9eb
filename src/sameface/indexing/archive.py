"""An archive of photos as a gallery: every face of every photo, unnamed, to be found by example.

Each face is a person of its own in the gallery, named after the photo's content. A ledger holds what became of every photo, so a run that was
stopped, killed or repeated goes on where it was, a photo that was moved is not encoded again, and the faces of photos that were deleted or
overwritten go. Faces that somebody named or merged stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import sameface
from sameface.errors import DataError, SettingError
from sameface.files import Skipped, path_as_text
from sameface.gallery import NewPerson, TemplateStore
from sameface.indexing import workers
from sameface.indexing.ledger import Entry, Ledger, default_ledger
from sameface.indexing.photos import Found, Job
from sameface.indexing.sources import Listed, photos_of, place_as_text
from sameface.indexing.stale import face_names, forget_stale

#: The group of faces that came from an archive.
GROUP: Final = "archive"
#: Photos stored in one transaction at most, and seconds between two: what a kill can cost. The first photo is stored at once.
_PHOTOS_AT_ONCE: Final = 256
_SECONDS: Final = 1.0
#: Photos that the ledger is asked about at a time.
_ASKED_AT_ONCE: Final = 256
#: Photos of one size that a new one may be a copy of; where more have it (uncompressed ones, say), copies are encoded and then found to be known.
_OF_ONE_SIZE: Final = 64


@dataclass(slots=True)
class Indexed:
    """What a run did.

    Attributes:
        photos: encoded in this run.
        faces: stored in this run.
        known: photos that needed no work: as they were, or with the content of another one.
        without_face: photos encoded in this run that show none.
        gone: photos that were in the archive before and are not now, or have another content; their faces were dropped.
        failed: path and reason of each that could not be encoded, and of each folder that could not be listed.
    """

    photos: int = 0
    faces: int = 0
    known: int = 0
    without_face: int = 0
    gone: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def index_photos(
    place: str | Path,
    store: TemplateStore,
    *,
    detector: str,
    encoder: str,
    processes: int = 1,
    scheduler: str | None = None,
    ledger: Path | None = None,
    progress: Callable[[], object] = lambda: None,
) -> Indexed:
    """Encode every face of a folder of photos into a gallery, and let it forget those of photos that are gone.

    Args:
        place: photos, in folders of any depth; a folder, or an address that `fsspec` reads, for instance ``s3://bucket/photos``.
        store: a gallery of that detector's and encoder's space; this process alone indexes into it.
        processes: how many of this machine; 1 works in this one.
        scheduler: a dask scheduler's address, or ``local``; takes the place of `processes`.
        ledger: file that holds what became of each photo; None takes the one beside the gallery.
        progress: told after each photo.

    Returns:
        What was done. Photos that cannot be read are listed, and do not stop the rest.

    Raises:
        DataError: there is no such place; or it shows no photo where it showed some before: nothing is dropped then.
        WorkerError: workers cannot do the work.
        StorageFullError, GalleryLockedError, GalleryUnavailableError, …: what was stored before is kept, and a next run goes on.
    """
    where = ledger or default_ledger(store.location)
    if "://" not in store.location and where.absolute() == Path(store.location).absolute():
        raise SettingError(
            expected="a file of its own for the ledger", got=f"the gallery's: {where}", advice="name another file"
        )
    with Ledger(where, store.gallery_id) as book:
        run = _Run(place, store, book, detector, encoder, None if processes == 1 and scheduler is None else 1)
        run.take_over()
        forget_stale(store, book)  # of a run that was killed
        if scheduler is not None:
            answers = workers.cluster(run.jobs(progress), scheduler)
        elif processes > 1:
            answers = workers.processes(run.jobs(progress), processes)
        else:
            answers = workers.here(run.jobs(progress))
        stored = time.monotonic() - _SECONDS
        try:
            with closing(answers):
                for found in answers:
                    run.batch.append(found)
                    if len(run.batch) >= _PHOTOS_AT_ONCE or time.monotonic() - stored >= _SECONDS:
                        run.store_batch()
                        stored = time.monotonic()
                    progress()
        finally:
            run.store_batch()  # Ctrl-C keeps what was encoded
        run.drop_what_is_gone()
        return run.done


class _Run:
    """One run: what was listed, what is under way, and what was done."""

    def __init__(
        self, place: str | Path, store: TemplateStore, book: Ledger, detector: str, encoder: str, threads: int | None
    ) -> None:
        self.place, self.store, self.book = place, store, book
        self.detector, self.encoder, self.threads = detector, encoder, threads
        self.space = str(store.space)
        self.done = Indexed()
        self.batch: list[Found] = []
        self.whole = True  # until something could not be listed
        self._listed: dict[str, Listed] = {}  # of photos that are being encoded
        self._seen = 0

    def take_over(self) -> None:
        """Fill an empty ledger from a gallery that has faces already; their photos are read again, not encoded."""
        if len(self.book):
            self._after_a_restore()
            return
        if not self.store.count():
            return
        faces: dict[str, Entry] = {}
        for _, templates in self.store.export():
            for stored in templates:
                template = stored.template
                if template.source and template.source_sha256:
                    known = faces.get(template.source)
                    count = known.faces + 1 if known else 1
                    faces[template.source] = Entry(
                        template.source, -1, "", template.source_sha256, count, "", False, self.space
                    )
        self.book.put(faces.values())

    def _after_a_restore(self) -> None:
        """Where the gallery is older than the ledger knew it, a backup came back: photos whose faces it lacks are encoded again."""
        if self._gallery_at() >= self.book.about("gallery at"):
            return
        lost = [e for e in self.book.everything() if e.faces and face_names(e.sha256, 1)[0] not in self.store]
        self.book.drop(entry.path for entry in lost)
        self.book.settle(entry.sha256 for entry in lost)

    # -- listing ------------------------------------------------------------------------------------------------------
    def jobs(self, progress: Callable[[], object]) -> Iterator[Job]:
        """What is to be encoded; the rest is counted on the way."""
        listed = photos_of(self.place, self._skipped)
        while part := list(islice(listed, _ASKED_AT_ONCE)):
            self._seen += len(part)
            known = self.book.entries([photo.path for photo in part])
            same = [photo for photo in part if photo.path in known and known[photo.path].is_of(photo, self.space)]
            self.book.seen(photo.path for photo in same)
            for photo in same:
                error = known[photo.path].error
                if error:
                    self.done.failed.append((photo.path, error))
                else:
                    self.done.known += 1
                progress()
            unchanged = {photo.path for photo in same}
            for photo in part:
                if photo.path not in unchanged:
                    self._listed[photo.path] = photo
                    yield self._job(photo, known.get(photo.path))

    def _job(self, photo: Listed, before: Entry | None) -> Job:
        candidates = set(self.book.digests_of_size(photo.size, _OF_ONE_SIZE)) if photo.size else set()
        candidates |= {found.sha256 for found in self.batch if self._size_of(found) == photo.size and not found.error}
        if before is not None and before.sha256 and not before.error:
            candidates.add(before.sha256)
        return Job(
            photo.path,
            self.detector,
            self.encoder,
            self.threads,
            tuple(sorted(candidates)),
            self.store.space,
            sameface.__version__,
        )

    def _size_of(self, found: Found) -> int:
        return self._listed[found.path].size

    def _skipped(self, item: Skipped) -> None:
        self.whole = self.whole and not item.folder
        if item.lost:
            self.done.failed.append((path_as_text(item.path), item.reason))

    # -- storing ------------------------------------------------------------------------------------------------------
    def store_batch(self) -> None:
        """Store the faces of some photos: first in the gallery, then in the ledger, so that a kill between the two costs only work."""
        batch = list(self.batch)
        if not batch:
            return
        held = self.book.faces_of([item.sha256 for item in batch if item.sha256])
        before = self.book.entries([item.path for item in batch])
        people: list[NewPerson] = []
        entries: list[Entry] = []
        tally = Indexed()
        for item in batch:
            photo, old = self._listed[item.path], before.get(item.path)
            faces = len(item.templates)
            if item.error:
                tally.failed.append((item.path, item.error))
                if not item.sha256 and old is not None and not old.error:
                    continue  # it cannot be read now; what is known of it stays
            elif item.known or item.sha256 in held:
                faces = held[item.sha256]
                tally.known += 1
            else:
                held[item.sha256] = faces
                tally.photos += 1
                tally.without_face += not faces
                people += [
                    NewPerson(name, [template], groups=[GROUP])
                    for name, template in zip(face_names(item.sha256, faces), item.templates, strict=True)
                    if name not in self.store
                ]
            tally.gone += old is not None and old.sha256 not in ("", item.sha256)
            entries.append(
                Entry(item.path, photo.size, photo.stamp, item.sha256, faces, item.error, item.lasting, self.space)
            )
        if people:
            tally.faces = self.store.add_many(people)
        self.book.put(entries, seen=[item.path for item in batch], notes={"gallery at": self._gallery_at()})
        self._count(tally)
        for item in batch:
            del self._listed[item.path]
        self.batch.clear()

    def _count(self, tally: Indexed) -> None:
        self.done.photos += tally.photos
        self.done.faces += tally.faces
        self.done.known += tally.known
        self.done.without_face += tally.without_face
        self.done.gone += tally.gone
        self.done.failed += tally.failed

    # -- forgetting ---------------------------------------------------------------------------------------------------
    def drop_what_is_gone(self) -> None:
        """Forget the faces of photos that were here before and are not now, and those that overwritten photos had.

        Raises:
            DataError: no photo is here at all: more likely a wrong path, or a disk that is not mounted, than an archive that was emptied.
        """
        below = place_as_text(self.place)
        if self.whole and not self._seen:
            before = any(True for _ in self.book.not_seen(below))
            gone = "check that the disk is mounted; if the photos are gone, delete the gallery"
            raise DataError(
                expected=f"photos in {below}",
                got="none, where there were some before" if before else "none",
                advice=gone if before else "check the path",
            )
        for entries in self.book.not_seen(below) if self.whole else ():  # what could not be listed is not gone
            self.book.drop(entry.path for entry in entries)
            self.done.gone += len(entries)
        forget_stale(self.store, self.book)
        self.book.note("gallery at", self._gallery_at())

    def _gallery_at(self) -> str:
        """When the gallery was changed last."""
        return next((entry.at for entry in self.store.audit(1)), "")
