"""A photo of which only parts are asked for: the same pixels as of the whole array, in every orientation, of every kind."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from sameface.errors import DamagedImageError, ImageTooLargeError
from sameface.imaging import Limits, Photo, load_image, open_photo
from sameface.imaging.photo import shrunk
from sameface.types import Box

WIDTH, HEIGHT = 300, 200
PIXELS = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def saved(kind: str, pixels: np.ndarray = PIXELS, orientation: int = 1, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, exif=exif, **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_size_parts_and_small_copies_are_upright(kind: str, orientation: int) -> None:
    data = saved(kind, orientation=orientation)
    whole = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    photo = open_photo(data)
    height, width = whole.shape[:2]
    assert photo.size_wh == (width, height)
    for box in (
        Box(70.5, 20.2, 150, 161.3),
        Box(-20, -10, 64, 64),
        Box(130, 130, 900, 900),
        Box(0, 0, width, height),
    ):
        part, (left, top) = photo.part(box)
        assert (left % 64, top % 64) == (0, 0)
        assert left <= max(box.x1, 0)
        assert top <= max(box.y1, 0)
        right, bottom = min(width, int(np.ceil(box.x2))), min(height, int(np.ceil(box.y2)))
        assert np.array_equal(part, whole[top:bottom, left:right])
    small = photo.at_most(90)
    assert max(small.shape[:2]) == 90
    theirs = Image.fromarray(whole).resize(
        (small.shape[1], small.shape[0]), Image.Resampling.BILINEAR, reducing_gap=1.5
    )
    assert np.abs(small.astype(int) - np.asarray(theirs)).max() <= 2  # rows first or columns first: rounding
    assert "image_rgb" not in photo.__dict__  # nobody asked for the whole
    assert np.array_equal(photo.image_rgb, whole)
    again, _ = photo.part(Box(70.5, 20.2, 150, 161.3))
    assert np.array_equal(again, whole[0:162, 64:150])


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("orientation", [1, 6])
def test_parts_of_the_photo_turned_are_parts_of_the_turned_photo(turns: int, orientation: int) -> None:
    data = saved("PNG", orientation=orientation)
    whole = np.rot90(np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))), turns)
    height, width = whole.shape[:2]
    for box in (Box(70.5, 20.2, 150, 161.3), Box(-20, -10, 64, 64), Box(130, 130, 900, 900), None):
        part, (left, top) = open_photo(data).part(box, turns=turns)
        right, bottom = (width, height) if box is None else (min(width, np.ceil(box.x2)), min(height, np.ceil(box.y2)))
        assert (left, top) == ((0, 0) if box is None else (64 * (max(box.x1, 0) // 64), 64 * (max(box.y1, 0) // 64)))
        assert np.array_equal(part, whole[int(top) : int(bottom), int(left) : int(right)])


def test_a_box_beside_the_photo_gives_nothing() -> None:
    for box in (Box(400, 20, 500, 90), Box(-90, -90, -10, -10), Box(20, 500, 30, 600)):
        for source in (saved("PNG"), PIXELS):
            assert open_photo(source).part(box)[0].size == 0


def test_colours_that_must_be_converted_come_from_the_converted_whole() -> None:
    grey = io.BytesIO()
    Image.fromarray(PIXELS[..., 0]).save(grey, "PNG")
    photo = open_photo(grey.getvalue())
    assert photo.size_wh == (WIDTH, HEIGHT)
    part, (left, top) = photo.part(Box(100, 100, 130, 140))
    assert np.array_equal(part, PIXELS[top:140, left:130, :1].repeat(3, axis=2))
    assert photo.at_most(100).shape == (67, 100, 3)


def test_a_photo_no_larger_than_asked_is_the_photo() -> None:
    photo = open_photo(PIXELS)
    assert photo.at_most(300) is photo.image_rgb is PIXELS
    assert shrunk(PIXELS, 300) is PIXELS
    assert open_photo(photo) is photo


def test_nothing_is_decoded_before_it_is_asked_for() -> None:
    data = saved("JPEG")
    cut = open_photo(data[: len(data) // 2], limits=Limits())
    assert cut.source == ""
    for ask in (
        lambda: cut.size_wh,
        lambda: cut.image_rgb,
        lambda: cut.at_most(50),
        lambda: cut.part(Box(0, 0, 9, 9)),
    ):
        with pytest.raises(DamagedImageError):
            ask()
    with pytest.raises(ImageTooLargeError):
        open_photo(data, limits=Limits(max_pixels=1000))


def test_a_pillow_image_stays_as_it_is() -> None:
    image = Image.fromarray(PIXELS)
    photo = open_photo(image)
    photo.at_most(50)
    part, corner = photo.part(Box(64, 64, 90, 90))
    part[:] = 0
    assert corner == (64, 64)
    assert np.array_equal(np.asarray(image), PIXELS)
    assert np.array_equal(load_image(image), PIXELS)
    assert photo.sha256 == ""


def test_the_class_takes_arrays_as_they_are() -> None:
    assert Photo(PIXELS).image_rgb is PIXELS
