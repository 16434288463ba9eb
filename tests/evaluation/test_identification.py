"""1:K against a plain loop over galleries and everybody in them; classifiers on people of known colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sameface.datasets import LabelledPhotos, read_folder
from sameface.errors import NotEnoughDataError, SettingError
from sameface.evaluation.classifiers import learning_curve, verification_by_regression
from sameface.evaluation.embed import EmbeddedPhotos, embed_photos
from sameface.evaluation.identification import identify_all, rate_over_people
from sameface.evaluation.sampling import balanced_pairs
from sameface.evaluation.scores import score_all_pairs
from sameface.matching import nearest
from sameface.types import EmbeddingSpace, OperatingPoint, TailPoint

SPACE = EmbeddingSpace("e", "d", "a")


def crowd(people: int = 400, photos: int = 3, seed: int = 0) -> tuple[LabelledPhotos, EmbeddedPhotos]:
    generator = np.random.default_rng(seed)
    rows = np.repeat(generator.normal(0, 0.16, (people, 12)), photos, axis=0)
    rows = (rows + generator.normal(0, 0.07, rows.shape)).astype(np.float32)
    who = np.repeat(np.arange(people), photos)
    found = np.ones(len(rows), dtype=bool)
    found[[0, 10]] = False  # the first photo of the first person, the second of the fourth
    rows[~found] = 0
    bench = LabelledPhotos(
        "crowd", tuple(Path(f"{i}") for i in range(len(rows))), who, tuple(f"p{i}" for i in range(people))
    )
    return bench, EmbeddedPhotos(SPACE, rows, found, tuple(map(str, range(len(rows)))), (), len(rows), 0, 1.0)


def test_rank_1_equals_the_loop_over_the_database() -> None:
    bench, embedded = crowd(60)
    result = identify_all(bench, embedded, None, sizes=())
    database: dict[int, np.ndarray] = {}
    probes = []
    for index, person in enumerate(bench.people.tolist()):
        if embedded.found[index] and person not in database:
            database[person] = embedded.embeddings[index]
        else:
            probes.append((index, person))
    right = 0
    for index, person in probes:
        if embedded.found[index]:
            right += nearest(embedded.embeddings[index], database)[0] == person
    assert (result.closed_people, result.closed_probes) == (60, len(probes))
    assert result.rank_1.events == right
    assert result.cmc[0] == pytest.approx(right / len(probes))
    assert all(x <= y for x, y in zip(result.cmc, result.cmc[1:], strict=False))


def test_open_set_shows_why_the_threshold_of_1_to_1_must_not_be_used() -> None:
    bench, embedded = crowd(1000)
    scores = score_all_pairs(*crowd(300, seed=4))
    from sameface.evaluation.calibration import choose_operating_point

    point = choose_operating_point(scores, SPACE, fmr=1e-3)
    result = identify_all(bench, embedded, point, fpir=0.05, sizes=(5, 20, 100), draws=6)
    by = {(row.people, row.rule): row for row in result.open_set}
    inflated = [by[size, "1:1 threshold"].fpir.value for size in (5, 20, 100)]
    assert inflated[0] < inflated[1] < inflated[2]
    assert inflated[2] == pytest.approx(1 - (1 - 1e-3) ** 100, abs=0.05)
    for size in (20, 100):
        guide, measured = by[size, "guide"], by[size, "measured"]
        assert guide.threshold is not None
        assert guide.threshold <= point.threshold
        assert guide.fpir.value < 0.09
        assert measured.fpir.value == pytest.approx(0.05, abs=0.025)
        assert guide.fpir.interval is not None
        assert 0 <= by[size, "guide"].misidentified <= guide.fnir.value


def test_without_enough_unknown_people_nothing_is_claimed() -> None:
    bench, embedded = crowd(60)
    point = OperatingPoint(0.3, SPACE, "FMR 0.01", tail=(TailPoint(0.3, 0.01),), smallest_fmr=0.01)
    result = identify_all(bench, embedded, point, fpir=0.01, sizes=(10, 5000))
    rows = {row.rule: row for row in result.open_set}
    assert rows["measured"].threshold is None
    assert "needs 3000" in rows["measured"].why
    assert rows["guide"].threshold is None
    assert "candidates only" in rows["guide"].why
    assert rows["1:1 threshold"].fpir is not None
    assert {row.people for row in result.open_set} == {10}


def test_rate_over_people() -> None:
    people = np.repeat(np.arange(50), 4)
    rate = rate_over_people(people < 5, people)
    assert rate.value == 0.1
    assert rate.interval is not None
    assert rate.interval.low < 0.05
    assert rate.interval.high > 0.15  # 50 people, not 200 searches
    assert rate_over_people(people < 0, people).interval.high == pytest.approx(1 - 0.05 ** (1 / 50))


def test_refusals(colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    bench, embedded = crowd(60)
    with pytest.raises(SettingError):
        identify_all(bench, embedded, None, fpir=0)
    lonely = bench.at_most(1)
    with pytest.raises(NotEnoughDataError, match="two people"):
        identify_all(lonely, embed_photos(fake, [colour_people / "p01" / "1.png"] * len(lonely.photos)), None)
    with pytest.raises(NotEnoughDataError, match="more than 5"):
        learning_curve(embedded, bench.people)


def test_learning_curve_on_separate_colours(colour_people: Path, fake) -> None:  # type: ignore[no-untyped-def]
    bench = read_folder(colour_people)
    embedded = embed_photos(fake, bench.photos)
    result = learning_curve(embedded, bench.people, shots=(1, 2), draws=2)
    assert (result.people, result.test_photos) == (24, 24 * 3 - 1)
    by = {(row.classifier, row.photos_per_person): row.accuracy for row in result.rows}
    assert len(by) == 6
    assert by["nearest neighbour", 2] >= by["nearest neighbour", 1] - 0.03 > 0.85


def test_regression_learns_which_axes_matter() -> None:
    """One axis tells people apart, three are noise: |f(a) − f(b)| can weigh them, the plain distance cannot."""
    generator = np.random.default_rng(0)
    people, photos = 80, 4
    rows = np.repeat(generator.uniform(-1, 1, (people, 1)), photos, axis=0)
    rows = np.hstack([rows + generator.normal(0, 0.02, rows.shape), generator.normal(0, 0.5, (len(rows), 3))]).astype(
        np.float32
    )
    who = np.repeat(np.arange(people), photos)
    bench = LabelledPhotos("x", tuple(Path(str(i)) for i in range(len(rows))), who, tuple(map(str, range(people))))
    embedded = EmbeddedPhotos(SPACE, rows, np.ones(len(rows), bool), ("",) * len(rows), (), len(rows), 0, 1.0)
    pairs = balanced_pairs(score_all_pairs(bench, embedded), folds=5)
    assert int(pairs.same.sum()) * 2 == len(pairs.same)
    regression, distance = verification_by_regression(pairs, rows)
    assert regression.mean > distance.mean + 0.15
    assert len(regression.folds) == 5
