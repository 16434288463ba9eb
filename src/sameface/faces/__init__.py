"""Find faces, align them, judge them: a photo goes in, boxes, landmarks and crops come out."""

from __future__ import annotations

from sameface.defaults import DEFAULT_DETECTOR
from sameface.faces.align import Aligner, load_aligner
from sameface.faces.detector import Detector
from sameface.faces.detector_spec import DetectorSpec
from sameface.faces.finder import FaceCrop, FaceFinder
from sameface.faces.loading import DETECTORS, load_detector

__all__ = [
    "DEFAULT_DETECTOR",
    "DETECTORS",
    "Aligner",
    "Detector",
    "DetectorSpec",
    "FaceCrop",
    "FaceFinder",
    "load_aligner",
    "load_detector",
]
