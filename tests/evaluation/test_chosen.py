"""What is said of a threshold that was just chosen, against numbers made up for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sameface.evaluation.chosen import chosen_words, people_to_search, too_few
from sameface.types import EmbeddingSpace, Interval, OperatingPoint, TailPoint

POINT = OperatingPoint(
    1.12,
    EmbeddingSpace("e", "d", "a"),
    "FMR 0.001",
    fmr=0.001,
    fmr_interval=Interval(0.0004, 0.0036),
    fnmr=0.02,
    fnmr_interval=Interval(0.0, 0.072),
    people=80,
    tail=(TailPoint(0.9, 0.001), TailPoint(1.1, 0.01)),
    smallest_fmr=0.001,
)


def test_both_errors_are_told_as_people_count_them() -> None:
    assert chosen_words(POINT, 0.01)[0] == (
        "Of 1,000 pairs of strangers 1 would pass (0.4 to 3.6 with 95 % confidence); "
        "of 1,000 pairs of one person 20 would be refused (0 to 72 with 95 % confidence)."
    )


def test_few_people_are_said_to_be_few() -> None:
    assert not any("too few" in sentence for sentence in chosen_words(POINT, 0.01))
    assert "4 people are too few" in chosen_words(replace(POINT, people=4), 0.01)[1]
    # 8 people are 28 pairs and 9 are 36: from 30 on a rate hangs on more than one pair of look-alikes
    assert [people for people in range(2, 20) if too_few(people)] == list(range(2, 9))


def test_how_large_a_gallery_may_be_and_what_a_larger_one_takes() -> None:
    # (1 − 0.001)^10 = 0.99004, so ten photos keep FPIR 0.01
    assert "up to 10 photos" in chosen_words(POINT, 0.01)[-1]
    assert "names nobody" in chosen_words(replace(POINT, tail=()), 0.01)[-1]


@pytest.mark.parametrize("photos", [1, 10, 100, 5000])
def test_as_many_people_as_are_asked_for_are_enough_and_one_fewer_is_not(photos: int) -> None:
    people = people_to_search(photos, 0.01)
    expected = [n * (n - 1) / 2 * 0.01 / photos for n in (people - 1, people)]
    assert expected[0] < 30 <= expected[1] + 1e-9


def test_what_was_not_learned_about_poor_photos_is_said() -> None:
    assert "too poor for τ was not learned: that takes 60 people, not 40." in "\n".join(
        chosen_words(POINT, 0.01, "that takes 60 people, not 40")
    )
