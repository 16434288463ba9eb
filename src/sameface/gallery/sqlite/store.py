"""A gallery in one SQLite file: the record on disk, exact search in memory."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from sameface.errors import GalleryError, PersonNotFoundError, SettingError
from sameface.gallery.exact.index import StaleRowError
from sameface.gallery.exact.scan import Scan, scan_from_environment
from sameface.gallery.exact.threads import threads_for, threads_from_environment
from sameface.gallery.names import clean_name
from sameface.gallery.sqlite import care, checking, history, opening, rows, schema
from sameface.gallery.sqlite.errors import translated
from sameface.gallery.sqlite.live_index import LiveIndex
from sameface.gallery.sqlite.writer_queue import WriterQueue
from sameface.gallery.store import AuditEntry, CheckReport, IfExists, NewPerson, Stats, StoredTemplate
from sameface.gallery.vectors import as_probes
from sameface.matching import distance
from sameface.types import NO_DETAILS, Candidate, Embeddings, EmbeddingSpace, Erased, Person, Template

#: Seconds that a call waits for other processes before it gives up.
PATIENCE: Final = 10.0
_RETRIES: Final = 20


class SqliteStore:
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
        self._read_lock, self._write_lock = threading.RLock(), threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._closed = False
        self._queue = WriterQueue(path, patience)
        try:
            self._reader, self._binding, self._vault = opening.opened(path, self._queue, key, patience)
        except BaseException:
            self._queue.close()
            raise
        self._live = self._live_index()

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

    # -- people -------------------------------------------------------------------------------------------------------
    def add(
        self,
        name: str,
        templates: Sequence[Template],
        *,
        details: Mapping[str, str] | None = None,
        groups: Sequence[str] = (),
        if_exists: IfExists = "extend",
    ) -> Person:
        if not templates:
            raise SettingError(expected="at least one template", got="none", advice="give a photo of the person")
        name = clean_name(name)
        with self._writing() as connection:
            known = rows.select_people(connection, self._vault, "WHERE p.name = ?", (name,))
            if known and if_exists == "refuse":
                raise rows.name_taken(name)
            if known:
                key, person = known[0]
                rows.insert_templates(connection, key, templates, self.dimension, self._vault)
                if details:
                    rows.update_person(connection, self._vault, key, person, details={**person.details, **details})
                if groups:
                    rows.replace_groups(connection, self._vault, key, [*person.groups, *groups])
            else:
                fresh = NewPerson(name, templates, details or NO_DETAILS, groups)
                rows.insert_people(connection, [fresh], self.dimension, self._vault)
            person = rows.find(connection, self._vault, name)[1]
            history.note(connection, self._vault, "add", person.person_id, len(templates))
        return person

    def add_many(self, people: Iterable[NewPerson]) -> int:
        with self._writing() as connection:
            count = rows.insert_people(connection, people, self.dimension, self._vault)
            history.note(connection, self._vault, "import", "", count)
        return count

    def person(self, name: str) -> Person:
        with self._reading() as connection:
            return rows.find(connection, self._vault, name)[1]

    def person_by_id(self, person_id: str) -> Person:
        with self._reading() as connection:
            return rows.find_id(connection, self._vault, person_id)[1]

    def people(self, group: str | None = None) -> list[Person]:
        with self._reading() as connection:
            if group is None:
                return [person for _, person in rows.select_people(connection, self._vault)]
            where = "WHERE p.person_key IN (SELECT person_key FROM membership WHERE group_name = ?)"
            return [
                person
                for _, person in rows.select_people(connection, self._vault, where, (clean_name(group, "a group"),))
            ]

    def rename(self, name: str, new: str) -> Person:
        with self._writing() as connection:
            key, person = rows.find(connection, self._vault, name)
            rows.update_person(connection, self._vault, key, person, name=new)
            history.note(connection, self._vault, "rename", person.person_id, 0)
            return rows.find(connection, self._vault, new)[1]

    def merge(self, into: str, other: str) -> Person:
        with self._writing() as connection:
            target, kept = rows.find(connection, self._vault, into)
            source, gone = rows.find(connection, self._vault, other)
            if target == source:
                raise SettingError(
                    expected="two people", got=f"{kept.name!r} twice", advice="name the one to keep, then the other"
                )
            moved = rows.move_templates(connection, self._vault, source, target)
            rows.update_person(connection, self._vault, target, kept, details={**gone.details, **kept.details})
            rows.replace_groups(connection, self._vault, target, [*kept.groups, *gone.groups])
            connection.execute("DELETE FROM membership WHERE person_key = ?", (source,))
            connection.execute("DELETE FROM person WHERE person_key = ?", (source,))
            history.note(connection, self._vault, "merge", kept.person_id, moved)
            return rows.find(connection, self._vault, into)[1]

    def set_details(self, name: str, details: Mapping[str, str]) -> Person:
        with self._writing() as connection:
            key, person = rows.find(connection, self._vault, name)
            rows.update_person(connection, self._vault, key, person, details=details)
            history.note(connection, self._vault, "details", person.person_id, 0)
            return rows.find(connection, self._vault, name)[1]

    def set_groups(self, name: str, groups: Sequence[str]) -> Person:
        with self._writing() as connection:
            key, person = rows.find(connection, self._vault, name)
            rows.replace_groups(connection, self._vault, key, groups)
            history.note(connection, self._vault, "groups", person.person_id, 0)
            return rows.find(connection, self._vault, name)[1]

    def forget(self, name: str) -> Erased:
        with self._writing(erasing=True) as connection:
            key, person = rows.find(connection, self._vault, name)
            templates = rows.erase_templates(connection, self._vault, key)
            connection.execute("DELETE FROM membership WHERE person_key = ?", (key,))
            connection.execute("DELETE FROM person WHERE person_key = ?", (key,))
            history.note(connection, self._vault, "forget", person.person_id, templates)
            moment = history.moment(connection)
        return Erased(person.person_id, templates, self._live.erase(key, moment))

    # -- templates ----------------------------------------------------------------------------------------------------
    def templates_of(self, person_id: str) -> list[StoredTemplate]:
        with self._reading() as connection:
            key, person = rows.find_id(connection, self._vault, person_id)
            return rows.select_templates(connection, key, person, self._vault, self.location)

    def drop_template(self, template_id: int) -> Erased:
        with self._writing(erasing=True) as connection:
            row = connection.execute("SELECT person_key FROM template WHERE template_id = ?", (template_id,)).fetchone()
            if row is None:
                raise PersonNotFoundError(
                    expected="a stored template", got=f"the id {template_id}", advice="list the person's templates"
                )
            key, person = rows.select_people(connection, self._vault, "WHERE p.person_key = ?", row)[0]
            rows.erase_templates(connection, self._vault, key, template_id)
            history.note(connection, self._vault, "drop template", person.person_id, 1)
            moment = history.moment(connection)
        return Erased(person.person_id, 1, self._live.erase(key, moment))

    def sources(self) -> set[str]:
        with self._reading() as connection:
            return {
                row[0]
                for row in connection.execute("SELECT DISTINCT source_sha256 FROM template WHERE source_sha256 <> ''")
            }

    def export(self) -> Iterator[tuple[Person, list[StoredTemplate]]]:
        # A connection of its own: the snapshot lasts as long as the caller takes, and nobody waits for it.
        self._open_or_raise()
        with translated(self.location):
            connection = opening.another(self._reader, self._path, self._patience)
            try:
                connection.execute("BEGIN")
                keys = [row[0] for row in connection.execute("SELECT person_key FROM person ORDER BY person_key")]
                for key in keys:
                    person = rows.select_people(connection, self._vault, "WHERE p.person_key = ?", (key,))[0][1]
                    yield person, rows.select_templates(connection, key, person, self._vault, self.location)
            finally:
                connection.close()

    # -- searching ----------------------------------------------------------------------------------------------------
    def search(self, probes: npt.ArrayLike, k: int = 1, *, group: str | None = None) -> list[list[Candidate]]:
        if k < 1:
            raise SettingError(expected="at least one candidate", got=f"k = {k}", advice="ask for 1 or more")
        matrix = as_probes(probes, self.dimension)
        only: npt.NDArray[np.int64] | None = None
        for attempt in range(_RETRIES):
            with self._reading() as connection:
                index = self._live.fresh(connection)
                if group is not None:
                    found = connection.execute(
                        "SELECT person_key FROM membership WHERE group_name = ?", (clean_name(group, "a group"),)
                    )
                    only = np.array([row[0] for row in found], np.int64)
            try:
                threads = threads_for(index.rows * matrix.size, self._threads)
                ranked = index.search(matrix, k, only, threads=threads)
            except StaleRowError:
                if attempt:  # not a race with a `forget`, then: memory is not what it was
                    self._live.drop()
                continue
            with self._reading() as connection:
                named = self._named(connection, ranked)
            if named is not None:
                return named
        raise GalleryError(
            expected="people that stay enrolled while they are searched",
            got="changes at every attempt",
            advice="try again when fewer people are removed",
        )

    def _named(
        self, connection: sqlite3.Connection, ranked: list[list[tuple[int, float]]]
    ) -> list[list[Candidate]] | None:
        """Candidates of ranked keys; None when somebody among them was forgotten or merged meanwhile."""
        known: dict[int, tuple[str, str]] = {}
        for key in {key for answer in ranked for key, _ in answer}:
            found = rows.select_people(connection, self._vault, "WHERE p.person_key = ?", (key,))
            if not found:
                return None
            known[key] = (found[0][1].person_id, found[0][1].name)
        return [[Candidate(*known[key], value) for key, value in answer] for answer in ranked]

    def distances_to(self, person_id: str, probe: npt.ArrayLike) -> Embeddings:
        vector = as_probes(probe, self.dimension)[0]
        stored = self.templates_of(person_id)
        return np.array([distance(vector, item.template.embedding) for item in stored], np.float32)

    def count(self) -> int:
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM template").fetchone()[0])

    def __len__(self) -> int:
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM person").fetchone()[0])

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        with self._reading() as connection:
            return connection.execute("SELECT 1 FROM person WHERE name = ?", (clean_name(name),)).fetchone() is not None

    # -- care ---------------------------------------------------------------------------------------------------------
    def warm(self) -> None:
        with self._reading() as connection:
            self._live.fresh(connection)

    def check(self) -> CheckReport:
        with self._reading() as connection:
            return checking.check(connection, self._binding, self._vault, self.location)

    def stats(self) -> Stats:
        with self._reading() as connection:
            return care.stats(connection, self._path, self._binding, self._scan)

    def audit(self, limit: int = 100) -> list[AuditEntry]:
        with self._reading() as connection:
            found = connection.execute(
                "SELECT at, action, person_id, templates FROM audit ORDER BY seq DESC LIMIT ?", (limit,)
            )
            return [
                AuditEntry(at, action, person_id.hex() if person_id else "", templates)
                for at, action, person_id, templates in found
            ]

    def compact(self) -> int:
        with translated(self.location), self._write_lock, self._queue.turn():
            self._live.drop_cache()
            return care.compact(self._write_connection(), self._path)

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
        with self._writing(erasing=True) as connection:
            replaced = care.reembed(
                connection, self._binding, self._vault, space, dimension, vectors, drop_missing=drop_missing
            )
            history.note(connection, self._vault, "reembed", "", replaced)
        with translated(self.location), self._write_lock, self._queue.turn():
            care.rewrite_if_due(self._write_connection())
        with self._reading() as connection:
            self._binding = schema.binding(connection, self.location)
        self._live.drop_cache()
        self._live = self._live_index()
        return replaced

    def close(self) -> None:
        with self._read_lock:
            if self._closed:
                return
            self._closed = True
            self._live.drop()
            self._reader.close()
            with self._write_lock:
                if self._writer is not None:
                    self._writer.close()
                self._queue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside -------------------------------------------------------------------------------------------------------
    def _live_index(self) -> LiveIndex:
        return LiveIndex(self._path, self._binding, self._vault, coded=self._scan == "int8")

    def _open_or_raise(self) -> None:
        if self._closed:
            raise GalleryError(
                expected=f"an open gallery at {self.location}", got="one that was closed", advice="open it again"
            )

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, translated(self.location):
            self._open_or_raise()
            yield self._reader

    def _write_connection(self) -> sqlite3.Connection:
        self._open_or_raise()
        if self._writer is None:
            self._writer = schema.connect(self._path, self._patience, write=True)
            care.rewrite_if_due(self._writer)
        return self._writer

    @contextmanager
    def _writing(self, *, erasing: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction in this writer's turn. With `erasing`, the log is emptied afterwards, so that it keeps no old page."""
        with translated(self.location), self._write_lock, self._queue.turn():
            connection = self._write_connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                schema.require_same_epoch(connection, self._binding, self.location)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if erasing:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
