"""A gallery on a PostgreSQL server: the record and the search are there, every answer is of this moment."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import numpy as np
import numpy.typing as npt

from sameface.errors import EmbeddingError, GalleryMissingError, PersonNotFoundError, SettingError
from sameface.gallery.clock import now
from sameface.gallery.names import clean_details, clean_groups, clean_name, details_json
from sameface.gallery.postgres import care, hnsw, ranking, rows, schema
from sameface.gallery.postgres.address import Address
from sameface.gallery.postgres.session import Connection, Session
from sameface.gallery.store import AuditEntry, CheckReport, IfExists, NewPerson, Stats, StoredTemplate
from sameface.gallery.vectors import as_probes
from sameface.matching import distance
from sameface.types import Candidate, Embeddings, EmbeddingSpace, Erased, Person, Template

Result = TypeVar("Result")
#: Templates that leave the server at a time when everybody is exported.
_AT_ONCE: Final = 500


class PostgresStore:
    """A `TemplateStore` on a server. See there for what each call does.

    Args:
        location: ``postgresql://…``; the tables are made in the first schema of its search path.
        space, dimension: to make a gallery that is not there; None opens what is.
        create: make it when it is not there.
        patience: seconds to wait for the server and for locks.

    Raises:
        GalleryUnavailableError, GalleryKeyError, GalleryMissingError, GallerySchemaError, SettingError.
    """

    def __init__(
        self, location: str, *, space: EmbeddingSpace | None, dimension: int | None, create: bool, patience: float
    ) -> None:
        self._address = Address(location)
        self._session = Session(self._address, patience)
        try:
            if not self._session.read(schema.exists):
                if not create or space is None or dimension is None:
                    raise GalleryMissingError(
                        expected=f"a gallery at {self.location}",
                        got="no tables of one",
                        advice="enroll somebody first, or check the address",
                    )
                self._session.write(partial(schema.create, space=space, dimension=dimension))
            self._bound = self._session.read(partial(schema.settings, shown=self.location))
        except BaseException:
            self._session.close()
            raise
        self._index = hnsw.chosen(self._bound)
        if self._index is not None:
            hnsw.warn(self._index)

    @property
    def space(self) -> EmbeddingSpace:
        return schema.space_of(self._bound)

    @property
    def dimension(self) -> int:
        return int(self._bound["dimension"])

    @property
    def location(self) -> str:
        return self._address.shown

    @property
    def gallery_id(self) -> str:
        return self._bound["gallery_id"]

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
        name, extra, tags = clean_name(name), clean_details(details or {}), clean_groups(groups)

        def work(connection: Connection) -> Person:
            found = uuid.uuid4()
            number, *ids = rows.numbers(connection, 1 + len(templates))
            made = connection.execute(
                "INSERT INTO sameface_name VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, found)
            ).rowcount
            if made:
                values = (found, number, name, details_json(extra), now())
                connection.execute(
                    "INSERT INTO sameface_person (person_id, number, name, details, created) VALUES (%s, %s, %s, %s, %s)",
                    values,
                )
                rows.replace_groups(connection, found.hex, tags)
            else:
                if if_exists == "refuse":
                    raise rows.name_taken(name)
                known = rows.find(connection, name)
                found = uuid.UUID(known.person_id)
                if extra:
                    rows.set_details(connection, known.person_id, {**known.details, **extra})
                if tags:
                    rows.replace_groups(connection, known.person_id, [*known.groups, *tags])
            new = [
                rows.template_row(found, number, template, self.dimension)
                for number, template in zip(ids, templates, strict=True)
            ]
            rows.copy_templates(connection, new)
            rows.note(connection, "add", found.hex, len(templates))
            return rows.find_id(connection, found.hex)

        return self._write(work)

    def add_many(self, people: Iterable[NewPerson]) -> int:
        kept = list(people)  # so that a lost connection can be tried again

        def work(connection: Connection) -> int:
            count = rows.insert_people(connection, kept, self.dimension)
            rows.note(connection, "import", "", count)
            return count

        return self._write(work)

    def person(self, name: str) -> Person:
        return self._session.read(partial(rows.find, name=name))

    def person_by_id(self, person_id: str) -> Person:
        return self._session.read(partial(rows.find_id, person_id=person_id))

    def people(self, group: str | None = None) -> list[Person]:
        if group is None:
            return self._session.read(rows.select_people)
        where = "WHERE p.person_id IN (SELECT person_id FROM sameface_membership WHERE group_name = %s)"
        return self._session.read(partial(rows.select_people, where=where, values=(clean_name(group, "a group"),)))

    def rename(self, name: str, new: str) -> Person:
        fresh = clean_name(new)

        def work(connection: Connection) -> Person:
            person = rows.find(connection, name)
            found = uuid.UUID(person.person_id)
            if fresh != person.name:
                made = connection.execute(
                    "INSERT INTO sameface_name VALUES (%s, %s) ON CONFLICT DO NOTHING", (fresh, found)
                ).rowcount
                if not made:
                    raise rows.name_taken(fresh)
                connection.execute("DELETE FROM sameface_name WHERE name = %s", (person.name,))
                connection.execute("UPDATE sameface_person SET name = %s WHERE person_id = %s", (fresh, found))
            rows.note(connection, "rename", person.person_id, 0)
            return rows.find(connection, fresh)

        return self._write(work)

    def merge(self, into: str, other: str) -> Person:
        def work(connection: Connection) -> Person:
            kept, gone = rows.find(connection, into), rows.find(connection, other)
            if kept.person_id == gone.person_id:
                raise SettingError(
                    expected="two people", got=f"{kept.name!r} twice", advice="name the one to keep, then the other"
                )
            target, source = uuid.UUID(kept.person_id), uuid.UUID(gone.person_id)
            # Not an UPDATE: the owner is the column that the table may be distributed by.
            moved = connection.execute(
                """
                INSERT INTO sameface_template (person_id, template_id, crc, embedding, source, source_sha256, box, quality)
                SELECT %s, template_id, crc, embedding, source, source_sha256, box, quality FROM sameface_template WHERE person_id = %s
                """,
                (target, source),
            ).rowcount
            connection.execute("DELETE FROM sameface_template WHERE person_id = %s", (source,))
            rows.set_details(connection, kept.person_id, {**gone.details, **kept.details})
            rows.replace_groups(connection, kept.person_id, [*kept.groups, *gone.groups])
            _delete(connection, gone)
            rows.note(connection, "merge", kept.person_id, moved)
            return rows.find(connection, into)

        return self._write(work)

    def set_details(self, name: str, details: Mapping[str, str]) -> Person:
        def work(connection: Connection) -> Person:
            person = rows.find(connection, name)
            rows.set_details(connection, person.person_id, details)
            rows.note(connection, "details", person.person_id, 0)
            return rows.find(connection, name)

        return self._write(work)

    def set_groups(self, name: str, groups: Sequence[str]) -> Person:
        tags = clean_groups(groups)

        def work(connection: Connection) -> Person:
            person = rows.find(connection, name)
            rows.replace_groups(connection, person.person_id, tags)
            rows.note(connection, "groups", person.person_id, 0)
            return rows.find(connection, name)

        return self._write(work)

    def forget(self, name: str) -> Erased:
        """As `TemplateStore.forget`.

        The server keeps old versions of rows until it vacuums (`compact` makes it), and its own log and backups by its own rules.
        """

        def work(connection: Connection) -> Erased:
            person = rows.find(connection, name)
            count = connection.execute(
                "DELETE FROM sameface_template WHERE person_id = %s", (uuid.UUID(person.person_id),)
            ).rowcount
            _delete(connection, person)
            rows.note(connection, "forget", person.person_id, count)
            return Erased(person.person_id, count)

        return self._write(work)

    # -- templates ----------------------------------------------------------------------------------------------------
    def templates_of(self, person_id: str) -> list[StoredTemplate]:
        return self._session.read(
            lambda connection: rows.select_templates(connection, rows.find_id(connection, person_id), self.location)
        )

    def drop_template(self, template_id: int) -> Erased:
        def work(connection: Connection) -> Erased:
            row = connection.execute(
                "DELETE FROM sameface_template WHERE template_id = %s RETURNING person_id", (template_id,)
            ).fetchone()
            if row is None:
                raise PersonNotFoundError(
                    expected="a stored template", got=f"the id {template_id}", advice="list the person's templates"
                )
            rows.note(connection, "drop template", row[0].hex, 1)
            return Erased(row[0].hex, 1)

        return self._write(work)

    def sources(self) -> set[str]:
        query = "SELECT DISTINCT source_sha256 FROM sameface_template WHERE source_sha256 <> ''"
        return {row[0] for row in self._session.read(lambda connection: connection.execute(query).fetchall())}

    def export(self) -> Iterator[tuple[Person, list[StoredTemplate]]]:
        people = self.people()
        for start in range(0, len(people), _AT_ONCE):
            part = people[start : start + _AT_ONCE]
            yield from self._session.read(partial(self._with_templates, people=part))

    def _with_templates(
        self, connection: Connection, people: Sequence[Person]
    ) -> list[tuple[Person, list[StoredTemplate]]]:
        return [(person, rows.select_templates(connection, person, self.location)) for person in people]

    # -- searching ----------------------------------------------------------------------------------------------------
    def search(self, probes: npt.ArrayLike, k: int = 1, *, group: str | None = None) -> list[list[Candidate]]:
        if k < 1:
            raise SettingError(expected="at least one candidate", got=f"k = {k}", advice="ask for 1 or more")
        matrix = as_probes(probes, self.dimension)
        tag = clean_name(group, "a group") if group is not None else None

        def work(connection: Connection) -> list[list[Candidate]]:
            schema.require_same_epoch(connection, self._bound, self.location)
            return ranking.search(connection, matrix, k, tag, self._index, self.location)

        return self._session.read(work)

    def distances_to(self, person_id: str, probe: npt.ArrayLike) -> Embeddings:
        vector = as_probes(probe, self.dimension)[0]
        return np.array(
            [distance(vector, item.template.embedding) for item in self.templates_of(person_id)], np.float32
        )

    def count(self) -> int:
        return int(self._one("SELECT count(*) FROM sameface_template"))

    def __len__(self) -> int:
        return int(self._one("SELECT count(*) FROM sameface_person"))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(
            self._one("SELECT count(*) FROM sameface_name WHERE name = %s", (clean_name(name),))
        )

    # -- care ---------------------------------------------------------------------------------------------------------
    def warm(self) -> None:
        self._one("SELECT 1")

    def check(self) -> CheckReport:
        return self._session.read(partial(care.check, dimension=self.dimension))

    def stats(self) -> Stats:
        return self._session.read(
            lambda connection: care.stats(
                connection, location=self.location, space=self.space, dimension=self.dimension, index=self._index
            )
        )

    def audit(self, limit: int = 100) -> list[AuditEntry]:
        query = "SELECT at, action, person_id, templates FROM sameface_audit ORDER BY number DESC LIMIT %s"
        found = self._session.read(lambda connection: connection.execute(query, (limit,)).fetchall())
        return [
            AuditEntry(at, action, person_id.hex if person_id else "", templates)
            for at, action, person_id, templates in found
        ]

    def compact(self) -> int:
        before = int(self._one("SELECT pg_total_relation_size('sameface_template')"))
        for table in ("template", "person", "name", "membership"):
            self._session.maintain(f"VACUUM (FULL, ANALYZE) sameface_{table}")
        return max(0, before - int(self._one("SELECT pg_total_relation_size('sameface_template')")))

    def reindex(self) -> None:
        if self._index is not None:
            self.build_index(self._index.recall)

    def build_index(self, recall: float = 0.99) -> ranking.Index:
        """Search by HNSW from now on, at the smallest `ef_search` that reaches a recall.

        Args:
            recall: wanted share of right nearest templates, in (0, 1].

        Returns:
            What was chosen and measured; a warning is logged under 0.99.
        """
        if not 0 < recall <= 1:
            raise SettingError(expected="a recall above 0 and at most 1", got=str(recall), advice="ask for 0.99, say")
        self._index = self._write(partial(hnsw.build, dimension=self.dimension, recall=recall))
        return self._index

    def drop_index(self) -> None:
        """Search exactly again."""
        self._write(hnsw.drop)
        self._index = None

    def reembed(
        self,
        space: EmbeddingSpace,
        dimension: int,
        vectors: Iterable[tuple[int, npt.ArrayLike]],
        *,
        drop_missing: bool = False,
    ) -> int:
        kept = list(vectors)
        if dimension < 1 or dimension > schema.LONGEST:
            raise EmbeddingError(
                expected=f"embeddings of 1 to {schema.LONGEST} numbers",
                got=str(dimension),
                advice="use an SQLite gallery",
            )
        replaced = self._write(
            partial(care.reembed, space=space, dimension=dimension, vectors=kept, drop_missing=drop_missing)
        )
        self._bound = self._session.read(partial(schema.settings, shown=self.location))
        if self._index is not None:
            self._index = None
        return replaced

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside -------------------------------------------------------------------------------------------------------
    def _write(self, work: Callable[[Connection], Result]) -> Result:
        def bound(connection: Connection) -> Result:
            schema.require_same_epoch(connection, self._bound, self.location)
            return work(connection)

        return self._session.write(bound)

    def _one(self, query: str, values: Sequence[Any] = ()) -> Any:
        row = self._session.read(lambda connection: connection.execute(query.encode(), values).fetchone())
        return row[0] if row else None


def _delete(connection: Connection, person: Person) -> None:
    found = uuid.UUID(person.person_id)
    connection.execute("DELETE FROM sameface_membership WHERE person_id = %s", (found,))
    connection.execute("DELETE FROM sameface_name WHERE name = %s", (person.name,))
    connection.execute("DELETE FROM sameface_person WHERE person_id = %s", (found,))
