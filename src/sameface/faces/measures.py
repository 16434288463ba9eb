"""What a crop looks like, in a few numbers: sharpness at three sizes, light, tones, symmetry, contrast of its parts.

They say nothing about who it is. Together with the encoder's own view they tell how far a face lies from those that a threshold was measured on.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.types import CropsRGB, ImageRGB

Floats = npt.NDArray[np.float32]

#: What `crop_measures` gives, in its order.
MEASURES: Final = (
    "detail of 1 pixel",
    "detail of 2 pixels",
    "detail of 4 pixels",
    "detail across over detail along",
    "contrast",
    "brightness",
    "symmetry",
    "black share",
    "white share",
    "grey levels",
    *(f"contrast at {row}, {column}" for row in range(4) for column in range(4)),
)
_GREY: Final = np.array([0.299, 0.587, 0.114], np.float32)
_RIM: Final = 1 / 14  # of the side; alignment may leave black there


#: Of the mean of the three colours: a face with so much more blue than red is one whose colours stand in OpenCV's order. Of 2,500 faces of
#: LFW none has, and 99.4 % have when their colours are turned round (docs/benchmarks.md, "Colours turned round").
_BLUER: Final = 0.05


def seems_bgr(crop_rgb: ImageRGB) -> bool:
    """Whether a face's colours seem to stand in the order blue, green, red: skin of every tone sends back more red than blue.

    Args:
        crop_rgb: ``(h, w, 3)`` uint8 RGB, a face cut out; its middle is looked at.

    >>> skin = np.full((8, 8, 3), (190, 140, 110), np.uint8)
    >>> seems_bgr(skin), seems_bgr(skin[..., ::-1]), seems_bgr(np.full((8, 8, 3), 128, np.uint8))
    (False, True, False)
    """
    height, width = crop_rgb.shape[:2]
    middle = crop_rgb[height // 4 : height - height // 4, width // 4 : width - width // 4]
    red, green, blue = middle.reshape(-1, 3).mean(axis=0).tolist()
    return bool(blue - red > _BLUER * (red + green + blue) / 3)


def crop_measures(crops_rgb: CropsRGB) -> Floats:
    """Measure aligned crops.

    Args:
        crops_rgb: ``(m, h, w, 3)`` uint8 RGB, sides of at least 16 pixels.

    Returns:
        ``(m, 26)`` float32, named by `MEASURES`. Details are mean absolute Laplacians over the contrast, as logarithms; contrast and the
        number of grey levels are logarithms too; brightness and the shares lie in 0 to 1; symmetry is the correlation with the mirrored crop.
        Last the contrasts of 4 × 4 parts, row by row, over that of the whole, as logarithms: what covers a part has none of its own.

    >>> flat = np.full((1, 112, 112, 3), 128, np.uint8)
    >>> crop_measures(flat)[0, 4:8].round(2).tolist()
    [0.0, 0.5, 0.0, 0.0]
    """
    measured = np.empty((len(crops_rgb), len(MEASURES)), np.float32)
    for row, crop in zip(measured, crops_rgb, strict=True):
        row[:] = _measure(crop.astype(np.float32) @ _GREY)
    return measured


def _measure(grey: Floats) -> tuple[float, ...]:
    spread = max(1.0, float(grey.std()))
    half = _halved(grey)
    across = float(np.abs(np.diff(grey, axis=1)).mean()) / spread
    along = float(np.abs(np.diff(grey, axis=0)).mean()) / spread
    centred = grey - grey.mean()
    energy = float((centred * centred).sum())
    symmetry = float((centred * centred[:, ::-1]).sum()) / energy if energy > 0 else 0.0
    return (
        *(float(np.log(_detail(level) / spread + 0.01)) for level in (grey, half, _halved(half))),
        float(np.log((across + 0.005) / (along + 0.005))),
        float(np.log(spread)),
        float(grey.mean()) / 255,
        symmetry,
        float((grey < 8).mean()),
        float((grey > 247).mean()),
        float(np.log(np.count_nonzero(np.bincount(grey.astype(np.uint8).ravel())))),
        *_parts(grey, spread),
    )


def _parts(grey: Floats, spread: float) -> list[float]:
    height, width = (side // 4 for side in grey.shape)
    parts = grey[: 4 * height, : 4 * width].reshape(4, height, 4, width)
    contrasts: list[float] = np.log((parts.std(axis=(1, 3)) + 1) / spread).ravel().tolist()
    return contrasts


def _halved(grey: Floats) -> Floats:
    rows, columns = (side // 2 * 2 for side in grey.shape)
    whole = grey[:rows, :columns]
    quarters = whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]
    return np.asarray(quarters / 4, np.float32)


def _detail(grey: Floats) -> float:
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    rim = int(grey.shape[0] * _RIM)
    inner = (around - 4 * grey[1:-1, 1:-1])[rim : grey.shape[0] - rim, rim : grey.shape[1] - rim]
    return float(np.abs(inner).mean()) if inner.size else 0.0
