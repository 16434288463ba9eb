"""Photos without a tag, on their side or on their head: the person that they show, and nobody else."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface import Gallery, Recognizer
from sameface.types import Embeddings
from tests.conftest import needed

CASES = ("Pio_Laghi_upside", "Stella_Keitel_turned", "Stella_McCartney_turned", "Steve_Shiver_upside")


@pytest.fixture(scope="module", params=["yunet", "mtcnn"])
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    return Recognizer(detector=request.param, encoder="dlib-resnet-mirror-unit", operating_point=0.42)


@pytest.fixture(scope="module")
def cases(recognizer: Recognizer, data: Path) -> dict[str, Embeddings]:
    """Embeddings of the turned photos."""
    folder = needed(data / "cases" / "turned", "the turned photos")
    return {name: recognizer.encode_photo(folder / f"{name}.jpg", "centre").embedding for name in CASES}


def test_strangers_are_strangers(cases: dict[str, Embeddings]) -> None:
    """Each of these pairs was once the same person, over 0.9999."""
    for first, second in combinations(cases.values(), 2):
        assert np.linalg.norm(first - second) > 0.5


def test_each_is_who_they_are_upright(recognizer: Recognizer, cases: dict[str, Embeddings], data: Path) -> None:
    for name, turned in cases.items():
        person = name.rsplit("_", 1)[0]
        upright = needed(data / "lfw" / "images" / person / f"{person}_0001.jpg", "LFW")
        apart = np.linalg.norm(turned - recognizer.encode_photo(upright, "centre").embedding)
        assert apart < 0.2  # written as JPEG once more, hence not 0


def test_enrolled_upright_and_found_lying(recognizer: Recognizer, photos: Path, tmp_path: Path) -> None:
    with Image.open(photos / "obama.jpg") as picture:
        lying = np.asarray(picture.convert("RGB").transpose(Image.Transpose.ROTATE_270))
    with Gallery(tmp_path / "people.db", recognizer=recognizer) as people:
        people.enroll("Barack Obama", photos / "obama2.jpg")
        people.enroll("Joe Biden", photos / "biden.jpg")
        [answer] = people.identify(lying)
    assert answer.name == "Barack Obama"
    # 910 × 1137 turned clockwise: as wide as the upright photo is high, and the face lies within.
    assert answer.box is not None
    assert 0 < answer.box.x1 < answer.box.x2 < 1137
    assert 0 < answer.box.y1 < answer.box.y2 < 910


def test_one_may_do_without(photos: Path) -> None:
    flat = Recognizer(detector="yunet", encoder="pixels", operating_point=0.3, upright=False)
    with Image.open(photos / "obama2.jpg") as picture:
        upside = np.asarray(picture.convert("RGB").transpose(Image.Transpose.ROTATE_180))
    assert {face.turns for face in flat.detect(upside)} <= {0}
