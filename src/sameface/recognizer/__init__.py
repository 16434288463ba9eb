"""Enroll, verify, identify, forget: the use cases, joining faces, encoder, gallery and threshold."""

from sameface.recognizer.gallery import DEFAULT_FPIR, Gallery
from sameface.recognizer.recognizer import Recognizer
from sameface.recognizer.results import EncodedFace, Enrollment, Identification, PhotoReport, Verification

__all__ = [
    "DEFAULT_FPIR",
    "EncodedFace",
    "Enrollment",
    "Gallery",
    "Identification",
    "PhotoReport",
    "Recognizer",
    "Verification",
]
