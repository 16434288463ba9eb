"""One transaction on a server, as every backend has it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sameface.gallery.postgres import rows
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.postgres.rows import THERE
from sameface.gallery.postgres.schema import require_same_epoch
from sameface.gallery.rules.terms import Terms
from sameface.gallery.store import AuditEntry, NewPerson, StoredTemplate, now
from sameface.types import Candidate, Consent, Embeddings, Person, Retention, Template

_OF_GROUP: Final = "p.person_id IN (SELECT person_id FROM sameface_membership WHERE group_name = %s)"
#: Whose time is over, those who are held too: nobody names them. A moment follows.
OVER: Final = "SELECT person_id FROM sameface_person WHERE expires <> '' AND expires <= %s"


class PostgresTransaction:
    """See `Transaction` for what each call does.

    Args:
        connection: in a transaction, the caller's.
        bound: the gallery's settings when it was opened.
        shown: the address, for errors.
        search: ranks people for probes on a connection.
        changing: whether people that are found are held until the end, so that nobody else changes them.
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
        self._connection, self._bound, self._shown = connection, bound, shown
        self._search, self._changing = search, changing
        self._now = now()

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
        people = rows.select_people(self._connection, f"WHERE p.person_id = %s AND {THERE}", (found, self._now))
        return people[0][1] if people else None

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
        return [person for _, person in rows.select_people(self._connection, where, (before,), limit)]

    def held_over(self, moment: str) -> int:
        return self._number(
            "SELECT count(*) FROM sameface_person WHERE expires <> '' AND expires <= %s AND held", moment
        )

    def in_the_way(self, newcomers: Sequence[NewPerson]) -> list[Person]:
        where = (
            "WHERE p.expires <> '' AND p.expires <= %s AND NOT p.held AND (p.name = ANY(%s) OR p.person_id = ANY(%s))"
        )
        names = [new.name for new in newcomers]
        ids = [uuid.UUID(new.person_id) for new in newcomers if new.person_id]
        return [person for _, person in rows.select_people(self._connection, where, (self._now, names, ids))]

    def nearest(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        return self._search(self._connection, probes, k)

    # -- changing -----------------------------------------------------------------------------------------------------
    def insert(self, people: Sequence[NewPerson], vectors: Embeddings) -> None:
        rows.insert_people(self._connection, people, vectors)

    def extend(self, person: Person, templates: Sequence[Template], vectors: Embeddings) -> None:
        rows.insert_templates(self._connection, person, templates, vectors)

    def write(self, person: Person, name: str, details: Mapping[str, str]) -> None:
        rows.update_person(self._connection, person, name, details)

    def write_groups(self, person: Person, groups: Sequence[str]) -> None:
        rows.replace_groups(self._connection, person, groups)

    def write_terms(self, person: Person, consent: Consent | None, keep_until: str, hold: str) -> None:
        rows.update_terms(self._connection, person, Terms(consent, keep_until, hold))

    def write_retention(self, rules: Mapping[str, Retention], *, changed: str) -> None:
        rows.write_rules(self._connection, rules)
        where, values = (f"WHERE {_OF_GROUP}", (changed,)) if changed else ("", ())
        rows.write_ends(self._connection, where, values, rules)

    def move_templates(self, source: Person, target: Person) -> int:
        return rows.move_templates(self._connection, source, target)

    def erase_templates(self, person: Person, template_id: int | None = None) -> int:
        return sum(rows.erase_templates(self._connection, [person], template_id).values())

    def remove(self, person: Person) -> None:
        rows.remove_people(self._connection, [person])

    def erase_people(self, gone: Sequence[Person], action: str) -> int:
        counts = rows.erase_templates(self._connection, gone)
        rows.remove_people(self._connection, gone)
        rows.note(self._connection, action, [(person.person_id, counts.get(person.person_id, 0)) for person in gone])
        return sum(counts.values())

    def note(self, action: str, person_id: str, templates: int) -> None:
        rows.note(self._connection, action, [(person_id, templates)])
