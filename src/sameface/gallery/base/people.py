"""People on the way into a gallery, many at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from sameface.errors import GalleryUnavailableError
from sameface.gallery.rules.names import (
    clean_details,
    clean_groups,
    clean_id,
    clean_moment,
    clean_name,
    clean_source,
)
from sameface.gallery.rules.terms import clean_terms
from sameface.gallery.rules.vectors import storable_rows
from sameface.gallery.store import NewPerson, now
from sameface.types import Consent, Embeddings

Item = TypeVar("Item")


def clean_people(people: Sequence[NewPerson], dimension: int) -> tuple[list[NewPerson], Embeddings]:
    """People as they may be stored, each with an id and a moment; and the vectors of all their templates.

    Returns:
        The people, and ``(n, dimension)`` float32, the vectors of the first person's templates first.

    Raises:
        PersonNameError, SettingError, EmbeddingError: of the first that may not be stored.
    """
    moment, clean = now(), []
    vectors: list[npt.ArrayLike] = []
    for person, fresh in zip(people, _new_ids(len(people)), strict=True):
        templates = []
        for template in person.templates:
            source = clean_source(template)
            templates.append(template if source is template.source else replace(template, source=source))
            vectors.append(template.embedding)
        clean.append(
            NewPerson(
                clean_name(person.name),
                templates,
                clean_details(person.details),
                clean_groups(person.groups),
                clean_id(person.person_id) if person.person_id else fresh,
                clean_moment(person.created) if person.created else moment,
                *_terms(person),
            )
        )
    if not vectors:
        return clean, np.empty((0, dimension), "<f4")
    return clean, storable_rows(vectors, dimension)


def _terms(person: NewPerson) -> tuple[Consent | None, str, str]:
    if person.consent is None and not person.keep_until and not person.hold:
        return None, "", ""
    terms = clean_terms(person.consent, person.keep_until, person.hold)
    return terms.consent, terms.keep_until, terms.hold


def _new_ids(count: int) -> list[str]:
    """Fresh ids: UUIDs of version 7 (RFC 9562), ascending, all from one look at the system's randomness.

    They begin with the time, so that those who come together lie together in an index: a load of millions by random ids would touch every page of it
    again and again.
    """
    raw = np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16).copy()
    raw[:, :6] = np.frombuffer((time.time_ns() // 1_000_000).to_bytes(6, "big"), np.uint8)
    raw[:, 6], raw[:, 8] = raw[:, 6] & 0x0F | 0x70, raw[:, 8] & 0x3F | 0x80
    return sorted(row.tobytes().hex() for row in raw)


class Once(Generic[Item]):
    """The input of a transaction, taken one at a time. What can be taken only once is an error the second time.

    >>> list(Once([1, 2])), list(Once(iter([1, 2])))
    ([1, 2], [1, 2])
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items, self._begun = items, False

    def __iter__(self) -> Iterator[Item]:
        """The input from its beginning.

        Raises:
            GalleryUnavailableError: it was begun before, and cannot be begun again.
        """
        if self._begun and iter(self._items) is self._items:
            raise GalleryUnavailableError(
                expected="a transaction that goes through at the first attempt",
                got="one that was undone on its way: a lost connection, or somebody else enrolled the same name",
                advice="nothing of it was stored: do it again",
            )
        self._begun = True
        yield from self._items
