from __future__ import annotations

import numpy as np

from sameface.encoders.crops import scale_crops


def test_the_right_size_passes_untouched() -> None:
    crops = np.zeros((2, 10, 12, 3), np.uint8)
    assert scale_crops(crops, (12, 10)) is crops


def test_one_colour_stays_that_colour() -> None:
    crops = np.full((1, 96, 96, 3), (10, 200, 30), np.uint8)
    for size in ((150, 150), (160, 112), (1, 1)):
        scaled = scale_crops(crops, size)
        assert scaled.shape == (1, size[1], size[0], 3)
        assert (scaled == (10, 200, 30)).all()


def test_fine_stripes_become_grey_when_shrunk() -> None:
    """A picker of single pixels would return black or white; an honest average returns grey."""
    crops = np.zeros((1, 300, 300, 3), np.uint8)
    crops[:, :, ::2] = 255
    inner = scale_crops(crops, (75, 75))[0, 10:-10, 10:-10].astype(int)
    assert np.abs(inner - 127.5).max() < 12


def test_width_and_height_are_not_swapped() -> None:
    crops = np.zeros((1, 20, 40, 3), np.uint8)
    crops[0, :, 20:] = 255  # right half white
    scaled = scale_crops(crops, (20, 40))
    assert scaled.shape == (1, 40, 20, 3)
    assert scaled[0, :, :8].max() < 20
    assert scaled[0, :, 12:].min() > 235
