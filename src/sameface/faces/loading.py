"""Detectors by name, by id or by settings."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sameface.defaults import DEFAULT_DETECTOR
from sameface.errors import SettingError
from sameface.faces.detector import Detector
from sameface.faces.detector_spec import (
    KINDS,
    DetectorSpec,
    MtcnnSettings,
    ScrfdSettings,
    WholePictureSettings,
    YunetSettings,
)

#: Names that `load_detector` knows.
DETECTORS: Final = tuple(kind.name for kind in KINDS)


def load_detector(
    spec: str | DetectorSpec = DEFAULT_DETECTOR,
    *,
    device: str = "cpu",
    threads: int | None = None,
    model: Path | None = None,
) -> Detector:
    """A detector, ready to run.

    Args:
        spec: a name (``mtcnn``, ``yunet``, ``scrfd``, or ``none``: each picture is a face crop already), an id as galleries and operating
            points name it, or settings.
        device: where networks run; one that is missing is an error.
        threads: threads per network run, None for one per core.
        model: weights file of yunet or scrfd; None looks in the folder of models.

    Raises:
        UnknownModelError: no such detector.
        SettingError: a value in an id that cannot be, or a file for a detector that takes none.
        ModelMissingError, ModelDamagedError: weights are not there, or not whole.
        DeviceUnavailableError: no such device here.
    """
    settings = DetectorSpec.parse(spec) if isinstance(spec, str) else spec
    if model is not None and not isinstance(settings, (YunetSettings, ScrfdSettings)):
        raise SettingError(
            expected="a weights file for yunet or scrfd", got=f"one for {settings.name}", advice="leave the file out"
        )
    # Each detector is imported when it is asked for: a cold start pays for one.
    match settings:
        case MtcnnSettings():
            from sameface.faces.mtcnn import Mtcnn

            return Mtcnn(settings, device=device, threads=threads)
        case YunetSettings():
            from sameface.faces.yunet import YuNet

            return YuNet(settings, device=device, threads=threads, model=model)
        case ScrfdSettings():
            from sameface.faces.scrfd import Scrfd

            return Scrfd(settings, device=device, threads=threads, model=model)
        case WholePictureSettings():
            from sameface.faces.none import WholePicture

            return WholePicture()
        case _:
            raise SettingError(
                expected="the name, the id or the settings of a detector",
                got=type(settings).__name__,
                advice=f"choose among {', '.join(DETECTORS)}",
            )
