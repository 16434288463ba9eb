"""Every photo once an epoch, whatever the batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from sameface.errors import NotEnoughDataError, SettingError
from sameface.training.augment import augmentation
from sameface.training.folder import train_folder
from sameface.training.folder.run import _sampler
from sameface.training.losses import make_loss
from sameface.training.sampling import EveryPhoto

from .conftest import make_people
from .test_folder import QUICK, write_people


@pytest.mark.parametrize(("photos", "size"), [(10, 5), (10, 4), (7, 7), (11, 3)])
def test_all_photos_come_before_any_comes_again(photos: int, size: int) -> None:
    sampler = EveryPhoto(photos, batch_size=size)
    stream = np.concatenate([sampler.batch(step) for step in range(3 * photos)])
    assert len(stream) == 3 * photos * size
    for epoch in stream.reshape(-1, photos):
        assert sorted(epoch.tolist()) == list(range(photos))
    assert stream[:photos].tolist() != stream[photos : 2 * photos].tolist() or photos < 4


def test_a_batch_is_a_function_of_the_seed_and_the_step() -> None:
    first, again, other = (EveryPhoto(100, batch_size=8, seed=seed) for seed in (1, 1, 2))
    forwards = [first.batch(step).tolist() for step in range(30)]
    assert [again.batch(step).tolist() for step in reversed(range(30))] == forwards[::-1]
    assert other.batch(0).tolist() != forwards[0]


def test_what_cannot_be() -> None:
    with pytest.raises(SettingError):
        EveryPhoto(5, batch_size=0)
    with pytest.raises(NotEnoughDataError):
        EveryPhoto(5, batch_size=6)


def test_losses_with_centres_draw_every_photo_where_augmentations_allow() -> None:
    pictures = make_people(8, 5)
    centres = make_loss("arcface", dimension=8, people=8)
    found = _sampler(QUICK, centres, augmentation("faces", 12), pictures)
    assert isinstance(found, EveryPhoto)
    assert found.batch_size == 12
    assert _sampler(QUICK, centres, augmentation("characters", 12), pictures) is None
    assert _sampler(QUICK, make_loss("triplet", dimension=8, people=8), augmentation("faces", 12), pictures) is None


def test_people_with_one_photo_are_trained_on_too(tmp_path: Path) -> None:
    data = write_people(tmp_path / "people")
    for folder in sorted(data.iterdir())[:4]:
        for photo in sorted(folder.iterdir())[1:]:
            photo.unlink()
    plan = replace(QUICK, loss="cosface", loss_settings={"scale": 16, "share": 0.5}, validation=0.0)
    result = train_folder(data, tmp_path / "out", plan)
    assert (result.people, result.photos) == (8, 24)
    assert result.encoder is not None
