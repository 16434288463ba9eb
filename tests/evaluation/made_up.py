"""An evaluation whose every number is known: two encoders on one data set, one of them with all that can be asked for."""

from __future__ import annotations

from dataclasses import replace

from sameface.evaluation.results import (
    Acquisition,
    AtThreshold,
    ClassifierResult,
    ClassifierRow,
    Comparison,
    DataSummary,
    Difference,
    DisturbedRate,
    Evaluation,
    GroupRates,
    GroupSpread,
    HardPair,
    Histogram,
    IdentificationResult,
    KFoldAccuracy,
    OpenSetRow,
    Points,
    PublishedNumber,
    Rate,
    Reliability,
    ReliabilityBin,
    Run,
    Speed,
    TarAtFmr,
    VerificationResult,
)
from sameface.metrics.paired import PairedDecisions
from sameface.types import EmbeddingSpace, Interval, ProbabilityCalibration


def rate(value: float, low: float | None = None, high: float | None = None) -> Rate:
    """A share of 1,000."""
    bounds = None if low is None or high is None else Interval(low, high)
    return Rate(value, round(1000 * value), 1000, bounds)


VERIFICATION = VerificationResult(
    mated_pairs=500,
    non_mated_pairs=1000,
    people=40,
    pairs_share_people=True,
    accuracy=KFoldAccuracy(0.975, 0.0042, 1.1, (), True, "10 folds"),
    at_thresholds=(AtThreshold("FMR 0.001, on LFW", 1.02, rate(0.991), rate(0.0012, 0.0004, 0.0031), rate(0.017)),),
    eer=rate(0.024, 0.016, 0.035),
    eer_threshold=1.2,
    auc=rate(0.9971),
    tar=(
        TarAtFmr(0.01, 1.1, rate(0.981), rate(0.01), True, 3000),
        TarAtFmr(0.001, 1.0, rate(0.942, 0.9, 0.97), rate(0.001), False, 30000),
    ),
    groups=(
        GroupRates("light", "indoor", 1.0, rate(0.001, 0.0, 0.004), rate(0.01)),
        GroupRates("light", "outdoor", 1.0, rate(0.002), None, KFoldAccuracy(0.98, 0.004, 1.0, (), False, "10 folds")),
    ),
    group_spreads=(
        GroupSpread("light", "FMR", "outdoor", "indoor", 0.001, Interval(0.0, 0.003)),
        GroupSpread("light", "FNMR", "indoor", "outdoor", 0.02, Interval(0.004, 0.05)),
    ),
    curve=Points((0.5, 1.0, 1.5), (0.0, 0.01, 1.0), (0.2, 0.05, 0.0)),
    histogram=Histogram((0.0, 1.0, 2.0), (30, 10), (5, 15)),
    hardest=(HardPair("a.jpg", "b.jpg", True, 1.4),),
)
IDENTIFICATION = IdentificationResult(
    closed_people=40,
    closed_probes=160,
    rank_1=rate(0.965),
    cmc=(0.965, 0.98, 0.99),
    target_fpir=0.01,
    open_set=(
        OpenSetRow(10, "guide", 0.95, rate(0.004, 0.001, 0.02), rate(0.05), 0.0),
        OpenSetRow(20, "guide", 0.9, rate(0.006), rate(0.06), 0.0),
        OpenSetRow(1000, "guide", None, None, None, None, "the data support no claim for so many"),
    ),
    how="one photo each",
)
CLASSIFIERS = ClassifierResult(
    40,
    80,
    (
        ClassifierRow("nearest neighbour", 1, 0.9, 0.02, 5),
        ClassifierRow("nearest neighbour", 4, 0.97, 0.01, 5),
        ClassifierRow("linear SVM", 1, 0.88, 0.03, 5),
        ClassifierRow("linear SVM", 4, 0.96, 0.015, 5),
    ),
    KFoldAccuracy(0.98, 0.003, 0.0, (), True, "logistic regression"),
    None,
)
RELIABILITY = Reliability(
    ProbabilityCalibration("logistic"),
    {"logistic": 0.1},
    (ReliabilityBin(0.1, 0.12, 0.4, 100), ReliabilityBin(0.5, 0.9, 0.1, 3), ReliabilityBin(0.9, 0.88, 0.5, 90)),
    "5 folds",
)
FULL = Run(
    EmbeddingSpace("full", "yunet", "a"),
    "Full",
    128,
    "yes",
    Acquisition(200, 3, {"no face": 3}, rate(0.015), 4, 9, "counted as errors"),
    Speed(200, 0, 4.0, 50.0),
    VERIFICATION,
    IDENTIFICATION,
    CLASSIFIERS,
    RELIABILITY,
    disturbed=(
        DisturbedRate("", 0, 1.0, 0.998, 0.001, 0.001, 0.012, 900),
        DisturbedRate("blurred", 0.12, 0.875, 0.5, 0.082, 0.0009, None, 400),
    ),
    published=(
        PublishedNumber("LFW", "accuracy", 0.9921, 0.0013, "standard error", rate(0.9922, 0.989, 0.9951)),
        PublishedNumber("RFW", "accuracy of Asian", 0.91, 0.004, "standard error", None),
    ),
)
SPARE = replace(
    FULL,
    space=EmbeddingSpace("spare", "yunet", "a"),
    speed=Speed(0, 200, 0.1, None),
    verification=replace(VERIFICATION, at_thresholds=(), tar=VERIFICATION.tar[:1], groups=(), group_spreads=()),
    identification=replace(IDENTIFICATION, open_set=()),
    classifiers=None,
    reliability=None,
    disturbed=(),
    published=(),
)
COMPARISON = Comparison(
    FULL.space,
    SPARE.space,
    (
        Difference("EER", 0.024, 0.03, 0.006, Interval(0.001, 0.011), 0.016),
        Difference("FMR at its own τ", 0.001, 0.00098, -0.00002, Interval(-0.0004, 0.0003), 0.9),
        Difference("AUC", 0.99, 0.99, 0.0, None, None),
    ),
    PairedDecisions(900, 12, 3, 20, 0.0352),
    "the same draws",
)
EVALUATION = Evaluation(
    DataSummary("Faces", "all pairs", 200, 40, {}, ()),
    (FULL, SPARE),
    notes=("probability: too few pairs",),
    comparisons=(COMPARISON,),
)
