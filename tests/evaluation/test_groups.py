"""Rates by group at one τ, the spread between groups, and groups that photos themselves give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sameface.datasets import LabelledPhotos, read_folder
from sameface.errors import DataError, SettingError
from sameface.evaluation.benches import pair_groups
from sameface.evaluation.derived_groups import GROUPINGS, derive_groups, read_groupings
from sameface.evaluation.groups import group_rates
from sameface.evaluation.plan import Plan
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.run import evaluate
from sameface.evaluation.scores import Scores
from sameface.metrics import accuracy_by_fold
from sameface.metrics.spread import level_of_each, spread
from sameface.types import Box, Detection, Landmarks
from tests.evaluation.test_verification import pair_scores


def disjoint_scores(n: int = 1200) -> Scores:
    """Pairs that share nobody, of three groups, the third of which errs more."""
    generator = np.random.default_rng(3)
    index = np.arange(n, dtype=np.int32)
    same = index % 2 == 0
    centre = np.where(same, 0.45 + 0.08 * (index % 3 == 2), 0.8)
    distances = (centre + generator.normal(0, 0.1, n)).astype(np.float32)
    return Scores(distances, same, index, index + n, 2 * index, np.where(same, 2 * index, 2 * index + 1))


def test_the_spread_is_that_of_the_groups_rates() -> None:
    scores = disjoint_scores()
    groups = np.array(["x", "y", "z"])[np.arange(len(scores.a)) % 3]
    rows, spreads = group_rates(PeopleDraws(scores), {"light": groups}, 0.6)
    assert [row.group for row in rows] == ["x", "y", "z"]
    expected = []
    level = level_of_each(3)
    stats = pytest.importorskip("scipy.stats")
    for row in rows:
        mated = scores.same & (groups == row.group)
        events, trials = int((scores.distances[mated] >= 0.6).sum()), int(mated.sum())
        assert row.fnmr is not None
        assert (row.fnmr.events, row.fnmr.trials) == (events, trials)
        exact = stats.binomtest(events, trials).proportion_ci(confidence_level=level, method="exact")
        expected.append((events / trials, (exact.low, exact.high)))
    fnmr = next(item for item in spreads if item.rate == "FNMR")
    value, interval = spread([rate for rate, _ in expected], [bounds for _, bounds in expected])
    assert (fnmr.highest, fnmr.difference) == ("z", pytest.approx(value))
    assert (fnmr.interval.low, fnmr.interval.high) == pytest.approx((interval.low, interval.high))
    assert fnmr.interval.low > 0
    fmr = next(item for item in spreads if item.rate == "FMR")
    assert fmr.interval.low == 0  # strangers are alike in all groups


def test_a_published_list_gives_each_group_its_own_accuracy() -> None:
    """As RFW is published: ten folds within the group, each threshold from the group's other folds."""
    scores = replace(disjoint_scores(), folds=np.arange(1200) // 120)
    groups = np.array(["x", "y"])[np.arange(1200) // 6 % 2]
    rows, _ = group_rates(PeopleDraws(scores), {"race": groups}, 0.6)
    for row in rows:
        here = groups == row.group
        folds = accuracy_by_fold(scores.distances[here], scores.same[here], scores.folds[here])
        assert row.accuracy is not None
        assert row.accuracy.mean == pytest.approx(np.mean([fold.accuracy for fold in folds]))
        assert len(row.accuracy.folds) == 10


def test_equal_groups_are_two() -> None:
    scores = disjoint_scores()
    half = np.arange(1200) // 2 % 2  # the same distances in both groups
    twice = replace(scores, distances=scores.distances[np.arange(1200) % 2 + np.arange(1200) // 4 * 4])
    _, spreads = group_rates(PeopleDraws(twice), {"light": np.array(["dim", "bright"])[half]}, 0.6)
    for item in spreads:
        assert (item.difference, {item.highest, item.lowest}) == (0, {"dim", "bright"})
        assert item.interval.low == 0


def test_one_group_has_rates_and_no_spread() -> None:
    scores = pair_scores()
    rows, spreads = group_rates(PeopleDraws(scores), {"light": np.full(len(scores.a), "dim")}, 0.6)
    assert (len(rows), spreads) == (1, ())
    assert rows[0].accuracy is None


def test_photos_with_two_labels_make_a_group_of_their_own() -> None:
    photos = tuple(Path(f"{number}.png") for number in range(4))
    bench = LabelledPhotos(
        "x",
        photos,
        np.array([0, 0, 1, 1]),
        ("Ada", "Bo"),
        groups={"side": ("left", "right")},
        photo_groups={"glasses": ("yes", "no", "", "no")},
    )
    a, b = np.triu_indices(4, 1)
    whose = bench.people.astype(np.int32)
    scores = Scores(np.ones(6, np.float32), whose[a] == whose[b], a, b, whose[a], whose[b])
    found = pair_groups(bench, scores)
    assert found["side"].tolist() == ["left", "", "", "", "", "right"]
    assert found["glasses"].tolist() == ["no / yes", "", "no / yes", "", "no", ""]
    assert bench.only([3, 1]).photo_groups == {"glasses": ("no", "no")}


def face(side: float, aside: float | None) -> Detection:
    """A face so large, turned so far, its nose between the eyes moved to one."""
    points = None
    if aside is not None:
        xy = np.array([[30, 40], [70, 40], [50 + 20 * aside, 60], [35, 80], [65, 80]], dtype=np.float32)
        points = Landmarks("arcface5", xy)
    return Detection(Box(0, 0, side, side * 0.8), 1.0, points)


def test_groups_from_boxes_and_points() -> None:
    faces = [face(59.9, 0.0), face(60, 0.49), face(200, 0.51), face(30, None), None]
    found = derive_groups([Path("unread")] * 5, faces, read_groupings("turned,small"))
    assert found == {
        "turned": ("frontal", "frontal", "turned", "", ""),
        "small": ("small", "large", "large", "small", ""),
    }
    moved = derive_groups([Path("unread")] * 5, faces, read_groupings("small=150"))
    assert moved["small"] == ("small", "small", "large", "small", "")


def test_blurred_photos_are_told_from_sharp_ones(tmp_path: Path) -> None:
    wave = 127 + 120 * np.sin(np.arange(96) / 15)
    coarse = np.kron(np.random.default_rng(0).integers(0, 255, (24, 24)), np.ones((4, 4)))
    for name, grey in (("blurred", np.add.outer(wave, wave) / 2), ("sharp", coarse)):
        Image.fromarray(np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)).save(tmp_path / f"{name}.png")
    photos = [tmp_path / "sharp.png", tmp_path / "blurred.png", tmp_path / "absent.png"]
    found = derive_groups(photos, [face(96, 0), face(96, 0), None], read_groupings("blurred"))
    assert found == {"blurred": ("sharp", "blurred", "")}


@pytest.mark.parametrize("text", ["tuned", "small=", "small=no", "small=-3", "small=inf", "", "turned,,small"])
def test_groupings_that_are_none(text: str) -> None:
    with pytest.raises(SettingError, match="turned, small, blurred"):
        read_groupings(text)
    assert GROUPINGS["small"].limit == 60


def test_an_evaluation_has_the_groups_of_its_photos(colour_people: Path, fake: Any) -> None:
    bench = read_folder(colour_people)
    plan = Plan(folds=3, identification=False, group_by=read_groupings("small=41"))
    (run,) = evaluate(bench, [fake], plan=plan).runs
    assert [(row.column, row.group) for row in run.verification.groups] == [("small", "small")]
    row = run.verification.groups[0]
    assert row.fnmr is not None
    assert row.fnmr.trials == 24 * 10 - 4  # the photo without a face is in no group


def test_embeddings_show_no_faces(colour_people: Path) -> None:
    from sameface.evaluation.given import GivenEmbeddings

    bench = read_folder(colour_people)
    names = tuple(f"{photo.parent.name}/{photo.name}" for photo in bench.photos)
    rows = np.random.default_rng(0).normal(size=(len(names), 4)).astype(np.float32)
    with pytest.raises(DataError, match="what each face is like"):
        evaluate(bench, [GivenEmbeddings("x", names, rows)], plan=Plan(group_by=read_groupings("small")))


def test_labels_of_photos_at_the_shell(
    colour_people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table stands at the terminal, for a folder and for a list of pairs; a protocol that these pairs are not is told."""
    from sameface.cli.app import main

    monkeypatch.setenv("SAMEFACE_PROGRESS", "0")
    monkeypatch.setenv("COLUMNS", "200")
    labels = ["photo,glasses"] + [f"p{n:02d}/{k}.png,{'yes' if k % 2 else 'no'}" for n in range(24) for k in range(5)]
    (tmp_path / "glasses.csv").write_text("\n".join([*labels, "p99/0.png,yes"]))
    rows = ["a,b,same,fold"]
    for number in range(120):
        first, photo, mated = number // 2 % 24, number // 48, number % 2 == 0
        other = f"p{first:02d}/4.png" if mated else f"p{(first * 7 + 1) % 24:02d}/{photo}.png"
        rows.append(f"colours/p{first:02d}/{photo}.png,colours/{other},{int(mated)},{number // 12}")
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    for data, more in ((colour_people, []), (tmp_path / "pairs.csv", ["--protocol", "lfw"])):
        given = ["--groups", str(tmp_path / "glasses.csv"), "-d", "none", "-e", "pixels", "--no-cache", *more]
        monkeypatch.setattr("sys.argv", ["sameface", "evaluate", str(data), *given])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        printed = capsys.readouterr()
        assert "glasses: no / yes" in printed.out
        assert "glasses: FNMR apart by" in printed.out
        assert "unknown" not in printed.out
        assert ("'p99/0.png'" if data == colour_people else "set aside: 28 more") in printed.err
    assert "6000 pairs in 10 folds, here are 120 in 10" in printed.out
    assert "standard error" in printed.out
