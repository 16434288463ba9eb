"""What to write on a photo about each face: shared by the commands, the service and notebooks."""

from __future__ import annotations

from collections.abc import Sequence

from sameface.imaging.annotate import FaceLabel
from sameface.recognizer.results import Identification


def face_labels(answers: Sequence[Identification]) -> list[FaceLabel]:
    """A label per face: the name and distance, or that it is nobody known."""
    return [
        FaceLabel(
            box=answer.box,
            title=answer.name or "nobody known",
            subtitle=f"{answer.distance:.2f}" if answer.distance is not None else "",
            known=answer.name is not None,
        )
        for answer in answers
    ]
