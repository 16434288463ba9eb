"""Who is meant, and who is in the way: the errors of every backend."""

from __future__ import annotations

from sameface.errors import PersonExistsError, PersonHeldError, PersonNotFoundError
from sameface.gallery.rules.names import clean_name, is_id
from sameface.gallery.store import Transaction
from sameface.types import Person, Who


def the(transaction: Transaction, who: Who) -> Person:
    """Who is meant, as stored now. Raises PersonNotFoundError."""
    if isinstance(who, str):
        found, got = transaction.named(clean_name(who)), f"the name {who!r}"
    else:
        person_id = who.person_id if isinstance(who, Person) else who.value
        found, got = transaction.identified(person_id) if is_id(person_id) else None, f"the id {person_id!r}"
    if found is None:
        raise PersonNotFoundError(expected="an enrolled person", got=got[:300], advice="`sameface people` lists all")
    return found


def name_taken(name: str) -> PersonExistsError:
    """The error for a name or id that is enrolled."""
    return PersonExistsError(
        expected="a new name",
        got=f"{name!r}, which is enrolled",
        advice="add photos to that person, or choose another name",
    )


def held_inside(count: int) -> PersonHeldError:
    """The error for a gallery that may not be erased."""
    return PersonHeldError(
        expected="a gallery whose people may all be forgotten",
        got=f"one with {count} who are held",
        advice="lift the holds first, if you may",
    )
