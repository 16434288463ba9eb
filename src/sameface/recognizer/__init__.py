"""Enroll, verify, identify, forget: the use cases, joining faces, encoder, gallery and threshold.

Each name is loaded when it is first used: verifying two photos needs no gallery.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sameface.recognizer.found import DetectedFace, EncodedFace
    from sameface.recognizer.gallery import Gallery
    from sameface.recognizer.recognizer import Recognizer
    from sameface.recognizer.results import Enrollment, Identification, PhotoReport, Verification
    from sameface.recognizer.several import IdentifiedPhoto, NotEnrolled

_HOMES: Final = {
    "DetectedFace": "found",
    "EncodedFace": "found",
    "Enrollment": "results",
    "Gallery": "gallery",
    "Identification": "results",
    "IdentifiedPhoto": "several",
    "NotEnrolled": "several",
    "PhotoReport": "results",
    "Recognizer": "recognizer",
    "Verification": "results",
}

__all__ = [
    "DetectedFace",
    "EncodedFace",
    "Enrollment",
    "Gallery",
    "Identification",
    "IdentifiedPhoto",
    "NotEnrolled",
    "PhotoReport",
    "Recognizer",
    "Verification",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
