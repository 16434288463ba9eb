"""A gallery in one SQLite file: the record on disk, exact search in memory.

Over 300 lines because it is one class, a few lines for each part of the contract; the work is done by the files beside it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import numpy.typing as npt

from sameface.errors import (
    GalleryDamagedError,
    GalleryError,
    GalleryMismatchError,
    GalleryMissingError,
    SettingError,
    StorageFullError,
)
from sameface.gallery.base.keeping import with_places
from sameface.gallery.base.store import BaseStore
from sameface.gallery.exact.leaving_out import Ranked
from sameface.gallery.exact.scan import Scan, scan_from_environment
from sameface.gallery.exact.threads import threads_from_environment
from sameface.gallery.following.answering import Look, answer
from sameface.gallery.following.live_index import Followed, LiveIndex
from sameface.gallery.sqlite import (
    care,
    checking,
    erasing,
    history,
    naming,
    opening,
    people,
    rekeying,
    rows,
    schema,
    still,
)
from sameface.gallery.sqlite.errors import translated
from sameface.gallery.sqlite.followed import SqliteRecord
from sameface.gallery.sqlite.hold import Hold
from sameface.gallery.sqlite.keyring import SealedVault
from sameface.gallery.sqlite.transaction import SqliteTransaction
from sameface.gallery.sqlite.vault import PLAIN
from sameface.gallery.sqlite.whole import identity
from sameface.gallery.sqlite.writer_queue import WriterQueue
from sameface.gallery.sqlite.writing import Writing
from sameface.gallery.store import CheckReport, IndexBuild, Stats, StoredTemplate, Tuning, now
from sameface.progress import Tally
from sameface.types import Candidate, Embeddings, EmbeddingSpace, Erased, Person, Who

Result = TypeVar("Result")
#: Seconds that a call waits for other processes before it gives up.
PATIENCE: Final = 10.0


class SqliteStore(BaseStore[SqliteTransaction]):
    """A `TemplateStore` in one file. See there for what each call does.

    Opened by `sameface.gallery.open_store`; one object serves many threads, and each process opens its own.

    Args:
        path: an existing gallery file.
        key: 32 bytes, for an encrypted one.
        patience: seconds to wait for other processes.
        threads: threads of one search; None: ``$SAMEFACE_SEARCH_THREADS``, else as many as the linear algebra library likes.
        scan: how a large gallery is looked through (`Scan`); None: ``$SAMEFACE_SEARCH_SCAN``, else ``int8``.
    """

    def __init__(
        self,
        path: Path,
        *,
        key: bytes | None = None,
        patience: float = PATIENCE,
        threads: int | None = None,
        scan: Scan | None = None,
    ) -> None:
        self._path, self._patience = path, patience
        self._threads = threads if threads is not None else threads_from_environment()
        self._scan = scan if scan is not None else scan_from_environment()
        self._read_lock = threading.RLock()
        self._closed = False
        self._hold = Hold(path)
        queue = WriterQueue(path, patience)
        self._writing = Writing(path, queue, patience, self._open_or_raise)
        try:
            self._reader, self._binding, self._vault = opening.opened(path, queue, key, patience)
        except BaseException:
            self._writing.close()
            self._hold.close()
            raise
        try:
            self._file = identity(path)
            self._live = self._live_index()
            self._finish_erasing()
        except BaseException:
            for held in (self._reader, self._writing, self._hold):
                held.close()
            raise

    @property
    def space(self) -> EmbeddingSpace:
        return self._binding.space

    @property
    def dimension(self) -> int:
        return self._binding.dimension

    @property
    def location(self) -> str:
        return str(self._path)

    @property
    def gallery_id(self) -> str:
        return self._binding.gallery_id

    def export(self) -> Iterator[tuple[Person, list[StoredTemplate]]]:
        # A connection of its own: the snapshot lasts as long as the caller takes, and nobody waits for it.
        self._open_or_raise()
        with translated(self.location):
            connection = opening.another(self._reader, self._path, self._patience)
            try:
                connection.execute("BEGIN")
                schema.require_same_epoch(connection, self._binding, self.location)
                for key, person in people.select_people(connection, self._vault, f"WHERE {people.THERE}", (now(),)):
                    templates = rows.select_templates(connection, key, person, self._vault, self.location)
                    still.require_still(connection)
                    yield person, templates
            finally:
                connection.close()
                self._finish_erasing()  # of whoever was forgotten meanwhile

    def forget(self, who: Who) -> Erased:
        try:
            return super().forget(who)
        except StorageFullError:  # nobody stays because a disk is full: what can be made again makes room
            if not self._live.drop_cache():
                raise
            return super().forget(who)

    # -- searching ----------------------------------------------------------------------------------------------------
    def _search(self, probes: Embeddings, k: int, group: str | None) -> list[list[Candidate]]:
        def look(_gone: bool) -> Look:
            with self._reading() as connection:
                index = self._live.fresh(self._record(connection))
                only = naming.in_group(connection, group) if group is not None else None
                return Look(index, only, naming.over(connection, now()))

        def named(ranked: Ranked) -> list[list[Candidate]] | None:
            with self._reading() as connection:
                return naming.named(connection, self._vault, ranked, now())

        return answer(probes, k, look=look, named=named, distrust=self._live.drop_cache, threads=self._threads)

    def _tune_search(self, recall: float | None, build: IndexBuild) -> Tuning:
        if recall is not None:
            raise SettingError(
                expected="a gallery on a server for an approximate index",
                got=self.location,
                advice="leave it out: a gallery in a file is always searched exactly",
            )
        return Tuning("exact")

    # -- care ---------------------------------------------------------------------------------------------------------
    def warm(self, progress: Tally | None = None) -> None:
        with self._reading() as connection:
            self._live.fresh(self._record(connection), progress)

    def check(self) -> CheckReport:
        with self._reading() as connection:
            return checking.check(connection, self._binding, self._vault, self.location)

    def stats(self) -> Stats:
        with self._reading() as connection:
            return care.stats(connection, self._path, self._binding, self._scan)

    def compact(self) -> int:
        with self._writing.turn() as connection:
            self._live.drop_cache()
            return care.compact(connection, self._path)

    def reindex(self) -> None:
        self._live.drop_cache()
        self.warm()

    def reembed(
        self,
        space: EmbeddingSpace,
        dimension: int,
        vectors: Iterable[tuple[int, npt.ArrayLike]],
        *,
        drop_missing: bool = False,
    ) -> int:
        with self._writing.turn() as connection, self._changing(connection):
            replaced = care.reembed(
                connection, self._binding, self._vault, space, dimension, vectors, drop_missing=drop_missing
            )
            history.note(connection, self._vault, "reembed", "", replaced)
        with self._writing.turn() as connection:
            care.rewrite_if_due(connection)
        with self._reading() as connection:
            self._binding = schema.binding(connection, self.location)
        self._live.drop_cache()
        self._live = self._live_index()
        return replaced

    def rotate_key(
        self, key: bytes, new: bytes, *, seal_names: bool | None, progress: Callable[[int], None]
    ) -> CheckReport:
        """Change the key of an encrypted gallery while it is used; see `rekeying`. Both open it until `retire_keys`."""
        vault = self._sealed()
        with self._writing.turn() as connection, self._changing(connection):
            rekeying.begin(connection, vault, self.gallery_id, key, new, seal_names)
        rekeying.rewrite_all(self._turn, vault, progress)
        if not vault.changing:
            return self.check()
        with self._reading() as connection:
            alone = checking.check(connection, self._binding, rekeying.alone(vault), self.location)
            either = checking.check(connection, self._binding, vault, self.location) if alone.problems else alone
        rekeying.require_proved(alone, either)
        with self._writing.turn() as connection:
            with self._changing(connection):
                rekeying.drop_old_data_key(connection, vault, self.gallery_id, key)
            erasing.finish(connection, erased=True)
        return alone

    def retire_keys(self, key: bytes) -> int:
        """From now on only this key, by which the gallery was opened, opens it. Returns how many others did."""
        vault = self._sealed()
        with self._writing.turn() as connection, self._changing(connection):
            return rekeying.drop_other_keys(connection, vault, self.gallery_id, key)

    def _sealed(self) -> SealedVault:
        if isinstance(self._vault, SealedVault):
            return self._vault
        raise SettingError(
            expected=f"an encrypted gallery at {self.location}",
            got="one that is not",
            advice="copy it into an encrypted one with `sameface gallery copy`",
        )

    @contextmanager
    def _turn(self) -> Iterator[sqlite3.Connection]:
        """This writer's turn for one small transaction."""
        with self._writing.turn() as connection, self._changing(connection):
            yield connection

    def close(self) -> None:
        if self._closed or not self._hold.is_ours:  # SQLite's connections of another process are not ours to close
            return
        self._finish_erasing()
        with self._writing.lock, self._read_lock:  # in the order of whoever searches within a change
            if self._closed:
                return
            self._closed = True
            self._live.drop()
            for held in (self._reader, self._writing, self._hold):
                held.close()

    # -- inside -------------------------------------------------------------------------------------------------------
    def _live_index(self) -> LiveIndex:
        bound, plain = self._binding, self._vault.scheme == PLAIN
        cache = self._path.with_name(self._path.name + "-cache") if plain else None
        return LiveIndex(Followed(bound.gallery_id, bound.epoch, bound.dimension, cache), coded=self._scan == "int8")

    def _record(self, connection: sqlite3.Connection) -> SqliteRecord:
        return SqliteRecord(self._path, self._file, self._binding, self._vault, connection)

    def _open_or_raise(self) -> None:
        if self._closed:
            raise GalleryError(
                expected=f"an open gallery at {self.location}", got="one that was closed", advice="open it again"
            )
        try:
            self._hold.require()
        except (GalleryMissingError, GalleryMismatchError):
            with suppress(sqlite3.Error):  # else the log of this file would be taken for the other one's
                self._reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raise

    def _transaction(self, connection: sqlite3.Connection) -> SqliteTransaction:
        # While a transaction has changed nothing, what everybody else reads is what it sees: it is the only one that may change anything.
        return SqliteTransaction(
            connection, self._binding, self._vault, self.location, lambda probes, k: self._search(probes, k, None)
        )

    def _read(self, work: Callable[[SqliteTransaction], Result]) -> Result:
        with self._reading() as connection:
            connection.execute("BEGIN")
            try:
                self._follow_keys(connection)
                return work(self._transaction(connection))
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def _write(self, work: Callable[[SqliteTransaction], Result], *, alone: bool = False) -> Result:
        with self._writing.turn() as connection:  # always alone
            with self._changing(connection):
                transaction = self._transaction(connection)
                done = work(transaction)
                moment = history.moment(connection)
            if not transaction.erased:
                return done
            emptied = erasing.finish(connection, erased=True)
        elsewhere = self._live.erase(transaction.erased, moment)
        return with_places(done, elsewhere, () if emptied else (erasing.PLACE,))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, translated(self.location):
            self._open_or_raise()
            self._read_anew_if_changed()
            try:
                yield self._reader
            except (sqlite3.Error, GalleryDamagedError):
                still.require_still(self._reader)
                raise
            still.require_still(self._reader)

    def _read_anew_if_changed(self) -> None:
        """A file that is read as it lies is opened again after somebody else's change."""
        if still.is_over(self._reader) and not self._reader.in_transaction:
            if opening.is_copy(self._reader):
                raise GalleryMismatchError(
                    expected=f"{self.location} as it was when it was opened",
                    got="changes by a newer sameface",
                    advice="open the gallery again",
                )
            connection = schema.connect(self._path, self._patience, write=False)
            self._reader.close()
            self._reader = connection
            self._live.drop()

    @contextmanager
    def _changing(self, connection: sqlite3.Connection) -> Iterator[None]:
        """One transaction."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            schema.require_same_epoch(connection, self._binding, self.location)
            self._follow_keys(connection)
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _follow_keys(self, connection: sqlite3.Connection) -> None:
        """In a transaction: names are found, and rows are written, by the keys of its moment. A name that has another handle is no error."""
        if isinstance(self._vault, SealedVault):
            self._vault.follow(schema.setting(connection, "keys"))

    def _finish_erasing(self) -> None:
        """Erase what had to wait for a reader."""
        with suppress(GalleryError):
            with self._reading() as connection:
                due = erasing.is_due(connection)
            if due:
                self._writing.finish_erasing()
