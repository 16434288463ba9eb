"""What is drawn is what was found: the numbers are read back from the drawing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sameface.evaluation import plots as drawing
from sameface.evaluation.plots import MATED, NON_MATED, label, plots, render
from sameface.evaluation.results import Evaluation, Points
from sameface.types import EmbeddingSpace
from tests.evaluation.made_up import EVALUATION, FULL, IDENTIFICATION, SPARE

figure = pytest.importorskip("matplotlib.figure")


def drawn(name: str, evaluation: Evaluation = EVALUATION) -> Any:
    """The axes of a plot."""
    draw, size, _ = plots(evaluation)[name]
    axes = figure.Figure(figsize=size).add_subplot()
    draw(axes)
    return axes


def line(axes: Any, name: str) -> np.ndarray:
    return np.asarray(next(item for item in axes.lines if item.get_label() == name).get_xydata(), dtype=float)


def legend(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_only_what_was_found_is_drawn() -> None:
    assert set(plots(EVALUATION)) == {
        *("distances-0", "distances-1", "roc", "det", "cmc", "fpir", "reliability", "learning", "groups"),
    }
    assert set(plots(replace(EVALUATION, runs=(replace(SPARE, identification=None),)))) == {"distances-0", "roc", "det"}
    one_size = replace(FULL.identification, open_set=FULL.identification.open_set[:1])  # type: ignore[type-var]
    assert "fpir" not in plots(replace(EVALUATION, runs=(replace(FULL, identification=one_size),)))
    without = replace(
        SPARE.verification, eer=replace(SPARE.verification.eer, value=0.0), curve=Points((0.5,), (0.0,), (0.0,))
    )
    found_all = replace(IDENTIFICATION, cmc=(1.0, 1.0), open_set=())
    assert set(plots(replace(EVALUATION, runs=(replace(SPARE, verification=without, identification=found_all),)))) == {
        "distances-0"
    }
    for _, size, words in plots(EVALUATION).values():
        assert min(size) > 1
        assert len(words) > 10


def test_roc_and_det_are_the_curve() -> None:
    roc = line(drawn("roc"), "full")
    # an FMR of 0 has no place on a logarithmic axis: half of what one pair in 1,000 would give
    np.testing.assert_allclose(roc, [[0.0005, 80], [0.01, 95], [1.0, 100]])
    det = drawn("det")
    np.testing.assert_allclose(line(det, "full"), [[0.01, 0.05]])  # the only point with both errors
    assert (det.get_xscale(), det.get_yscale()) == ("log", "log")
    assert legend(det) == ["full", "spare"]


def test_distances_are_shares_with_the_threshold_that_decides() -> None:
    axes = drawn("distances-0")
    shares = {item.get_label(): list(item.get_data().values) for item in axes.patches if item.get_label()}
    assert shares == {"one person": [0.75, 0.25], "two people": [0.25, 0.75]}
    texts = [text.get_text() for text in axes.texts]
    assert "τ = 1.020\nFMR 0.001" in texts
    assert any("τ = 1.100\nbest accuracy" in text.get_text() for text in drawn("distances-1").texts)


def test_cmc_begins_at_rank_1_and_its_floor_leaves_room() -> None:
    axes = drawn("cmc")
    np.testing.assert_allclose(line(axes, "full"), [[1, 96.5], [2, 98], [3, 99]])
    assert axes.get_ylim()[0] == pytest.approx(95)  # 5 points at least
    assert axes.get_xticks().tolist() == [1, 2, 5, 10, 20, 50]


def test_fpir_by_size_with_its_target() -> None:
    axes = drawn("fpir")
    np.testing.assert_allclose(line(axes, "guide"), [[10, 0.004], [20, 0.006]])  # what has no claim has no point
    heights = [np.asarray(item.get_ydata()) for item in axes.lines]
    assert any(np.allclose(found, 0.01) for found in heights)
    assert any(np.allclose(found, [0.001, 0.02]) for found in heights)


def test_reliability_shows_few_pairs_hollow() -> None:
    axes = drawn("reliability")
    few, many = axes.collections
    np.testing.assert_allclose(few.get_offsets(), [[0.5, 0.9]])
    np.testing.assert_allclose(many.get_offsets(), [[0.1, 0.12], [0.9, 0.88]])
    assert few.get_facecolor()[0].tolist() == [1, 1, 1, 1]
    assert many.get_sizes().tolist() == pytest.approx([18 + 160 * 0.4, 18 + 160 * 0.5])


def test_learning_has_a_line_for_each_classifier() -> None:
    axes = drawn("learning")
    assert legend(axes)[:2] == ["full: nearest neighbour", "full: linear SVM"]
    first, second = axes.containers[:2]
    np.testing.assert_allclose(first.lines[0].get_xydata(), [[1, 90], [4, 97]])
    np.testing.assert_allclose(second.lines[0].get_xydata(), [[1, 88], [4, 96]])
    assert axes.get_xticks().tolist() == [1, 4]


def test_groups_have_both_rates_where_there_are_any() -> None:
    axes = drawn("groups")
    assert [text.get_text() for text in axes.get_yticklabels()] == ["light: outdoor", "light: indoor"]
    dots = {(item.get_color(), float(item.get_xdata()[0])) for item in axes.lines if len(item.get_xdata()) == 1}
    assert dots == {(NON_MATED, 0.002), (NON_MATED, 0.001), (MATED, 0.01)}


def test_a_detector_is_named_where_there_are_several() -> None:
    other = replace(SPARE, space=EmbeddingSpace("full", "mtcnn", "a"))
    assert label(FULL, [FULL, SPARE]) == "full"
    assert [label(run, [FULL, other]) for run in (FULL, other)] == ["full · yunet", "full · mtcnn"]


def test_one_drawing_is_one_file_byte_for_byte(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    draw, size, _ = plots(EVALUATION)["groups"]
    first = render(draw, size)
    assert first == render(draw, size)
    assert first.lstrip().startswith(b"<?xml")
    png = render(draw, size, "png", dpi=50)
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    assert (width, height) == (round(50 * size[0]), round(50 * size[1]))
    import matplotlib

    assert matplotlib.rcParams["legend.frameon"] != drawing.STYLE["legend.frameon"]  # the global state is as it was
