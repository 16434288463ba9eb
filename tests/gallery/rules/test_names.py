"""What may be stored: texts, ids, moments and vectors, each rule beside its edge."""

from __future__ import annotations

import json
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.errors import EmbeddingError, PersonNameError, SettingError
from sameface.gallery import NewPerson
from sameface.gallery.base.paging import LAST, folded, number_of
from sameface.gallery.base.people import clean_people
from sameface.gallery.rules import names
from sameface.gallery.rules.names import (
    clean_details,
    clean_groups,
    clean_id,
    clean_moment,
    clean_name,
    clean_source,
    details_json,
)
from sameface.gallery.rules.vectors import as_probes, storable, storable_rows
from sameface.types import Box, Template
from tests.gallery.worlds import template, vectors

ID = "5f0c1c4be0d94c0a8a5a2f6f3a8f0c11"


@pytest.mark.parametrize("name", ["Ada", "../../etc", "a/b", "名前", "👩‍🚀", "--json", "0", "x" * 200, "Ren\u00e9"])
def test_names_are_data(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "\u200b", "x" * 201, "a\nb", "a\tb", "a\x00b", "\x7f", "\u2028", "\ud800", None, 7, b"Ada"]
)
def test_names_that_are_none(name: object) -> None:
    with pytest.raises(PersonNameError):
        clean_name(name)  # type: ignore[arg-type]


def test_a_name_at_its_limit_counts_what_is_stored() -> None:
    """200 letters with an accent each, typed as two characters, are 200 and not 400."""
    assert clean_name("e\u0301" * 200) == "\u00e9" * 200
    assert clean_name(" " * 50 + "x" * 200 + "\u200b") == "x" * 200


@given(st.text(max_size=30))
def test_a_clean_name_is_clean(text: str) -> None:
    try:
        once = clean_name(text)
    except PersonNameError:
        return
    assert clean_name(once) == once
    assert json.loads(json.dumps(once)) == once
    assert once.encode()


def test_groups_are_a_set_in_order() -> None:
    assert clean_groups(["b", "a", "b", " a"]) == ("a", "b")
    assert clean_groups(()) == ()
    assert len(clean_groups([f"g{n}" for n in range(names.MOST_GROUPS)])) == names.MOST_GROUPS
    with pytest.raises(SettingError, match="list"):
        clean_groups("staff")
    with pytest.raises(SettingError, match="at most"):
        clean_groups([f"g{n}" for n in range(names.MOST_GROUPS + 1)])
    with pytest.raises(PersonNameError, match="a group"):
        clean_groups(["staff", "a\nb"])


def test_details_at_their_limits() -> None:
    fits = {"k" * names.LONGEST_NAME: "v" * names.LONGEST_DETAIL}
    assert clean_details(fits) == fits
    # 64 KiB of JSON in all: braces, quotes, colons and commas count
    room = names.DETAILS_BYTES - len(json.dumps({str(n): "" for n in range(7)}))
    most = {str(n): "x" * (room // 7 + (n < room % 7)) for n in range(7)}
    assert len(details_json(most)) == names.DETAILS_BYTES
    assert clean_details(most) == most
    with pytest.raises(SettingError, match="bytes"):
        clean_details({**most, "6": most["6"] + "x"})


def test_details_are_stored_in_one_order() -> None:
    assert details_json({"b": "é", "a": "1"}) == details_json({"a": "1", "b": "é"}) == '{"a": "1", "b": "é"}'
    assert details_json({}) == "{}"


@pytest.mark.parametrize("text", ["", ID[:-1], ID + "0", ID.upper(), ID.replace("5", "g"), ID + "\n", None, 5])
def test_what_is_no_id(text: object) -> None:
    assert clean_id(ID) == ID
    with pytest.raises(SettingError, match="32 hex digits"):
        clean_id(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", "2026-11-26T25:00", "2026-11-26" + " " * 40, None])
def test_what_is_no_moment(text: object) -> None:
    assert clean_moment("2026-11-26") == "2026-11-26"
    with pytest.raises(SettingError, match="moment"):
        clean_moment(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "odd",
    [
        {"source": "x" * 4097},
        {"source": "a\0b"},
        {"source": None},
        {"source_sha256": "ab"},
        {"source_sha256": "AB" * 32},
        {"box": Box(0, 0, float("nan"), 1)},
        {"box": Box(0, 0, float("inf"), 1)},
        {"quality": 1.01},
        {"quality": -0.01},
        {"quality": float("nan")},
        {"quality": "good"},
    ],
)
def test_what_a_template_may_not_carry(odd: dict[str, object]) -> None:
    sound = {"source": "x" * 4096, "source_sha256": "ab" * 32, "box": Box(-5, 0, 9, 9), "quality": 1.0}
    assert clean_source(template(vectors(1)[0], **sound)) == "x" * 4096
    with pytest.raises(SettingError):
        clean_source(template(vectors(1)[0], **{**sound, **odd}))


def test_a_path_that_is_no_text_is_kept_readable() -> None:
    assert clean_source(template(vectors(1)[0], source="caf\udce9.jpg")) == "caf\\xe9.jpg"


@pytest.mark.parametrize("vector", [[0.0] * 8, [1.0] * 7, [1.0] * 7 + [float("nan")], [1e39] * 8, [[1.0] * 8], "x"])
def test_vectors_that_are_not_stored(vector: object) -> None:
    with pytest.raises(EmbeddingError):
        storable(vector, 8)  # type: ignore[arg-type]
    with pytest.raises(EmbeddingError):
        storable_rows([vectors(1)[0], vector], 8)  # type: ignore[list-item]


def test_stored_vectors_are_the_same_numbers_in_one_layout() -> None:
    wide = np.arange(1, 17, dtype=">f8")[::2]  # another byte order, another width, with gaps
    kept = storable(wide, 8)
    assert (kept.dtype.str, kept.flags.c_contiguous, kept.tolist()) == ("<f4", True, [1, 3, 5, 7, 9, 11, 13, 15])
    rows = storable_rows([wide, np.float32([2] * 8)], 8)
    assert (rows.dtype.str, rows.tolist()) == ("<f4", [kept.tolist(), [2.0] * 8])


def test_probes() -> None:
    one = vectors(1)[0]
    assert as_probes(one, 8).shape == (1, 8)
    assert as_probes(np.zeros((0, 8)), 8).shape == (0, 8)
    assert as_probes([[0] * 8], 8).tolist() == [[0.0] * 8]  # nobody is near, but it may be asked
    for odd in (
        one[:7],
        np.zeros((2, 7)),
        np.zeros((1, 2, 8)),
        np.full((1, 8), np.inf),
        [1e39] * 8,
        "x",
        [None] * 8,
        [[0.0] * 8, [0.0]],
    ):
        with pytest.raises(EmbeddingError):
            as_probes(odd, 8)


def test_people_get_ids_moments_and_one_matrix() -> None:
    faces = vectors(4)
    people = [
        NewPerson("  Ada", [template(faces[0]), template(faces[1], source="caf\udce9.jpg")], groups=["b", "a"]),
        NewPerson("Grace", [], person_id=ID, created="2020-01-01"),
        NewPerson("Mary", [template(faces[2])]),
    ]
    clean, matrix = clean_people(people, 8)
    assert [person.name for person in clean] == ["Ada", "Grace", "Mary"]
    np.testing.assert_array_equal(matrix, faces[:3])
    assert clean[0].templates[1].source == "caf\\xe9.jpg"
    assert (clean[0].groups, clean[1].person_id, clean[1].created) == (("a", "b"), ID, "2020-01-01")
    fresh = [uuid.UUID(clean[number].person_id) for number in (0, 2)]
    assert [made.version for made in fresh] == [7, 7]
    assert fresh[0] != fresh[1]
    assert clean[0].created == clean[2].created > "2026"
    assert clean_people([], 8)[1].shape == (0, 8)


def test_many_fresh_ids_are_all_different_and_of_version_7() -> None:
    clean, _ = clean_people([NewPerson(f"p{n}", []) for n in range(2000)], 8)
    made = {uuid.UUID(person.person_id) for person in clean}
    assert len(made) == 2000
    assert {(found.version, found.variant) for found in made} == {(7, uuid.RFC_4122)}


def test_the_first_that_may_not_be_stored_is_said() -> None:
    with pytest.raises(PersonNameError):
        clean_people([NewPerson("Ada", []), NewPerson("", [])], 8)
    with pytest.raises(EmbeddingError, match="length zero"):
        clean_people([NewPerson("Ada", [Template(np.zeros(8, np.float32))])], 8)


@pytest.mark.parametrize("after", ["-1", "1.0", "x", "\u0661", " 1", str(LAST + 1), "1" * 30])
def test_where_no_page_begins(after: str) -> None:
    assert (number_of(""), number_of("7"), number_of(str(LAST))) == (0, 7, LAST)
    with pytest.raises(SettingError, match="`next`"):
        number_of(after)


def test_looked_for_in_any_case() -> None:
    assert folded("STRASSE") == folded("straße")
    assert folded("\u0130") != folded("i")  # Turkish: two letters, which no fold makes one
