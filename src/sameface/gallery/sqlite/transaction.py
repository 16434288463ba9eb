"""One transaction on a gallery file, as every backend has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from sameface.gallery.rules.terms import Terms, rules_text
from sameface.gallery.sqlite import history, people, rows
from sameface.gallery.sqlite.people import THERE
from sameface.gallery.sqlite.schema import Binding, require_same_epoch, write_settings
from sameface.gallery.sqlite.vault import Vault
from sameface.gallery.store import AuditEntry, NewPerson, StoredTemplate, now
from sameface.types import Candidate, Consent, Embeddings, Person, Retention, Template

_OF_GROUP: Final = "p.person_key IN (SELECT person_key FROM membership WHERE group_name = ?)"
#: Whose time is over, those who are held too.
_OVER: Final = "SELECT person_key FROM person WHERE expires <> '' AND expires <= ?"


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
        self._now = now()
        self.erased: list[int] = []

    # -- looking ------------------------------------------------------------------------------------------------------
    def named(self, name: str) -> Person | None:
        return self._found(
            found for found in people.bearer(self._connection, self._vault, name) if self._is_there(found[1])
        )

    def identified(self, person_id: str) -> Person | None:
        return self._one("WHERE p.person_id = ?", bytes.fromhex(person_id))

    def _one(self, where: str, value: object) -> Person | None:
        return self._found(self._select(f"{where} AND {THERE}", value, self._now))

    def _found(self, found: Iterable[tuple[int, Person]]) -> Person | None:
        listed = self._remembered(found)
        return listed[0][1] if listed else None

    def _select(self, where: str, *values: object, limit: int | None = None) -> list[tuple[int, Person]]:
        return self._remembered(people.select_people(self._connection, self._vault, where, values, limit))

    def _remembered(self, found: Iterable[tuple[int, Person]]) -> list[tuple[int, Person]]:
        listed = list(found)
        self._keys |= {person.person_id: key for key, person in listed}
        return listed

    def _is_there(self, person: Person) -> bool:
        return not person.expires or person.expires > self._now or bool(person.hold)

    def numbered(self, numbers: Sequence[int]) -> list[tuple[int, Person]]:
        where = f"WHERE p.person_key = ? AND {THERE}"
        return [found for key in numbers for found in self._select(where, key, self._now)]

    def listed(self, group: str | None, after: int = 0, limit: int | None = None) -> list[tuple[int, Person]]:
        where, values = f"WHERE p.person_key > ? AND {THERE}", (after, self._now)
        if group is None:
            return self._select(where, *values, limit=limit)
        return self._select(f"{where} AND {_OF_GROUP}", *values, group, limit=limit)

    def names(self, group: str | None) -> Iterator[tuple[int, str]]:
        where, values = ("", ()) if group is None else (f"AND {_OF_GROUP}", (group,))
        query = f"SELECT p.person_key, p.name FROM person p WHERE {THERE} {where} ORDER BY 1"
        for key, stored in self._connection.execute(query, (self._now, *values)):
            yield key, self._vault.unseal_text(stored, "name", key)

    def count_people(self, group: str | None = None) -> int:
        if group is None:  # not by THERE, which would read every row
            over = "SELECT count(*) FROM person WHERE expires <> '' AND expires <= ? AND NOT held"
            return self._number("SELECT count(*) FROM person") - self._number(over, self._now)
        query = f"SELECT count(*) FROM membership m JOIN person p USING (person_key) WHERE m.group_name = ? AND {THERE}"
        return self._number(query, group, self._now)

    def count_templates(self, group: str | None = None) -> int:
        if group is None:
            over = f"SELECT count(*) FROM template WHERE person_key IN ({_OVER})"
            return self._number("SELECT count(*) FROM template") - self._number(over, self._now)
        return self._number(
            "SELECT count(*) FROM membership m JOIN template t USING (person_key) WHERE m.group_name = ?"
            f" AND person_key NOT IN ({_OVER})",
            group,
            self._now,
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

    def audit(self, limit: int, person_id: str = "") -> list[AuditEntry]:
        where, values = ("WHERE person_id = ?", (bytes.fromhex(person_id),)) if person_id else ("", ())
        query = f"SELECT at, action, person_id, templates FROM audit {where} ORDER BY seq DESC LIMIT ?"
        return [
            AuditEntry(at, action, found.hex() if found else "", templates)
            for at, action, found, templates in self._connection.execute(query, (*values, limit))
        ]

    def retention(self) -> Mapping[str, Retention]:
        return people.rules(self._connection)

    def ending(self, before: str, limit: int | None = None) -> list[Person]:
        # Keys by the index first: asked for in their order, with a limit, people would all be read.
        over = "SELECT person_key FROM person WHERE expires <> '' AND expires <= ? AND NOT held"
        return [person for _, person in self._select(f"WHERE p.person_key IN ({over})", before, limit=limit)]

    def held_over(self, moment: str) -> int:
        return self._number("SELECT count(*) FROM person WHERE expires <> '' AND expires <= ? AND held", moment)

    def in_the_way(self, newcomers: Sequence[NewPerson]) -> list[Person]:
        if not self.ending(self._now, 1):
            return []
        found: dict[str, Person] = {}
        for new in newcomers:
            there = people.bearer(self._connection, self._vault, new.name)
            if new.person_id:
                there += self._select("WHERE p.person_id = ?", bytes.fromhex(new.person_id))
            gone = [one for one in self._remembered(there) if not self._is_there(one[1])]
            found |= {person.person_id: person for _, person in gone}
        return list(found.values())

    def nearest(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        return self._search(probes, k)

    # -- changing -----------------------------------------------------------------------------------------------------
    def insert(self, newcomers: Sequence[NewPerson], vectors: Embeddings) -> None:
        people.insert_people(self._connection, newcomers, vectors, self._vault)

    def extend(self, person: Person, templates: Sequence[Template], vectors: Embeddings) -> None:
        key = self._key(person)
        rows.insert(self._connection, self._vault, [(key, template) for template in templates], vectors)

    def write(self, person: Person, name: str, details: Mapping[str, str]) -> None:
        people.update_person(self._connection, self._vault, self._key(person), name=name, details=details)

    def write_groups(self, person: Person, groups: Sequence[str]) -> None:
        people.update_person(self._connection, self._vault, self._key(person), groups=groups)

    def write_terms(self, person: Person, consent: Consent | None, keep_until: str, hold: str) -> None:
        terms = Terms(consent, keep_until, hold)
        people.update_person(self._connection, self._vault, self._key(person), terms=terms)

    def write_retention(self, rules: Mapping[str, Retention], *, changed: str) -> None:
        write_settings(self._connection, self._vault, {"retention": rules_text(rules)})
        where, values = (f"WHERE {_OF_GROUP}", (changed,)) if changed else ("", ())
        concerned = self._connection.execute(f"SELECT p.person_key FROM person p {where}", values).fetchall()
        for (key,) in concerned:
            people.rewrite(self._connection, self._vault, key, rules)

    def move_templates(self, source: Person, target: Person) -> int:
        return rows.move_templates(self._connection, self._vault, self._key(source), self._key(target))

    def erase_templates(self, person: Person, template_id: int | None = None) -> int:
        self.erased.append(self._key(person))
        gone = rows.erase_templates(self._connection, self._vault, [self._key(person)], template_id)
        return sum(gone.values())

    def remove(self, person: Person) -> None:
        people.remove(self._connection, [self._key(person)])

    def erase_people(self, gone: Sequence[Person], action: str) -> int:
        keys = [self._key(person) for person in gone]
        self.erased += keys
        counts = rows.erase_templates(self._connection, self._vault, keys)
        people.remove(self._connection, keys)
        whose = [(person.person_id, counts.get(key, 0)) for key, person in zip(keys, gone, strict=True)]
        history.note_each(self._connection, self._vault, action, whose)
        return sum(counts.values())

    def note(self, action: str, person_id: str, templates: int) -> None:
        history.note(self._connection, self._vault, action, person_id, templates)

    def _key(self, person: Person) -> int:
        """The key of somebody who was found in this transaction."""
        return self._keys[person.person_id]
