"""What a backend can do within one transaction: the few things that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from sameface.gallery.store.values import AuditEntry, NewPerson, StoredTemplate
from sameface.types import Candidate, Consent, Embeddings, Person, Retention, Template


class Transaction(Protocol):
    """One transaction of a backend. What it is given is clean; people are numbered in the order of enrolment, from 1 on.

    Whose time is over is not there for any of these calls, but for those that say so; unless they are held, then nobody names them.
    """

    def named(self, name: str) -> Person | None:
        """Whoever bears a name; in a changing transaction nobody else changes them until it ends."""
        ...

    def identified(self, person_id: str) -> Person | None:
        """Whoever has an id; likewise."""
        ...

    def numbered(self, numbers: Sequence[int]) -> list[tuple[int, Person]]:
        """The people of some numbers, in their order."""
        ...

    def listed(self, group: str | None, after: int = 0, limit: int | None = None) -> list[tuple[int, Person]]:
        """People with a larger number than `after`, in their order."""
        ...

    def names(self, group: str | None) -> Iterator[tuple[int, str]]:
        """Number and name of everybody, in order, without holding them all."""
        ...

    def count_people(self, group: str | None = None) -> int: ...

    def count_templates(self, group: str | None = None) -> int:
        """How many are searched: without those of anybody whose time is over."""
        ...

    def templates(self, person: Person) -> list[StoredTemplate]: ...

    def owner(self, template_id: int) -> Person | None: ...

    def sources(self) -> set[str]: ...

    def audit(self, limit: int, person_id: str = "") -> list[AuditEntry]:
        """The latest lines, of one person or of everything."""
        ...

    def retention(self) -> Mapping[str, Retention]:
        """How long people are kept, by group; under "" everybody."""
        ...

    def ending(self, before: str, limit: int | None = None) -> list[Person]:
        """Whose time is over at a moment and who are not held, over already or not, in the order of enrolment."""
        ...

    def held_over(self, moment: str) -> int:
        """How many people are kept for a hold though their time is over at a moment."""
        ...

    def in_the_way(self, people: Sequence[NewPerson]) -> list[Person]:
        """Whose time is over and who bear the name or id of one of them."""
        ...

    def nearest(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        """As `TemplateStore.search`, of the moment of this transaction."""
        ...

    def insert(self, people: Sequence[NewPerson], vectors: Embeddings) -> None:
        """Store new people; `vectors` are those of all their templates, one after the other. Raises PersonExistsError."""
        ...

    def extend(self, person: Person, templates: Sequence[Template], vectors: Embeddings) -> None:
        """Store more templates of a person."""
        ...

    def write(self, person: Person, name: str, details: Mapping[str, str]) -> None:
        """Replace a person's name and details. Raises PersonExistsError."""
        ...

    def write_groups(self, person: Person, groups: Sequence[str]) -> None: ...

    def write_terms(self, person: Person, consent: Consent | None, keep_until: str, hold: str) -> None:
        """Replace a person's consent, own retention and hold."""
        ...

    def write_retention(self, rules: Mapping[str, Retention], *, changed: str) -> None:
        """Replace the rules, and the ends of everybody whom one of them concerns: a group's, or under "" the gallery's."""
        ...

    def move_templates(self, source: Person, target: Person) -> int: ...

    def erase_templates(self, person: Person, template_id: int | None = None) -> int:
        """Erase the vectors of a person, or the one. Returns how many."""
        ...

    def remove(self, person: Person) -> None:
        """Take away a person without templates."""
        ...

    def erase_people(self, people: Sequence[Person], action: str) -> int:
        """Erase people with all their templates, with a line in the audit log for each. Returns how many templates."""
        ...

    def note(self, action: str, person_id: str, templates: int) -> None:
        """Add a line to the audit log."""
        ...
