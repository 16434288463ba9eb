"""Everybody comes out as of one moment, and goes in without being held in memory; the same on every backend."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import pytest

from sameface.errors import GalleryMismatchError
from sameface.gallery import NewPerson, TemplateStore
from tests.gallery.conftest import OpenGallery
from tests.gallery.worlds import OTHER, template, vectors

PEOPLE = 700


def fill(store: TemplateStore) -> None:
    store.add_many(NewPerson(f"p{i}", [template(face)], groups=["g"]) for i, face in enumerate(vectors(PEOPLE, seed=8)))


def test_an_export_is_of_one_moment(open_gallery: OpenGallery) -> None:
    one, two = open_gallery(), open_gallery()
    fill(one)
    before = [(person, [item.template.embedding.tobytes() for item in items]) for person, items in one.export()]
    coming = one.export()
    first = next(coming)
    two.forget("p1")
    two.forget(f"p{PEOPLE - 1}")
    two.update("p2", name="renamed", details={"a": "b"}, groups=[])
    two.merge("p3", "p4")
    two.add("p5", [template(vectors(1, seed=99)[0])])
    two.add("late", [template(vectors(1, seed=98)[0])])
    after = [(person, [item.template.embedding.tobytes() for item in items]) for person, items in (first, *coming)]
    assert after == before
    assert len(list(one.export())) == PEOPLE - 2


def test_an_export_that_is_left_half_way_leaves_nothing_open(open_gallery: OpenGallery) -> None:
    store = open_gallery()
    fill(store)
    for _ in range(100):
        coming = store.export()
        next(coming)
        coming.close()  # type: ignore[attr-defined]
    store.forget("p3")


def test_a_gallery_that_was_re_encoded_gives_no_vectors_to_who_knows_the_old_ones(open_gallery: OpenGallery) -> None:
    one, two = open_gallery(), open_gallery()
    person = one.add("Ada", [template(vectors(1)[0])])
    (stored,) = one.templates_of(person)
    two.reembed(OTHER, 8, [(stored.template_id, vectors(1, seed=5)[0])])
    for call in (
        lambda: list(one.export()),
        lambda: one.templates_of(person),
        lambda: one.distances_to(person, vectors(1)[0]),
    ):
        with pytest.raises(GalleryMismatchError):
            call()


def test_an_import_keeps_nobody_in_memory(store: TemplateStore) -> None:
    alive, most = 0, 0

    def gone() -> None:
        nonlocal alive
        alive -= 1

    def people() -> Iterator[NewPerson]:
        nonlocal alive, most
        for number in range(9000):
            face = vectors(1, seed=number)[0]
            alive += 1
            most = max(most, alive)
            weakref.finalize(face, gone)
            yield NewPerson(f"p{number}", [template(face)])

    assert store.add_many(people()) == 9000
    assert most < 5000


def test_a_re_encoding_takes_its_vectors_one_at_a_time(store: TemplateStore) -> None:
    fill(store)
    ids = [item.template_id for _, items in store.export() for item in items]
    fresh = iter(zip(ids, vectors(PEOPLE, 12, seed=5), strict=True))
    assert store.reembed(OTHER, 12, fresh) == PEOPLE
