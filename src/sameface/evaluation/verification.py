"""1:1: accuracy by folds, ROC and DET, EER, AUC, TAR at FMRs, groups; each number with the interval that its pairs allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.evaluation.embed import EmbeddedPhotos
from sameface.evaluation.fold_accuracy import k_fold
from sameface.evaluation.groups import group_rates
from sameface.evaluation.resampling import TARGETS, PeopleDraws, percentiles
from sameface.evaluation.results import (
    Acquisition,
    AtThreshold,
    Histogram,
    Points,
    Rate,
    TarAtFmr,
    VerificationResult,
)
from sameface.evaluation.scores import Scores
from sameface.metrics import (
    RULE_OF_30,
    area_under_curve,
    curve,
    equal_error_rate,
    pairs_needed,
    tar_at_fmr,
)
from sameface.types import Interval

CONVENTION: Final = (
    "A photo without a usable face makes its mated pairs non-matches (they count in FNMR and TAR) and every one of its pairs an error in accuracy; "
    "its non-mated pairs are left out of FMR, which they could only lower."
)


def acquisition(embedded: EmbeddedPhotos, scores: Scores) -> Acquisition:
    """How many photos gave no embedding, why, and how many pairs that spoils."""
    draws = np.isinf(scores.distances)
    failed, photos = int((~embedded.found).sum()), len(embedded.found)
    from sameface.metrics import binomial_interval

    return Acquisition(
        photos,
        failed,
        dict(Counter(item.reason for item in embedded.failures)),
        Rate(failed / photos, failed, photos, binomial_interval(failed, photos)),
        int((draws & scores.same).sum()),
        int((draws & ~scores.same).sum()),
        CONVENTION,
    )


def verify_all(
    scores: Scores,
    *,
    folds: int | None = None,
    thresholds: Mapping[str, float] | None = None,
    groups: Mapping[str, npt.ArrayLike] | None = None,
    group_threshold: float | None = None,
    draws: PeopleDraws | None = None,
    seed: int = 0,
) -> VerificationResult:
    """Every number of 1:1.

    Args:
        scores: the pairs.
        folds: how many, where the protocol has none of its own; None takes ten, or fewer where there are too few people.
        thresholds: τ by name, chosen elsewhere, to be scored here.
        groups: by column, the group of each pair, "" for none.
        group_threshold: τ that groups are judged at; None takes the one at the smallest supported FMR.
        draws: of these scores; None makes them.
        seed: of folds and draws.

    Raises:
        NotEnoughDataError: mated or non-mated pairs are missing.
    """
    mated, non_mated = scores.mated, scores.non_mated
    if not len(mated) or not len(non_mated):
        raise NotEnoughDataError(
            expected="mated and non-mated pairs",
            got=f"{len(mated)} mated and {len(non_mated)} non-mated with faces",
            advice="give both kinds; FMR and FNMR need one each",
        )
    draws = draws or PeopleDraws(scores, seed=seed)
    whole = curve(mated, non_mated)
    eer, eer_threshold = equal_error_rate(whole)
    auc = area_under_curve(mated, non_mated)
    tar = tuple(_tar(scores, draws, target) for target in TARGETS if len(non_mated) * target >= 1)
    chosen = group_threshold if group_threshold is not None else tar[-1].threshold if tar else eer_threshold
    rows, spreads = group_rates(draws, groups or {}, chosen, seed=seed)
    thin = whole.thinned(600)
    return VerificationResult(
        mated_pairs=len(mated),
        non_mated_pairs=int((~scores.same).sum()),
        people=scores.people,
        pairs_share_people=not draws.independent,
        accuracy=k_fold(scores, folds, seed=seed),
        at_thresholds=tuple(at_threshold(scores, draws, name, value) for name, value in (thresholds or {}).items()),
        eer=Rate(
            eer,
            round(eer * (len(mated) + len(non_mated))),
            len(mated) + len(non_mated),
            percentiles(draws.ranks.eer) if eer > 0 else _bound_when_separated(scores, draws),
        ),
        eer_threshold=eer_threshold,
        auc=Rate(
            auc,
            0,
            len(mated) + len(non_mated),
            percentiles(draws.ranks.auc) if auc < 1 else _turned(_bound_when_separated(scores, draws)),
        ),
        tar=tar,
        groups=rows,
        curve=Points(*(tuple(x.tolist()) for x in (thin.thresholds, thin.fmr, thin.fnmr))),
        histogram=histogram(mated, non_mated),
        group_spreads=spreads,
    )


def at_threshold(scores: Scores, draws: PeopleDraws, name: str, threshold: float) -> AtThreshold:
    """Accuracy, FMR and FNMR at a τ that was chosen elsewhere."""
    under = scores.distances < threshold
    finite = np.isfinite(scores.distances)
    right = np.where(scores.same, under, ~under & finite)
    both = np.ones(len(under), dtype=np.bool_)
    return AtThreshold(
        name,
        threshold,
        draws.rate(right, both) if scores.photos_of is None else _plain(right),
        draws.rate(under, ~scores.same & finite),
        draws.rate(~under, scores.same),
    )


def histogram(mated: npt.NDArray[np.floating], non_mated: npt.NDArray[np.floating], bins: int = 80) -> Histogram:
    """Counts between equal steps from 0 to the largest distance."""
    finite = mated[np.isfinite(mated)]
    top = max(finite.max(initial=0.0), non_mated.max(initial=0.0)) or 1.0
    edges = np.linspace(0, float(np.nextafter(top, np.inf)), bins + 1)
    return Histogram(
        tuple(edges.tolist()),
        tuple(np.histogram(finite, edges)[0].tolist()),
        tuple(np.histogram(non_mated, edges)[0].tolist()),
    )


def _tar(scores: Scores, draws: PeopleDraws, target: float) -> TarAtFmr:
    non_mated = scores.non_mated
    tar, threshold = tar_at_fmr(scores.mated, non_mated, target)
    rate = draws.rate(scores.distances < threshold, scores.same)
    interval = percentiles(draws.ranks.tar[target]) or rate.interval
    if interval and rate.interval and rate.events in (0, rate.trials):  # no draw of people shows what did not happen
        low, high = min(interval.low, rate.interval.low), max(interval.high, rate.interval.high)
        interval = replace(rate.interval, low=low, high=high)
    return TarAtFmr(
        target,
        threshold,
        Rate(tar, rate.events, rate.trials, interval),
        draws.rate(scores.distances < threshold, ~scores.same & np.isfinite(scores.distances)),
        len(non_mated) >= pairs_needed(target, RULE_OF_30),
        pairs_needed(target, RULE_OF_30),
    )


def _bound_when_separated(scores: Scores, draws: PeopleDraws) -> Interval | None:
    """How large an error may be though some τ parts all mated from all non-mated pairs: the looser bound of both kinds.

    Drawing people again would give 0 in every draw, as if few pairs proved that there are no errors.
    """
    never = np.zeros(len(scores.distances), dtype=np.bool_)
    kinds = (scores.same, ~scores.same & np.isfinite(scores.distances))
    bounds = [bound for kind in kinds if (bound := draws.rate(never, kind).interval) is not None]
    return max(bounds, key=lambda bound: bound.high, default=None)


def _turned(bound: Interval | None) -> Interval | None:
    return bound and replace(bound, low=1 - bound.high, high=1 - bound.low)


def _plain(right: npt.NDArray[np.bool_]) -> Rate:
    return Rate(float(right.mean()), int(right.sum()), len(right), None)
