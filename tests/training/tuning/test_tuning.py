"""From a folder and an encoder to the encoder tuned: written back, with its card, its id and its threshold; or unchanged."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image

torch = pytest.importorskip("torch")

import sameface  # noqa: E402
from sameface.errors import NotEnoughDataError, SettingError  # noqa: E402
from sameface.models.operating_points import load_operating_point  # noqa: E402
from sameface.models.registry import load_card  # noqa: E402
from sameface.training.folder import FolderPlan, train_folder  # noqa: E402
from sameface.training.loop.settings import TrainingSettings  # noqa: E402
from sameface.training.loop.validation import Validation  # noqa: E402
from sameface.training.pictures import Pictures  # noqa: E402
from sameface.training.tuning.judge import EACH, Judge, chosen_rows, missed  # noqa: E402

from ..conftest import make_people  # noqa: E402
from .small import write_small_encoder  # noqa: E402

STEPS = TrainingSettings(
    steps=4, people=2, photos=4, learning_rate=1e-3, warmup=0, weight_decay=0.0, validate_every=2, save_every=2
)


def write_people(folder: Path, people: int = 8, photos: int = 5) -> Path:
    pictures = make_people(people, photos, side=24)
    for number, label in enumerate(pictures.labels):
        path = folder / pictures.people[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures.pixels[number, 0].numpy()).convert("RGB").save(path)
    return folder


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderPlan:
    monkeypatch.setenv("SAMEFACE_CACHE", str(tmp_path / "cache"))
    return FolderPlan(
        weights=str(write_small_encoder(tmp_path)),
        detector="none",
        validation=0.4,
        precision="float32",
        device="cpu",
        settings=STEPS,
    )


def weights_of(path: Path) -> dict[str, Any]:
    return {item.name: numpy_helper.to_array(item) for item in onnx.load(str(path)).graph.initializer}


def test_an_encoder_is_tuned_and_goes_back_to_onnx_with_card_and_id(tmp_path: Path, plan: FolderPlan) -> None:
    result = train_folder(write_people(tmp_path / "people"), tmp_path / "out", plan, name="mine")
    assert result.encoder is not None
    assert result.onnx_difference is not None
    assert result.onnx_difference <= 1e-4
    before, after = weights_of(tmp_path / "small.onnx"), weights_of(result.encoder)
    assert {name for name in before if not np.array_equal(before[name], after[name])} >= {"one.weight", "last.weight"}
    assert np.array_equal(before["mean"], after["mean"])  # frozen unless asked for

    card = load_card(result.encoder)
    assert (card.id, card.normalisation, card.input_size_wh) == ("mine", "(x-127.5)/127.5", (12, 12))
    assert card.training_data.endswith("; before: nothing")
    mine, small = sameface.load_encoder(result.encoder), sameface.load_encoder(tmp_path / "small.onnx")
    assert mine.card.id.partition("@")[0] == "mine"
    crops = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    assert np.abs(mine.encode(crops) - small.encode(crops)).max() > 1e-4

    with (tmp_path / "out" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(0 <= float(row["validation_missed"]) <= 1 for row in rows)
    assert json.loads((tmp_path / "out" / "result.json").read_text())["plan"]["weights"] == plan.weights


def test_nothing_better_is_the_encoder_unchanged_and_says_so(
    tmp_path: Path, plan: FolderPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([0.1, *[0.2] * 100])  # the untouched encoder is judged first
    verdict = Validation(0.0, 0.0, 1.0, missed=0.0, missed_undamaged=0.0)
    monkeypatch.setattr(
        "sameface.training.folder.run.Judge", lambda *_, **__: lambda embed: verdict._replace(judged=next(found))
    )
    strict = replace(plan, settings=replace(STEPS, patience=2))
    result = train_folder(write_people(tmp_path / "people"), tmp_path / "out", strict, name="mine")
    assert result.unchanged
    assert result.training.best_step == 0
    assert result.encoder is not None
    before, after = weights_of(tmp_path / "small.onnx"), weights_of(result.encoder)
    assert all(np.array_equal(value, after[name]) for name, value in before.items())
    assert "unchanged" in load_card(result.encoder).title


def test_frozen_layers_stay_and_statistics_move_when_asked(tmp_path: Path, plan: FolderPlan) -> None:
    data = write_people(tmp_path / "people")
    result = train_folder(data, tmp_path / "out", replace(plan, freeze=1), name="mine")
    assert result.encoder is not None
    before, after = weights_of(tmp_path / "small.onnx"), weights_of(result.encoder)
    assert np.array_equal(before["one.weight"], after["one.weight"])
    assert not np.array_equal(before["two.weight"], after["two.weight"])
    moving = train_folder(data, tmp_path / "norms", replace(plan, norms_frozen=False), name="mine")
    assert moving.encoder is not None
    assert not np.array_equal(before["mean"], weights_of(moving.encoder)["mean"])


def test_a_tuning_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, plan: FolderPlan) -> None:
    data = write_people(tmp_path / "people")
    whole = train_folder(data, tmp_path / "whole", plan, name="mine")

    class Stop:
        def __call__(self, step: int, numbers: object) -> None:
            if step == 2:
                raise KeyboardInterrupt

    every = replace(plan, settings=replace(STEPS, report_every=1))
    with pytest.raises(KeyboardInterrupt):
        train_folder(data, tmp_path / "half", every, name="mine", progress=Stop())
    checkpoints = list((tmp_path / "half").glob("checkpoint.pt"))
    again = train_folder(data, tmp_path / "half", every, name="mine", resume=bool(checkpoints), overwrite=True)
    assert whole.encoder is not None
    assert again.encoder is not None
    one, two = weights_of(whole.encoder), weights_of(again.encoder)
    assert all(np.array_equal(value, two[name]) for name, value in one.items())


def test_with_enough_people_held_out_a_threshold_is_written(tmp_path: Path, plan: FolderPlan) -> None:
    data = write_people(tmp_path / "people", people=44, photos=12)
    result = train_folder(data, tmp_path / "out", replace(plan, validation=0.5), name="mine")
    assert result.operating_point == tmp_path / "out" / "mine.json"
    assert result.encoder is not None
    point = load_operating_point(result.operating_point)
    assert point.space.encoder == sameface.load_encoder(result.encoder).card.id
    assert point.target_fmr == 1e-3
    assert "held out" in point.data


def test_with_few_people_it_is_said_that_there_is_none(tmp_path: Path, plan: FolderPlan) -> None:
    result = train_folder(write_people(tmp_path / "people"), tmp_path / "out", plan, name="mine")
    assert result.operating_point is None
    assert any("no threshold yet" in warning for warning in result.training.warnings)


def test_a_loss_of_people_beside_distillation_or_instead(tmp_path: Path, plan: FolderPlan) -> None:
    data = write_people(tmp_path / "people")
    both = train_folder(data, tmp_path / "both", replace(plan, loss="triplet", distill=0.5), name="mine")
    alone = train_folder(data, tmp_path / "alone", replace(plan, loss="triplet", distill=0.0), name="mine")
    assert both.encoder is not None
    assert alone.encoder is not None
    one, two = weights_of(both.encoder), weights_of(alone.encoder)
    assert not np.array_equal(one["last.weight"], two["last.weight"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"network": "head"},
        {"size": 32},
        {"grey": True},
        {"distill": 0.0},
        {"domain": "faces"},
        {"freeze": 3},
        {"layer_decay": 0.0},
        {"weights": "pixels"},
        {"options": {"widths": (8,)}},
    ],
)
def test_what_does_not_fit_an_encoder_is_said_first(tmp_path: Path, plan: FolderPlan, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        train_folder(tmp_path / "no such data", tmp_path / "out", replace(plan, **wrong))


def test_no_loss_at_all_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--weights"):
        train_folder(write_people(tmp_path / "people"), tmp_path / "out", FolderPlan(loss="none"))


# -- the judge --------------------------------------------------------------------------------------------------------
def test_misses_by_hand() -> None:
    # Three people on a line, two photos each: mated distances 1, 1, 6; non-mated 3 and more, so at the lowest rate τ is 3.
    points = np.array([[0.0], [1.0], [4.0], [5.0], [20.0], [26.0]], np.float32)
    assert missed(points, np.array([0, 0, 1, 1, 2, 2])) == pytest.approx(1 / 3)


def test_a_network_that_got_worse_on_undamaged_pictures_is_never_better() -> None:
    pictures = make_people(6, 4)
    good = torch.nn.functional.one_hot(torch.from_numpy(pictures.labels), 6).float()
    held = Pictures(pictures.pixels, pictures.labels, pictures.people, targets=good)
    judge = Judge(held, None, allowed=0.1)
    by_person = {picture.numpy().tobytes(): vector for picture, vector in zip(pictures.pixels, good, strict=True)}

    def right(batch: Any) -> Any:
        return torch.stack([by_person[picture.numpy().tobytes()] for picture in batch])

    found = judge(right)
    assert (found.missed, found.missed_undamaged, found.error) == (0.0, 0.0, 0.0)
    worse = judge(lambda batch: torch.rand(len(batch), 6, generator=torch.Generator().manual_seed(0)))
    assert worse.missed_undamaged is not None
    assert worse.missed_undamaged > 0.1
    assert worse.error == float("inf")


def test_rows_are_of_people_with_several_pictures_and_few_of_each() -> None:
    labels = np.repeat(np.arange(5), [1, 2, EACH + 5, 1, 4])
    rows = chosen_rows(labels, seed=0)
    assert np.bincount(labels[rows], minlength=5).tolist() == [0, 2, EACH, 0, 4]
    assert rows.tolist() == chosen_rows(labels, seed=0).tolist()
    with pytest.raises(NotEnoughDataError):
        chosen_rows(np.arange(5), seed=0)
