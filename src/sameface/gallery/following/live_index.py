"""The search matrix of a gallery, kept in step with its record."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from sameface.errors import GalleryError, GalleryReadOnlyError
from sameface.gallery.exact.index import MatrixIndex
from sameface.gallery.exact.scan import CODED_FROM
from sameface.gallery.exact.segment import Segment
from sameface.gallery.following import cache_draft, cache_file
from sameface.gallery.following.cache_layout import Layout, Stamp
from sameface.gallery.following.moment import BEGINNING, Moment
from sameface.gallery.following.record import Record, Rows, Seen, View
from sameface.progress import Tally

#: Templates from which on a cache file pays: below, the record is read in a fraction of a second.
CACHE_FROM = 20_000
#: More people than this, and a cache is not believed any more: reading the record again is quicker than catching up.
CHANGES_AT_MOST = 2_000
#: How often changes are asked for again that are told and not to be seen yet.
_PATIENCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Followed:
    """Which gallery an index follows.

    Attributes:
        gallery_id: hex; a cache of another gallery is not taken for this one's.
        epoch: counts the times that all embeddings were replaced.
        cache: where its search cache lies; None where nothing may lie in the clear, or none is wanted.
    """

    gallery_id: str
    epoch: int
    dimension: int
    cache: Path | None


class LiveIndex:
    """Reads the record or its cache once, then only what changed since.

    Args:
        gallery: which one.
        coded: whether large galleries are kept in 8 bits too, for a quicker search with the same answers.
    """

    def __init__(self, gallery: Followed, *, coded: bool) -> None:
        self._gallery, self._coded_from = gallery, CODED_FROM if coded else None
        self._lock = threading.RLock()
        self.index: MatrixIndex | None = None
        self._seen, self._moment = Seen(), BEGINNING
        self._last_id = self._last_key = self._unsettled = 0

    @property
    def seen(self) -> Seen:
        """Up to where the index is; another value after every change that was taken in."""
        return self._seen

    def drop(self) -> None:
        """Forget what is in memory; the next `fresh` reads the record again."""
        with self._lock:
            self.index = None

    def erase(self, person_keys: Sequence[int], moment: Moment) -> dict[str, int]:
        """Overwrite people's rows in memory and in the cache file, as they are to go in that state. Returns how many rows of each."""
        with self._lock:
            rows = self.index.remove(person_keys) if self.index is not None else 0
            cache = self._gallery.cache
            cached = cache_file.scrub(cache, person_keys, moment) if cache is not None else 0
            return {name: count for name, count in (("search matrix", rows), ("search cache", cached)) if count}

    def drop_cache(self) -> bool:
        """Take the cache file away; the next `fresh` makes another where it pays. Returns whether there was one."""
        with self._lock:
            self.drop()
            if self._gallery.cache is None:
                return False
            there = self._gallery.cache.exists()
            cache_file.remove(self._gallery.cache)
            return there

    def fresh(self, record: Record, progress: Tally | None = None) -> MatrixIndex:
        """The index as of now.

        Args:
            record: what it follows; nobody else uses it during the call.
            progress: told how many templates of how many were read, when all have to be.

        Raises:
            GalleryDamagedError: a vector is not what was written; it is named.
            GalleryMismatchError: the gallery was re-encoded since it was opened.
        """
        index, seen = self.index, self._seen
        if index is not None and record.unchanged(seen) and index is self.index:
            return index  # whoever is brought up to date meanwhile keeps nobody waiting
        with self._lock:
            for attempt in range(
                3
            ):  # first another record may be met, then a cache be written, from which it is taken at last
                if self.index is not None and record.unchanged(self._seen):
                    break
                # Asked for before the record is looked at, so that it cannot be newer than what is seen there.
                cached = self._cached() if self.index is None else None
                try:
                    if self._brought_up(record, cached, progress, write=attempt < 2):
                        break
                except BaseException:
                    self.index = None
                    raise
                self.index = None
            assert self.index is not None
            return self.index

    def _brought_up(
        self, record: Record, cached: tuple[Segment, Stamp] | None, progress: Tally | None, *, write: bool
    ) -> bool:
        """Bring the index up to now. Returns False when it is to be begun again."""
        written: Stamp | None = None
        with record.view() as view:
            view.require_same_epoch()
            if self.index is not None and not view.includes(self._moment):
                return False  # another record was put in the place of this one
            opened = self.index is None
            if self.index is None and cached is not None:
                self.index = self._from_cache(view, cached)
            rows = self.index.rows if self.index is not None else 0
            if self.index is not None:
                self._catch_up(view, self.index)
            else:
                written = self._written(view, progress) if write else None
                if written is None:
                    self.index = self._load(view, progress)
            self._moment = view.moment()
        if written is not None:
            self._scrub_since(record, written)
            return False
        assert self.index is not None
        if opened and rows and self.index.rows - rows > max(CACHE_FROM, rows // 8):
            self._write_again(record, self.index)
        return True

    # -- the record ---------------------------------------------------------------------------------------------------
    def _load(self, view: View, progress: Tally | None) -> MatrixIndex:
        count, self._seen, self._last_id, self._last_key = view.count(), view.seen(), 0, 0
        segment = Segment.empty(count + count // 8 + 256, self._gallery.dimension)
        for rows in view.everybody():
            segment.append(*rows)
            self._note(rows)
            if progress is not None:
                progress(segment.count, count)
        return self._index_of(segment)

    def _index_of(self, segment: Segment) -> MatrixIndex:
        segment.encode(self._coded_from)
        return MatrixIndex(self._gallery.dimension, segment, coded_from=self._coded_from)

    def _catch_up(self, view: View, index: MatrixIndex) -> None:
        seen = view.seen()
        news = view.news(self._seen)
        for rows in news.added:
            self._append(index, rows)
        if news.gone:
            # Whoever lost or gained templates is taken out whole and put in again as the record has them now.
            index.remove([key for key in news.gone if key <= self._last_key])
            # In case the process that removed them was killed before it could. A reader that may not leaves it to the next that may.
            with suppress(GalleryReadOnlyError):
                self._scrub(news.gone, view.moment())
            for rows in news.again:
                self._append(index, rows)
        self._unsettled = 0 if news.settled() else self._unsettled + 1
        if self._unsettled in (0, _PATIENCE):  # what never settles was changed by hand, and `check` will say so
            self._seen, self._unsettled = seen, 0

    def _append(self, index: MatrixIndex, rows: Rows) -> None:
        if len(rows.ids) and rows.ids.min() <= self._last_id:  # perhaps known already
            new = ~index.holds(rows.ids)
            rows = Rows(rows.vectors[new], rows.ids[new], rows.keys[new], rows.crcs[new])
        if len(rows.ids):
            index.append(*rows)
            self._note(rows)

    def _note(self, rows: Rows) -> None:
        if len(rows.ids):
            self._last_id = max(self._last_id, int(rows.ids.max()))
            self._last_key = max(self._last_key, int(rows.keys.max()))

    # -- the cache file -----------------------------------------------------------------------------------------------
    def _cached(self) -> tuple[Segment, Stamp] | None:
        """What lies in the cache file."""
        gallery = self._gallery
        if gallery.cache is None:
            return None
        cache_file.remove_unfinished(gallery.cache)
        wanted, coded = (gallery.cache, gallery.gallery_id, gallery.epoch, gallery.dimension), bool(self._coded_from)
        found = cache_file.load(*wanted, coded=coded)
        if found is None and cache_draft.wait_for_another(gallery.cache):
            found = cache_file.load(*wanted, coded=coded)
        return found

    def _from_cache(self, view: View, cached: tuple[Segment, Stamp]) -> MatrixIndex | None:
        """The cached rows, or None when too much changed since."""
        segment, stamp = cached
        if not view.includes(stamp.moment):
            # Of a future that this record, a backup perhaps, does not have: it holds people who were never here, or no longer.
            with suppress(GalleryReadOnlyError):
                assert self._gallery.cache is not None
                cache_file.remove(self._gallery.cache)
            return None
        if len(view.news(stamp.seen).gone) > CHANGES_AT_MOST:
            return None
        self._seen = stamp.seen
        self._last_id, self._last_key = int(segment.ids.max()), int(segment.keys.max())
        return self._index_of(segment)

    def _stamp(self, view: View) -> Stamp:
        gallery = self._gallery
        return Stamp(gallery.gallery_id, gallery.epoch, gallery.dimension, view.seen(), view.moment())

    def _written(self, view: View, progress: Tally | None) -> Stamp | None:
        """Everybody written to a new cache, with no row kept in memory; None where there is no cache or it does not pay."""
        count = view.count()
        if self._gallery.cache is None or count <= CACHE_FROM:
            return None
        coded = self._coded_from is not None and count >= self._coded_from
        stamp, everybody = self._stamp(view), view.everybody()
        try:
            with cache_draft.Draft(self._gallery.cache, Layout(count, self._gallery.dimension, coded)) as draft:
                done = 0
                for rows in everybody:
                    draft.append(rows)
                    done += len(rows.ids)
                    if progress is not None:
                        progress(done, count)
                return stamp if draft.finish(stamp) else None
        except OSError:  # a full disk, a folder that may not be written, another process at it
            for _ in everybody:  # to its end: a server's connection is of no use before
                pass
            return None

    def _write_again(self, record: Record, index: MatrixIndex) -> None:
        """A cache of what is in memory, after much was added to what was cached."""
        gallery = self._gallery
        if gallery.cache is None:
            return
        coded = self._coded_from is not None and index.rows >= self._coded_from
        stamp = Stamp(gallery.gallery_id, gallery.epoch, gallery.dimension, self._seen, self._moment)
        if cache_draft.write(gallery.cache, stamp, index.segments, coded=coded):
            self._scrub_since(record, stamp)

    def _scrub_since(self, record: Record, stamp: Stamp) -> None:
        """Whoever was forgotten while the file was written did not find it to scrub."""
        with record.view() as view:
            self._scrub(view.news(stamp.seen).gone, view.moment())
        try:
            record.require_there()
        except GalleryError:  # erased while the cache was written: nothing of it may stay
            assert self._gallery.cache is not None
            cache_file.remove(self._gallery.cache)
            raise

    def _scrub(self, keys: Sequence[int], moment: Moment) -> None:
        if self._gallery.cache is not None:
            cache_file.scrub(self._gallery.cache, np.asarray(keys, np.int64).tolist(), moment)
