"""Enrolling, naming, moving and forgetting people, the same on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from sameface.errors import (
    EmbeddingError,
    GalleryError,
    GalleryMismatchError,
    PersonExistsError,
    PersonNameError,
    PersonNotFoundError,
    SettingError,
)
from sameface.gallery import NewPerson, TemplateStore
from sameface.types import Box, Person, PersonId
from tests.gallery.conftest import OpenGallery
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, template, vectors

A, B, C, D = vectors(4)


def names(people: list[Person]) -> list[str]:
    return [person.name for person in people]


def test_an_empty_gallery_knows_nobody(store: TemplateStore) -> None:
    assert (len(store), store.count(), store.people(), store.search(A)) == (0, 0, [], [[]])
    assert store.space == SPACE
    assert store.dimension == DIMENSION
    assert "Ada" not in store
    assert store.check().ok


def test_one_photo_makes_a_person_known(store: TemplateStore) -> None:
    person = store.add("Ada", [template(A)], details={"team": "engines"}, groups=["staff"])
    assert (person.name, person.photos, dict(person.details), person.groups) == (
        "Ada",
        1,
        {"team": "engines"},
        ("staff",),
    )
    assert len(person.person_id) == 32
    assert bytes.fromhex(person.person_id)
    assert person == store.person("Ada") == store.person(PersonId(person.person_id)) == store.people()[0]
    assert "Ada" in store
    assert "Grace" not in store
    assert 7 not in store


def test_more_photos_extend_a_person(store: TemplateStore) -> None:
    first = store.add("Ada", [template(A)], details={"team": "engines"}, groups=["staff"])
    second = store.add("Ada", [template(B), template(C)], details={"floor": "2"}, groups=["night"])
    assert second.person_id == first.person_id
    assert (second.photos, dict(second.details), second.groups) == (
        3,
        {"team": "engines", "floor": "2"},
        ("night", "staff"),
    )


def test_a_taken_name_is_refused_on_request_and_nothing_changes(store: TemplateStore) -> None:
    before = store.add("Ada", [template(A)])
    with pytest.raises(PersonExistsError, match="Ada"):
        store.add("Ada", [template(B)], if_exists="refuse")
    assert store.people() == [before]
    assert store.count() == 1


def test_a_template_comes_back_bit_by_bit_with_where_it_came_from(store: TemplateStore) -> None:
    box = Box(1.5, -2.25, 100.1, 200.0)
    awkward = np.array([1e-40, -0.0, 1 / 3, 3.4e38, -1.5, 0, 2**-126, 7], np.float32)
    person = store.add(
        "Ada", [template(awkward, source="días/ada 1.jpg", source_sha256="ab" * 32, box=box, quality=0.1), template(A)]
    )
    first, second = store.templates_of(person)
    assert first.template.embedding.tobytes() == awkward.tobytes()
    assert (first.template.source, first.template.source_sha256, first.template.box, first.template.quality) == (
        "días/ada 1.jpg",
        "ab" * 32,
        box,
        0.1,
    )
    assert (second.template.source, second.template.source_sha256, second.template.box, second.template.quality) == (
        "",
        "",
        None,
        None,
    )
    assert first.template_id < second.template_id
    assert first.person_id == person.person_id
    assert store.sources() == {"ab" * 32}


@pytest.mark.parametrize(
    "name",
    ["a/b", "../../etc/passwd", "C:\\con", "👩‍🚀 Ada", "'; DROP TABLE person; --", "x" * 200, "Ąžuolas", "%", "NULL"],
)
def test_names_are_data(store: TemplateStore, name: str) -> None:
    assert store.add(name, [template(A)]).name == name
    assert names(store.people()) == [name]
    assert store.search(A)[0][0].name == name
    assert store.forget(name).templates == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "x" * 10_000, "two\nlines", "tab\t", "nul\0", "\x7f", "\ud800"])
def test_names_that_cannot_be_stored(store: TemplateStore, name: str) -> None:
    with pytest.raises(PersonNameError):
        store.add(name, [template(A)])
    assert len(store) == 0


def test_the_same_name_typed_in_two_ways_is_one_person(store: TemplateStore) -> None:
    store.add("Rene\u0301", [template(A)])
    assert store.add("Ren\u00e9", [template(B)]).photos == 2
    assert "Rene\u0301" in store


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(DIMENSION),
        np.full(DIMENSION, np.nan),
        [np.inf] + [1.0] * (DIMENSION - 1),
        np.ones(DIMENSION + 1),
        np.ones((1, DIMENSION)),
        [],
    ],
)
def test_vectors_that_cannot_be_stored(store: TemplateStore, vector: object) -> None:
    with pytest.raises(EmbeddingError):
        store.add("Ada", [template(A), template(np.asarray(vector))])
    assert (len(store), store.count()) == (0, 0)


def test_somebody_without_a_photo_is_not_enrolled(store: TemplateStore) -> None:
    with pytest.raises(SettingError):
        store.add("Ada", [])


def test_many_people_at_once_all_or_none(store: TemplateStore) -> None:
    store.add("Ada", [template(A)])
    assert store.add_many(NewPerson(f"p{i}", [template(v)]) for i, v in enumerate(vectors(50))) == 50
    assert len(store) == 51
    with pytest.raises(PersonExistsError, match="'Ada'"):
        store.add_many([NewPerson("Grace", [template(B)]), NewPerson("Ada", [template(C)])])
    with pytest.raises(PersonExistsError, match="'Grace'"):
        store.add_many([NewPerson("Grace", [template(B)]), NewPerson("Grace", [template(C)])])
    with pytest.raises(EmbeddingError):
        store.add_many([NewPerson("Grace", [template(B)]), NewPerson("Mary", [template(np.zeros(DIMENSION))])])
    assert (len(store), store.count()) == (51, 51)
    assert store.add_many([]) == 0


def test_an_interrupt_in_the_middle_leaves_nothing_half_written(store: TemplateStore) -> None:
    def people() -> object:
        yield NewPerson("Ada", [template(A)])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add_many(people())  # type: ignore[arg-type]
    assert (len(store), store.count()) == (0, 0)
    store.add("Ada", [template(A)])


def test_renaming_keeps_the_person(store: TemplateStore) -> None:
    ada = store.add("Ada", [template(A)])
    store.add("Grace", [template(B)])
    assert store.update("Ada", name="Ada Lovelace").person_id == ada.person_id
    assert store.search(A)[0][0].name == "Ada Lovelace"
    assert store.update("Grace", name="Grace").name == "Grace"
    for new, error in (("Grace", PersonExistsError), ("", PersonNameError)):
        with pytest.raises(error):
            store.update("Ada Lovelace", name=new)
    with pytest.raises(PersonNotFoundError):
        store.update("Ada", name="Countess")


def test_merging_two_people_keeps_every_photo(store: TemplateStore) -> None:
    ada = store.add("Ada", [template(A)], details={"team": "engines"}, groups=["staff"])
    other = store.add(
        "A. Lovelace", [template(B), template(C)], details={"team": "poets", "floor": "2"}, groups=["night"]
    )
    merged = store.merge("Ada", "A. Lovelace")
    assert merged.person_id == ada.person_id
    assert (merged.photos, dict(merged.details), merged.groups) == (
        3,
        {"team": "engines", "floor": "2"},
        ("night", "staff"),
    )
    assert names(store.people()) == ["Ada"]
    assert [store.search(v)[0][0].name for v in (A, B, C)] == ["Ada"] * 3
    assert store.check().ok
    with pytest.raises(PersonNotFoundError):
        store.person(other)
    with pytest.raises(SettingError):
        store.merge("Ada", "Ada")


def test_details_and_groups_are_replaced(store: TemplateStore) -> None:
    store.add("Ada", [template(A)], details={"team": "engines"}, groups=["staff"])
    assert dict(store.update("Ada", details={"note": "é" * 100}).details) == {"note": "é" * 100}
    assert store.update("Ada", groups=["b", "a", "b"]).groups == ("a", "b")
    assert store.update("Ada", groups=[]).groups == ()
    with pytest.raises(SettingError):
        store.update("Ada", details={"age": 36})  # type: ignore[dict-item]
    with pytest.raises(SettingError):
        store.update("Ada", groups="staff")


def test_people_of_a_group(store: TemplateStore) -> None:
    store.add("Ada", [template(A)], groups=["staff"])
    store.add("Grace", [template(B)], groups=["guests", "staff"])
    store.add("Mary", [template(C)])
    assert names(store.people("staff")) == ["Ada", "Grace"]
    assert names(store.people("guests")) == ["Grace"]
    assert store.people("nobody") == []


def test_the_forgotten_are_gone_and_counted(store: TemplateStore) -> None:
    ada = store.add("Ada", [template(A), template(B)], groups=["staff"])
    store.add("Grace", [template(C)])
    store.search(A)
    erased = store.forget("Ada")
    assert (erased.person_id, erased.templates) == (ada.person_id, 2)
    assert names(store.people()) == ["Grace"]
    assert store.count() == 1
    assert [candidate.name for candidate in store.search(A, 5)[0]] == ["Grace"]
    assert store.people("staff") == []
    for gone in (lambda: store.forget("Ada"), lambda: store.person("Ada"), lambda: store.templates_of(ada)):
        with pytest.raises(PersonNotFoundError):
            gone()


def test_whoever_comes_back_is_somebody_new(store: TemplateStore) -> None:
    before = store.add("Ada", [template(A)]).person_id
    store.forget("Ada")
    assert store.add("Ada", [template(A)]).person_id != before


def test_one_photo_can_be_dropped(store: TemplateStore) -> None:
    person = store.add("Ada", [template(A), template(B)])
    first, second = store.templates_of(person)
    store.search(A)
    assert store.drop_template(first.template_id).templates == 1
    assert [item.template_id for item in store.templates_of(person)] == [second.template_id]
    assert store.search(A)[0][0].distance > 0
    store.drop_template(second.template_id)
    assert store.person("Ada").photos == 0
    assert store.search(A) == [[]]
    with pytest.raises(PersonNotFoundError):
        store.drop_template(second.template_id)
    assert store.add("Ada", [template(A)]).photos == 1
    assert store.search(A)[0][0].distance == 0


def test_what_was_stored_is_there_when_opened_again(open_gallery: OpenGallery) -> None:
    with open_gallery() as store:
        store.add("Ada", [template(A), template(B)], details={"a": "b"}, groups=["g"])
        store.add("Grace", [template(C)])
        people, answer = store.people(), store.search(B, 2)
    with pytest.raises(GalleryError):
        store.people()
    again = open_gallery()
    assert again.people() == people
    assert again.search(B, 2) == answer


def test_two_users_see_each_other_at_once(open_gallery: OpenGallery) -> None:
    one, two = open_gallery(), open_gallery()
    one.warm()
    two.warm()
    one.add("Ada", [template(A)])
    assert two.search(A)[0][0].name == "Ada"
    two.update("Ada", name="Countess")
    two.add("Grace", [template(B)])
    assert [c.name for c in one.search(A, 2)[0]] == ["Countess", "Grace"]
    one.merge("Grace", "Countess")
    assert [c.name for c in two.search(A, 2)[0]] == ["Grace"]
    two.forget("Grace")
    assert one.search(A) == [[]]
    assert one.people() == []


def test_the_audit_log_names_acts_and_no_people(store: TemplateStore) -> None:
    person = store.add("Ada", [template(A)])
    store.update("Ada", name="Countess")
    store.forget("Countess")
    entries = store.audit()
    assert [(entry.action, entry.person_id, entry.templates) for entry in entries] == [
        ("forget", person.person_id, 1),
        ("rename", person.person_id, 0),
        ("add", person.person_id, 1),
    ]
    assert "Ada" not in repr(entries)
    assert store.audit(1) == entries[:1]


def test_everybody_comes_out_in_the_order_of_enrolment(store: TemplateStore) -> None:
    for name, vector in zip("cab", (A, B, C), strict=True):
        store.add(name, [template(vector)])
    store.add("c", [template(D)])
    listed = [(person.name, [item.template.embedding.tobytes() for item in items]) for person, items in store.export()]
    assert listed == [("c", [A.tobytes(), D.tobytes()]), ("a", [B.tobytes()]), ("b", [C.tobytes()])]


def test_stats_and_check_count(store: TemplateStore) -> None:
    store.add("Ada", [template(A), template(B)], groups=["staff"])
    store.add("Grace", [template(C)], groups=["staff", "night"])
    stats, report = store.stats(), store.check()
    assert (stats.people, stats.templates, dict(stats.groups)) == (2, 3, {"night": 1, "staff": 2})
    assert (report.people, report.templates, report.ok) == (2, 3, True)
    assert sum(stats.bytes.values()) > 0


def test_compact_and_reindex_change_no_answer(store: TemplateStore) -> None:
    store.add_many(NewPerson(f"q{i}", [template(v)]) for i, v in enumerate(vectors(300, seed=4)))
    for number in range(0, 20, 2):
        store.forget(f"q{number}")
    before = store.search(vectors(5, seed=5), 7)
    assert store.compact() >= 0
    store.reindex()
    assert store.search(vectors(5, seed=5), 7) == before


def test_re_encoding_replaces_everything_or_nothing(open_gallery: OpenGallery) -> None:
    store, bystander = open_gallery(), open_gallery()
    store.add_many(NewPerson(f"p{i}", [template(v)]) for i, v in enumerate(vectors(30)))
    bystander.warm()
    ids = [item.template_id for _, items in store.export() for item in items]
    fresh = vectors(30, 12, seed=5)
    with pytest.raises(EmbeddingError, match="new embedding for every template"):
        store.reembed(OTHER, 12, zip(ids[:29], fresh, strict=False))
    assert store.search(vectors(30)[3])[0][0].name == "p3"
    assert store.reembed(OTHER, 12, zip(ids[:29], fresh, strict=False), drop_missing=True) == 29
    assert (store.space, store.dimension, store.count()) == (OTHER, 12, 29)
    assert store.search(fresh[3])[0][0].name == "p3"
    assert store.check().ok
    for call in (lambda: bystander.search(A), lambda: bystander.add("x", [template(A)])):
        with pytest.raises(GalleryMismatchError):
            call()


def test_four_spellings_that_look_alike_are_one_person(store: TemplateStore) -> None:
    for number, name in enumerate(("Ada", "Ada ", "Ada\u200b", "\u202eAda"), 1):
        person = store.add(name, [template(vectors(1, seed=number)[0])], groups=["staff\u200e"])
        assert (person.name, person.photos, person.groups) == ("Ada", number, ("staff",))
        assert name in store
    assert (len(store), [person.name for person in store.people(" staff")]) == (1, ["Ada"])
