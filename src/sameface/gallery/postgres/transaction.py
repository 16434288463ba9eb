"""One transaction on a server, as every backend has it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any, Final, Self

from sameface.gallery.postgres import rows
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.postgres.rows import THERE
from sameface.gallery.postgres.schema import FOLLOWED, is_distributed, require_same_epoch
from sameface.gallery.rules.terms import Terms
from sameface.gallery.store import AuditEntry, NewPerson, StoredTemplate, now
from sameface.types import Candidate, Consent, Embeddings, Person, Retention, Template

_OF_GROUP: Final = "p.person_id IN (SELECT person_id FROM sameface_membership WHERE group_name = %s)"
#: Whose time is over, those who are held too: nobody names them. A moment follows.
OVER: Final = "SELECT person_id FROM sameface_person WHERE expires <> '' AND expires <= %s"

#: People that are stored by another thread: fewer are stored before it has begun.
_MANY: Final = 500
#: Where so many come, numbers are asked for once for so many times as many: each question waits for what is being stored.
_AHEAD: Final = 16


class PostgresTransaction:
    """See `Transaction` for what each call does.

    Args:
        connection: in a transaction, the caller's.
        bound: the gallery's settings when it was opened.
        shown: the address, for errors.
        search: ranks people for probes on a connection.
        changing: whether people that are found are held until the end, so that nobody else changes them.

    Attributes:
        erased: numbers of the people whose vectors were erased.
    """

    def __init__(
        self,
        connection: Connection,
        bound: dict[str, str],
        shown: str,
        search: Callable[[Connection, Embeddings, int], list[list[Candidate]]],
        *,
        changing: bool,
    ) -> None:
        self._only_connection, self._bound, self._shown = connection, bound, shown
        self._search, self._changing, self._now = search, changing, now()
        self._numbers: dict[str, int] = {}
        self._changes: dict[str, bool] = {}
        self.erased: list[int] = []
        self._storing: Future[None] | None = None
        self._fresh: list[int] = []  # numbers that nobody has yet, the lowest last

    @property
    def _connection(self) -> Connection:
        """The connection, when the people who came last are stored."""
        self._stored()
        return self._only_connection

    def _stored(self) -> None:
        storing, self._storing = self._storing, None
        if storing is not None:
            storing.result()

    @cached_property
    def _helper(self) -> ThreadPoolExecutor:
        """Waits for the server while the next people are put together."""
        return ThreadPoolExecutor(1, "sameface-storing")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        storing, self._storing = self._storing, None
        if "_helper" in self.__dict__:
            self._helper.shutdown()
        if storing is not None and kind is None:
            storing.result()

    # -- looking ------------------------------------------------------------------------------------------------------
    def named(self, name: str) -> Person | None:
        query, before = "SELECT person_id FROM sameface_name WHERE name = %s", None
        while row := self._connection.execute(query.encode(), (name,)).fetchone():
            person = self.identified(row[0].hex)
            if person is not None and person.name == name:
                return person
            if row == before:  # the two tables disagree: `check` says so
                return None
            before = row  # they were renamed or forgotten while this waited for them: who bears the name now?
        return None

    def identified(self, person_id: str) -> Person | None:
        found = uuid.UUID(person_id)
        if self._changing:  # waits for whoever changes that person just now
            self._connection.execute("SELECT 1 FROM sameface_person WHERE person_id = %s FOR UPDATE", (found,))
        people = self._selected(f"WHERE p.person_id = %s AND {THERE}", (found, self._now))
        return people[0] if people else None

    def _selected(self, where: str, values: Sequence[Any], limit: int | None = None) -> list[Person]:
        """People, whose numbers are remembered."""
        found = rows.select_people(self._connection, where, values, limit)
        self._numbers |= {person.person_id: number for number, person in found}
        return [person for _, person in found]

    def numbered(self, numbers: Sequence[int]) -> list[tuple[int, Person]]:
        return rows.select_people(self._connection, f"WHERE p.number = ANY(%s) AND {THERE}", (list(numbers), self._now))

    def listed(self, group: str | None, after: int = 0, limit: int | None = None) -> list[tuple[int, Person]]:
        where, values = f"WHERE p.number > %s AND {THERE}", (after, self._now)
        if group is None:
            return rows.select_people(self._connection, where, values, limit)
        return rows.select_people(self._connection, f"{where} AND {_OF_GROUP}", (*values, group), limit)

    def names(self, group: str | None) -> Iterator[tuple[int, str]]:
        where, values = ("", ()) if group is None else (f"AND {_OF_GROUP}", (group,))
        query = f"SELECT p.number, p.name FROM sameface_person p WHERE {THERE} {where} ORDER BY p.number"
        with self._connection.cursor(f"names{uuid.uuid4().hex}") as cursor:
            cursor.itersize = 5000
            yield from cursor.execute(query.encode(), (self._now, *values))

    def count_people(self, group: str | None = None) -> int:
        query = f"SELECT count(*) FROM sameface_person p WHERE {THERE}"
        if group is None:
            return self._number(query, self._now)
        return self._number(f"{query} AND {_OF_GROUP}", self._now, group)

    def count_templates(self, group: str | None = None) -> int:
        query = f"SELECT count(*) FROM sameface_template p WHERE person_id NOT IN ({OVER})"
        if group is None:
            return self._number(query, self._now)
        return self._number(f"{query} AND {_OF_GROUP}", self._now, group)

    def _number(self, query: str, *values: object) -> int:
        row: Any = self._connection.execute(query.encode(), values).fetchone()
        return int(row[0])

    def templates(self, person: Person) -> list[StoredTemplate]:
        require_same_epoch(self._connection, self._bound, self._shown)  # vectors of two encoders never meet
        return rows.select_templates(self._connection, [person], self._shown)[person.person_id]

    def owner(self, template_id: int) -> Person | None:
        row = self._connection.execute(
            "SELECT person_id FROM sameface_template WHERE template_id = %s", (template_id,)
        ).fetchone()
        return None if row is None else self.identified(row[0].hex)

    def sources(self) -> set[str]:
        query = "SELECT DISTINCT source_sha256 FROM sameface_template WHERE source_sha256 <> ''"
        return {row[0] for row in self._connection.execute(query).fetchall()}

    def audit(self, limit: int, person_id: str = "") -> list[AuditEntry]:
        where, values = ("WHERE person_id = %s", (uuid.UUID(person_id),)) if person_id else ("", ())
        query = f"SELECT at, action, person_id, templates FROM sameface_audit {where} ORDER BY number DESC LIMIT %s"
        return [
            AuditEntry(at, action, found.hex if found else "", templates)
            for at, action, found, templates in self._connection.execute(query.encode(), (*values, limit)).fetchall()
        ]

    def retention(self) -> Mapping[str, Retention]:
        return rows.rules(self._connection)

    def ending(self, before: str, limit: int | None = None) -> list[Person]:
        where = "WHERE p.expires <> '' AND p.expires <= %s AND NOT p.held"
        return self._selected(where, (before,), limit)

    def held_over(self, moment: str) -> int:
        return self._number(
            "SELECT count(*) FROM sameface_person WHERE expires <> '' AND expires <= %s AND held", moment
        )

    @cached_property
    def _anybody_over(self) -> bool:
        """Whether anybody's time was over when this began. No others join them: ends are set in the future, and `_now` stays."""
        return bool(self.ending(self._now, 1))

    @cached_property
    def _kept(self) -> Mapping[str, Retention]:
        """The rules of retention: they change only while nobody else writes."""
        return rows.rules(self._connection)

    def in_the_way(self, newcomers: Sequence[NewPerson]) -> list[Person]:
        if not self._anybody_over:
            return []
        where = (
            "WHERE p.expires <> '' AND p.expires <= %s AND NOT p.held AND (p.name = ANY(%s) OR p.person_id = ANY(%s))"
        )
        names = [new.name for new in newcomers]
        ids = [uuid.UUID(new.person_id) for new in newcomers if new.person_id]
        return self._selected(where, (self._now, names, ids))

    def nearest(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        return self._search(self._connection, probes, k)

    # -- changing -----------------------------------------------------------------------------------------------------
    def insert(self, people: Sequence[NewPerson], vectors: Embeddings) -> None:
        numbers, store_rows = rows.prepared(people, vectors, self._numbers_for(people, vectors), self._kept)
        told: list[tuple[int, int, bool, int | None]] = [(min(numbers), max(numbers), False, None)] if numbers else []
        if is_distributed(self._bound):
            told = [(n, n, False, len(new.templates)) for n, new in zip(numbers, people, strict=True)]

        def store() -> None:
            store_rows(self._only_connection)
            if self._followed:
                rows.tell(self._only_connection, told)

        self._stored()
        if len(people) < _MANY:
            store()
        else:
            self._storing = self._helper.submit(store)

    def _numbers_for(self, people: Sequence[NewPerson], vectors: Embeddings) -> list[int]:
        wanted = len(people) + len(vectors)
        if wanted > len(self._fresh):
            ahead = wanted if len(people) < _MANY else _AHEAD * wanted
            self._fresh = rows.numbers(self._connection, ahead)[::-1]
        taken = self._fresh[: -wanted - 1 : -1]
        del self._fresh[-wanted:]
        return taken

    def extend(self, person: Person, templates: Sequence[Template], vectors: Embeddings) -> None:
        rows.insert_templates(self._connection, person, templates, vectors)
        self._changed(person)

    def write(self, person: Person, name: str, details: Mapping[str, str]) -> None:
        rows.update_person(self._connection, person, name, details)

    def write_groups(self, person: Person, groups: Sequence[str]) -> None:
        rows.replace_groups(self._connection, person, groups)
        self._changed(person)

    def write_terms(self, person: Person, consent: Consent | None, keep_until: str, hold: str) -> None:
        rows.update_terms(self._connection, person, Terms(consent, keep_until, hold))

    def write_retention(self, rules: Mapping[str, Retention], *, changed: str) -> None:
        self.__dict__.pop("_kept", None)
        rows.write_rules(self._connection, rules)
        where, values = (f"WHERE {_OF_GROUP}", (changed,)) if changed else ("", ())
        rows.write_ends(self._connection, where, values, rules)

    def move_templates(self, source: Person, target: Person) -> int:
        self._changed(source, erased=True)
        self._changed(target, erased=True)
        return rows.move_templates(self._connection, source, target)

    def erase_templates(self, person: Person, template_id: int | None = None) -> int:
        self._changed(person, erased=True)
        self.erased.append(self._numbers[person.person_id])
        return sum(rows.erase_templates(self._connection, [person], template_id).values())

    def remove(self, person: Person) -> None:
        self._changed(person, erased=True)
        rows.remove_people(self._connection, [person])

    def erase_people(self, gone: Sequence[Person], action: str) -> int:
        for person in gone:
            self._changed(person, erased=True)
            self.erased.append(self._numbers[person.person_id])
        counts = rows.erase_templates(self._connection, gone)
        rows.remove_people(self._connection, gone)
        rows.note(self._connection, action, [(person.person_id, counts.get(person.person_id, 0)) for person in gone])
        self._tell()
        return sum(counts.values())

    def note(self, action: str, person_id: str, templates: int) -> None:
        rows.note(self._connection, action, [(person_id, templates)])
        self._tell()

    def _tell(self) -> None:
        """Tell live indexes of whom something changed."""
        told = [
            (number, number, erased, self._photos(who))
            for who, erased in self._changes.items()
            if (number := self._numbers.get(who)) is not None
        ]
        self._changes.clear()
        if told and self._followed:
            rows.tell(self._connection, told)

    def _changed(self, person: Person, *, erased: bool = False) -> None:
        """Remember to tell live indexes of it, when the change is noted."""
        self._changes[person.person_id] = erased or self._changes.get(person.person_id, False)

    def _photos(self, person_id: str) -> int | None:
        """How many templates somebody has now; None where every reader sees all tables in one moment anyway."""
        if not is_distributed(self._bound):
            return None
        return self._number("SELECT count(*) FROM sameface_template WHERE person_id = %s", uuid.UUID(person_id))

    @property
    def _followed(self) -> bool:
        """Whether the gallery has a list of changes: one of an earlier version that may not be written has none."""
        return int(self._bound["schema"]) >= FOLLOWED
