"""One-line calls that keep one default recognizer for the life of the process."""

from __future__ import annotations

from functools import lru_cache

from sameface.faces.choose import Choice
from sameface.imaging import ImageSource
from sameface.recognizer.recognizer import Recognizer
from sameface.recognizer.results import Verification


@lru_cache(maxsize=1)
def default_recognizer() -> Recognizer:
    """The default detector and encoder, loaded once."""
    return Recognizer()


def verify(probe: ImageSource, reference: ImageSource, choose: Choice = "only") -> Verification:
    """Do two photos show the same person? By the default detector, encoder and operating point.

    Args:
        probe, reference: path, bytes, file object, `PIL.Image`, or RGB array.
        choose: ``only`` raises when a photo shows several faces; ``centre``; ``largest``.

    Raises:
        ImageError, FaceError: a photo cannot be read, or does not show the one face asked for.

    See `Recognizer` for other encoders, thresholds and devices.
    """
    return default_recognizer().verify(probe, reference, choose)
