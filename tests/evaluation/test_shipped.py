"""What is said of a threshold that was brought along, against intervals made up for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sameface.evaluation.report import write_report
from sameface.evaluation.results import AtThreshold, Rate
from sameface.evaluation.shipped import shipped_words
from sameface.types import Interval, OperatingPoint
from tests.evaluation.made_up import EVALUATION, FULL, SPARE, VERIFICATION

POINT = OperatingPoint(1.02, FULL.space, "FMR 0.001", target_fmr=0.001, fnmr=0.012)


def run_with(fmr: Rate, point: OperatingPoint | None = POINT):
    item = AtThreshold("FMR 0.001", 1.02, Rate(0.99, 990, 1000), fmr, Rate(0.017, 17, 1000, Interval(0.01, 0.027)))
    return replace(FULL, operating_point=point, verification=replace(VERIFICATION, at_thresholds=(item,)))


@pytest.mark.parametrize(
    ("fmr", "said"),
    [
        (
            Rate(0.0035, 350, 100_000, Interval(0.0021, 0.0056)),
            "On these photos 3.5 false matches in 1,000, not 1 (2.1 to 5.6 with 95 % confidence): calibrate on photos like them",
        ),
        (Rate(0.0012, 120, 100_000, Interval(0.0004, 0.0031)), "τ was chosen for 1, so it holds here."),
        (Rate(0.0001, 10, 100_000, Interval(0.00005, 0.0002)), "fewer than the 1 that τ was chosen for"),
        (Rate(0.0, 0, 500, Interval(0.0, 0.006)), "too few pairs to tell"),
        (Rate(0.02, 10, 500, Interval(0.01, 0.04)), "not 1 (10 to 40"),  # few pairs, and all the same too many
        (Rate(0.001, 100, 100_000), "so it holds here"),
    ],
)
def test_strangers_who_pass(fmr, said):
    passing, refused = shipped_words(run_with(fmr))
    assert said in passing
    assert refused == (
        "The right person was refused 17 times in 1,000 (10 to 27 with 95 % confidence); on the data behind τ it was 12."
    )


def test_the_report_says_it_and_warns(tmp_path):
    pytest.importorskip("matplotlib")
    page = tmp_path / "report.html"
    run = run_with(Rate(0.0035, 350, 100_000, Interval(0.0021, 0.0056)))
    write_report(replace(EVALUATION, runs=(run, SPARE)), page)
    text = page.read_text(encoding="utf-8")
    assert text.count('class="said warn"') == 1
    assert text.count('class="said"') == 1


def test_nothing_is_said_where_nothing_was_brought_along():
    fmr = Rate(0.001, 1, 1000)
    assert shipped_words(run_with(fmr, None)) == ()
    assert shipped_words(run_with(fmr, replace(POINT, threshold=0.5))) == ()
    published = replace(POINT, target="published", target_fmr=None, fmr=None, fnmr=None)
    assert shipped_words(run_with(fmr, published)) == (
        "The right person was refused 17 times in 1,000 (10 to 27 with 95 % confidence).",
    )
