"""Faces of a photo: as found and judged, and as encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sameface.recognizer.answer import Answer
from sameface.recognizer.domain import Evidence
from sameface.types import Box, Detection, Embeddings

if TYPE_CHECKING:
    from sameface.recognizer import wire


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DetectedFace(Answer):
    """A face of a photo, and how good it is.

    Attributes:
        detection: where it is, with the detector's confidence and points.
        quality: 0 to 1.
        reasons: why it would not be enrolled; empty for a good one.
    """

    detection: Detection
    quality: float | None
    reasons: tuple[str, ...] = ()

    @property
    def box(self) -> Box:
        return self.detection.box

    @property
    def confidence(self) -> float:
        """The detector's score, 0 to 1."""
        return self.detection.confidence

    def __repr__(self) -> str:
        said = f": {', '.join(self.reasons)}" if self.reasons else ""
        quality = f", quality {self.quality:.2f}" if self.quality is not None else ""
        return f"DetectedFace({_where(self.detection)}{quality}{said})"

    def to_wire(self) -> wire.Face:
        """As it travels."""
        from sameface.recognizer import wire

        return wire.Face(
            box=wire.rounded(self.box),
            confidence=self.detection.confidence,
            quality=self.quality,
            reasons=self.reasons,
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EncodedFace(Answer):
    """A face of a photo with its embedding.

    Attributes:
        detection: where it is.
        embedding: ``(d,)`` float32.
        evidence: what else is known of it; None where only the embedding came.
    """

    detection: Detection
    embedding: Embeddings
    evidence: Evidence | None = None

    @property
    def box(self) -> Box:
        return self.detection.box

    def __repr__(self) -> str:
        return f"EncodedFace({_where(self.detection)}, {len(self.embedding)} numbers)"

    def to_wire(self) -> wire.Embedded:
        """As it travels: with the embedding."""
        from sameface.recognizer import wire

        return wire.Embedded(box=wire.rounded(self.box), embedding=tuple(self.embedding.tolist()))


def _where(detection: Detection) -> str:
    box = detection.box
    return f"{box.width:.0f}×{box.height:.0f} pixels at ({box.x1:.0f}, {box.y1:.0f}), confidence {detection.confidence:.2f}"
