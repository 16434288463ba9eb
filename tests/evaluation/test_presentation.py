"""APCER and BPCER against a slow count, the chosen threshold by hand, folders as people have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import binomtest

from sameface.errors import CalibrationError, DataError, NotEnoughDataError, SettingError
from sameface.evaluation.presentation import Presentations, choose_threshold, report_at, score_folder
from sameface.liveness.decision import load_liveness_point, save_liveness_point

scores = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(tuple)


@given(scores, scores, scores, st.floats(0, 1))
def test_rates_by_a_slow_count(living, printed, replayed, threshold):
    report = report_at(
        [Presentations("real", living, 0), Presentations("print", printed, 2), Presentations("replay", replayed, 0)],
        threshold,
        data="x",
    )
    refused = sum(1 for score in living if score < threshold)
    assert report.bpcer.rate == refused / len(living)
    passed = {
        "print": sum(s >= threshold for s in printed) / len(printed),
        "replay": sum(s >= threshold for s in replayed) / len(replayed),
    }
    assert {item.kind: item.rate for item in report.apcer} == passed
    assert report.apcer[0].rate == max(passed.values())
    assert [bpcer for _, bpcer, _ in report.curve] == sorted(bpcer for _, bpcer, _ in report.curve)
    if refused:
        exact = binomtest(refused, len(living)).proportion_ci()
        assert (report.bpcer.interval.low, report.bpcer.interval.high) == pytest.approx((exact.low, exact.high))


@given(st.lists(st.floats(0, 1), min_size=50, max_size=200), st.sampled_from([0.02, 0.1, 0.5]))
def test_the_chosen_threshold_is_the_largest_that_keeps_the_target(living, target):
    found = [Presentations("real", tuple(living), 0)]
    point = choose_threshold(found, target, data="x", networks=["n"])
    assert point.bpcer <= target
    above = [score for score in sorted(living) if score > point.threshold]
    if above:
        assert report_at(found, above[0], data="x").bpcer.rate > target


def test_too_few_for_the_target():
    with pytest.raises(NotEnoughDataError, match="50 living"):
        choose_threshold([Presentations("real", (0.5,) * 49, 0)], 0.02, data="x", networks=[])
    with pytest.raises(SettingError):
        choose_threshold([Presentations("real", (0.5,) * 49, 0)], 1.0, data="x", networks=[])
    with pytest.raises(NotEnoughDataError):
        report_at([Presentations("print", (0.5,), 0)], 0.5, data="x")


class Brightness:
    """Stands for the networks: a brighter photo lives more."""

    def judge(self, photo, faces):
        from sameface.liveness import Liveness

        return [Liveness(float(photo.image_rgb.mean()) / 255, ()) for _ in faces]


def test_a_folder(tmp_path: Path):
    from sameface.recognizer import Recognizer

    for kind, grey in (("real", 200), ("print", 50)):
        (tmp_path / kind / "deeper").mkdir(parents=True)
        Image.new("RGB", (64, 64), (grey,) * 3).save(tmp_path / kind / "deeper" / "a.png")
    (tmp_path / "print" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "print" / "notes.txt").write_text("no photo")
    told = []
    found = score_folder(
        tmp_path, Recognizer(detector="none", encoder="pixels"), Brightness(), progress=lambda *at: told.append(at)
    )
    assert [(item.kind, item.without) for item in found] == [("real", 0), ("print", 1)]
    assert np.allclose([item.scores[0] for item in found], [200 / 255, 50 / 255])
    assert told[-1] == (3, 3)


def test_a_folder_without_living_faces(tmp_path: Path):
    (tmp_path / "print").mkdir()
    with pytest.raises(DataError, match="real/"):
        score_folder(tmp_path, None, None)  # type: ignore[arg-type]


def test_a_threshold_keeps_its_provenance(tmp_path: Path):
    point = choose_threshold(
        [Presentations("real", tuple(np.linspace(0, 1, 100).tolist()), 0), Presentations("mask", (0.2, 0.9), 0)],
        0.05,
        data="mine",
        networks=["a", "b"],
    )
    save_liveness_point(point, tmp_path / "liveness.json")
    assert load_liveness_point(tmp_path / "liveness.json") == point
    (tmp_path / "liveness.json").write_text("{}")
    with pytest.raises(CalibrationError):
        load_liveness_point(tmp_path / "liveness.json")
