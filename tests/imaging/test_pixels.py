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


@pytest.mark.parametrize(("bits", "mode"), [(8, "I"), (8, "I;16"), (10, "I;16"), (12, "I;16"), (14, "I;16"), (16, "I")])
def test_the_bits_in_use_are_the_range(bits: int, mode: str) -> None:
    """Cameras keep 12 bits in 16, programs keep 8 in 32: each is as bright as the same picture in 8 bits."""
    eight = np.random.default_rng(4).integers(0, 256, (9, 11))
    eight[0, 0] = 255
    kept = np.rint(eight * (2**bits - 1) / 255)
    image = Image.fromarray(kept.astype(np.uint16 if mode == "I;16" else np.int32))
    assert image.mode == mode
    assert np.array_equal(pixels.picture_to_rgb(image), np.repeat(eight[..., np.newaxis], 3, axis=2))


@pytest.mark.parametrize("strip", [1, 11 * 3])
def test_a_strip_has_the_range_of_the_whole(monkeypatch: pytest.MonkeyPatch, strip: int) -> None:
    kept = np.full((9, 11), 200, np.uint16)
    kept[8, 10] = 4095  # only the last strip shows that there are 12 bits
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", strip)
    assert pixels.picture_to_rgb(Image.fromarray(kept))[0, 0].tolist() == [12, 12, 12]  # 200 · 255 / 4095 = 12.45


@pytest.mark.parametrize("value", [-1, 65536])
def test_more_than_16_bits_have_no_8_bit_meaning(value: int) -> None:
    with pytest.raises(NotAnImageError, match="at most 16 bits"):
        pixels.picture_to_rgb(Image.fromarray(np.full((2, 2), value, np.int32)))
