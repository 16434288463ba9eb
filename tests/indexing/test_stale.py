"""Faces of photos that are gone: forgotten, but never those that somebody named or merged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sameface.gallery import NewPerson, TemplateStore, open_store
from sameface.indexing.stale import face_names, forget_stale
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors

GONE, HERE = "ab" * 32, "cd" * 32
FACES = vectors(6)


class Book:
    """A ledger that knows which contents no photo has any more; what was settled is stale no more."""

    def __init__(self, stale: dict[str, int], elsewhere: set[str] | None = None) -> None:
        self._stale, self._elsewhere, self.settled = dict(stale), elsewhere or set(), []

    def stale(self) -> dict[str, int]:
        return dict(list(self._stale.items())[:1])  # a few at a time, as the real one

    def paths_of(self, digests: list[str]) -> dict[str, str]:
        return {digest: "copy.jpg" for digest in digests if digest in self._elsewhere}

    def settle(self, digests: dict[str, int]) -> None:
        self.settled += list(digests)
        for digest in digests:
            self._stale.pop(digest, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TemplateStore]:
    with open_store(tmp_path / "archive.db", space=SPACE, dimension=DIMENSION) as made:
        made.add_many(
            NewPerson(name, [template(FACES[number], source_sha256=digest)])
            for number, (digest, name) in enumerate((d, n) for d in (GONE, HERE) for n in face_names(d, 2))
        )
        yield made


def forget(store: TemplateStore, book: Book) -> None:
    forget_stale(store, book)  # type: ignore[arg-type]


def test_names_tell_contents_and_faces_apart() -> None:
    names = [*face_names(GONE, 3), *face_names(HERE, 3)]
    assert len(set(names)) == 6
    assert all(len(name) <= 200 for name in names)
    assert face_names(GONE, 0) == []


def test_only_the_faces_of_what_is_gone_go(store: TemplateStore) -> None:
    book = Book({GONE: 2})
    forget(store, book)
    assert [person.name for person in store.people()] == face_names(HERE, 2)
    assert book.settled == [GONE]
    forget(store, Book({GONE: 2}))  # killed before it was settled, and asked again
    assert len(store) == 2


def test_a_copy_that_lies_elsewhere_keeps_them(store: TemplateStore) -> None:
    book = Book({GONE: 2, HERE: 2}, elsewhere={GONE})
    forget(store, book)
    assert [person.name for person in store.people()] == face_names(GONE, 2)
    assert book.settled == [GONE, HERE]


def test_whoever_was_named_stays(store: TemplateStore) -> None:
    store.update(face_names(GONE, 1)[0], name="Ada")
    forget(store, Book({GONE: 2}))
    assert "Ada" in store
    assert len(store) == 3
    assert store.count() == 3


def test_a_face_that_was_merged_goes_alone(store: TemplateStore) -> None:
    """The entry has a face of a photo that is gone and one of a photo that is here: the second stays."""
    gone, here = face_names(GONE, 1)[0], face_names(HERE, 1)[0]
    store.merge(gone, here)
    forget(store, Book({GONE: 2}))
    (kept,) = store.templates_of(gone)
    assert kept.template.source_sha256 == HERE
    assert len(store) == 2
