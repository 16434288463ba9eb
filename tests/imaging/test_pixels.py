"""Pictures are converted in strips; what comes out is the same as of the whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sameface.errors import NotAnImageError
from sameface.imaging import pixels


def picture(mode: str) -> Image.Image:
    draw = np.random.default_rng(5)
    if mode == "I;16":
        return Image.fromarray(draw.integers(0, 65536, (23, 17), dtype=np.uint16))
    if mode == "I":
        return Image.fromarray(draw.integers(0, 65536, (23, 17), dtype=np.int32))
    rgba = Image.fromarray(draw.integers(0, 256, (23, 17, 4), dtype=np.uint8), "RGBA")
    if mode == "P with transparency":
        buffer = io.BytesIO()
        rgba.convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE).save(buffer, "PNG", transparency=3)
        return Image.open(buffer)
    if mode in ("RGBA", "RGBa"):
        return rgba.convert(mode)
    return rgba.convert("LA").convert("PA") if mode == "PA" else rgba.convert("RGB").convert(mode)


MODES = [
    "RGB",
    "L",
    "LA",
    "1",
    "P",
    "P with transparency",
    "CMYK",
    "YCbCr",
    "HSV",
    "RGBX",
    "I;16",
    "I",
    "RGBA",
    "RGBa",
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("strip", [1, 17 * 4, 17 * 23])
def test_strips_give_what_the_whole_gives(monkeypatch, mode, strip):
    whole = pixels.picture_to_rgb(picture(mode))  # far under one strip
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", strip)
    assert np.array_equal(pixels.picture_to_rgb(picture(mode)), whole)
    assert whole.shape == (23, 17, 3)


@pytest.mark.parametrize("mode", ["F", "LAB"])
def test_what_has_no_8_bit_meaning(monkeypatch, mode):
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 17)
    with pytest.raises(NotAnImageError):
        pixels.picture_to_rgb(Image.new(mode, (17, 23)))
