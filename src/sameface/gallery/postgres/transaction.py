"""One transaction on a server, as every backend has it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sameface.gallery.postgres import rows
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.postgres.schema import require_same_epoch
from sameface.gallery.store import AuditEntry, NewPerson, StoredTemplate
from sameface.types import Candidate, Embeddings, Person, Template

_OF_GROUP: Final = "p.person_id IN (SELECT person_id FROM sameface_membership WHERE group_name = %s)"


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
        people = rows.select_people(self._connection, "WHERE p.person_id = %s", (found,))
        return people[0][1] if people else None

    def numbered(self, numbers: Sequence[int]) -> list[tuple[int, Person]]:
        return rows.select_people(self._connection, "WHERE p.number = ANY(%s)", (list(numbers),))

    def listed(self, group: str | None, after: int = 0, limit: int | None = None) -> list[tuple[int, Person]]:
        where = "WHERE p.number > %s"
        if group is None:
            return rows.select_people(self._connection, where, (after,), limit)
        return rows.select_people(self._connection, f"{where} AND {_OF_GROUP}", (after, group), limit)

    def names(self, group: str | None) -> Iterator[tuple[int, str]]:
        where, values = ("", ()) if group is None else (f"WHERE {_OF_GROUP}", (group,))
        query = f"SELECT p.number, p.name FROM sameface_person p {where} ORDER BY p.number"
        with self._connection.cursor(f"names{uuid.uuid4().hex}") as cursor:
            cursor.itersize = 5000
            yield from cursor.execute(query.encode(), values)

    def count_people(self, group: str | None = None) -> int:
        if group is None:
            return self._number("SELECT count(*) FROM sameface_person")
        return self._number("SELECT count(*) FROM sameface_membership WHERE group_name = %s", group)

    def count_templates(self, group: str | None = None) -> int:
        if group is None:
            return self._number("SELECT count(*) FROM sameface_template")
        return self._number(f"SELECT count(*) FROM sameface_template p WHERE {_OF_GROUP}", group)

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

    def audit(self, limit: int) -> list[AuditEntry]:
        query = "SELECT at, action, person_id, templates FROM sameface_audit ORDER BY number DESC LIMIT %s"
        return [
            AuditEntry(at, action, person_id.hex if person_id else "", templates)
            for at, action, person_id, templates in self._connection.execute(query, (limit,)).fetchall()
        ]

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

    def move_templates(self, source: Person, target: Person) -> int:
        return rows.move_templates(self._connection, source, target)

    def erase_templates(self, person: Person, template_id: int | None = None) -> int:
        return rows.erase_templates(self._connection, person, template_id)

    def remove(self, person: Person) -> None:
        rows.remove_person(self._connection, person)

    def note(self, action: str, person_id: str, templates: int) -> None:
        rows.note(self._connection, action, person_id, templates)
