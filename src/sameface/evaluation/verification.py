"""1:1: accuracy by folds, ROC and DET, EER, AUC, TAR at FMRs, groups; each number with the interval that its pairs allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.evaluation.embed import EmbeddedPhotos
from sameface.evaluation.resampling import PeopleDraws, weighted_auc, weighted_tar_at_fmr
from sameface.evaluation.results import (
    Acquisition,
    AtThreshold,
    Fold,
    GroupRates,
    Histogram,
    KFoldAccuracy,
    Points,
    Rate,
    TarAtFmr,
    VerificationResult,
)
from sameface.evaluation.scores import Scores
from sameface.metrics import (
    RULE_OF_30,
    accuracy_by_fold,
    accuracy_threshold,
    area_under_curve,
    curve,
    equal_error_rate,
    mean_and_standard_error,
    pairs_needed,
    person_disjoint_folds,
    tar_at_fmr,
)
from sameface.types import Interval

#: FMRs that TAR is reported at, as far as the pairs allow.
TARGETS: Final = (1e-1, 1e-2, 1e-3, 1e-4)
#: Folds where neither the protocol nor the user says how many: the most that the people suffice for.
FOLDS: Final = (10, 5, 3, 2)
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
    groups: Mapping[str, Sequence[str]] | None = None,
    group_threshold: float | None = None,
    seed: int = 0,
) -> VerificationResult:
    """Every number of 1:1.

    Args:
        scores: the pairs.
        folds: how many, where the protocol has none of its own; None takes ten, or fewer where there are too few people.
        thresholds: τ by name, chosen elsewhere, to be scored here.
        groups: by column, the group of each pair, "" for none.
        group_threshold: τ that groups are judged at; None takes the one at the smallest supported FMR.
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
    draws = PeopleDraws(scores, seed=seed)
    whole = curve(mated, non_mated)
    eer, eer_threshold = equal_error_rate(whole)
    tar = tuple(_tar(scores, draws, target) for target in TARGETS if len(non_mated) * target >= 1)
    chosen = group_threshold if group_threshold is not None else tar[-1].threshold if tar else eer_threshold
    thin = whole.thinned(600)
    auc = area_under_curve(mated, non_mated)
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
            draws.statistic(_weighted_eer(scores)) if eer > 0 else _bound_when_separated(scores, draws),
        ),
        eer_threshold=eer_threshold,
        auc=Rate(
            auc,
            0,
            len(mated) + len(non_mated),
            draws.statistic(weighted_auc(scores)) if auc < 1 else _turned(_bound_when_separated(scores, draws)),
        ),
        tar=tar,
        groups=_groups(scores, draws, groups or {}, chosen),
        curve=Points(*(tuple(x.tolist()) for x in (thin.thresholds, thin.fmr, thin.fnmr))),
        histogram=histogram(mated, non_mated),
    )


def k_fold(scores: Scores, folds: int | None = None, *, seed: int = 0) -> KFoldAccuracy:
    """Accuracy over folds that share no person, as LFW is published.

    The protocol's own folds where it has them. Else people are dealt out; of all pairs of labelled photos only those within a fold are used, and both
    kinds weigh the same, since non-mated pairs outnumber mated ones.

    Args:
        scores: the pairs.
        folds: how many, where the protocol has none; None takes the first of `FOLDS` that the people suffice for.
        seed: of the dealing.

    Raises:
        NotEnoughDataError: too few people for so many folds, or for two.
    """
    if folds is None:
        for fewer in FOLDS[:-1]:
            try:
                return k_fold(scores, fewer, seed=seed)
            except NotEnoughDataError:
                continue
        folds = FOLDS[-1]
    people = (scores.person_a, scores.person_b)
    if scores.photos_of is not None:
        use, fold = _within_folds(scores, folds, seed)
        distances, same = scores.distances[use], scores.same[use]
        results = accuracy_by_fold(distances, same, fold, balanced=True)
        best, _ = accuracy_threshold(distances[same], distances[~same], balanced=True)
        how = f"all pairs within each of {folds} groups of people; mated and non-mated pairs weigh the same"
        balanced = True
    else:
        own = scores.folds is not None
        fold = scores.folds if scores.folds is not None else person_disjoint_folds(*people, folds, seed=seed)
        results = accuracy_by_fold(scores.distances, scores.same, fold, people=people)
        best, _ = accuracy_threshold(scores.mated, scores.distances[~scores.same])
        purged = sum(len(scores.distances) - r.pairs - r.chosen_on for r in results) / len(results)
        how = (
            f"{'the protocol’s' if own else 'pairs dealt out by people into'} {len(results)} folds; the threshold of each comes from the "
            "others" + (f", without the {purged:.0f} pairs on average that share a person with it" if purged else "")
        )
        balanced = False
    mean, error = mean_and_standard_error([r.accuracy for r in results])
    return KFoldAccuracy(
        mean,
        error,
        best,
        tuple(Fold(r.accuracy, r.threshold, r.pairs, r.chosen_on) for r in results),
        balanced,
        how,
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
    interval = draws.statistic(weighted_tar_at_fmr(scores, target)) or rate.interval
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


def _groups(
    scores: Scores, draws: PeopleDraws, groups: Mapping[str, Sequence[str]], threshold: float
) -> tuple[GroupRates, ...]:
    rows = []
    under, finite = scores.distances < threshold, np.isfinite(scores.distances)
    for column, values in groups.items():
        of = np.asarray(values)
        for group in sorted(set(values) - {""}):
            here = of == group
            fmr = draws.rate(under, here & ~scores.same & finite)
            fnmr = draws.rate(~under, here & scores.same)
            rows.append(
                GroupRates(column, group, threshold, fmr if fmr.trials else None, fnmr if fnmr.trials else None)
            )
    return tuple(rows)


def _within_folds(scores: Scores, folds: int, seed: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """All pairs whose two people were dealt to the same fold."""
    count = int(max(scores.person_a.max(), scores.person_b.max())) + 1
    mated = np.bincount(scores.person_a[scores.same], minlength=count)
    order = np.random.default_rng(seed).permutation(count)
    order = order[np.argsort(-mated[order], kind="stable")]  # people with mated pairs are spread evenly
    fold_of = np.empty(count, dtype=np.intp)
    fold_of[order] = np.arange(count) % folds
    if np.count_nonzero(mated) < folds:
        raise NotEnoughDataError(
            expected=f"people with two photos for each of {folds} folds",
            got=f"{np.count_nonzero(mated)} such people",
            advice="give more photos, or ask for fewer folds (`--folds`)",
        )
    use = np.flatnonzero(fold_of[scores.person_a] == fold_of[scores.person_b])
    return use, fold_of[scores.person_a[use]]


def _weighted_eer(scores: Scores) -> Callable[[npt.NDArray[np.float64]], float]:
    use = np.flatnonzero(scores.same | np.isfinite(scores.distances))
    use = use[np.argsort(scores.distances[use], kind="stable")]
    same = scores.same[use]
    ends = np.flatnonzero(np.append(scores.distances[use][1:] != scores.distances[use][:-1], True))

    def eer(weights: npt.NDArray[np.float64]) -> float:
        w = weights[use]
        m, n = np.cumsum(w * same)[ends], np.cumsum(w * ~same)[ends]
        if m[-1] == 0 or n[-1] == 0:
            return float("nan")
        fmr, fnmr = n / n[-1], 1 - m / m[-1]
        at = int(np.argmin(np.abs(fmr - fnmr)))
        return float(fmr[at] + fnmr[at]) / 2

    return eer


def _plain(right: npt.NDArray[np.bool_]) -> Rate:
    return Rate(float(right.mean()), int(right.sum()), len(right), None)
