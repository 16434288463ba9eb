"""Pages against the plain list, over a transaction that is a list; and input that may be taken only once."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import GalleryUnavailableError
from sameface.gallery.base.paging import folded, number_of, page_of
from sameface.gallery.base.people import Once

WORDS = st.sampled_from(["Ada", "ada lovelace", "Straße", "STRASSE", "Zoë", "Zoe\u0308", "İ", "名前", "x"])
#: The number of a person (with gaps: others were forgotten), their name, and whether they are in the group.
WORLDS = st.lists(st.tuples(st.integers(1, 4), WORDS, st.booleans()), max_size=25)


class Listed:
    """What paging asks of a transaction, answered from a list."""

    def __init__(self, world: list[tuple[int, str, bool]]) -> None:
        number = 0
        self.everybody: list[tuple[int, str, bool]] = []
        for gap, name, member in world:
            number += gap
            self.everybody.append((number, name, member))
        self.loaded = 0

    def of(self, group: str | None) -> list[tuple[int, str]]:
        return [(number, name) for number, name, member in self.everybody if group is None or member]

    def names(self, group: str | None) -> Iterator[tuple[int, str]]:
        return iter(self.of(group))

    def count_people(self, group: str | None) -> int:
        return len(self.of(group))

    def listed(self, group: str | None, start: int, limit: int) -> list[tuple[int, SimpleNamespace]]:
        return self.loading([row for row in self.of(group) if row[0] > start][:limit])

    def numbered(self, numbers: list[int]) -> list[tuple[int, SimpleNamespace]]:
        return self.loading([row for row in self.of(None) if row[0] in set(numbers)])

    def loading(self, rows: list[tuple[int, str]]) -> list[tuple[int, SimpleNamespace]]:
        self.loaded += len(rows)
        return [(number, SimpleNamespace(name=name)) for number, name in rows]


def pages(world: Listed, group: str | None, part: str, limit: int) -> list[list[str]]:
    found, after = [], ""
    while True:
        page = page_of(world, group, part, number_of(after), limit)  # type: ignore[arg-type]
        wanted = [name for _, name in world.of(group) if part in folded(name)]
        assert page.total == len(wanted)
        found.append([person.name for person in page.people])
        after = page.next
        if not after:
            return found


@given(
    world=WORLDS,
    group=st.sampled_from([None, "g"]),
    part=st.sampled_from(["", "ada", "strasse", "zo", "no"]),
    limit=st.integers(1, 8),
)
def test_pages_put_together_are_the_list(
    world: list[tuple[int, str, bool]], group: str | None, part: str, limit: int
) -> None:
    listed = Listed(world)
    wanted = [name for _, name in listed.of(group) if part in folded(name)]
    found = pages(listed, group, part, limit)
    assert [name for page in found for name in page] == wanted
    assert all(len(page) == limit for page in found[:-1])
    assert len(found) == max(1, -(-len(wanted) // limit))  # no empty page at the end
    assert listed.loaded <= len(found) * (limit + 1)  # whom nobody sees is not loaded


@given(world=WORLDS)
def test_a_page_goes_on_although_its_last_person_was_forgotten(world: list[tuple[int, str, bool]]) -> None:
    listed = Listed(world)
    first = page_of(listed, None, "", 0, 3)  # type: ignore[arg-type]
    rest = [name for number, name in listed.of(None) if first.next and number > number_of(first.next)]
    del listed.everybody[2:3]
    if first.next:
        found = page_of(listed, None, "", number_of(first.next), 100)  # type: ignore[arg-type]
        assert [person.name for person in found.people] == rest


def test_a_list_is_taken_as_often_as_it_is_asked_for() -> None:
    items = Once([1, 2, 3])
    assert [list(items), list(items)] == [[1, 2, 3], [1, 2, 3]]
    assert list(Once(range(3))) == [0, 1, 2]


def test_a_stream_is_taken_once() -> None:
    """Of a transaction that has to be repeated half would be missing, and nobody would notice."""
    items = Once(iter([1, 2, 3]))
    begun = iter(items)
    assert next(begun) == 1
    with pytest.raises(GalleryUnavailableError, match="do it again"):
        list(items)
    assert list(begun) == [2, 3]


def test_a_stream_that_was_used_up_is_not_an_empty_one() -> None:
    items = Once(number for number in range(3))
    assert list(items) == [0, 1, 2]
    with pytest.raises(GalleryUnavailableError):
        list(items)
