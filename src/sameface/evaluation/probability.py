"""From distance to probability: fitted on labelled pairs, chosen by cross-validated log loss, with its reliability.

Both kinds of pairs are weighted to the stated prior (0.5 unless said), so the number of non-mated pairs, which the protocol decides, does not decide
the probability. Folds share no person.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError, SettingError
from sameface.evaluation.results import Reliability, ReliabilityBin
from sameface.evaluation.scores import Scores
from sameface.metrics.extra import need
from sameface.types import ProbabilityCalibration

Floats = npt.NDArray[np.float64]
#: From distances to log odds.
Map = Callable[[Floats], Floats]
Kind = Literal["logistic", "isotonic"]

#: Pairs of each kind that are used at most, drawn by seed.
MOST_OF_A_KIND: Final = 50_000
FOLDS: Final = 5
BINS: Final = 10


def calibrate_probability(scores: Scores, *, prior: float = 0.5, seed: int = 0) -> Reliability:
    """Fit the map from distance to the probability of one person.

    Args:
        scores: labelled pairs; those with a face that was not found are left out.
        prior: share of mated pairs that the probability assumes, in (0, 1).
        seed: of the draw and the folds.

    Returns:
        The map with the smaller log loss, and how well its predictions hold on people it was not fitted on.

    Raises:
        NotEnoughDataError: fewer than 30 pairs of a kind, or too few people for folds.
    """
    if not 0 < prior < 1:
        raise SettingError(
            expected="a prior between 0 and 1",
            got=str(prior),
            advice="give the share of pairs that are mated, for instance 0.5",
        )
    use = _draw(scores, seed)
    distances = scores.distances[use].astype(np.float64)
    same = scores.same[use]
    fold_a, fold_b = _fold_of_people(scores, seed)
    weights = _weights(same, prior)
    predicted: dict[Kind, Floats] = {}
    tested = np.zeros(len(use), dtype=np.bool_)
    kinds: tuple[Kind, ...] = ("logistic", "isotonic")
    for kind in kinds:
        out = np.zeros(len(use))
        for fold in range(FOLDS):
            test = (fold_a[use] == fold) & (fold_b[use] == fold)
            train = (fold_a[use] != fold) & (fold_b[use] != fold)
            if not (same[train].any() and (~same[train]).any() and test.any()):
                continue
            fit = _fit(kind, distances[train], same[train], _weights(same[train], prior), prior)
            out[test] = _log_odds(fit)(distances[test])
            tested |= test
        predicted[kind] = out
    if not same[tested].any() or same[tested].all():
        raise NotEnoughDataError(
            expected=f"pairs of both kinds within each of {FOLDS} groups of people",
            got="too few people",
            advice="give photos of more people",
        )
    loss = {kind: _log_loss(odds[tested], same[tested], prior) for kind, odds in predicted.items()}
    # The simpler map unless the other is clearly better.
    best: Kind = "isotonic" if loss["isotonic"] < 0.99 * loss["logistic"] else "logistic"
    chosen = _fit(best, distances, same, weights, prior)
    probabilities = _sigmoid(predicted[best][tested])
    test_weights = _weights(same[tested], prior)
    brier = float(np.sum(test_weights * (probabilities - same[tested]) ** 2) / test_weights.sum())
    return Reliability(
        ProbabilityCalibration(
            chosen.kind,
            prior=prior,
            slope=chosen.slope,
            intercept=chosen.intercept,
            knots=chosen.knots,
            log_loss=loss[best],
            brier=brier,
            pairs=len(use),
        ),
        dict(loss.items()),
        _bins(probabilities, same[tested], test_weights),
        f"cross-validated over {FOLDS} groups of people; log loss in nats at prior {prior:g}; always guessing the prior gives "
        f"{-(prior * math.log(prior) + (1 - prior) * math.log(1 - prior)):.3f}",
    )


def _draw(scores: Scores, seed: int) -> npt.NDArray[np.intp]:
    generator = np.random.default_rng(seed)
    parts = []
    for kind, name in ((True, "mated"), (False, "non-mated")):
        all_of = np.flatnonzero((scores.same == kind) & np.isfinite(scores.distances))
        if len(all_of) < 30:
            raise NotEnoughDataError(
                expected=f"30 {name} pairs to fit a probability",
                got=str(len(all_of)),
                advice="give more photos or pairs",
            )
        if kind is False and scores.photos_of is not None:
            # Of all pairs only those within a fold are tested: draw them first, so that both kinds are.
            fold_a, fold_b = _fold_of_people(scores, seed)
            inside = fold_a[all_of] == fold_b[all_of]
            all_of = np.concatenate([generator.permutation(all_of[inside]), generator.permutation(all_of[~inside])])
            parts.append(all_of[:MOST_OF_A_KIND])
        else:
            parts.append(generator.permutation(all_of)[:MOST_OF_A_KIND])
    return np.sort(np.concatenate(parts))


def _fold_of_people(scores: Scores, seed: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    count = int(max(scores.person_a.max(), scores.person_b.max())) + 1
    fold_of = np.random.default_rng(seed + 1).permutation(count) % FOLDS
    return fold_of[scores.person_a], fold_of[scores.person_b]


def _weights(same: npt.NDArray[np.bool_], prior: float) -> Floats:
    mated, non_mated = max(1, int(same.sum())), max(1, int((~same).sum()))
    return np.where(same, prior / mated, (1 - prior) / non_mated) * len(same)


def _fit(
    kind: Kind, distances: Floats, same: npt.NDArray[np.bool_], weights: Floats, prior: float
) -> ProbabilityCalibration:
    if kind == "logistic":
        model = need("sklearn.linear_model").LogisticRegression(C=1e6, max_iter=1000)
        model.fit(distances[:, None], same, sample_weight=weights)
        return ProbabilityCalibration(
            "logistic", prior=prior, slope=float(model.coef_[0, 0]), intercept=float(model.intercept_[0])
        )
    model = need("sklearn.isotonic").IsotonicRegression(y_min=0, y_max=1, increasing=False)
    model.fit(distances, same.astype(float), sample_weight=weights)
    # No finite sample shows certainty: at either end the odds stop where the whole kind of pairs would have one more on the other side.
    floor_p, ceiling = 1 / (int(same.sum()) + 2), 1 / (int((~same).sum()) + 2)
    p = np.clip(model.y_thresholds_, floor_p, 1 - ceiling)
    odds = np.log(p) - np.log1p(-p)
    return ProbabilityCalibration(
        "isotonic",
        prior=prior,
        knots=tuple((float(d), float(o)) for d, o in zip(model.X_thresholds_, odds, strict=True)),
    )


def _log_odds(fit: ProbabilityCalibration) -> Map:
    if fit.kind == "logistic":
        return lambda distances: fit.intercept + fit.slope * distances
    at, odds = (np.array(side) for side in zip(*fit.knots, strict=True))
    return lambda distances: np.interp(distances, at, odds)


def _sigmoid(odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(odds, -700, 700)))


def _log_loss(odds: Floats, same: npt.NDArray[np.bool_], prior: float) -> float:
    """Weighted log loss from log odds, exact where a probability would round to 0 or 1."""
    loss = np.logaddexp(0, np.where(same, -odds, odds))
    weights = _weights(same, prior)
    return float(np.sum(weights * loss) / weights.sum())


def _bins(probabilities: Floats, same: npt.NDArray[np.bool_], weights: Floats) -> tuple[ReliabilityBin, ...]:
    which = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    rows = []
    for at in range(BINS):
        here = which == at
        if here.any():
            w = weights[here]
            rows.append(
                ReliabilityBin(
                    float(np.average(probabilities[here], weights=w)),
                    float(np.average(same[here], weights=w)),
                    float(w.sum() / weights.sum()),
                    int(here.sum()),
                )
            )
    return tuple(rows)
