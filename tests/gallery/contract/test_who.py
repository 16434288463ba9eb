"""Who is meant: a name, an id, or somebody who was looked up before; the same on every backend."""

from __future__ import annotations

import pytest

from sameface.errors import PersonExistsError, PersonNameError, PersonNotFoundError, SettingError
from sameface.gallery import TemplateStore
from sameface.types import PersonId
from tests.gallery.conftest import OpenGallery
from tests.gallery.worlds import template, vectors

A, B, C, D = vectors(4)


def test_a_rename_in_between_never_changes_or_erases_somebody_else(open_gallery: OpenGallery) -> None:
    one, two = open_gallery(), open_gallery()
    ada = one.add("Ada", [template(A)])
    grace = one.add("Grace", [template(B)])
    # Between the look-up and the change, somebody else gives the names other bearers.
    two.update("Ada", name="Countess")
    two.update("Grace", name="Ada")
    assert one.update(ada, details={"team": "engines"}).name == "Countess"
    assert len(one.templates_of(ada)) == 1
    assert one.distances_to(ada, A).tolist() == [0.0]
    assert one.forget(ada).person_id == ada.person_id
    assert [(person.name, person.person_id, dict(person.details)) for person in one.people()] == [
        ("Ada", grace.person_id, {})
    ]


@pytest.mark.parametrize("by", ["name", "id", "person"])
def test_every_call_takes_a_name_an_id_or_a_person(store: TemplateStore, by: str) -> None:
    person = store.add("Ada", [template(A), template(B)])
    who = {"name": "Ada", "id": PersonId(person.person_id), "person": person}[by]
    assert store.person(who) == person
    assert who in store
    assert len(store.templates_of(who)) == len(store.distances_to(who, A)) == 2
    assert store.update(who, groups=["staff"]).groups == ("staff",)
    other = store.add("A. Lovelace", [template(C)])
    assert store.merge(who, PersonId(other.person_id)).photos == 3
    last = store.templates_of(who)[-1].template_id
    assert store.drop_template(last, of=who).templates == 1
    assert store.forget(who).templates == 2
    for gone in (store.person, store.templates_of, store.update, store.forget):
        with pytest.raises(PersonNotFoundError):
            gone(who)
    assert who not in store


def test_an_id_for_a_name_is_somebody_else(store: TemplateStore) -> None:
    ada = store.add("Ada", [template(A)])
    joker = store.add(ada.person_id, [template(B)])  # any text may be a name
    assert store.person(ada.person_id).person_id == joker.person_id
    assert store.person(PersonId(ada.person_id)).name == "Ada"
    store.forget(ada.person_id)
    assert [person.name for person in store.people()] == ["Ada"]


@pytest.mark.parametrize("text", ["", "Ada", "ab", "AB" * 16, "0b" * 15 + " b", "{" + "ab" * 16 + "}", "ab" * 17, "\0"])
def test_what_has_not_the_form_of_an_id_is_nobodys(store: TemplateStore, text: str) -> None:
    store.add("Ada", [template(A)])
    with pytest.raises(PersonNotFoundError):
        store.person(PersonId(text))
    assert PersonId(text) not in store


def test_names_that_cannot_be_stored_are_nobodys(store: TemplateStore) -> None:
    assert "" not in store
    assert "\n" not in store
    with pytest.raises(PersonNameError):
        store.person("")


def test_an_update_is_done_whole_or_not_at_all(store: TemplateStore) -> None:
    ada = store.add("Ada", [template(A)], details={"team": "engines"}, groups=["staff"])
    store.add("Grace", [template(B)])
    changed = store.update(ada, name="Countess", details={"floor": "2"}, groups=["night"])
    assert (changed.name, dict(changed.details), changed.groups, changed.person_id) == (
        "Countess",
        {"floor": "2"},
        ("night",),
        ada.person_id,
    )
    entries = len(store.audit())
    for wrong, error in (
        ({"name": "Grace", "details": {}, "groups": []}, PersonExistsError),
        ({"name": "New", "details": {"age": 36}}, SettingError),
        ({"name": "New", "groups": [""]}, PersonNameError),
        ({"name": "New", "groups": "staff"}, SettingError),
    ):
        with pytest.raises(error):
            store.update(ada, **wrong)  # type: ignore[arg-type]
    assert store.person(ada) == changed
    assert len(store.audit()) == entries
    assert store.update(ada) == changed
    assert [entry.action for entry in store.audit(3)] == ["groups", "details", "rename"]


def test_a_photo_of_somebody_else_is_not_dropped(store: TemplateStore) -> None:
    ada, grace = store.add("Ada", [template(A)]), store.add("Grace", [template(B)])
    (photo,) = store.templates_of(grace)
    for number in (photo.template_id, photo.template_id + 1000, -1, 2**70):
        with pytest.raises(PersonNotFoundError):
            store.drop_template(number, of=ada)
    assert store.count() == 2
    assert store.drop_template(photo.template_id, of=grace).person_id == grace.person_id
    for number in (photo.template_id, -1, 2**70):
        with pytest.raises(PersonNotFoundError):
            store.drop_template(number)


def test_counting_a_group(store: TemplateStore) -> None:
    store.add("Ada", [template(A), template(B)], groups=["staff", "night"])
    store.add("Grace", [template(C)], groups=["staff"])
    store.add("Mary", [template(D)])
    assert [store.count(group) for group in (None, "staff", "night", "nobody")] == [4, 3, 2, 0]
    store.forget("Ada")
    assert [store.count(group) for group in (None, "staff", "night")] == [2, 1, 0]
