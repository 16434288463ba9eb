"""Name plates on group pictures: each at its face, none over another."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageFont

from sameface.imaging.lettering import lettering
from sameface.imaging.placing import crowded, place_plates, shared
from sameface.types import Box


def covered(plates: list[Box], size_wh: tuple[int, int]) -> np.ndarray:
    """How many plates lie over each pixel, by filling them in."""
    canvas = np.zeros(size_wh[::-1], int)
    for plate in plates:
        canvas[round(plate.y1) : round(plate.y2), round(plate.x1) : round(plate.x2)] += 1
    return canvas


@pytest.mark.parametrize("seed", range(5))
def test_in_rows_of_people_no_plate_lies_over_another_or_a_face_of_others(seed: int) -> None:
    random = np.random.default_rng(seed)
    boxes = [
        Box(x + dx, y + dy, x + dx + 60, y + dy + 75)
        for y in (20, 200, 380)
        for x in range(10, 560, 110)
        for dx, dy in [random.uniform(0, 15, 2).tolist()]
    ]
    sizes = [(float(width), 22.0) for width in random.uniform(40, 105, len(boxes))]  # names are wider than faces
    plates = place_plates(boxes, sizes, (600, 500), gap=3)
    np.testing.assert_allclose([(plate.width, plate.height) for plate in plates], sizes)
    assert covered(plates, (600, 500)).max() == 1
    for number, plate in enumerate(plates):
        assert plate.x1 >= 0
        assert plate.x2 <= 600.001
        assert plate.y2 <= 500.001
        assert all(shared(plate, box) == 0 for n, box in enumerate(boxes) if n != number)
    assert not crowded(plates, boxes)


def test_neighbours_whose_names_are_wide_go_out_of_each_others_way() -> None:
    faces = [Box(0, 50, 40, 90), Box(50, 50, 90, 90), Box(100, 50, 140, 90)]
    plates = place_plates(faces, [(80, 12)] * 3, (140, 160), gap=2)
    assert covered(plates, (140, 160)).max() == 1
    assert crowded([Box(0, 92, 80, 104), Box(30, 92, 110, 104)], faces)  # where they would all lie below


def test_a_plate_that_fits_nowhere_stays_in_the_picture() -> None:
    (plate,) = place_plates([Box(0, 0, 50, 50)], [(70, 12)], (50, 50), gap=2)
    assert plate.x1 == 0
    assert plate.y2 <= 50


def test_one_typeface_a_picture() -> None:
    pytest.importorskip("matplotlib")  # whose font has accents, wherever this runs
    among = ("Grace Hopper", "Hugo Chávez")
    faces = {lettering(name, 20, among=among)[0].getname() for name in among}  # type: ignore[union-attr]
    assert len(faces) == 1
    assert lettering("Grace Hopper", 20)[0].getname() == ImageFont.load_default(20).getname()  # type: ignore[union-attr]
    # names that no single font has are still written, each in its own
    assert lettering("Grace Hopper", 20, among=("Grace Hopper", "\U0001d7ff\ue000"))[1] == "Grace Hopper"
