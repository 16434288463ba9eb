"""YuNet: a tiny one-pass detector with five points, run by ONNX Runtime from OpenCV Zoo's official files.

Source: Wu, Peng, Yu 2023, "YuNet: a tiny millisecond-level face detector"; the meaning of its outputs checked against
OpenCV's FaceDetectorYN (tests/faces/test_single_shot.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from sameface.faces.detector_spec import YunetSettings
from sameface.faces.one_pass import OnePass
from sameface.faces.single_shot import Found, cells, joined
from sameface.faces.weights import weights_of
from sameface.files import sha256_of
from sameface.models.cache import cached
from sameface.models.runtime import Session
from sameface.progress import Share
from sameface.types import ImageRGB

_STRIDES: Final = (8, 16, 32)
#: Raise when the freed network changes: it is part of the cached file's name.
_VERSION: Final = 2


class YuNet(OnePass):
    """Safe to use from several threads at once.

    Args:
        settings: sizes and thresholds.
        model: the ONNX file; None takes the card's, or the one that the settings name by its digest.
        device, threads: see `Session`.
    """

    sure = 0.91

    def __init__(
        self,
        settings: YunetSettings | None = None,
        *,
        model: Path | None = None,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        source, self.settings = weights_of(settings or YunetSettings(), model)
        self._session = Session(_any_size(source), device=device, threads=threads)

    def _look(self, canvas_rgb: ImageRGB) -> Found:
        columns = canvas_rgb.shape[1]
        blue_first = canvas_rgb[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32, order="C")
        (name,) = self._session.inputs
        outputs = dict(zip(self._session.outputs, self._session.run({name: blue_first}), strict=True))
        found = []
        for stride in _STRIDES:
            face, here = outputs[f"cls_{stride}"][0, :, 0], outputs[f"obj_{stride}"][0, :, 0]
            scores = np.sqrt(np.clip(face, 0, 1) * np.clip(here, 0, 1))
            keep = np.flatnonzero(scores >= self.settings.threshold)
            cell = cells(keep, columns // stride)
            box, points = outputs[f"bbox_{stride}"][0, keep], outputs[f"kps_{stride}"][0, keep]
            middle, half = (cell + box[:, :2]) * stride, np.exp(box[:, 2:]) * (stride / 2)
            found.append(
                Found(
                    np.concatenate([middle - half, middle + half], axis=1),
                    scores[keep],
                    (points.reshape(-1, 5, 2) + cell[:, None]) * stride,
                )
            )
        return joined(found)


def _any_size(source: Path) -> Path:
    """The official files fix their input at 640 × 640, but no layer needs that: free it, and unfold weights in blocks, once."""

    def free(target: Path, tell: Share) -> None:
        import onnx

        from sameface.models.graphs.converting import read_tidily
        from sameface.models.graphs.sizes import free_sizes

        network = read_tidily(source)
        free_sizes(network, {2, 3}, outputs={1})
        onnx.save(network, target)

    return cached(f"yunet-{sha256_of(source)[:16]}-v{_VERSION}.onnx", free, what="yunet")
