"""Searching a gallery on a server: by an index in this process that follows it, else by the server alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import GalleryMissingError, GalleryReadOnlyError, GalleryUnavailableError
from sameface.gallery.exact.index import MatrixIndex
from sameface.gallery.exact.leaving_out import Ranked
from sameface.gallery.following.answering import Look, answer
from sameface.gallery.following.live_index import Followed, LiveIndex
from sameface.gallery.following.moment import Moment
from sameface.gallery.following.record import Seen
from sameface.gallery.postgres.connections import Connection, Connections
from sameface.gallery.postgres.followed import PostgresRecord
from sameface.gallery.store import now
from sameface.progress import Tally
from sameface.types import Candidate, Embeddings

#: Groups whose members are remembered.
_GROUPS: Final = 64

Reading = Callable[[], AbstractContextManager[Connection]]


class Following:
    """The index that follows a gallery, for as long as a store is open.

    Args:
        connections: to the server.
        bound: the gallery's settings when it was opened.
        gallery: what is followed, and where its cache lies.
        threads: threads of one search, None for the default.
        coded: whether large galleries are kept in 8 bits too.
    """

    def __init__(
        self, connections: Connections, bound: dict[str, str], gallery: Followed, *, threads: int | None, coded: bool
    ) -> None:
        self._connections, self._bound, self._threads = connections, bound, threads
        self._gallery, self._live = gallery, LiveIndex(gallery, coded=coded)
        self._members: dict[str, tuple[Seen, npt.NDArray[np.int64]]] = {}

    @property
    def cache_bytes(self) -> int:
        """Size of the cache file on this machine."""
        cache = self._gallery.cache
        return cache.stat().st_size if cache is not None and cache.exists() else 0

    def warm(self, progress: Tally | None = None) -> None:
        self._fresh(self._connections.reading, progress)

    def search(self, probes: Embeddings, k: int, group: str | None) -> list[list[Candidate]]:
        """Rank people for each probe, as of now."""
        return self._search(probes, k, group, self._connections.reading)

    def search_within(
        self, connection: Connection, probes: Embeddings, k: int, group: str | None
    ) -> list[list[Candidate]]:
        """The same in a transaction that has changed no template yet and keeps out all others."""
        return self._search(probes, k, group, lambda: nullcontext(connection))

    def _search(self, probes: Embeddings, k: int, group: str | None, reading: Reading) -> list[list[Candidate]]:
        def look(gone: bool) -> Look:
            index = self._fresh(reading)
            only = self._in_group(group, reading) if group is not None else None
            return Look(index, only, _over(reading) if gone else ())  # one question to the server less, mostly

        def named(ranked: Ranked) -> list[list[Candidate]] | None:
            with reading() as connection:
                return _named(connection, ranked)

        return answer(probes, k, look=look, named=named, distrust=self._live.drop_cache, threads=self._threads)

    def _fresh(self, reading: Reading, progress: Tally | None = None) -> MatrixIndex:
        record = PostgresRecord(self._bound, self._connections.address.shown, reading)
        with self._gone_with_the_gallery():
            try:
                return self._live.fresh(record, progress)
            except GalleryUnavailableError:
                if reading != self._connections.reading:
                    raise
                self._connections.revive()  # a connection may have been cut, and another may do
            return self._live.fresh(record, progress)

    @contextmanager
    def _gone_with_the_gallery(self) -> Iterator[None]:
        """Of a gallery that was deleted meanwhile, nothing stays on this machine."""
        try:
            yield
        except GalleryMissingError:
            self.drop_cache()
            raise

    def _in_group(self, group: str, reading: Reading) -> npt.NDArray[np.int64]:
        """Numbers of a group's people, asked for again after every change."""
        seen = self._live.seen
        known = self._members.get(group)
        if known is not None and known[0] is seen:
            return known[1]
        query = "SELECT p.number FROM sameface_membership m JOIN sameface_person p USING (person_id) WHERE m.group_name = %s"
        with reading() as connection:
            rows = connection.execute(query.encode(), (group,), binary=True).fetchall()
        numbers = np.array([row[0] for row in rows], np.int64)
        if len(self._members) >= _GROUPS:
            self._members.clear()
        self._members[group] = (seen, numbers)
        return numbers

    def erase(self, numbers: Sequence[int], moment: Moment) -> dict[str, int]:
        """Overwrite people's rows on this machine. Returns how many of each kind."""
        return self._live.erase(numbers, moment)

    def drop_cache(self) -> None:
        """Forget what is in memory, and take the cache file away."""
        self._members.clear()
        with suppress(GalleryReadOnlyError):
            self._live.drop_cache()

    def close(self) -> None:
        self._live.drop()


def _over(reading: Reading) -> Collection[int]:
    """Numbers of everybody whose time is over, those who are held too: nobody names them."""
    query = "SELECT number FROM sameface_person WHERE expires <> '' AND expires <= %s"
    with reading() as connection:
        return {row[0] for row in connection.execute(query.encode(), (now(),)).fetchall()}


def _named(connection: Connection, ranked: Ranked) -> list[list[Candidate]] | None:
    """Candidates of ranked numbers; None when somebody among them was forgotten or merged meanwhile, or their time is over."""
    wanted = {number for answer in ranked for number, _ in answer}
    query = (
        "SELECT number, person_id, name FROM sameface_person WHERE number = ANY(%s) AND (expires = '' OR expires > %s)"
    )
    rows: list[Any] = (
        connection.execute(query.encode(), (list(wanted), now()), binary=True).fetchall() if wanted else []
    )
    known = {number: (found.hex, name) for number, found, name in rows}
    if len(known) < len(wanted):
        return None
    return [[Candidate(*known[number], value) for number, value in answer] for answer in ranked]
