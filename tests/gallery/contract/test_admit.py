"""Looking and storing in one transaction, the same on every backend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sameface.gallery import Sight, TemplateStore
from tests.gallery.conftest import OpenGallery
from tests.gallery.worlds import template, vectors

A, B, C, D = vectors(4)
NEAR = 0.1


def a_stranger(sight: Sight) -> list[int]:
    """Lets in whoever resembles nobody but the bearer of that name."""
    own = sight.person.person_id if sight.person else ""
    return [
        place
        for place, near in enumerate(sight.neighbours)
        if all(item.distance >= NEAR for item in near if item.person_id != own)
    ]


def test_a_judge_sees_who_is_there_and_says_who_comes_in(store: TemplateStore) -> None:
    ada = store.add("Ada", [template(A, source="a.jpg")])
    store.add("Grace", [template(B)])
    seen: list[Sight] = []

    def second_only(sight: Sight) -> list[int]:
        seen.append(sight)
        return [1]

    person = store.admit("Ada", [template(B), template(C)], second_only, details={"a": "b"}, groups=["g"])
    assert person is not None
    assert (person.person_id, person.photos, dict(person.details), person.groups) == (
        ada.person_id,
        2,
        {"a": "b"},
        ("g",),
    )
    assert [item.template.embedding.tobytes() for item in store.templates_of("Ada")] == [A.tobytes(), C.tobytes()]
    (sight,) = seen
    assert sight.person == ada
    assert [item.template.source for item in sight.templates] == ["a.jpg"]
    assert sight.neighbours[0][0].name == "Grace"
    assert sight.neighbours[0][0].distance == 0


def test_nothing_let_in_changes_nothing(store: TemplateStore) -> None:
    ada = store.add("Ada", [template(A)])
    entries = store.audit()
    assert store.admit("Ada", [template(B)], lambda sight: [], details={"a": "b"}, groups=["g"]) == ada
    assert store.admit("Grace", [template(B)], lambda sight: []) is None

    def refuse(sight: Sight) -> list[int]:
        raise KeyError("not this one")

    with pytest.raises(KeyError):
        store.admit("Grace", [template(B)], refuse)
    assert store.people() == [ada]
    assert store.audit() == entries


def test_a_judge_may_go_without_neighbours(store: TemplateStore) -> None:
    store.add("Ada", [template(A)])
    person = store.admit("Grace", [template(B)], lambda sight: [0] if sight.neighbours == [[]] else [], neighbours=0)
    assert person is not None


def test_one_face_at_many_doors_becomes_one_person(open_gallery: OpenGallery) -> None:
    stores = [open_gallery() for _ in range(6)]
    for round_ in range(5):
        face = vectors(1, seed=100 + round_)[0]

        def enroll(number: int, face=face, round_=round_) -> bool:  # type: ignore[no-untyped-def]
            return stores[number].admit(f"{round_} at door {number}", [template(face)], a_stranger) is not None

        with ThreadPoolExecutor(len(stores)) as pool:
            assert sum(pool.map(enroll, range(len(stores)))) == 1
        assert len(stores[0]) == round_ + 1
    assert stores[0].check().ok


def test_the_same_photos_at_many_doors_are_stored_once(open_gallery: OpenGallery) -> None:
    stores = [open_gallery() for _ in range(6)]
    photos = [template(A, source_sha256="ab" * 32), template(B, source_sha256="cd" * 32)]

    def new_ones(sight: Sight) -> list[int]:
        known = {item.template.source_sha256 for item in sight.templates}
        return [place for place, photo in enumerate(photos) if photo.source_sha256 not in known]

    with ThreadPoolExecutor(len(stores)) as pool:
        people = list(pool.map(lambda store: store.admit("Ada", photos, new_ones), stores))
    assert len({person.person_id for person in people if person is not None}) == 1
    assert (len(stores[0]), stores[0].count()) == (1, 2)


def test_an_enrolment_without_a_judge_is_seen_by_one_with(open_gallery: OpenGallery) -> None:
    one, two = open_gallery(), open_gallery()
    for round_ in range(10):
        face = vectors(1, seed=200 + round_)[0]
        with ThreadPoolExecutor(2) as pool:
            plain = pool.submit(one.add, f"{round_} plain", [template(face)])
            judged = pool.submit(two.admit, f"{round_} judged", [template(face)], a_stranger)
            plain.result()
            first = judged.result()
        # Whoever was judged in was there before the other.
        names = [person.name for person in one.people() if person.name.startswith(f"{round_} ")]
        assert names in ([f"{round_} plain"], [f"{round_} judged", f"{round_} plain"])
        assert (first is None) == (len(names) == 1)
