"""From a photo to faces to embeddings to a 1:1 decision: the one place that joins faces, encoder and threshold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from sameface.encoders import DEFAULT_ENCODER, Encoder, load_encoder
from sameface.errors import SamefaceError
from sameface.faces import DEFAULT_DETECTOR, Aligner, Detector, DetectorSpec, load_aligner, load_detector
from sameface.faces.choose import Choice, choose_face, in_reading_order
from sameface.imaging import ImageSource, Limits, load_image
from sameface.imaging.sources import label_of
from sameface.matching import distance, is_same, probability_same
from sameface.models.card import ModelCard
from sameface.recognizer.results import EncodedFace, Verification
from sameface.recognizer.thresholds import resolve
from sameface.types import Detection, EmbeddingSpace, ImageRGB, OperatingPoint

#: Crops encoded in one call: large enough to be fast, small enough to keep memory flat.
BATCH = 32


class Recognizer:
    """A detector, an alignment, an encoder and an operating point, joined. Safe to use from several threads at once.

    Args:
        detector: name or id of a detector, its settings, or one that is loaded already. ``none`` takes each picture as a face crop.
        encoder: name of an encoder, path of an ONNX file with a model card, or one that is loaded already.
        operating_point: τ with its provenance, or a bare number; None takes the one measured for this encoder, detector and alignment.
        device: where networks run; one that is missing is an error, never a silent CPU.
        threads: threads per network run, None for one per core.
        limits: bytes and pixels a picture may have.

    Attributes:
        space: encoder, detector and alignment ids that its embeddings belong to.
    """

    def __init__(
        self,
        *,
        detector: str | DetectorSpec | Detector = DEFAULT_DETECTOR,
        encoder: str | Encoder = DEFAULT_ENCODER,
        operating_point: OperatingPoint | float | None = None,
        device: str = "cpu",
        threads: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.detector = (
            load_detector(detector, device=device, threads=threads)
            if isinstance(detector, (str, DetectorSpec))
            else detector
        )
        self.encoder = load_encoder(encoder, device=device, threads=threads) if isinstance(encoder, str) else encoder
        # Without a detector each picture is a crop already, and the alignment id says so.
        whole = self.detector.id == "none"
        points, template = ("none", "none") if whole else (self.card.landmarks, self.card.template)
        self.aligner: Aligner = load_aligner(points, template, self.card.input_size_wh[0])
        self.space = EmbeddingSpace(self.card.id, self.detector.id, self.aligner.id)
        self._given = operating_point

    @property
    def card(self) -> ModelCard:
        """The encoder's model card."""
        return self.encoder.card

    @cached_property
    def operating_point(self) -> OperatingPoint:
        """τ with its provenance.

        Raises:
            NoThresholdError, CalibrationError: none is known, or the given one belongs to another space.
        """
        return resolve(self._given, self.card, self.space)

    def detect(self, image: ImageSource) -> list[Detection]:
        """All faces of a photo in reading order: rows from the top, each from the left."""
        return in_reading_order(self.detector.detect(load_image(image, limits=self.limits)))

    def encode_faces(self, image: ImageSource) -> list[EncodedFace]:
        """Every face of a photo with its embedding, in reading order; an empty list where there is none."""
        image_rgb = load_image(image, limits=self.limits)
        return self._encode(image_rgb, in_reading_order(self.detector.detect(image_rgb)))

    def encode_photo(self, image: ImageSource, choose: Choice = "only", *, source: str = "") -> EncodedFace:
        """The one face of a photo with its embedding.

        Args:
            image: path, bytes, file object, `PIL.Image` or RGB array.
            choose: ``only`` raises when there are several; ``centre`` takes the one nearest the middle, as evaluations do; ``largest``.
            source: what to call the photo in errors, where it has no path of its own.

        Raises:
            ImageError: the photo cannot be read.
            NoFaceError, SeveralFacesError, FaceTooSmallError: as `choose` says.
        """
        image_rgb = load_image(image, limits=self.limits)
        detection = choose_face(self.detector.detect(image_rgb), image_rgb, choose, source=source or label_of(image))
        return self._encode(image_rgb, [detection])[0]

    def encode_photos(
        self, images: Iterable[ImageSource], choose: Choice = "centre"
    ) -> Iterator[EncodedFace | SamefaceError]:
        """Many photos, in order, encoded in batches; what fails comes as its error in its place."""
        pending: list[Detection | SamefaceError] = []
        crops: list[ImageRGB] = []

        def flush() -> Iterator[EncodedFace | SamefaceError]:
            embeddings = iter(self.encoder.encode(np.stack(crops)) if crops else ())
            for item in pending:
                yield item if isinstance(item, SamefaceError) else EncodedFace(item, next(embeddings))
            pending.clear()
            crops.clear()

        for image in images:
            try:
                image_rgb = load_image(image, limits=self.limits)
                detection = choose_face(self.detector.detect(image_rgb), image_rgb, choose, source=label_of(image))
                crops.append(self.aligner.align(image_rgb, [detection])[0])
                pending.append(detection)
            except SamefaceError as error:
                pending.append(error)
            if len(pending) == BATCH:
                yield from flush()
        yield from flush()

    def verify(self, probe: ImageSource, reference: ImageSource, choose: Choice = "only") -> Verification:
        """Do two photos show the same person?

        Raises:
            ImageError, FaceError: a photo cannot be read, or does not show the one face asked for.
            NoThresholdError: no τ is known for this encoder and detector.
        """
        first, second = self.encode_photo(probe, choose), self.encode_photo(reference, choose)
        point = self.operating_point
        apart = distance(first.embedding, second.embedding)
        return Verification(
            same=is_same(apart, point.threshold),
            distance=apart,
            threshold=point.threshold,
            probability=probability_same(point.probability, apart),
            operating_point=point,
            probe_box=first.box,
            reference_box=second.box,
        )

    def _encode(self, image_rgb: ImageRGB, detections: Sequence[Detection]) -> list[EncodedFace]:
        if not detections:
            return []
        embeddings = self.encoder.encode(self.aligner.align(image_rgb, detections))
        return [EncodedFace(detection, row) for detection, row in zip(detections, embeddings, strict=True)]
