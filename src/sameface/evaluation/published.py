"""The numbers that papers print, computed as their protocols say, beside ours with an interval.

- *LFW*: mean accuracy over ten folds, each with the threshold that is best on the other nine, ± its standard error (Huang et al. 2007). XQLFW,
  CALFW and CPLFW follow it.
- *InsightFace*: the same with a threshold on a grid of squared distances (0, 0.01, … 3.99), ± the standard deviation over folds. Most accuracies of
  face encoders come from that script (``verification.py``), on LFW, CFP-FP, AgeDB-30, CALFW and CPLFW.
- *CFP*: accuracy, EER and AUC of each fold, mean ± standard deviation (Sengupta et al. 2016).
- *RFW*: the accuracy of each group by LFW's form, their mean ± standard deviation (Wang et al. 2019).

A face that was not found makes its pairs errors in all of them, as in ours; the scripts themselves know no such pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import DataError, NotEnoughDataError, SettingError
from sameface.evaluation.fold_accuracy import decided_rightly
from sameface.evaluation.resampling import PeopleDraws
from sameface.evaluation.results import PublishedNumber, Rate, VerificationResult
from sameface.evaluation.scores import Scores
from sameface.matching import LONGEST_ON_UNIT_SPHERE
from sameface.metrics import area_under_curve, curve, equal_error_rate, mean_and_standard_error

#: InsightFace's grid.
_STEP: Final = 0.01
_STEPS: Final = 400


@dataclass(frozen=True, slots=True)
class Protocol:
    """A published protocol on pairs.

    Attributes:
        title: of the data set.
        pairs: how many it has.
        forms: of the numbers that are published of it, by name.
    """

    title: str
    pairs: int
    forms: tuple[str, ...]


#: Those on templates, see `sameface.evaluation.run_templates`.
ON_TEMPLATES: Final = ("ijb-b", "ijb-c", "tinyface")
PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "lfw": Protocol("LFW, View 2", 6000, ("LFW", "InsightFace")),
    "xqlfw": Protocol("XQLFW", 6000, ("LFW",)),
    "calfw": Protocol("CALFW", 6000, ("LFW", "InsightFace")),
    "cplfw": Protocol("CPLFW", 6000, ("LFW", "InsightFace")),
    "agedb-30": Protocol("AgeDB-30", 6000, ("LFW", "InsightFace")),
    "cfp-ff": Protocol("CFP, frontal-frontal", 7000, ("CFP", "InsightFace")),
    "cfp-fp": Protocol("CFP, frontal-profile", 7000, ("CFP", "InsightFace")),
    "rfw": Protocol("RFW", 24000, ("RFW",)),
}


def protocol_named(name: str) -> Protocol:
    """A protocol by its name.

    Raises:
        SettingError: another name.
    """
    found = PROTOCOLS.get(name.lower())
    if found is None:
        raise SettingError(
            expected=f"a protocol among {', '.join((*PROTOCOLS, *ON_TEMPLATES))}",
            got=repr(name),
            advice="choose one of those",
        )
    return found


def check_protocol(protocol: Protocol, scores: Scores) -> str:
    """What the data lack of the protocol, in a sentence; "" where they are whole.

    Raises:
        DataError: they have no folds, so that they are no such protocol.
    """
    if scores.folds is None:
        raise DataError(
            expected=f"the pairs of {protocol.title} in their folds",
            got="pairs without folds",
            advice="give the publisher's list (--pairs), folder or .bin",
        )
    pairs, folds = len(scores.same), len(np.unique(scores.folds))
    if (pairs, folds) == (protocol.pairs, 10):
        return ""
    return f"{protocol.title} has {protocol.pairs} pairs in 10 folds, here are {pairs} in {folds}: no number of it may be published"


def published(
    protocol: Protocol, draws: PeopleDraws, result: VerificationResult, seed: int = 0
) -> tuple[PublishedNumber, ...]:
    """The protocol's own numbers, each beside ours."""
    found: list[PublishedNumber] = []
    for form in protocol.forms:
        found += _FORMS[form](draws, result, seed)
    return tuple(found)


def grid_accuracy(
    distances: npt.NDArray[np.floating], same: npt.NDArray[np.bool_], folds: npt.NDArray[np.integer]
) -> tuple[float, float]:
    """InsightFace's accuracy: mean and standard deviation over folds, thresholds from a grid of squared distances.

    Args:
        distances: ``(n,)`` L2 of unit vectors; ``inf`` where a face was not found, an error at every threshold.
        same, folds: ``(n,)``.

    Raises:
        NotEnoughDataError: distances of vectors that are no unit vectors, for which the grid was not made.
    """
    finite = np.isfinite(distances)
    if distances[finite].max(initial=0) > LONGEST_ON_UNIT_SPHERE + 1e-5:
        raise NotEnoughDataError(
            expected="embeddings of length 1 for InsightFace's grid of thresholds",
            got=f"a distance of {distances[finite].max():g}",
            advice="take an encoder whose embeddings have length 1",
        )
    thresholds = np.arange(_STEPS, dtype=np.float64) * _STEP
    squared = np.square(distances.astype(np.float64))
    accuracies = []
    for fold in np.unique(folds):
        right = _rights(squared, same, folds != fold, thresholds)
        best = int(np.argmax(right))
        accuracies.append(
            float(_rights(squared, same, folds == fold, thresholds[best : best + 1])[0] / np.sum(folds == fold))
        )
    return float(np.mean(accuracies)), float(np.std(accuracies))


def _rights(
    squared: npt.NDArray[np.float64],
    same: npt.NDArray[np.bool_],
    use: npt.NDArray[np.bool_],
    thresholds: npt.NDArray[np.floating],
) -> npt.NDArray[np.intp]:
    """How many of the pairs in use each threshold decides rightly."""
    mated, non_mated = np.sort(squared[use & same]), np.sort(squared[use & ~same & np.isfinite(squared)])
    accepted = np.searchsorted(mated, thresholds, side="left")
    return np.asarray(accepted + len(non_mated) - np.searchsorted(non_mated, thresholds, side="left"))


def _ours(draws: PeopleDraws, result: VerificationResult, seed: int) -> Rate:
    right = decided_rightly(draws.scores, result.accuracy, seed)
    return draws.rate(right, np.ones(len(right), dtype=np.bool_))


def _lfw(draws: PeopleDraws, result: VerificationResult, seed: int) -> Iterator[PublishedNumber]:
    accuracy = result.accuracy
    yield PublishedNumber(
        "LFW", "accuracy", accuracy.mean, accuracy.standard_error, "standard error", _ours(draws, result, seed)
    )


def _insightface(draws: PeopleDraws, result: VerificationResult, seed: int) -> Iterator[PublishedNumber]:
    scores = draws.scores
    assert scores.folds is not None
    try:
        mean, deviation = grid_accuracy(scores.distances, scores.same, scores.folds)
    except NotEnoughDataError:
        return
    yield PublishedNumber("InsightFace", "accuracy", mean, deviation, "standard deviation", _ours(draws, result, seed))


def _cfp(draws: PeopleDraws, result: VerificationResult, seed: int) -> Iterator[PublishedNumber]:
    scores = draws.scores
    assert scores.folds is not None
    eers, areas = [], []
    for fold in np.unique(scores.folds):
        here = scores.folds == fold
        mated = scores.distances[here & scores.same]
        non_mated = scores.distances[here & ~scores.same & np.isfinite(scores.distances)]
        eers.append(equal_error_rate(curve(mated, non_mated))[0])
        areas.append(area_under_curve(mated, non_mated))
    ours = _ours(draws, result, seed)
    folds = [fold.accuracy for fold in result.accuracy.folds]
    for measure, values, own in (("accuracy", folds, ours), ("EER", eers, result.eer), ("AUC", areas, result.auc)):
        mean, error = mean_and_standard_error(values)
        yield PublishedNumber("CFP", measure, mean, error * len(values) ** 0.5, "standard deviation", own)


def _rfw(draws: PeopleDraws, result: VerificationResult, seed: int) -> Iterator[PublishedNumber]:
    known = {row.group: row.accuracy for row in result.groups if row.accuracy is not None}
    for group, accuracy in known.items():
        yield PublishedNumber(
            "RFW", f"accuracy of {group}", accuracy.mean, accuracy.standard_error, "standard error", None
        )
    means = [accuracy.mean for accuracy in known.values()]
    if len(means) > 1:
        yield PublishedNumber(
            "RFW", "mean over groups", float(np.mean(means)), float(np.std(means)), "standard deviation", None
        )


_FORMS: Final[Mapping[str, Callable[[PeopleDraws, VerificationResult, int], Iterator[PublishedNumber]]]] = {
    "LFW": _lfw,
    "InsightFace": _insightface,
    "CFP": _cfp,
    "RFW": _rfw,
}
