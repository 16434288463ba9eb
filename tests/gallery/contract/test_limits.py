"""What may be stored with a person, the same on every backend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sameface.errors import PersonNameError, SamefaceError, SettingError
from sameface.gallery import NewPerson, TemplateStore
from sameface.types import Box, Template
from tests.gallery.worlds import template, vectors

A, B = vectors(2)
LONG = "é" * 10_000  # 20,000 bytes


@pytest.mark.parametrize(
    "details",
    [
        {str(number): "" for number in range(101)},
        {"a": "x" * 10_001},
        {"k" * 201: ""},
        {str(number): LONG for number in range(4)},  # 80,000 bytes
        {"a": "\ud800"},
        {1: "x"},
        {"a": None},
        ["a"],
    ],
)
def test_details_have_limits(store: TemplateStore, details: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        store.add("Ada", [template(A)], details=details)
    with pytest.raises(SettingError):
        store.add_many([NewPerson("Ada", [template(A)], details)])
    assert len(store) == 0
    store.add("Ada", [template(A)])
    with pytest.raises(SettingError):
        store.update("Ada", details=details)


@pytest.mark.parametrize("groups", [[f"g{n}" for n in range(101)], ["x" * 201], ["a\nb"], [""], [7], "staff"])
def test_groups_have_limits(store: TemplateStore, groups: list[str]) -> None:
    for call in (
        lambda: store.add("Ada", [template(A)], groups=groups),
        lambda: store.add_many([NewPerson("Ada", [template(A)], groups=groups)]),
    ):
        with pytest.raises((SettingError, PersonNameError)):
            call()
    assert len(store) == 0


def test_the_largest_that_fits_fits(store: TemplateStore) -> None:
    details = {str(number): LONG for number in range(3)}
    groups = [f"g{number:03}" for number in range(100)]
    person = store.add("Ada", [template(A)], details=details, groups=groups)
    assert store.person("Ada") == person
    assert (dict(person.details), person.groups) == (details, tuple(groups))


def test_limits_hold_for_what_is_put_together(store: TemplateStore) -> None:
    many = [{f"{half} {number}": "" for number in range(60)} for half in "ab"]
    tags = [[f"{half} {number}" for number in range(60)] for half in "ab"]
    store.add("Ada", [template(A)], details=many[0])
    store.add("Grace", [template(B)], details=many[1])
    store.add("Mary", [template(A)], groups=tags[0])
    store.add("Joan", [template(B)], groups=tags[1])
    people = store.people()
    for call in (
        lambda: store.add("Ada", [template(B)], details=many[1]),
        lambda: store.add("Mary", [template(B)], groups=tags[1]),
        lambda: store.merge("Ada", "Grace"),
        lambda: store.merge("Mary", "Joan"),
    ):
        with pytest.raises(SettingError):
            call()
    assert store.people() == people
    assert store.count() == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "x" * 5000},
        {"source": "a\0b"},
        {"source": 7},
        {"source_sha256": "xyz"},
        {"source_sha256": "AB" * 32},
        {"box": Box(0, 0, float("nan"), 1)},
        {"box": Box(0, 0, 10**400, 1)},
        {"box": Box(0, "1", 2, 3)},  # type: ignore[arg-type]
        {"quality": float("inf")},
        {"quality": -0.1},
        {"quality": "good"},
    ],
)
def test_templates_have_limits(store: TemplateStore, wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        store.add("Ada", [template(A), replace(Template(B), **wrong)])  # type: ignore[arg-type]
    assert len(store) == 0


def test_a_path_that_is_no_unicode_is_stored_as_text(store: TemplateStore) -> None:
    store.add("Ada", [template(A, source="caf\udce9.jpg")])  # as Python shows a file name in Latin-1
    assert store.templates_of("Ada")[0].template.source == "caf\\xe9.jpg"


@pytest.mark.parametrize(
    "wrong",
    [
        {"person_id": "not an id"},
        {"person_id": "AB" * 16},
        {"person_id": "ab" * 15},
        {"person_id": "ab cd" * 8},
        {"created": "yesterday"},
        {"created": "2026-01-01T00:00:00+00:00" + "0" * 40},
        {"created": 7},
    ],
)
def test_ids_and_moments_from_elsewhere(store: TemplateStore, wrong: dict[str, str]) -> None:
    with pytest.raises(SamefaceError):
        store.add_many([NewPerson("Grace", [template(B)]), replace(NewPerson("Ada", [template(A)]), **wrong)])
    assert len(store) == 0
    kept = NewPerson("Ada", [template(A)], person_id="ab" * 16, created="2020-02-02T02:02:02+00:00")
    store.add_many([kept])
    person = store.person("Ada")
    assert (person.person_id, person.created) == ("ab" * 16, "2020-02-02T02:02:02+00:00")
    store.forget(person)


def test_any_number_of_audit_entries(store: TemplateStore) -> None:
    store.add("Ada", [template(A)])
    store.add("Grace", [template(B)])
    assert [len(store.audit(limit)) for limit in (0, 1, 2, 10**30)] == [0, 1, 2, 2]
    with pytest.raises(SettingError, match="entries"):
        store.audit(-1)
