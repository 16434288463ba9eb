"""Where landmarks belong in a crop: the templates that encoders were trained with."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import SettingError

#: dlib's mean face for its five points, in units of the face; the crop adds a quarter of it on each side.
#: Source: dlib's get_face_chip_details (the constants that dlib's ResNet was trained with).
_DLIB5: Final = (
    (0.8595674595992, 0.2134981538014),
    (0.6460604764104, 0.2289674387677),
    (0.1205750620789, 0.2137274526848),
    (0.3340850613712, 0.2290642403242),
    (0.4901123135679, 0.6277975316475),
)
_DLIB_PADDING: Final = 0.25

#: The five points of ArcFace in a crop of 112 × 112 pixels. Source: Deng et al. 2019 and its published code.
_ARCFACE5: Final = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)

#: Templates by name, and the landmark scheme that each one places.
SCHEMES: Final = {"dlib-chip-0.25": "dlib5", "arcface-112": "arcface5", "none": "none"}


def template_points(template: str, size: int) -> npt.NDArray[np.float64]:
    """Where the landmarks belong in a square crop.

    Args:
        template: ``dlib-chip-0.25`` or ``arcface-112``.
        size: side of the crop in pixels.

    Returns:
        ``(5, 2)`` float64 pixels.

    Raises:
        SettingError: another template.

    >>> template_points("arcface-112", 224)[2].tolist()
    [112.0504, 143.4732]
    """
    if template == "dlib-chip-0.25":
        return size * (_DLIB_PADDING + np.array(_DLIB5)) / (2 * _DLIB_PADDING + 1)
    if template == "arcface-112":
        return np.array(_ARCFACE5) * (size / 112)
    raise SettingError(
        expected=f"a template among {', '.join(name for name in SCHEMES if name != 'none')}",
        got=repr(template),
        advice="correct the model card",
    )
