"""Detectors by name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sameface.errors import UnknownModelError
from sameface.faces.detector import Detector

#: Names that `load_detector` knows.
DETECTORS: Final = ("mtcnn", "yunet", "scrfd", "none")
#: What is used where nothing else is said: its weights come with the install.
DEFAULT_DETECTOR: Final = "mtcnn"


def load_detector(
    name: str = DEFAULT_DETECTOR, *, device: str = "cpu", threads: int | None = None, model: Path | None = None
) -> Detector:
    """A detector, ready to run.

    Args:
        name: ``mtcnn``, ``yunet``, ``scrfd``, or ``none``: each picture is a face crop already.
        device: where networks run; one that is missing is an error.
        threads: threads per network run, None for one per core.
        model: weights file of yunet or scrfd; None looks in the folder of models.

    Raises:
        UnknownModelError: another name.
        ModelMissingError, ModelDamagedError: weights are not there, or not whole.
        DeviceUnavailableError: no such device here.
    """
    # Each detector is imported when it is asked for: a cold start pays for one.
    if name == "mtcnn":
        from sameface.faces.mtcnn import Mtcnn

        return Mtcnn(device=device, threads=threads)
    if name == "yunet":
        from sameface.faces.yunet import YuNet

        return YuNet(device=device, threads=threads, model=model)
    if name == "scrfd":
        from sameface.faces.scrfd import Scrfd

        return Scrfd(device=device, threads=threads, model=model)
    if name == "none":
        from sameface.faces.none import WholePicture

        return WholePicture()
    raise UnknownModelError(
        expected=f"a detector among {', '.join(DETECTORS)}", got=repr(name), advice="choose one of those"
    )
