"""What `sameface train` says on its way where there is no terminal."""

from __future__ import annotations

import pytest

from sameface.cli import training_bar
from sameface.cli.training_bar import TrainingBar
from sameface.metrics.percent import percent


def test_lines_come_at_the_start_at_the_end_and_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(training_bar.time, "monotonic", lambda: now[0])
    with TrainingBar() as bar:
        for done in range(1, 6):
            now[0] += 3  # a line at 3 seconds, one at 15, after more than ten, which is the end too
            bar.reading(done, 5)
        bar.training(20, 40, {"loss": 0.5, "active_share": float("nan"), "spread": 0.9, "validation_eer": 0.25})
        now[0] += 11
        bar.training(30, 40, {"validation_eer": 0.125})
        bar.training(40, 40, {"loss": -0.0001, "active_share": 1.0})
    assert (
        capsys.readouterr().err.splitlines()
        == [
            "reading 1 of 5",
            "reading 5 of 5",
            "training 20 of 40 · loss 0.500 · spread 0.90 · unseen people: EER 25.0 %",
            "training 30 of 40 · loss 0.500 · spread 0.90 · unseen people: EER 12.5 % · 11 seconds left",  # ten steps took 11
            "training 40 of 40 · loss 0.000 · active 100.0 % · unseen people: EER 12.5 %",
        ]
    )


def test_a_rate_of_minus_nothing_is_nothing() -> None:
    assert percent(-0.0) == "0.00"


def test_a_training_that_will_take_long_says_so_once_with_what_is_quicker(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(training_bar.time, "monotonic", lambda: now[0])
    with TrainingBar("quicker: --size 32") as bar:
        for step in (1, 3, 20, 40):
            now[0] = 18.0 * step
            bar.training(step, 1000, {"loss": 0.5})
    # 18 seconds a step: 997 steps left take 17,946 seconds, almost five hours
    assert capsys.readouterr().err.splitlines() == [
        "training 1 of 1000 · loss 0.500",
        "quicker: --size 32",
        "training 3 of 1000 · loss 0.500 · 5.0 hours left",
        "training 20 of 1000 · loss 0.500 · 4.9 hours left",
        "training 40 of 1000 · loss 0.500 · 4.8 hours left",
    ]
    with TrainingBar("quicker: --size 32") as bar:
        for step in (1, 3, 60):
            now[0] += 1.0
            bar.training(step, 60, {"loss": 0.5})
    assert "quicker" not in capsys.readouterr().err
