"""YuNet against OpenCV's own runner; the bounded, padded input."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from sameface.errors import ModelDamagedError
from sameface.faces.detector_spec import YunetSettings
from sameface.faces.scrfd import Scrfd
from sameface.faces.single_shot import bounded, cells
from sameface.faces.yunet import YuNet
from sameface.types import ImageRGB


def test_the_same_faces_as_opencv(data: Path, lfw_photos: list[ImageRGB]) -> None:
    path = data / "models" / "face_detection_yunet_2023mar.onnx"
    mine = YuNet(YunetSettings(model="yunet-2023mar"), model=path)
    opencvs = cv2.FaceDetectorYN.create(str(path), "", (250, 250), 0.6, 0.3)
    for image in lfw_photos[:30]:
        _, rows = opencvs.detect(np.ascontiguousarray(image[..., ::-1]))
        found = mine.detect(image)
        assert len(found) == (0 if rows is None else len(rows))
        for face, row in zip(found, sorted(rows, key=lambda row: -row[14]), strict=True):
            x, y, width, height = row[:4]
            assert face.box.xyxy == pytest.approx((x, y, x + width, y + height), abs=0.01)
            assert face.confidence == pytest.approx(row[14], abs=1e-4)
            assert face.landmarks is not None
            assert face.landmarks.points_xy.ravel() == pytest.approx(row[4:14], abs=0.01)


def test_the_file_by_package_finds_the_same_faces_elsewhere_by_little(data: Path, lfw_photos: list[ImageRGB]) -> None:
    """Weights in blocks of 8 bits are other weights: so the two have different ids."""
    eighth, whole = (
        YuNet(),
        YuNet(YunetSettings(model="yunet-2023mar"), model=data / "models" / "face_detection_yunet_2023mar.onnx"),
    )
    assert eighth.id == "yunet-2023mar-int8bq/t0.6/side640"
    assert whole.id.startswith("yunet-2023mar/t0.6/side640")
    apart = []
    for image in lfw_photos[:30]:
        found, expected = eighth.detect(image), whole.detect(image)
        assert len(found) == len(expected)
        apart += [
            np.abs(np.subtract(mine.box.xyxy, theirs.box.xyxy)).max()
            for mine, theirs in zip(found[:1], expected[:1], strict=True)
        ]
    assert 0 < np.median(apart) < 1


def test_large_photos_are_bounded_and_padded() -> None:
    scaled = bounded(np.full((1000, 2000, 3), 9, np.uint8), 640)
    assert scaled is not None
    assert scaled.canvas.shape == (320, 640, 3)
    assert scaled.back_xy.tolist() == [3.125, 3.125]
    small = bounded(np.full((33, 40, 3), 9, np.uint8), 640)
    assert small is not None
    assert small.canvas.shape == (64, 64, 3)
    assert (small.canvas[33:] == 0).all()
    assert (small.canvas[:33, :40] == 9).all()
    assert bounded(np.zeros((0, 4, 3), np.uint8), 640) is None


def test_cells_go_row_by_row() -> None:
    assert cells(np.arange(6), 3).tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]]
    assert cells(np.arange(4), 2, 2).tolist() == [[0, 0], [0, 0], [1, 0], [1, 0]]


def test_another_network_is_refused(data: Path) -> None:
    with pytest.raises(ModelDamagedError, match="nine outputs"):
        Scrfd(model=data / "models" / "mobilefacenet_y1.onnx")
