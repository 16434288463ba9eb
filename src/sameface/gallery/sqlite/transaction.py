"""One transaction on a gallery file, as every backend has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from sameface.gallery.sqlite import history, rows
from sameface.gallery.sqlite.schema import Binding, require_same_epoch
from sameface.gallery.sqlite.vault import Vault
from sameface.gallery.store import AuditEntry, NewPerson, StoredTemplate
from sameface.types import Candidate, Embeddings, Person, Template

_OF_GROUP: Final = "p.person_key IN (SELECT person_key FROM membership WHERE group_name = ?)"


class SqliteTransaction:
    """See `Transaction` for what each call does. The number of a person is their key.

    Args:
        connection: in a transaction, the caller's.
        binding: what the gallery was bound to when it was opened.
        vault: how vectors lie in the record.
        location: for errors.
        search: ranks people for probes, as of this transaction while it has changed nothing.

    Attributes:
        erased: keys of the people whose vectors were erased.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        binding: Binding,
        vault: Vault,
        location: str,
        search: Callable[[Embeddings, int], list[list[Candidate]]],
    ) -> None:
        self._connection, self._binding, self._vault = connection, binding, vault
        self._location, self._search = location, search
        self._keys: dict[str, int] = {}
        self.erased: list[int] = []

    # -- looking ------------------------------------------------------------------------------------------------------
    def named(self, name: str) -> Person | None:
        return self._one("WHERE p.name = ?", name)

    def identified(self, person_id: str) -> Person | None:
        return self._one("WHERE p.person_id = ?", bytes.fromhex(person_id))

    def _one(self, where: str, value: object) -> Person | None:
        found = list(rows.select_people(self._connection, self._vault, where, (value,)))
        self._keys |= {person.person_id: key for key, person in found}
        return found[0][1] if found else None

    def numbered(self, numbers: Sequence[int]) -> list[tuple[int, Person]]:
        return [
            found
            for key in numbers
            for found in rows.select_people(self._connection, self._vault, "WHERE p.person_key = ?", (key,))
        ]

    def listed(self, group: str | None, after: int = 0, limit: int | None = None) -> list[tuple[int, Person]]:
        where, values = "WHERE p.person_key > ?", (after,)
        if group is None:
            return list(rows.select_people(self._connection, self._vault, where, values, limit))
        return list(
            rows.select_people(self._connection, self._vault, f"{where} AND {_OF_GROUP}", (*values, group), limit)
        )

    def names(self, group: str | None) -> Iterator[tuple[int, str]]:
        where, values = ("", ()) if group is None else (f"WHERE {_OF_GROUP}", (group,))
        return self._connection.execute(f"SELECT p.person_key, p.name FROM person p {where} ORDER BY 1", values)

    def count_people(self, group: str | None = None) -> int:
        if group is None:
            return self._number("SELECT count(*) FROM person")
        return self._number("SELECT count(*) FROM membership WHERE group_name = ?", group)

    def count_templates(self, group: str | None = None) -> int:
        if group is None:
            return self._number("SELECT count(*) FROM template")
        return self._number(
            "SELECT count(*) FROM membership m JOIN template t USING (person_key) WHERE m.group_name = ?", group
        )

    def _number(self, query: str, *values: object) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])

    def templates(self, person: Person) -> list[StoredTemplate]:
        require_same_epoch(self._connection, self._binding, self._location)  # vectors of two encoders never meet
        return rows.select_templates(self._connection, self._key(person), person, self._vault, self._location)

    def owner(self, template_id: int) -> Person | None:
        return self._one("WHERE p.person_key = (SELECT person_key FROM template WHERE template_id = ?)", template_id)

    def sources(self) -> set[str]:
        query = "SELECT DISTINCT source_sha256 FROM template WHERE source_sha256 <> ''"
        return {row[0] for row in self._connection.execute(query)}

    def audit(self, limit: int) -> list[AuditEntry]:
        query = "SELECT at, action, person_id, templates FROM audit ORDER BY seq DESC LIMIT ?"
        return [
            AuditEntry(at, action, person_id.hex() if person_id else "", templates)
            for at, action, person_id, templates in self._connection.execute(query, (limit,))
        ]

    def nearest(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        return self._search(probes, k)

    # -- changing -----------------------------------------------------------------------------------------------------
    def insert(self, people: Sequence[NewPerson], vectors: Embeddings) -> None:
        rows.insert_people(self._connection, people, vectors, self._vault)

    def extend(self, person: Person, templates: Sequence[Template], vectors: Embeddings) -> None:
        rows.insert_templates(self._connection, self._key(person), templates, vectors, self._vault)

    def write(self, person: Person, name: str, details: Mapping[str, str]) -> None:
        rows.update_person(self._connection, self._vault, self._key(person), name, details)

    def write_groups(self, person: Person, groups: Sequence[str]) -> None:
        rows.replace_groups(self._connection, self._vault, self._key(person), groups)

    def move_templates(self, source: Person, target: Person) -> int:
        return rows.move_templates(self._connection, self._vault, self._key(source), self._key(target))

    def erase_templates(self, person: Person, template_id: int | None = None) -> int:
        self.erased.append(self._key(person))
        return rows.erase_templates(self._connection, self._vault, self._key(person), template_id)

    def remove(self, person: Person) -> None:
        key = (self._key(person),)
        self._connection.execute("DELETE FROM membership WHERE person_key = ?", key)
        self._connection.execute("DELETE FROM person WHERE person_key = ?", key)

    def note(self, action: str, person_id: str, templates: int) -> None:
        history.note(self._connection, self._vault, action, person_id, templates)

    def _key(self, person: Person) -> int:
        """The key of somebody who was found in this transaction."""
        return self._keys[person.person_id]
