"""From photos to embeddings to a decision, against the parts called one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sameface
from sameface import OperatingPoint, Recognizer
from sameface.errors import (
    CalibrationError,
    ImageNotFoundError,
    NoFaceError,
    NotAnImageError,
    SamefaceError,
    SettingError,
    SeveralFacesError,
)
from sameface.faces.choose import in_reading_order
from sameface.types import EmbeddingSpace

WALL = np.full((200, 200, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


@pytest.fixture(scope="module")
def pair(photos: Path) -> np.ndarray:
    """Two people side by side, the second one larger."""
    with Image.open(photos / "obama.jpg") as a, Image.open(photos / "astronaut.png") as b:
        left, right = a.convert("RGB").resize((400, 500)), b.convert("RGB").resize((800, 800))
    picture = Image.new("RGB", (1200, 800))
    picture.paste(left, (0, 0))
    picture.paste(right, (400, 0))
    return np.asarray(picture)


def test_two_photos_are_their_embeddings_distance(recognizer: Recognizer, photos: Path) -> None:
    answer = recognizer.verify(photos / "obama.jpg", photos / "obama2.jpg")
    a, b = (recognizer.encode_photo(photos / name).embedding for name in ("obama.jpg", "obama2.jpg"))
    assert answer.distance == pytest.approx(float(np.sqrt(((a.astype(float) - b) ** 2).sum())), abs=1e-6)
    assert answer.same is (answer.distance < answer.threshold)
    assert bool(answer) is answer.same
    assert answer.threshold == recognizer.operating_point.threshold
    other = recognizer.verify(photos / "obama2.jpg", photos / "obama.jpg")
    assert other.distance == pytest.approx(answer.distance, abs=1e-6)  # who is asked about changes nothing
    assert other.probe_box == answer.reference_box


def test_the_shortcut_is_the_default_recognizer(recognizer: Recognizer, photos: Path) -> None:
    a, b = photos / "obama.jpg", photos / "biden.jpg"
    assert sameface.verify(a, b).distance == pytest.approx(recognizer.verify(a, b).distance, abs=1e-6)


@pytest.mark.parametrize(
    ("broken", "kind"),
    [(WALL, NoFaceError), (b"hello", NotAnImageError), ("nowhere.jpg", ImageNotFoundError)],
    ids=["wall", "bytes", "path"],
)
def test_errors_say_which_photo(recognizer: Recognizer, photos: Path, broken: object, kind: type[Exception]) -> None:
    good = photos / "obama.jpg"
    with pytest.raises(kind, match=r"\(the first photo\)"):
        recognizer.verify(broken, good)  # type: ignore[arg-type]
    with pytest.raises(kind, match=r"\(the second photo\)"):
        recognizer.verify(good, broken)  # type: ignore[arg-type]


def test_every_face_in_reading_order(recognizer: Recognizer, pair: np.ndarray) -> None:
    faces = recognizer.encode_faces(pair)
    seen = in_reading_order(recognizer.detector.detect(pair))
    assert len(faces) == len(seen)
    for face, item in zip(faces, seen, strict=True):
        assert face.box.xyxy == pytest.approx(item.box.xyxy, abs=0.01)
    assert len(faces) == 2
    assert faces[0].box.x2 < 400 < faces[1].box.x2
    assert recognizer.encode_faces(WALL) == []


def test_one_of_several_faces(recognizer: Recognizer, pair: np.ndarray) -> None:
    left, right = recognizer.encode_faces(pair)
    largest = recognizer.encode_photo(pair, "largest")
    assert largest.box == max((left.box, right.box), key=lambda box: box.area)
    middle = (pair.shape[1] / 2, pair.shape[0] / 2)

    def off(box: sameface.Box) -> float:
        return float(np.hypot(box.center_xy[0] - middle[0], box.center_xy[1] - middle[1]))

    assert recognizer.encode_photo(pair, "centre").box == min((left.box, right.box), key=off)
    with pytest.raises(SeveralFacesError, match="2 in"):
        recognizer.encode_photo(pair)


@pytest.mark.parametrize("word", ["Largest", "center", "first", "", None, 0])
def test_unknown_words_are_no_default(recognizer: Recognizer, photos: Path, word: object) -> None:
    photo = photos / "obama.jpg"
    asks: list[Callable[[], object]] = [
        lambda: recognizer.encode_photo(photo, word),  # type: ignore[arg-type]
        lambda: recognizer.verify(photo, photo, word),  # type: ignore[arg-type]
        lambda: list(recognizer.encode_photos([photo], word)),  # type: ignore[arg-type]
        lambda: sameface.verify(photo, photo, word),  # type: ignore[arg-type]
    ]
    for ask in asks:
        with pytest.raises(SettingError, match="largest"):
            ask()


def test_many_photos_are_one_after_another(recognizer: Recognizer, photos: Path, tmp_path: Path) -> None:
    """More than a batch, with failures between, in order; the same numbers as one by one."""
    good = [tmp_path / name for name in ("obama.jpg", "astronaut.png", "biden.jpg")]
    for place in good:
        with Image.open(photos / place.name) as picture:
            picture.thumbnail((300, 300))
            picture.save(place)
    (tmp_path / "text.jpg").write_text("no photo")
    asked: list[object] = [*good, WALL, *good * 11, tmp_path / "text.jpg", tmp_path / "gone.jpg", good[0]]
    answers = list(recognizer.encode_photos(asked))  # type: ignore[arg-type]
    assert len(answers) == len(asked) == 40
    single = {path: recognizer.encode_photo(path, "centre").embedding for path in good}
    for source, answer in zip(asked, answers, strict=True):
        if isinstance(source, Path) and source in single:
            assert not isinstance(answer, SamefaceError)
            assert answer.embedding == pytest.approx(single[source], abs=1e-5)
        else:
            assert isinstance(answer, (NoFaceError, NotAnImageError, ImageNotFoundError))


@pytest.mark.parametrize("tau", [-1, float("nan"), float("inf"), 2.01, "0.4"])
def test_thresholds_that_cannot_be_meant_are_said_at_once(tau: object) -> None:
    with pytest.raises(SettingError):
        Recognizer(operating_point=tau)  # type: ignore[arg-type]


def test_operating_points_that_cannot_be_meant(recognizer: Recognizer) -> None:
    for tau in (-1.0, 5.0, float("nan")):
        with pytest.raises(CalibrationError):
            Recognizer(operating_point=OperatingPoint(tau, recognizer.space, "FMR 0.001"))
    with pytest.raises(CalibrationError, match="other"):
        Recognizer(operating_point=OperatingPoint(0.4, EmbeddingSpace("other", "d", "a"), "FMR 0.001"))


def test_raw_embeddings_may_lie_further_apart() -> None:
    """dlib's own are not scaled to length 1."""
    assert Recognizer(encoder="dlib-resnet", operating_point=2.5).operating_point.threshold == 2.5
