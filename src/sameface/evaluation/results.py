"""What an evaluation finds: the JSON's schema, class by class.

Over 300 lines because it is the reference of one document, read as a whole.

Documented in docs/reference/evaluation-schema.md. Fields are added, never renamed or removed, under one version of `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sameface.metrics.paired import PairedDecisions
from sameface.plain import Plain, rows_html
from sameface.tables import dataframe
from sameface.types import EmbeddingSpace, Interval, OperatingPoint, ProbabilityCalibration

SCHEMA: Final = "sameface.evaluation/1"


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with how it was counted: `events` of `trials`, and an interval where one can be given."""

    value: float
    events: int
    trials: int
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Photos that gave no embedding, by reason, and the pairs they spoil."""

    photos: int
    failed: int
    reasons: Mapping[str, int]
    rate: Rate
    mated_pairs: int
    non_mated_pairs: int
    convention: str


@dataclass(frozen=True, slots=True)
class TarAtFmr:
    """TAR at the highest τ that keeps an FMR. `supported`: the pairs allow to expect 30 false matches or more."""

    target_fmr: float
    threshold: float
    tar: Rate
    fmr: Rate
    supported: bool
    pairs_needed: int


@dataclass(frozen=True, slots=True)
class Fold:
    accuracy: float
    threshold: float
    pairs: int
    chosen_on: int


@dataclass(frozen=True, slots=True)
class KFoldAccuracy:
    """Mean over folds and its standard error; `threshold` is the best on all pairs."""

    mean: float
    standard_error: float
    threshold: float
    folds: tuple[Fold, ...]
    balanced: bool
    how: str


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What one threshold, chosen elsewhere, gives on these pairs."""

    name: str
    threshold: float
    accuracy: Rate
    fmr: Rate
    fnmr: Rate


@dataclass(frozen=True, slots=True)
class GroupRates:
    """FMR and FNMR of one group at one threshold for all; `accuracy` as its list of pairs is published, with a threshold of its own."""

    column: str
    group: str
    threshold: float
    fmr: Rate | None
    fnmr: Rate | None
    accuracy: KFoldAccuracy | None = None


@dataclass(frozen=True, slots=True)
class GroupSpread:
    """How far the groups of a column lie apart: the `rate` (``FMR`` or ``FNMR``) of the `highest` minus that of the `lowest`.

    `interval`: of the largest difference between any two groups; from 0 where the data do not tell them apart.
    """

    column: str
    rate: str
    highest: str
    lowest: str
    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Points:
    """A ROC/DET curve, thinned for drawing."""

    threshold: tuple[float, ...]
    fmr: tuple[float, ...]
    fnmr: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of mated and non-mated distances between `edges`."""

    edges: tuple[float, ...]
    mated: tuple[int, ...]
    non_mated: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HardPair:
    """A pair on the wrong side, or nearest to it. Paths stay on the user's machine unless the report is passed on."""

    a: str
    b: str
    same: bool
    distance: float


@dataclass(frozen=True, slots=True)
class PublishedNumber:
    """A number in the form in which papers print it.

    Attributes:
        form: whose: ``LFW``, ``InsightFace``, ``CFP``, ``RFW``, ``IJB``, ``TinyFace``.
        measure: what it is of.
        value: its mean. spread: what stands behind ±, None where nothing does. spread_is: what that is.
        ours: the same question over all pairs, with an interval that draws people; None where there is none.
    """

    form: str
    measure: str
    value: float
    spread: float | None
    spread_is: str
    ours: Rate | None


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """1:1."""

    mated_pairs: int
    non_mated_pairs: int
    people: int
    pairs_share_people: bool
    accuracy: KFoldAccuracy
    at_thresholds: tuple[AtThreshold, ...]
    eer: Rate
    eer_threshold: float
    auc: Rate
    tar: tuple[TarAtFmr, ...]
    groups: tuple[GroupRates, ...]
    curve: Points
    histogram: Histogram
    hardest: tuple[HardPair, ...] = ()
    group_spreads: tuple[GroupSpread, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenSetRow:
    """A search of a gallery of K people.

    `rule`: how the threshold came about: ``1:1 threshold`` (what silently using τ would do), ``guide`` (from FPIR = 1 − (1 − FMR)^K),
    ``measured`` (chosen on other unknown people).
    """

    people: int
    rule: str
    threshold: float | None
    fpir: Rate | None
    fnir: Rate | None
    misidentified: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class IdentificationResult:
    """1:K."""

    closed_people: int
    closed_probes: int
    rank_1: Rate
    cmc: tuple[float, ...]
    target_fpir: float
    open_set: tuple[OpenSetRow, ...]
    how: str


@dataclass(frozen=True, slots=True)
class ClassifierRow:
    """A classifier on embeddings with so many photos of each person to learn from: mean and deviation over draws."""

    classifier: str
    photos_per_person: int
    accuracy: float
    deviation: float
    draws: int


@dataclass(frozen=True, slots=True)
class ClassifierResult:
    """Embeddings as features."""

    people: int
    test_photos: int
    rows: tuple[ClassifierRow, ...]
    pair_accuracy: KFoldAccuracy | None = None
    distance_accuracy: KFoldAccuracy | None = None


@dataclass(frozen=True, slots=True)
class FewShotResult:
    """k-way n-shot: `ways` classes, `shots` examples of each, one more of each to be told.

    `accuracy`: right answers of all that were asked, each drawn at random. `classes`: that were drawn from. `groups`: the groups that
    each episode stayed within one of, 0 where it did not; those with too few classes are counted apart.
    """

    ways: int
    shots: int
    accuracy: Rate
    episodes: int
    classes: int
    groups: int = 0
    groups_too_small: int = 0


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pairs whose predicted probability lies in a bin: the mean prediction and the share that is mated."""

    predicted: float
    observed: float
    weight: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """A probability calibration, cross-validated."""

    calibration: ProbabilityCalibration
    candidates: Mapping[str, float]
    bins: tuple[ReliabilityBin, ...]
    how: str


@dataclass(frozen=True, slots=True)
class Speed:
    """How long the embeddings took, the whole pipeline from file to vector."""

    encoded: int
    from_cache: int
    seconds: float
    photos_per_second: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """One encoder with one detector on the data."""

    space: EmbeddingSpace
    title: str
    dimension: int
    commercial_use: str
    acquisition: Acquisition
    speed: Speed
    verification: VerificationResult
    identification: IdentificationResult | None = None
    classifiers: ClassifierResult | None = None
    reliability: Reliability | None = None
    operating_point: OperatingPoint | None = None
    disturbed: tuple[DisturbedRate, ...] = ()
    few_shot: tuple[FewShotResult, ...] = ()
    published: tuple[PublishedNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class DisturbedRate:
    """Stranger pairs of photos that were damaged on purpose, of one kind and strength; both photos of a pair alike.

    Attributes:
        kind, strength: of the disturbance; "" and 0 for photos as they are.
        found: share of the photos in which a face was found.
        answered: share of the found faces that are answered.
        fmr_before, fmr: share of stranger pairs that pass with nothing refused under τ, and among answered pairs under the τ that decides.
        fnmr: share of mated pairs among the answered that do not pass; None without such pairs.
        pairs: answered stranger pairs.
    """

    kind: str
    strength: float
    found: float
    answered: float
    fmr_before: float | None
    fmr: float | None
    fnmr: float | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure of two encoders on the same pairs: `second` minus `first`, its interval, and how likely so much is by chance (two-sided)."""

    measure: str
    first: float
    second: float
    difference: float
    interval: Interval | None
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two encoders, or two detectors, on the same pairs.

    Attributes:
        first, second: which.
        differences: measure by measure.
        decisions: of a list of pairs, who decided which pair rightly, each pair under the threshold that the other folds gave; else None.
        how: where interval and p-value come from.
    """

    first: EmbeddingSpace
    second: EmbeddingSpace
    differences: tuple[Difference, ...]
    decisions: PairedDecisions | None
    how: str


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What was evaluated on; problems counted by kind, with the first few in words."""

    name: str
    protocol: str
    photos: int
    people: int
    problems: Mapping[str, int]
    examples: tuple[str, ...]
    duplicates: int = 0
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation(Plain):
    """The whole: one document."""

    data: DataSummary
    runs: tuple[Run, ...]
    chosen_on: DataSummary | None = None
    schema: str = SCHEMA
    version: str = ""
    created: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)
    comparisons: tuple[Comparison, ...] = ()

    def __repr__(self) -> str:
        rates = ", ".join(f"{run.space.encoder} EER {run.verification.eer.value:.2%}" for run in self.runs)
        return f"Evaluation({self.data.name}, {self.data.photos} photos of {self.data.people} people: {rates})"

    def to_rows(self) -> list[dict[str, Any]]:
        """A row for each encoder and detector, with the rates that stand in the report's first table."""
        return [_row(run) for run in self.runs]

    def to_dataframe(self, library: str | None = None) -> Any:
        """The rows as a table of pandas, polars or PyArrow, as `sameface.Answers.to_dataframe` makes them."""
        return dataframe(self.to_rows(), library)

    def _repr_html_(self) -> str:
        return rows_html(self.to_rows())


def _row(run: Run) -> dict[str, Any]:
    found = run.verification
    return {
        "encoder": run.space.encoder,
        "detector": run.space.detector,
        "mated_pairs": found.mated_pairs,
        "non_mated_pairs": found.non_mated_pairs,
        "accuracy": found.accuracy.mean,
        "accuracy_error": found.accuracy.standard_error,
        "eer": found.eer.value,
        "auc": found.auc.value,
        **{f"tar_at_fmr_{item.target_fmr:g}": item.tar.value for item in found.tar},
        "not_found": run.acquisition.failed,
    }
