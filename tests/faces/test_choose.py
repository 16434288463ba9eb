"""Which face is meant: by hand-made boxes."""

from __future__ import annotations

import pytest

from sameface.errors import FaceTooSmallError, NoFaceError, SettingError, SeveralFacesError
from sameface.faces.choose import as_choice, choose_face, in_reading_order
from sameface.types import Box, Detection

SIZE = (600, 400)


def face(x: float, y: float, side: float = 40) -> Detection:
    return Detection(Box(x, y, x + side, y + side), 0.9)


def test_the_only_face() -> None:
    only = face(10, 10)
    for choice in ("only", "centre", "largest"):
        assert choose_face([only], SIZE, as_choice(choice)) is only


def test_of_several() -> None:
    corner_large, middle_small = face(0, 0, 100), face(290, 190, 20)
    faces = [corner_large, middle_small]
    with pytest.raises(SeveralFacesError, match=r"got 2 in group\.jpg"):
        choose_face(faces, SIZE, source="group.jpg")
    assert choose_face(faces, SIZE, "largest") is corner_large
    assert choose_face(faces, SIZE, "centre") is middle_small


def test_none_and_too_small() -> None:
    with pytest.raises(NoFaceError):
        choose_face([], SIZE)
    with pytest.raises(FaceTooSmallError, match="one of 8"):
        choose_face([face(1, 1, 8)], SIZE)


def test_what_was_not_looked_for_is_said_where_it_matters() -> None:
    with pytest.raises(NoFaceError, match=r"expected a face of at least 300 pixels; got none in wide\.jpg.*min80"):
        choose_face([], (8000, 2000), source="wide.jpg", smallest=300)
    with pytest.raises(NoFaceError, match="expected a face; got none"):
        choose_face([], SIZE, smallest=24)


def test_words() -> None:
    with pytest.raises(SettingError, match="best"):
        as_choice("best")


def test_reading_order() -> None:
    a, b, c, d = face(300, 12), face(10, 20), face(200, 5), face(50, 200)
    assert in_reading_order([d, a, b, c]) == [b, c, a, d]
    assert in_reading_order([]) == []


def test_people_beside_each_other_are_one_row() -> None:
    """Tall and small, as in a photo of a group: from the left. People behind, between the heads, are a row of their own."""
    small, tall, middle = face(10, 245, 72), face(230, 230, 50), face(400, 215, 44)
    assert in_reading_order([tall, middle, small]) == [small, tall, middle]
    behind, front = [face(30, 100, 60), face(130, 105, 60)], [face(80, 140, 60), face(180, 138, 60)]
    assert in_reading_order([*front, *behind]) == [*behind, *front]
