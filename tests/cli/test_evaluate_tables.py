"""What `sameface evaluate` prints of an evaluation whose every number is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sameface.cli.evaluate_tables import print_evaluation
from sameface.evaluation.results import Evaluation
from sameface.metrics.percent import percent, percent_range, percent_spread
from sameface.types import EmbeddingSpace, Interval
from tests.evaluation.made_up import EVALUATION, FULL, IDENTIFICATION, SPARE


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", "200")

    def printed(evaluation: Evaluation = EVALUATION) -> list[list[str]]:
        """Every line, cut at the gaps between columns."""
        print_evaluation(evaluation)
        cut = (line.split("  ") for line in capsys.readouterr().out.splitlines())
        return [[cell.strip() for cell in line if cell.strip()] for line in cut if any(map(str.strip, line))]

    return printed


def test_head_and_notes(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines()
    assert found[0] == ["Faces: all pairs"]
    assert found[1] == ["200 photos of 40 people; 500 mated and 1000 non-mated pairs; intervals at 95 %"]
    assert found[-1] == ["note: probability: too few pairs"]


def test_measures_stand_side_by_side(lines) -> None:  # type: ignore[no-untyped-def]
    rows = {row[0]: row[1:] for row in lines() if len(row) > 1}
    assert rows["accuracy %"] == ["97.50 ± 0.42"] * 2
    assert rows["EER %"] == ["2.40 [1.60, 3.50]"] * 2
    assert rows["AUC %"] == ["99.71"] * 2
    assert rows["TAR % at FMR 0.01"] == ["98.10"] * 2
    assert rows["TAR % at FMR 0.001"] == ["94.20 [90.00, 97.00] *", "–"]  # the second has too few pairs to say
    assert rows["not found"] == ["3 of 200"] * 2
    assert rows["photos/s"] == ["50.0", "cached"]


def test_a_star_is_explained_only_where_one_stands(lines) -> None:  # type: ignore[no-untyped-def]
    told = "* stands on fewer than 30 expected false matches: read the interval, not the number"
    assert [told] in lines()
    assert [told] not in lines(replace(EVALUATION, runs=(SPARE,)))


def test_given_thresholds(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines()
    assert ["full at its thresholds"] in found
    assert ["FMR 0.001, on LFW", "1.0200", "99.10", "0.120 [0.040, 0.310]", "1.70"] in found
    assert ["spare at its thresholds"] not in found  # it was given none


def test_groups_and_how_far_they_lie_apart(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines()
    assert ["full by group, all at τ = 1.0000"] in found
    assert ["light: indoor", "0.100 [0.000, 0.400]", "1000", "1.00", "1000", "–"] in found
    assert ["light: outdoor", "0.200", "1000", "–", "0", "98.00 ± 0.40"] in found
    assert [
        "light: FMR apart by 0.100 [0.000, 0.300] points, outdoor over indoor; these data do not tell the groups apart"
    ] in found
    assert ["light: FNMR apart by 2.00 [0.40, 5.00] points, indoor over outdoor"] in found
    assert ["spare by group, all at τ = 1.0000"] not in found


def test_published_numbers_beside_ours(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines()
    assert ["full", "LFW", "accuracy 99.21 ± 0.13 %", "standard error", "99.22 [98.90, 99.51]"] in found
    assert ["full", "RFW", "accuracy of Asian 91.00 ± 0.40 %", "standard error", "–"] in found
    assert ["as published", "form", "±", "ours"] not in lines(replace(EVALUATION, runs=(SPARE,)))


def test_encoders_on_the_same_pairs(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines()
    assert ["on the same pairs: full first, spare second"] in found
    assert ["EER, %", "2.40", "3.00", "0.60 [0.10, 1.10]", "0.016"] in found
    assert ["FMR at its own τ, %", "0.100", "0.098", "-0.002 [-0.040, 0.030]", "0.900"] in found
    assert ["AUC, %", "99.00", "99.00", "0.00", "–"] in found
    assert any(
        "by the first alone: 12 pairs, by the second alone: 3; p = 0.035" in cell for row in found for cell in row
    )


def test_identification(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines()
    assert ["full: rank 1 of 40 people 96.50 %; open set, wanted FPIR 0.01:"] in found
    assert ["spare: rank 1 of 40 people 96.50 %; open set, wanted FPIR 0.01: too few people for FPIR and FNIR"] in found
    assert ["10", "guide", "0.9500", "0.40 [0.10, 2.00]", "5.00"] in found
    assert ["1000", "guide", "–", "–", "–"] in found
    assert ["K = 1000, guide: the data support no claim for so many"] in found


def test_without_identification_nothing_is_said_of_it(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines(replace(EVALUATION, runs=(replace(FULL, identification=None),)))
    assert not any("rank 1" in cell for row in found for cell in row)
    assert IDENTIFICATION.rank_1.trials == 1000


def test_classifiers(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines()
    assert ["full", "1 photo each, %", "4 photos each, %"] in found
    assert ["nearest neighbour", "90.00 ± 2.00", "97.00 ± 1.00"] in found
    assert ["linear SVM", "88.00 ± 3.00", "96.00 ± 1.50"] in found
    assert ["full: 98.00 ± 0.30 % by logistic regression"] in found


def test_disturbed(lines) -> None:  # type: ignore[no-untyped-def]
    found = lines()
    assert ["undisturbed", "100", "99.8", "0.10", "0.10", "1.20"] in found
    assert ["blurred", "0.12", "88", "50.0", "8.20", "0.09", "–"] in found


def test_a_detector_is_named_where_there_are_several(lines) -> None:  # type: ignore[no-untyped-def]
    other = replace(SPARE, space=EmbeddingSpace("full", "mtcnn", "a"))
    assert ["full on yunet", "full on mtcnn"] in lines(replace(EVALUATION, runs=(FULL, other)))
    assert ["full", "spare"] in lines()


def test_percent() -> None:
    assert [percent(value) for value in (0.0, 1.0, 0.12345, None, float("nan"))] == [
        "0.00",
        "100.00",
        "12.35",
        "–",
        "–",
    ]
    assert percent(1 / 3, Interval(0.25, 0.5), digits=0) == "33 [25, 50]"
    assert percent(None, Interval(0.25, 0.5)) == "–"
    assert (percent_range(None), percent_range(Interval(0, 0.005), digits=1)) == ("", "0.0 – 0.5")
    assert percent_spread(0.5, 0.0) == "50.00 ± 0.00"
    assert percent(-1e-6, Interval(-0.00004, 0.00004)) == "0.00 [0.00, 0.00]"  # what rounds to −0 is 0
