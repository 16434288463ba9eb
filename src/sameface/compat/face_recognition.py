"""face_recognition 1.3.0's functions on sameface's networks: change one import and keep the rest.

    from sameface.compat import face_recognition

Same names, signatures, defaults, box order (top, right, bottom, left) and return types; encodings live in the same space, so those stored
by face_recognition and those made here compare under the same tolerance 0.6. This module keeps that library's habits where they differ
from the rest of sameface: a photo without a face gives an empty list, and a distance equal to the tolerance counts as the same person.

What differs: photos are turned as their EXIF orientation says. Faces are found by MTCNN, whatever `model` says, because dlib's HOG detector is
compiled into dlib; each gets the box that dlib would most likely give it, and several come in dlib's most likely order. Nothing is loaded or
changed globally on import. Unreadable pictures raise `sameface.errors.ImageError`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from os import PathLike
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from sameface.compat.dlib_chips import chip, jittered, mean_encoding
from sameface.compat.hog_faces import hog_box, in_hog_order
from sameface.encoders import Encoder, load_encoder
from sameface.errors import SettingError
from sameface.faces.detector import Detector
from sameface.faces.shape_predictor import ShapePredictor
from sameface.faces.upright import find_upright
from sameface.imaging import Limits, load_image
from sameface.imaging.formats import open_picture
from sameface.imaging.pixels import orientation_of, upright
from sameface.imaging.sources import label_of, read_bytes
from sameface.types import Box, ImageRGB, Landmarks

__all__ = [
    "CommercialUseWarning",
    "batch_face_locations",
    "compare_faces",
    "face_distance",
    "face_encodings",
    "face_landmarks",
    "face_locations",
    "load_image_file",
]

#: top, right, bottom, left, in pixels.
CssBox = tuple[int, int, int, int]
Encoding = npt.NDArray[np.float64]

#: HOG's window, and what upsampling leaves of it: the smallest face is 80, 40, 20 pixels for 0, 1, 2 times.
_WINDOW: Final = 80
_SMALLEST: Final = 12  # MTCNN's own window
_MOUTH: Final = {
    "top_lip": (*range(48, 55), 64, 63, 62, 61, 60),
    "bottom_lip": (*range(54, 60), 48, 60, 67, 66, 65, 64),
}
_LARGE: Final[dict[str, tuple[int, ...]]] = {
    "chin": tuple(range(17)),
    "left_eyebrow": tuple(range(17, 22)),
    "right_eyebrow": tuple(range(22, 27)),
    "nose_bridge": tuple(range(27, 31)),
    "nose_tip": tuple(range(31, 36)),
    "left_eye": tuple(range(36, 42)),
    "right_eye": tuple(range(42, 48)),
    **_MOUTH,
}
_SMALL: Final[dict[str, tuple[int, ...]]] = {"nose_tip": (4,), "left_eye": (2, 3), "right_eye": (0, 1)}


class CommercialUseWarning(UserWarning):
    """A model whose training data exclude commercial use is in use."""


def load_image_file(file: str | PathLike[str] | IO[bytes], mode: str | None = "RGB") -> npt.NDArray[Any]:
    """Read a picture into an array.

    Unlike face_recognition, the EXIF orientation is applied. There a photo that a phone took upright is read lying, and HOG finds nobody in it;
    here a face would be found, and a wrong one made of it.

    Args:
        file: a path or an open binary file.
        mode: ``RGB`` gives ``(h, w, 3)``, ``L`` (grey) ``(h, w)``, both uint8; None keeps what the file has.

    Raises:
        ImageNotFoundError (a `FileNotFoundError`), ImageError: it cannot be read.
    """
    limits = Limits()
    picture = open_picture(read_bytes(file, limits), label_of(file), limits)
    try:
        picture.load()  # first: Pillow's TIFF reader turns the picture itself while loading, and then drops the tag
        return upright(np.array(picture.convert(mode) if mode else picture), orientation_of(picture))
    except (OSError, SyntaxError, EOFError) as error:
        from sameface.errors import DamagedImageError

        raise DamagedImageError(
            expected="a whole picture", got=f"one that is cut short in {label_of(file)}", advice="save it again"
        ) from error


def face_locations(
    img: npt.NDArray[np.uint8], number_of_times_to_upsample: int = 1, model: str = "hog"
) -> list[CssBox]:
    """Where faces are, in the order dlib would most often give them: large, upright and whole ones first.

    Args:
        img: ``(h, w, 3)`` RGB or ``(h, w)`` grey, uint8.
        number_of_times_to_upsample: 0 looks for faces of 80 pixels and more, 1 of 40, 2 of 20.
        model: ``hog`` or ``cnn``; MTCNN is used for both.

    Returns:
        (top, right, bottom, left) of each face, within the picture.
    """
    image_rgb = load_image(img)
    return [_within(box, image_rgb) for box in _boxes(image_rgb, number_of_times_to_upsample)]


def batch_face_locations(
    images: Iterable[npt.NDArray[np.uint8]], number_of_times_to_upsample: int = 1, batch_size: int = 128
) -> list[list[CssBox]]:
    """`face_locations` of several pictures, which may differ in size; `batch_size` changes nothing here."""
    return [face_locations(image, number_of_times_to_upsample, model="cnn") for image in images]


def face_landmarks(
    face_image: npt.NDArray[np.uint8], face_locations: Sequence[CssBox] | None = None, model: str = "large"
) -> list[dict[str, list[tuple[int, int]]]]:
    """The points of each face, by dlib's predictors.

    Args:
        face_image: ``(h, w, 3)`` RGB or ``(h, w)`` grey, uint8.
        face_locations: boxes that are known already; None looks for them.
        model: ``large``: 68 points, whose training set excludes commercial use (warned of once); ``small``: 5.

    Returns:
        For each face its points (x, y) by feature: ``chin``, ``left_eyebrow``, ``right_eyebrow``, ``nose_bridge``, ``nose_tip``, ``left_eye``,
        ``right_eye``, ``top_lip``, ``bottom_lip``; for ``small`` ``nose_tip``, ``left_eye``, ``right_eye``.

    Raises:
        ValueError: another model.
    """
    if model not in ("large", "small"):
        raise SettingError(
            expected="the landmarks model 'large' or 'small'", got=repr(model), advice="choose one of the two"
        )
    features = _LARGE if model == "large" else _SMALL
    named = []
    for face in _landmarks(load_image(face_image), face_locations, model):
        points = [(int(x), int(y)) for x, y in face.points_xy]
        named.append({feature: [points[index] for index in indices] for feature, indices in features.items()})
    return named


def face_encodings(
    face_image: npt.NDArray[np.uint8],
    known_face_locations: Sequence[CssBox] | None = None,
    num_jitters: int = 1,
    model: str = "small",
) -> list[Encoding]:
    """The 128 numbers of each face, by dlib's ResNet.

    Args:
        face_image: ``(h, w, 3)`` RGB or ``(h, w)`` grey, uint8.
        known_face_locations: boxes that are known already; None looks for them.
        num_jitters: with more than one, the average over so many slightly altered copies; the same copies each time.
        model: which landmarks align the face, ``small`` or ``large``; as in face_recognition, anything but ``small`` means ``large``.

    Returns:
        ``(128,)`` float64 for each face, an empty list where there is none.
    """
    image_rgb = load_image(face_image)
    crops = [chip(image_rgb, face) for face in _landmarks(image_rgb, known_face_locations, model)]
    if not crops:
        return []
    if num_jitters <= 1:
        return list(_encoder().encode(np.stack(crops)).astype(np.float64))
    rng = np.random.default_rng(0)
    return [mean_encoding(_encoder().encode(jittered(crop, num_jitters, rng))) for crop in crops]


def face_distance(face_encodings: Sequence[Encoding] | Encoding, face_to_compare: Encoding) -> Encoding:
    """L2 distance of one encoding to each of others.

    Returns:
        ``(n,)``; empty for no encodings.

    >>> face_distance([np.array([0.0, 3.0]), np.array([4.0, 0.0])], np.array([4.0, 0.0])).tolist()
    [5.0, 0.0]
    """
    if len(face_encodings) == 0:
        return np.empty(0)
    return np.asarray(np.linalg.norm(np.asarray(face_encodings) - face_to_compare, axis=1))


def compare_faces(
    known_face_encodings: Sequence[Encoding] | Encoding, face_encoding_to_check: Encoding, tolerance: float = 0.6
) -> list[np.bool_]:
    """Whether each known encoding is within the tolerance; at equality it is, as in face_recognition.

    >>> [bool(same) for same in compare_faces([np.array([0.0]), np.array([2.0])], np.array([0.5]), tolerance=0.5)]
    [True, False]
    """
    return list(face_distance(known_face_encodings, face_encoding_to_check) <= tolerance)


# -- inside -----------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=8)
def _detector(smallest_face: int) -> Detector:
    from sameface.faces.detector_spec import MtcnnSettings
    from sameface.faces.mtcnn import Mtcnn

    return Mtcnn(MtcnnSettings(smallest_face=smallest_face, search_side=0))


@lru_cache(maxsize=1)
def _encoder() -> Encoder:
    return load_encoder("dlib-resnet")


@lru_cache(maxsize=2)
def _predictor(scheme: str) -> ShapePredictor:
    if scheme == "dlib68":
        warnings.warn(
            "dlib's 68-point model was trained on iBUG 300-W, whose licence excludes commercial use; "
            "model='small' (5 points) has no such limit",
            CommercialUseWarning,
            stacklevel=4,
        )
    return ShapePredictor(scheme)


def _boxes(image_rgb: ImageRGB, upsample: int) -> list[Box]:
    smallest = max(_SMALLEST, _WINDOW >> max(0, upsample))
    height, width = image_rgb.shape[:2]
    # HOG sees upright faces only; what MTCNN makes of turned ones is no face.
    standing = [face for face in find_upright(_detector(smallest), image_rgb) if not face.turns]
    found = in_hog_order(standing, width, height)
    return [hog_box(face, upsample) for face in found]


def _within(box: Box, image_rgb: ImageRGB) -> CssBox:
    height, width = image_rgb.shape[:2]
    left, top, right, bottom = (int(value) for value in box.xyxy)
    return max(top, 0), min(right, width), min(bottom, height), max(left, 0)


def _landmarks(image_rgb: ImageRGB, locations: Sequence[CssBox] | None, model: str) -> list[Landmarks]:
    boxes = (
        _boxes(image_rgb, 1)
        if locations is None
        else [Box(left, top, right, bottom) for top, right, bottom, left in locations]
    )
    if not boxes:
        return []
    return _predictor("dlib5" if model == "small" else "dlib68").predict(image_rgb, boxes)
