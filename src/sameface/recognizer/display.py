"""A photo with the answers on it: shared by the commands, the service and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sameface.imaging import ImageSource, load_image
from sameface.imaging.annotate import FaceLabel, annotate
from sameface.recognizer.found import DetectedFace, EncodedFace
from sameface.recognizer.results import Identification

if TYPE_CHECKING:
    import PIL.Image


def face_labels(answers: Sequence[Identification | DetectedFace | EncodedFace]) -> list[FaceLabel]:
    """A label per face: the name and distance, that it is nobody known, or for a face alone its number."""
    return [
        FaceLabel(answer.box, f"face {number}")
        if isinstance(answer, (DetectedFace, EncodedFace))
        else FaceLabel(
            box=answer.box,
            title=answer.name or "nobody known",
            subtitle=f"{answer.distance:.2f}" if answer.distance is not None else "",
            known=answer.name is not None,
        )
        for number, answer in enumerate(answers, 1)
    ]


def annotated(photo: ImageSource, answers: Sequence[Identification | DetectedFace | EncodedFace]) -> PIL.Image.Image:
    """The photo with a frame around each face and its name under it; a notebook shows it, `.save()` writes it.

    Args:
        photo: the one the answers are about.
        answers: of `Gallery.identify` or `sameface.identify`, or faces of `sameface.detect` or `Recognizer.encode_faces`, which are numbered.
    """
    from PIL import Image

    return Image.fromarray(annotate(load_image(photo), face_labels(answers)))
