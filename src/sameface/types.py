"""Frozen values that the floors hand to each other. No logic beyond arithmetic on their own fields.

Over 300 lines because these values name each other and every room imports them: one place to look, half of it docstrings.

Boxes are ``xyxy`` in pixels, x to the right, y down, (0, 0) at the top left corner of the top left pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from sameface.plain import Plain

#: ``(h, w, 3)`` uint8 in R, G, B order.
ImageRGB = npt.NDArray[np.uint8]
#: ``(m, h, w, 3)`` uint8 in R, G, B order: face crops.
CropsRGB = npt.NDArray[np.uint8]
#: ``(m, d)`` or ``(d,)`` float32.
Embeddings = npt.NDArray[np.float32]

NO_DETAILS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Box(Plain):
    """A rectangle in pixels, from the top left corner of the upright photo; may reach outside it."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center_xy(self) -> tuple[float, float]:
        """
        >>> Box(10, 20, 40, 80).width, Box(10, 20, 40, 80).center_xy
        (30, (25.0, 50.0))
        """
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        return self.x1, self.y1, self.x2, self.y2


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Named points of a face.

    Attributes:
        scheme: which points, in which order. ``dlib5``: the four eye corners and the base of the nose, as dlib's 5-point
            predictor gives them; ``dlib68``: the 68 points of iBUG; ``arcface5``: pupils, tip of the nose, corners of the mouth,
            the image's left side first.
        points_xy: ``(n, 2)`` float32 pixels.
    """

    scheme: str
    points_xy: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Detection(Plain):
    """A face as a detector found it.

    Attributes:
        box: the detector's own idea of the face's extent.
        confidence: the detector's score, 0 to 1; comparable only within one detector.
        landmarks: the detector's own points, or None where it has none.
        turns: quarter turns, counterclockwise, of the photo that make this face upright. Box and points lie in the photo as it is; the points
            keep their order, so the first eye is the left one of the upright face.
    """

    box: Box
    confidence: float
    landmarks: Landmarks | None = None
    turns: int = 0


@dataclass(frozen=True, slots=True)
class EmbeddingSpace(Plain):
    """What two embeddings must share before their distance means anything.

    Attributes:
        encoder: id of the encoder: weights and preprocessing.
        detector: id of the detector that found the box.
        alignment: id of the alignment that made the crop.
    """

    encoder: str
    detector: str
    alignment: str

    def __str__(self) -> str:
        return f"{self.encoder} on {self.detector} + {self.alignment}"


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """An embedding as it is stored: with where it came from, without any pixels.

    Attributes:
        embedding: ``(d,)`` float32, finite.
        source: where the photo lay (a path or a label), "" when unknown.
        source_sha256: hex digest of the photo's bytes, "" when unknown.
        box: the face in that photo, None when the crop was given.
        quality: 0 to 1, None when not judged.
        added: when it was stored, UTC, ISO 8601; "" before that, and in galleries that did not keep it then.
    """

    embedding: Embeddings
    source: str = ""
    source_sha256: str = ""
    box: Box | None = None
    quality: float | None = None
    added: str = ""


@dataclass(frozen=True, slots=True)
class Consent(Plain):
    """What a person agreed to.

    Attributes:
        purpose: what for, in words.
        given: when, UTC, ISO 8601.
        until: from when on it holds no more, likewise; "" without an end.
        evidence: where the proof lies: the number of a signed form, say; never the proof itself.
    """

    purpose: str
    given: str
    until: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Retention(Plain):
    """How long people are kept: so many days from their enrolment, or until a moment; of both the earlier.

    Attributes:
        days: 1 and more, 0 for no such limit.
        until: UTC, ISO 8601, "" for no such limit.
    """

    days: int = 0
    until: str = ""


@dataclass(frozen=True, slots=True)
class Person(Plain):
    """An enrolled identity.

    Attributes:
        person_id: stable, never reused, 32 hex digits.
        name: unique in its gallery; data, never a path.
        details: free text by free keys.
        groups: tags to search within.
        photos: how many templates are stored.
        created: UTC, ISO 8601.
        consent: what they agreed to, None when nothing was noted.
        keep_until: the end of their own retention, UTC, ISO 8601; "" without one.
        expires: the earliest end: of the consent, of their own retention, of their groups' and their gallery's. From then on nobody names
            them, and they are forgotten. "" for never.
        hold: why they must be kept for now (a legal hold), "" when nothing forbids to forget them.
    """

    person_id: str
    name: str
    details: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    photos: int = 0
    created: str = ""
    consent: Consent | None = None
    keep_until: str = ""
    expires: str = ""
    hold: str = ""


@dataclass(frozen=True, slots=True)
class PersonId:
    """Says of a text that it is a person's id. Any text may be a name, one of 32 hex digits too, so a bare text is never taken for an id."""

    value: str

    def __str__(self) -> str:
        return self.value


#: Which person is meant: by name (a text), by id, or as they were looked up before, which goes by their id: names may change hands meanwhile.
Who = str | PersonId | Person


@dataclass(frozen=True, slots=True)
class Candidate(Plain):
    """One ranked answer of a search: a person and the distance of their nearest template. Not yet a match."""

    person_id: str
    name: str
    distance: float


@dataclass(frozen=True, slots=True)
class Erased(Plain):
    """What `forget` took away, counted.

    Attributes:
        person_id: whose data it was; the name is not repeated.
        templates: vectors erased from the record.
        elsewhere: further places and what was erased there, for instance ``{"search cache": 2}``.
        pending: places where old bytes lie a while longer, for instance ``("gallery file",)`` while somebody reads a state of before, as an export
            does. No answer comes from them; the reader's end, or the next change, erases them.
    """

    person_id: str
    templates: int
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    pending: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expired(Plain):
    """Who was forgotten because their time was over.

    Attributes:
        people: their ids, in the order of enrolment.
        templates: vectors erased from the record.
        held: how many others stay for a legal hold, though their time is over; nobody names them.
        pending: as of `Erased`.
    """

    people: tuple[str, ...]
    templates: int
    held: int = 0
    pending: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a rate.

    Attributes:
        low, high: bounds, both within [0, 1].
        level: coverage, 0.95 unless said.
        method: how it was made: ``clopper-pearson``, ``bootstrap over people``, ``rule of three``.
    """

    low: float
    high: float
    level: float = 0.95
    method: str = "clopper-pearson"


@dataclass(frozen=True, slots=True)
class TailPoint:
    """One point of the measured false-match curve: the FMR of the rule ``distance < threshold``."""

    threshold: float
    fmr: float


@dataclass(frozen=True, slots=True)
class ProbabilityCalibration:
    """A measured map from distance to the probability that two photos show the same person.

    Attributes:
        kind: ``logistic``: log odds = ``intercept + slope · distance``; ``isotonic``: log odds interpolated linearly between `knots`, constant
            outside them.
        prior: share of mated pairs that the probability assumes.
        slope, intercept: of the logistic map, at that prior.
        knots: (distance, log odds at that prior), rising in distance and never rising in log odds.
        log_loss: cross-validated, in nats.
        brier: cross-validated mean squared error.
        pairs: labelled pairs it was fitted on.
    """

    kind: Literal["logistic", "isotonic"]
    prior: float = 0.5
    slope: float = 0.0
    intercept: float = 0.0
    knots: tuple[tuple[float, float], ...] = ()
    log_loss: float | None = None
    brier: float | None = None
    pairs: int = 0


@dataclass(frozen=True, slots=True)
class DistanceSpread:
    """Where the distances of labelled pairs lie: quantiles, from which a picture of both heaps can be drawn.

    Attributes:
        levels: shares of pairs, rising from 0 to 1.
        mated, non_mated: for each level, the distance that this share of the pairs does not exceed.
    """

    levels: tuple[float, ...]
    mated: tuple[float, ...]
    non_mated: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """What one kind of disturbance does to photos, measured.

    Attributes:
        name: of the kind, for instance ``blurred``.
        fmr: share of stranger pairs under τ when nothing is refused; None where too few faces were found.
        answered: share of the faces found that are still answered.
        centre: mean of its faces' features, standardised; by it a face that is refused is told what it looks like.
    """

    name: str
    fmr: float | None
    answered: float
    centre: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Domain:
    """The kind of faces that τ was measured on, and what is done with others.

    A face's score is ``bias + Σ weightᵢ · (featureᵢ − meanᵢ) / scaleᵢ``: the log odds that it is one of those whose strangers come too
    close. Features are those of `sameface.recognizer.domain.features`.

    Attributes:
        mean, scale, weights, bias: of the score.
        usual: up to this score τ holds.
        limit: above this score nothing is answered.
        threshold: τ for pairs with a face between the two, measured on such faces.
        kinds: the disturbances that it was learned from.
        data: the photos that it was learned from.
        refused: share of undisturbed photos over `limit`, on people that the score did not learn from.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    usual: float
    limit: float
    threshold: float
    kinds: tuple[Damage, ...] = ()
    data: str = ""
    refused: float = 0.0

    def __repr__(self) -> str:
        return f"Domain(usual up to {self.usual:g}, answered up to {self.limit:g} under τ {self.threshold:g}, from {self.data or 'no named data'})"


@dataclass(frozen=True, slots=True, repr=False)
class OperatingPoint(Plain):
    """A threshold with its provenance; a threshold never travels alone.

    Attributes:
        threshold: τ of the rule *same iff distance < τ*, for 1:1.
        space: the encoder, detector and alignment that it belongs to.
        target: what it was chosen for, in words: ``FMR 0.001``, ``accuracy``, ``published by dlib``.
        target_fmr: the FMR asked for, None when the target was another.
        fmr, fmr_interval: measured on the data it was chosen on.
        fnmr, fnmr_interval: likewise.
        mated_pairs, non_mated_pairs, people: size of that data.
        data: the data set's name.
        protocol: how pairs were made, in a sentence.
        tail: the measured low end of the false-match curve, rising in both fields; what τ(K) is read from.
        smallest_fmr: below this the data support no claim; 0 when there is no tail.
        probability: the calibrated map from distance to probability, None where none was fitted.
        distances: where the distances of its mated and non-mated pairs lie, None where that was not kept.
        confirmed: what the same τ gave on other data, scored once (same field names, free keys).
        domain: which faces τ holds for, None where that was not measured: then every face is answered.
        created: UTC date, ISO 8601.
    """

    threshold: float
    space: EmbeddingSpace
    target: str
    target_fmr: float | None = None
    fmr: float | None = None
    fmr_interval: Interval | None = None
    fnmr: float | None = None
    fnmr_interval: Interval | None = None
    mated_pairs: int = 0
    non_mated_pairs: int = 0
    people: int = 0
    data: str = ""
    protocol: str = ""
    tail: tuple[TailPoint, ...] = ()
    smallest_fmr: float = 0.0
    probability: ProbabilityCalibration | None = None
    distances: DistanceSpread | None = None
    confirmed: Mapping[str, Any] = field(default_factory=dict)
    domain: Domain | None = None
    created: str = ""

    def __repr__(self) -> str:
        data = f", on {self.data}" if self.data else ""
        return f"OperatingPoint(τ {self.threshold:.3f} for {self.target}{data}, of {self.space})"
