"""Photos that failed in the field: each stands for a kind, and has the right answer here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface import Gallery, Recognizer
from sameface.errors import NoFaceError, SettingError
from sameface.imaging import load_image
from tests.cli.conftest import Run, run  # noqa: F401  a fixture
from tests.conftest import needed


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


@pytest.fixture
def cases(data: Path) -> Path:
    return needed(data / "cases", "the cases")


@pytest.mark.parametrize("name", ["Abdullah_Gul", "Ai_Sugiyama"])
def test_one_bit_a_pixel_is_no_face_to_the_default(
    recognizer: Recognizer, cases: Path, tmp_path: Path, name: str
) -> None:
    """Two strangers were the same person, and became templates."""
    photo = cases / "poor" / f"{name}_fax.png"
    with pytest.raises(NoFaceError):
        recognizer.encode_photo(photo, "centre")
    with Gallery(tmp_path / "people.db", recognizer=recognizer) as people:
        with pytest.raises(NoFaceError):
            people.enroll("Ada", photo, choose="centre")
        assert people.identify(photo) == []


def test_a_phone_that_lies_on_its_side(recognizer: Recognizer, cases: Path) -> None:
    """Two men were the same, since the photos were read lying."""
    first, second = (cases / "phone" / f"{name}.jpg" for name in ("Phil_Donahue", "Erwin_Mapasseng"))
    with Image.open(first) as picture:
        assert picture.getexif()[274] != 1
        size = picture.size
    assert load_image(first).shape[:2] == size  # (h, w) is (w, h) of the lying picture: it was turned
    answer = recognizer.verify(first, second, "centre")
    assert not answer.same
    assert answer.distance > 1.2


@pytest.mark.parametrize("name", ["grey12in16.png", "int32.tif"])
def test_12_bits_in_16_and_8_in_32_are_as_bright_as_they_were(
    recognizer: Recognizer, cases: Path, photos: Path, name: str
) -> None:
    """No face was found, since the picture was read as nearly black."""
    photo = cases / name
    values = np.asarray(Image.open(photo)).astype(float)
    top = 4095 if name == "grey12in16.png" else 255
    assert np.abs(load_image(photo)[..., 0] - values * 255 / top).max() <= 0.5 + 1e-9
    assert recognizer.verify(photo, photos / "obama.jpg").same


def test_a_lapel_pin_is_no_face(recognizer: Recognizer, cases: Path, photos: Path) -> None:
    """There were two faces, neither located."""
    (face,) = recognizer.detect(cases / "icc.jpg")
    assert face.box.height > 100
    assert recognizer.verify(cases / "icc.jpg", photos / "obama.jpg").same


def test_the_large_face_and_the_one_in_the_middle(recognizer: Recognizer, cases: Path) -> None:
    """`Largest` with a capital was taken for another word, and for the one in the middle."""
    photo = cases / "big_left_small_centre.png"
    large, middle = (recognizer.encode_photo(photo, choice).box for choice in ("largest", "centre"))
    assert large.area > 4 * middle.area
    assert large.center_xy[0] < 700 < large.center_xy[0] + 700
    assert abs(middle.center_xy[0] - 700) < abs(large.center_xy[0] - 700)
    with pytest.raises(SettingError, match="largest"):
        recognizer.encode_photo(photo, "Largest")  # type: ignore[arg-type]


def test_a_photo_that_is_cut_short_costs_no_good_answer(
    run: Run,  # noqa: F811
    cases: Path,
    photos: Path,
    tmp_path: Path,
) -> None:
    gallery = str(tmp_path / "people.db")
    assert run("enroll", "Obama", photos / "obama.jpg", "-g", gallery).code == 0
    done = run("identify", photos / "obama2.jpg", cases / "cut18554.jpg", "-g", gallery, "--json")
    assert done.code != 0
    good, cut = done.json
    assert [face["name"] for face in good["faces"]] == ["Obama"]
    assert cut["error"] is not None
