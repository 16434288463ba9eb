"""Small faces in large photos: tiles that leave no face between them, and each face once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sameface.faces import FaceFinder, load_aligner, load_detector
from sameface.faces.detector_spec import ScrfdSettings, YunetSettings
from sameface.faces.tiles import SEEN, sides_of, smallest_in, tiles_of
from sameface.types import ImageRGB

SIDE = 640


@given(st.integers(1, 5000), st.integers(1, 5000), st.data())
def test_every_face_that_the_scale_before_misses_lies_whole_in_a_tile(
    width: int, height: int, data: st.DataObject
) -> None:
    face = 4 * SEEN
    x = data.draw(st.integers(0, max(0, width - face)))
    y = data.draw(st.integers(0, max(0, height - face)))
    tiles = list(tiles_of(width, height, SIDE))
    assert any(
        tile.left <= x and tile.top <= y and min(width, x + face) <= tile.right and min(height, y + face) <= tile.bottom
        for tile in tiles
    )
    for tile in tiles:
        assert 0 <= tile.left < tile.right <= width
        assert 0 <= tile.top < tile.bottom <= height
        assert tile.right - tile.left <= SIDE
        assert tile.bottom - tile.top <= SIDE
        assert tile.inner == (tile.left > 0, tile.top > 0, tile.right < width, tile.bottom < height)


def test_a_copy_as_large_as_a_tile_is_one_tile() -> None:
    assert len(list(tiles_of(640, 640, 640))) == 1
    assert len(list(tiles_of(641, 640, 640))) == 2


def test_scales_go_from_the_whole_to_the_smallest_face_in_steps() -> None:
    settings = YunetSettings(smallest_face=24)
    assert sides_of(settings, 640, 480) == []
    assert sides_of(settings, 1000, 480) == [1000]
    assert sides_of(settings, 30_000, 480) == [2560, 10_240, 30_000]
    assert sides_of(YunetSettings(), 30_000, 480) == []
    # 10 pixels are asked for, and 24 are what can be seen.
    assert sides_of(YunetSettings(smallest_face=10), 1000, 480) == [1000]


@pytest.mark.parametrize(
    ("settings", "size_wh", "smallest"),
    [
        (YunetSettings(), (640, 480), 24),
        (YunetSettings(), (100, 100), 24),
        (YunetSettings(), (3000, 4000), 150),
        (YunetSettings(longest_side=1280), (3000, 4000), 75),
        (ScrfdSettings(smallest_face=80), (8000, 1000), 80),
        (ScrfdSettings(smallest_face=80), (640, 480), 24),
    ],
)
def test_the_smallest_face_is_said(settings: YunetSettings, size_wh: tuple[int, int], smallest: float) -> None:
    assert smallest_in(settings, *size_wh) == smallest


@pytest.fixture(scope="module")
def panorama(portraits: dict[str, ImageRGB]) -> tuple[ImageRGB, list[tuple[float, float]]]:
    """Eighteen faces of 78 pixels among 8,000 × 2,000, and where their middles are."""
    rng, detector = np.random.default_rng(1), load_detector("yunet")
    canvas, middles = Image.new("RGB", (8000, 2000), (110, 120, 100)), []
    for place, image in enumerate([*portraits.values()] * 3):
        box = max((face.box for face in detector.detect(image)), key=lambda box: box.area)
        scale = 78 / box.height
        small = Image.fromarray(image).resize(
            (round(image.shape[1] * scale), round(image.shape[0] * scale)), Image.Resampling.LANCZOS
        )
        x, y = int(300 + place * 420 + rng.integers(0, 60)), int(rng.integers(50, 1500))
        canvas.paste(small, (x, y))
        middles.append((x + box.center_xy[0] * scale, y + box.center_xy[1] * scale))
    return np.asarray(canvas), middles


@pytest.mark.parametrize("name", ["yunet", "mtcnn"])
def test_a_panorama(panorama: tuple[ImageRGB, list[tuple[float, float]]], name: str) -> None:
    image, middles = panorama
    assert load_detector(name).detect(image) == []  # the control
    detector = load_detector(f"{name}/min78" + ("/side0" if name == "mtcnn" else ""))
    assert detector.smallest_in(8000, 2000) == 78
    found = detector.detect(image)
    assert len(found) == len(middles)  # each once
    for x, y in middles:
        [face] = [one for one in found if one.box.x1 < x < one.box.x2 and one.box.y1 < y < one.box.y2]
        assert 55 < face.box.height < 100
    scores = [face.confidence for face in found]
    assert scores == sorted(scores, reverse=True)


def test_large_faces_are_found_once_with_tiles_too(portraits: dict[str, ImageRGB]) -> None:
    plain, tiled = load_detector("yunet"), load_detector("yunet/min24")
    large = np.asarray(Image.fromarray(portraits["obama3.jpg"]).resize((1434, 2333)))
    [wanted], [face] = plain.detect(large), tiled.detect(large)
    assert face.box.xyxy == pytest.approx(wanted.box.xyxy, abs=0.15 * wanted.box.height)


def test_a_panorama_through_the_finder(panorama: tuple[ImageRGB, list[tuple[float, float]]]) -> None:
    image, middles = panorama
    finder = FaceFinder(load_detector("yunet/min78"), load_aligner("arcface5", "arcface-112", 112))
    faces = finder.faces(image[:, :3000])
    assert len(faces) == sum(x < 3000 for x, _ in middles)
    assert all(face.crop_rgb.shape == (112, 112, 3) for face in faces)
