"""Lists a page at a time, the same on every backend."""

from __future__ import annotations

import pytest

from sameface.errors import SettingError
from sameface.gallery import NewPerson, TemplateStore
from tests.gallery.worlds import template, vectors

NAMES = [f"{word} {number}" for number in range(9) for word in ("Ada", "GRACE", "Straße", "ÉMILIE")]


def fill(store: TemplateStore) -> None:
    faces = vectors(len(NAMES), seed=3)
    store.add_many(
        NewPerson(name, [template(face)], groups=["third"] if place % 3 == 0 else [])
        for place, (name, face) in enumerate(zip(NAMES, faces, strict=True))
    )


def all_pages(store: TemplateStore, limit: int, **rest: str) -> list[str]:
    found, after = [], ""
    while True:
        page = store.page(after=after, limit=limit, **rest)  # type: ignore[arg-type]
        assert len(page.people) <= limit
        found += [person.name for person in page.people]
        after = page.next
        if not after:
            return found


@pytest.mark.parametrize("limit", [1, 5, 7, 36, 37, 10_000])
def test_pages_put_together_are_everybody_in_order(store: TemplateStore, limit: int) -> None:
    fill(store)
    assert all_pages(store, limit) == NAMES
    assert all_pages(store, limit, group="third") == NAMES[::3]
    assert all_pages(store, limit, group="nobody") == []
    assert [store.page(limit=limit).total, store.page(limit=limit, group="third").total] == [36, 12]


def test_a_page_holds_what_the_list_holds(store: TemplateStore) -> None:
    fill(store)
    store.update("Ada 0", details={"a": "b"}, groups=["x", "y"])
    assert list(store.page(limit=50).people) == store.people()


@pytest.mark.parametrize(
    ("part", "matches"),
    [
        ("ada", "Ada"),
        ("grace", "GRACE"),
        ("STRASSE", "Straße"),
        ("émilie", "ÉMILIE"),
        ("e\u0301MILIE", "ÉMILIE"),
        ("%", None),
        ("_", None),
    ],
)
def test_part_of_a_name_in_any_case(store: TemplateStore, part: str, matches: str | None) -> None:
    fill(store)
    expected = [name for name in NAMES if matches and name.startswith(matches)]
    assert all_pages(store, 4, search=part) == expected
    assert store.page(search=part, limit=2).total == len(expected)
    third = [name for name in NAMES[::3] if name in expected]
    assert all_pages(store, 4, search=part, group="third") == third


def test_who_is_forgotten_or_enrolled_meanwhile_moves_nobody_to_another_page(store: TemplateStore) -> None:
    fill(store)
    page = store.page(limit=10)
    # The one that the next page begins after, one before and one behind; all of them were enrolled within one second.
    for gone in (NAMES[9], NAMES[3], NAMES[12]):
        store.forget(gone)
    store.add("late", [template(vectors(1, seed=9)[0])])
    rest, after = [], page.next
    while after:
        page = store.page(after=after, limit=10)
        rest += [person.name for person in page.people]
        after = page.next
    assert rest == [name for name in NAMES[10:] if name != NAMES[12]] + ["late"]


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 10_001}, {"after": "x"}, {"after": "-1"}, {"after": "9" * 40}, {"after": "²"}]
)
def test_pages_that_cannot_be(store: TemplateStore, wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        store.page(**wrong)  # type: ignore[arg-type]
    assert store.page(after=str(2**63 - 1)).people == ()
