"""From a photo to faces to embeddings to a 1:1 decision: the one place that joins faces, encoder and threshold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from os import PathLike
from typing import Final

import numpy as np

from sameface.arguments import explained
from sameface.defaults import DEFAULT_DETECTOR, DEFAULT_ENCODER
from sameface.encoders import Encoder, load_encoder
from sameface.errors import FaceError, ImageError, NoThresholdError, SamefaceError
from sameface.faces import Detector, DetectorSpec, FaceCrop, FaceFinder, load_aligner, load_detector
from sameface.faces.choose import Choice, as_choice
from sameface.faces.measures import crop_measures
from sameface.faces.quality import judge_face
from sameface.imaging import ImageSource, Limits, Photo, open_photo
from sameface.matching import distance, is_same
from sameface.models.card import ModelCard
from sameface.recognizer.domain import (
    UNMEASURED,
    Judgement,
    evidence_of,
    judge,
    probability_for,
    require_comparable,
    threshold_for,
    worst,
)
from sameface.recognizer.found import DetectedFace, EncodedFace
from sameface.recognizer.results import Verification
from sameface.recognizer.thresholds import one_of, resolve
from sameface.together import together
from sameface.types import Detection, EmbeddingSpace, OperatingPoint

#: Crops encoded in one call: large enough to be fast, small enough to keep memory flat.
BATCH = 32
#: Pixels of two photos up to which they are searched at the same time.
_TOGETHER: Final = 1 << 24
_FIRST: Final = "the first photo"
_SECOND: Final = "the second photo"


class Recognizer:
    """A detector, an alignment, an encoder and an operating point, joined. Safe to use from several threads at once.

    Args:
        detector: name or id of a detector, its settings, or one that is loaded already. ``none`` takes each picture as a face crop.
        encoder: name of an encoder, path of an ONNX file with a model card, or one that is loaded already.
        threshold: decide by this number instead of the τ measured for the encoder, detector and alignment.
        operating_point: decide by this one, or the file of one: τ with its provenance, as `sameface calibrate` gives it.
        device: where networks run; one that is missing is an error, never a silent CPU.
        threads: threads per network run, None for one per core. limits: bytes and pixels a picture may have.
        upright: whether faces of turned photos are looked for and turned (docs/decisions/upright.md); no id depends on it.

    Attributes:
        finder: detector and alignment. space: encoder, detector and alignment ids that its embeddings belong to.
        encoder_given: the name or path that the encoder was loaded by, "" where it was loaded already.
    """

    @explained
    def __init__(
        self,
        *,
        detector: str | DetectorSpec | Detector = DEFAULT_DETECTOR,
        encoder: str | Encoder = DEFAULT_ENCODER,
        threshold: float | None = None,
        operating_point: OperatingPoint | float | str | PathLike[str] | None = None,
        device: str = "cpu",
        threads: int | None = None,
        limits: Limits | None = None,
        upright: bool = True,
    ) -> None:
        self._given = one_of(threshold, operating_point)
        found_by, self.encoder = together(
            lambda: (
                load_detector(detector, device=device, threads=threads)
                if isinstance(detector, (str, DetectorSpec))
                else detector
            ),
            lambda: load_encoder(encoder, device=device, threads=threads) if isinstance(encoder, str) else encoder,
        )
        # Without a detector each picture is a crop already, and the alignment id says so.
        whole = found_by.id == "none"
        points, template = ("none", "none") if whole else (self.card.landmarks, self.card.template)
        aligner = load_aligner(points, template, self.card.input_size_wh[0])
        self.finder = FaceFinder(found_by, aligner, limits=limits, upright=upright)
        self.space = EmbeddingSpace(self.card.id, found_by.id, aligner.id)
        self.encoder_given = encoder if isinstance(encoder, str) else ""
        self._threads = threads
        if self._given is not None:
            _ = self.operating_point  # one that cannot be meant is said now

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

    @property
    def detector(self) -> Detector:
        """What finds faces."""
        return self.finder.detector

    @property
    def expects_faces(self) -> bool:
        """Whether what it encodes is a face: found by a detector, or a crop for an encoder that is aligned by a face's points."""
        return self.detector.id != "none" or self.card.landmarks != "none"

    @property
    def limits(self) -> Limits:
        """Bytes and pixels a picture may have."""
        return self.finder.limits

    def detect(self, image: ImageSource | Photo) -> list[Detection]:
        """All faces of a photo in reading order: rows from the top, each from the left."""
        return self.finder.find(image)

    def inspect(self, image: ImageSource | Photo) -> list[DetectedFace]:
        """All faces of a photo in reading order, and how good each is."""
        photo = open_photo(image, limits=self.limits)
        judged = ((detection, judge_face(photo, detection)) for detection in self.finder.find(photo))
        return [DetectedFace(detection, quality.value, tuple(quality.reasons)) for detection, quality in judged]

    def encode_faces(self, image: ImageSource | Photo) -> list[EncodedFace]:
        """Every face of a photo with its embedding, in reading order; an empty list where there is none."""
        return self.encode_crops(self.finder.faces(image))

    def encode_faces_of(
        self, images: Iterable[ImageSource | Photo]
    ) -> Iterator[list[EncodedFace] | ImageError | FaceError]:
        """`encode_faces` for many photos, in order, encoded in batches; what fails comes as its error in its place."""
        waiting: list[list[FaceCrop] | ImageError | FaceError] = []
        crops = 0
        for image in images:
            try:
                waiting.append(found := self.finder.faces(image))
                crops += len(found)
            except (ImageError, FaceError) as error:
                waiting.append(error)
            if crops >= BATCH or len(waiting) >= BATCH:
                yield from self._each(waiting)
                waiting, crops = [], 0
        yield from self._each(waiting)

    def _each(
        self, waiting: Sequence[list[FaceCrop] | ImageError | FaceError]
    ) -> Iterator[list[EncodedFace] | ImageError | FaceError]:
        encoded = iter(self.encode_crops([crop for item in waiting if isinstance(item, list) for crop in item]))
        for item in waiting:
            yield [next(encoded) for _ in item] if isinstance(item, list) else item

    @explained
    def encode_photo(self, image: ImageSource | Photo, choose: Choice = "only", *, source: str = "") -> EncodedFace:
        """The one face of a photo with its embedding.

        Args:
            image: path, bytes, file object, `PIL.Image`, RGB array, or a `Photo` that is open.
            choose: ``only`` raises when there are several; ``centre`` takes the one nearest the middle, as evaluations do; ``largest``.
            source: what to call the photo in errors, where it has no path of its own.

        Raises:
            SettingError: another choice.
            ImageError: the photo cannot be read.
            NoFaceError, SeveralFacesError, FaceTooSmallError: as `choose` says.
        """
        return self.encode_crops([self.finder.face(image, as_choice(choose), source=source)])[0]

    def encode_photos(
        self, images: Iterable[ImageSource | Photo], choose: Choice = "centre"
    ) -> Iterator[EncodedFace | SamefaceError]:
        """Many photos, in order, encoded in batches; what fails comes as its error in its place.

        Raises:
            SettingError: another choice.
        """
        return self._encode_photos(images, as_choice(choose))

    def _encode_photos(
        self, images: Iterable[ImageSource | Photo], choose: Choice
    ) -> Iterator[EncodedFace | SamefaceError]:
        pending: list[FaceCrop | SamefaceError] = []
        for image in images:
            try:
                pending.append(self.finder.face(image, choose))
            except SamefaceError as error:
                pending.append(error)
            if len(pending) == BATCH:
                yield from self._encoded(pending)
                pending.clear()
        yield from self._encoded(pending)

    def _encoded(self, pending: Sequence[FaceCrop | SamefaceError]) -> Iterator[EncodedFace | SamefaceError]:
        encoded = iter(self.encode_crops([item for item in pending if isinstance(item, FaceCrop)]))
        for item in pending:
            yield item if isinstance(item, SamefaceError) else next(encoded)

    def judge(self, face: EncodedFace) -> Judgement:
        """Whether τ speaks about a face: ``usual``, ``unknown``, ``poor`` (under a stricter τ) or ``outside`` (not comparable), and why."""
        try:
            return judge(self.operating_point, face.embedding, face.evidence)
        except NoThresholdError:  # without τ nothing is known about where it holds
            return UNMEASURED

    @explained
    def verify(
        self,
        probe: ImageSource | Photo,
        reference: ImageSource | Photo,
        choose: Choice = "only",
        *,
        force: bool = False,
    ) -> Verification:
        """Do two photos show the same person?

        Args:
            probe, reference: the photos.
            choose: which face of a photo that shows several.
            force: decide also about faces outside what τ was measured on, under its strictest; the result says so.

        Raises:
            ImageError, FaceError: a photo cannot be read, or does not show the one face asked for.
            NotComparableError: a face is too blurred, covered or otherwise unlike those that τ was measured on.
            NoThresholdError: no τ is known for this encoder and detector.
        """
        point = self.operating_point  # before any work
        first, second = self._encode(self._two_faces(probe, reference, as_choice(choose)))
        for face, which in ((first, _FIRST), (second, _SECOND)):
            require_comparable(self.judge(face), force=force, photo=which)
        judged = worst(self.judge(first), self.judge(second))
        apart = distance(first.embedding, second.embedding)
        threshold = threshold_for(point, judged.standing)
        return Verification(
            same=is_same(apart, threshold),
            distance=apart,
            threshold=threshold,
            probability=probability_for(point, apart, judged.standing),
            operating_point=point,
            standing=judged.standing,
            standing_reason=judged.reason,
            probe_box=first.box,
            reference_box=second.box,
        )

    def _two_faces(
        self, probe: ImageSource | Photo, reference: ImageSource | Photo, choose: Choice
    ) -> tuple[FaceCrop, FaceCrop]:
        """The one face of each of two photos, looked for at the same time where more than one thread may run."""

        @contextmanager
        def about(which: str) -> Iterator[None]:
            try:
                yield
            except (ImageError, FaceError) as error:
                error.about(which)
                raise

        def opened(source: ImageSource | Photo, which: str) -> Photo:
            with about(which):
                return open_photo(source, limits=self.limits)

        def face(photo: Photo, which: str) -> FaceCrop:
            with about(which):
                return self.finder.face(photo, choose)

        photos = [opened(probe, _FIRST), opened(reference, _SECOND)]
        # A photo that is given twice is read by one thread at a time.
        if self._threads != 1 and probe is not reference and sum(photo.pixels for photo in photos) <= _TOGETHER:
            return together(partial(face, photos[0], _FIRST), partial(face, photos[1], _SECOND))
        # Each is let go before the next is decoded: the memory of two large ones must not add up.
        return face(photos.pop(0), _FIRST), face(photos.pop(0), _SECOND)

    def encode_crops(self, faces: Sequence[FaceCrop]) -> list[EncodedFace]:
        """Faces that are cut out already, encoded, in order.

        Args:
            faces: of `finder`, or of another with the same alignment.
        """
        return [face for start in range(0, len(faces), BATCH) for face in self._encode(faces[start : start + BATCH])]

    def _encode(self, faces: Sequence[FaceCrop]) -> list[EncodedFace]:
        crops = np.stack([face.crop_rgb for face in faces])
        embeddings, lengths = self.encoder.encode_measured(crops)
        seen = zip(faces, embeddings, lengths.tolist(), crop_measures(crops), strict=True)
        return [
            EncodedFace(face.detection, row, evidence_of(face.detection, length, measures))
            for face, row, length, measures in seen
        ]
