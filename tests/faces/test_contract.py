"""What every detector must do, whatever it is made of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sameface.defaults import DEFAULT_DETECTOR
from sameface.errors import DeviceUnavailableError, ModelMissingError, UnknownModelError
from sameface.faces import DETECTORS, Detector, load_detector
from sameface.types import Detection, ImageRGB
from tests.left_out import lacking

#: By hand: a point on the nose of each shipped portrait, and about the distance between the eyes.
NOSES = {
    "astronaut.png": ((222, 130), 50),
    "obama.jpg": ((478, 290), 120),
    "grace_hopper.jpg": ((267, 240), 70),
}


@pytest.fixture(scope="module", params=DETECTORS)
def detector(request: pytest.FixtureRequest) -> Detector:
    try:
        return load_detector(request.param, threads=2)
    except ModelMissingError:
        lacking("the research data", "set SAMEFACE_DATA to the folder of research data")


def numbers(found: list[Detection]) -> list[tuple[float, ...]]:
    return [
        (
            *face.box.xyxy,
            face.confidence,
            *(() if face.landmarks is None else face.landmarks.points_xy.ravel().tolist()),
        )
        for face in found
    ]


def test_faces_where_they_are(detector: Detector, portraits: dict[str, ImageRGB]) -> None:
    for name, ((x, y), eyes) in NOSES.items():
        found = detector.detect(portraits[name])
        assert found, name
        face = found[0]
        assert face.box.x1 < x < face.box.x2
        assert face.box.y1 < y < face.box.y2
        assert face.landmarks is not None
        if face.landmarks.scheme == "none":
            continue
        assert face.landmarks.scheme == "arcface5"
        assert face.landmarks.points_xy.dtype == np.float32
        left, right, nose, mouth_left, mouth_right = face.landmarks.points_xy
        assert np.linalg.norm(nose - (x, y)) < 0.6 * eyes
        assert 0.6 < np.linalg.norm(right - left) / eyes < 1.6
        assert left[0] < right[0]
        assert mouth_left[0] < mouth_right[0]
        assert left[1] < nose[1] < mouth_left[1]


def test_order_and_ranges(detector: Detector, portraits: dict[str, ImageRGB]) -> None:
    two = np.concatenate([portraits["astronaut.png"], portraits["grace_hopper.jpg"][:512]], axis=1)
    found = detector.detect(two)
    assert len(found) == (1 if detector.id == "none" else 2)
    scores = [face.confidence for face in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    for face in found:
        assert all(np.isfinite(face.box.xyxy))
        assert face.box.width > 0
        assert face.box.height > 0
        assert all(isinstance(edge, (int, float)) and not isinstance(edge, np.generic) for edge in face.box.xyxy)


def test_mirrored_photo_mirrored_box(detector: Detector, portraits: dict[str, ImageRGB]) -> None:
    image = portraits["astronaut.png"]
    (plain,), (mirrored,) = detector.detect(image), detector.detect(np.ascontiguousarray(image[:, ::-1]))
    assert mirrored.box.x1 == pytest.approx(512 - plain.box.x2, abs=25)
    assert mirrored.box.y1 == pytest.approx(plain.box.y1, abs=25)


@pytest.mark.parametrize(
    "shape", [(0, 0), (0, 10), (1, 1), (1, 300), (300, 1), (5, 7), (11, 11), (12, 12), (13, 40), (200, 200)]
)
def test_pictures_without_a_face(detector: Detector, shape: tuple[int, int]) -> None:
    found = detector.detect(np.full((*shape, 3), 128, np.uint8))
    assert len(found) == (1 if detector.id == "none" and min(shape) else 0)


def test_noise_black_and_white_do_not_fail(detector: Detector) -> None:
    rng = np.random.default_rng(0)
    for image in (rng.integers(0, 256, (150, 190, 3), dtype=np.uint8), np.zeros((90, 50, 3), np.uint8)):
        assert isinstance(detector.detect(image), list)


def test_views_and_read_only_arrays(detector: Detector, portraits: dict[str, ImageRGB]) -> None:
    image = portraits["astronaut.png"]
    view = np.repeat(image, 2, axis=1)[:, ::2]
    assert not view.flags.c_contiguous
    locked = image.copy()
    locked.setflags(write=False)
    assert numbers(detector.detect(view)) == numbers(detector.detect(locked)) == numbers(detector.detect(image))


def test_a_huge_photo(detector: Detector, portraits: dict[str, ImageRGB]) -> None:
    image = np.full((3000, 4000, 3), 90, np.uint8)
    image[900:1924, 1500:2524] = portraits["astronaut.png"].repeat(2, axis=0).repeat(2, axis=1)
    found = detector.detect(image)
    assert len(found) == 1
    assert found[0].box.x1 < 1500 + 444 < found[0].box.x2


def test_sixteen_threads_get_their_own_faces(detector: Detector, portraits: dict[str, ImageRGB]) -> None:
    image = portraits["astronaut.png"]
    shifted = [np.roll(image, (0, 7 * step), axis=(0, 1))[: 500 - step] for step in range(8)]
    alone = [numbers(detector.detect(one)) for one in shifted]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda one: numbers(detector.detect(one)), shifted * 2))
    for mine, theirs in zip(alone * 2, together, strict=True):
        assert np.asarray(mine) == pytest.approx(np.asarray(theirs), abs=1e-3)


def test_ids_say_what_moves_a_box(detector: Detector) -> None:
    from sameface.faces.detector_spec import MtcnnSettings
    from sameface.faces.mtcnn import Mtcnn

    assert detector.id
    assert Mtcnn().id == "mtcnn"
    assert Mtcnn(MtcnnSettings(20, (0.6, 0.7, 0.8), 0)).id == "mtcnn/min20/t0.6-0.7-0.8/side0"
    assert [Mtcnn(MtcnnSettings(second_look=look)).id for look in (None, 0.9)] == ["mtcnn/once", "mtcnn/again0.9"]


def test_the_default() -> None:
    assert DEFAULT_DETECTOR == "yunet"
    assert load_detector().id == load_detector("yunet").id


def test_unknown_names_and_devices() -> None:
    with pytest.raises(UnknownModelError, match="retina"):
        load_detector("retina")
    with pytest.raises(DeviceUnavailableError):
        load_detector("mtcnn", device="abacus")
