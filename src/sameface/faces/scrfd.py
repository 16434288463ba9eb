"""SCRFD: a one-pass detector with five points, two anchors a cell.

Source: Guo et al. 2021, "Sample and computation redistribution for efficient face detection".
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from sameface.errors import ModelDamagedError
from sameface.faces.detector_spec import ScrfdSettings
from sameface.faces.one_pass import OnePass
from sameface.faces.single_shot import Found, cells, joined
from sameface.faces.weights import weights_of
from sameface.models.runtime import Session
from sameface.types import ImageRGB

_STRIDES: Final = (8, 16, 32)
_ANCHORS: Final = 2
#: Scores, boxes and points, each at three strides.
_OUTPUTS: Final = 9


class Scrfd(OnePass):
    """Safe to use from several threads at once.

    Args:
        settings: sizes and thresholds.
        model: the ONNX file; None takes the card's, or the one that the settings name by its digest.
        device, threads: see `Session`.

    Raises:
        ModelDamagedError: a network with other outputs.
    """

    sure = 0.76

    def __init__(
        self,
        settings: ScrfdSettings | None = None,
        *,
        model: Path | None = None,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        source, self.settings = weights_of(settings or ScrfdSettings(), model)
        self._session = Session(source, device=device, threads=threads)
        if len(self._session.outputs) != _OUTPUTS:
            raise ModelDamagedError(
                expected="an SCRFD network with five points (nine outputs)",
                got=f"{len(self._session.outputs)} outputs",
                advice="use scrfd_500m_kps.onnx or one of its family",
            )

    def _look(self, canvas_rgb: ImageRGB) -> Found:
        columns = canvas_rgb.shape[1]
        pixels = canvas_rgb.transpose(2, 0, 1)[None].astype(np.float32, order="C")
        pixels -= np.float32(127.5)
        pixels /= np.float32(128)
        (name,) = self._session.inputs
        outputs = self._session.run({name: pixels})
        found = []
        for level, stride in enumerate(_STRIDES):
            scores, boxes, points = outputs[level][:, 0], outputs[level + 3], outputs[level + 6]
            keep = np.flatnonzero(scores >= self.settings.threshold)
            at = cells(keep, columns // stride, _ANCHORS) * stride
            reach = boxes[keep] * stride  # distances from the cell's corner to left, top, right, bottom
            found.append(
                Found(
                    np.concatenate([at - reach[:, :2], at + reach[:, 2:]], axis=1),
                    scores[keep],
                    at[:, None] + points[keep].reshape(-1, 5, 2) * stride,
                )
            )
        return joined(found)
