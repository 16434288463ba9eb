"""What an evaluation says of its data, and what it refuses before any work; the numbers are tried where they are made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sameface.datasets.model import LabelledPhotos, PairList, problem
from sameface.errors import DataError, NotEnoughDataError, SettingError
from sameface.evaluation.benches import pair_groups, protocol_of, summary
from sameface.evaluation.calibrate import check_shares, no_domain
from sameface.evaluation.plan import Plan
from sameface.evaluation.run import evaluate, known_point
from sameface.evaluation.scores import Scores

PHOTOS = tuple(Path(f"{number}.png") for number in range(5))
PEOPLE = LabelledPhotos(
    "Faces",
    PHOTOS,
    np.array([0, 0, 1, 2, 2]),
    ("Ada", "Grace", "Mary"),
    problems=(
        problem("missing photo", "row 1", expected="a photo", got="none", advice="add it"),
        problem("missing photo", "row 2", expected="a photo", got="none", advice="add it"),
        problem("duplicate pair", "row 3", expected="once", got="twice", advice="remove it", dropped=False),
    ),
    groups={"side": ("left", "right", "left"), "age": ("old", "", "old")},
)
PAIRS = PairList(
    "Pairs",
    "as published",
    PHOTOS,
    np.array([0, 2]),
    np.array([1, 3]),
    np.array([True, False]),
    np.array([0, 0, 1, 2, 2]),
    groups={"light": ("dim", "bright")},
)


def all_pairs() -> Scores:
    a, b = np.triu_indices(len(PHOTOS), 1)
    whose = PEOPLE.people
    return Scores(
        np.linspace(0.1, 1, len(a)).astype(np.float32),
        whose[a] == whose[b],
        a.astype(np.int32),
        b.astype(np.int32),
        whose[a].astype(np.int32),
        whose[b].astype(np.int32),
        np.bincount(whose),
    )


def test_a_pair_is_in_a_group_when_both_of_its_people_are() -> None:
    scores = all_pairs()
    found = pair_groups(PEOPLE, scores)
    assert found.keys() == {"side", "age"}
    for column, values in PEOPLE.groups.items():
        for row in range(len(scores.distances)):
            first, second = values[scores.person_a[row]], values[scores.person_b[row]]
            assert found[column][row] == (first if first == second else "")
    own = pair_groups(PAIRS, scores)  # a list has its own
    assert {column: values.tolist() for column, values in own.items()} == {"light": ["dim", "bright"]}


def test_the_data_in_a_sentence_and_in_numbers() -> None:
    assert protocol_of(PAIRS) == "as published"
    assert "all pairs of the photos of Faces, at most 2 a person" in protocol_of(PEOPLE)
    told = summary(PEOPLE, ["aa", "bb", "aa", "", ""])
    assert (told.name, told.photos, told.people, told.groups) == ("Faces", 5, 3, ("side", "age"))
    assert told.problems == {"missing photo": 2, "duplicate pair": 1}
    assert len(told.examples) == 2  # what was dropped, in words
    assert told.duplicates == 1  # a photo that is there twice; those of no digest are not one another's copy
    assert summary(PAIRS).duplicates == 0


@pytest.mark.parametrize(
    ("fmr", "prior"), [(0, 0.5), (1, 0.5), (-1, 0.5), (1e-3, 0), (1e-3, 1), (1e-320, 0.5), (float("nan"), 0.5)]
)
def test_shares_that_are_none(fmr: float, prior: float) -> None:
    check_shares(1e-3, 0.5)
    with pytest.raises(SettingError, match="between 1e-12 and 1"):
        check_shares(fmr, prior)


def test_data_that_cannot_say_which_faces_a_threshold_holds_for() -> None:
    assert "list of pairs" in no_domain(PAIRS)
    assert "not 3" in no_domain(PEOPLE)
    many = LabelledPhotos("Many", PHOTOS * 400, np.arange(2000), tuple(map(str, range(2000))))
    assert no_domain(many) == ""


def test_a_threshold_that_nobody_measured(fake) -> None:  # type: ignore[no-untyped-def]
    assert known_point(fake) is None


def test_damaged_photos_need_people_and_a_threshold(colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    from sameface.datasets import read_folder

    with pytest.raises(DataError, match="no threshold"):
        evaluate(read_folder(colour_people), [fake], plan=Plan(folds=4, identification=False, disturbed=5))


def test_nobody_to_compare_with(tmp_path: Path, colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    from sameface.datasets import read_folder

    bench = read_folder(colour_people)
    alone = bench.only([0, 1, 2])  # one person: no strangers
    with pytest.raises(NotEnoughDataError):
        evaluate(alone, [fake])
