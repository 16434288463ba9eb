"""The bad camera that training imitates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sameface.errors import SettingError  # noqa: E402
from sameface.training.augment.camera import Camera, CameraAugmentation, damage  # noqa: E402

GENTLE = Camera(undamaged=0, detail=(1, 1), quality=(95, 95), blur=0, noise=0, grey=0, degrees=0, shift=0)


def stripes(side: int = 96, width: int = 3) -> np.ndarray:
    columns = np.arange(side) // width % 2 * 200 + 20
    return np.repeat(np.broadcast_to(columns, (side, side))[..., None], 3, axis=2).astype(np.uint8)


def crops(count: int = 8, side: int = 48) -> torch.Tensor:
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (count, 3, side // 6, side // 6)).astype(np.uint8)
    return torch.from_numpy(np.kron(coarse, np.ones((1, 1, 6, 6), np.uint8)))


def contrast(picture: np.ndarray) -> float:
    return float(picture.astype(np.float64).std())


def test_with_nothing_damaged_pictures_stay_or_are_mirrored() -> None:
    pictures = crops()
    changed = CameraAugmentation(Camera(undamaged=1))(pictures, 1, torch.Generator().manual_seed(0))
    same = [torch.equal(one, other) for one, other in zip(changed, pictures, strict=True)]
    mirrored = [torch.equal(one, other.flip(2)) for one, other in zip(changed, pictures, strict=True)]
    assert all(a or b for a, b in zip(same, mirrored, strict=True))
    assert 0 < sum(same) < len(same)


def test_draws_are_the_generators_alone() -> None:
    augment = CameraAugmentation()
    one, two, other = (augment(crops(), 1, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(augment.damaged(crops(), 3), augment.damaged(crops(), 3))


def test_the_share_that_stays_undamaged() -> None:
    pictures = crops(200, 24)
    changed = CameraAugmentation(mirror=False)(pictures, 1, torch.Generator().manual_seed(0))
    kept = sum(torch.equal(one, other) for one, other in zip(changed, pictures, strict=True))
    assert 0.2 < kept / 200 < 0.4  # 0.3, ± 3 σ


def test_a_gentle_camera_changes_little_and_a_small_one_takes_detail_away() -> None:
    draws = np.random.default_rng(0)
    gentle = damage(stripes(), GENTLE, draws)
    assert np.abs(gentle.astype(int) - stripes()).mean() < 20  # edges of three pixels, by bicubic twice
    small = damage(stripes(), replace(GENTLE, detail=(0.1, 0.1)), draws)  # a pixel covers three stripes
    assert contrast(small) < 0.4 * contrast(gentle)


def test_blur_noise_grey_and_jpeg_do_what_they_say() -> None:
    flat = np.full((64, 64, 3), (200, 100, 50), np.uint8)

    def spread_of(camera: Camera) -> float:
        return max(contrast(damage(flat, camera, np.random.default_rng(seed))[..., 0]) for seed in range(6))

    assert spread_of(GENTLE) < 1
    assert spread_of(replace(GENTLE, noise=30)) > 3
    grey = damage(flat, replace(GENTLE, grey=1), np.random.default_rng(0))
    assert np.ptp(grey.reshape(-1, 3).mean(axis=0)) < 1
    blurred = [damage(stripes(), replace(GENTLE, blur=6), np.random.default_rng(seed)) for seed in range(6)]
    assert min(contrast(picture) for picture in blurred) < 0.7 * contrast(stripes())
    coarse = crops(1)[0].permute(1, 2, 0).numpy()

    def error_of(camera: Camera) -> float:
        return float(np.abs(damage(coarse, camera, np.random.default_rng(0)).astype(int) - coarse).mean())

    assert error_of(replace(GENTLE, quality=(3, 3))) > 2 * error_of(GENTLE)


def test_it_is_turned_about_its_middle() -> None:
    dot = np.full((65, 65, 3), 30, np.uint8)
    dot[30:35, 30:35] = 250
    turned = [damage(dot, replace(GENTLE, degrees=40), np.random.default_rng(seed)) for seed in range(4)]
    for picture in turned:
        rows, columns = np.nonzero(picture[..., 0] > 140)
        assert abs(rows.mean() - 32) < 1.5
        assert abs(columns.mean() - 32) < 1.5


def test_floats_are_refused() -> None:
    with pytest.raises(SettingError, match="bytes"):
        CameraAugmentation()(torch.zeros(1, 3, 8, 8), 1, torch.Generator())


@pytest.mark.parametrize(
    "wrong", [{"undamaged": 1.2}, {"detail": (0.0, 1.0)}, {"quality": (0, 50)}, {"noise": -1.0}, {"grey": float("nan")}]
)
def test_a_camera_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        Camera(**wrong)
