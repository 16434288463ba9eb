"""From calibrated pair probabilities to the probability of each person: Bayes' rule, in log odds."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sameface.errors import SettingError
from sameface.types import ProbabilityCalibration


def log_likelihood_ratio(
    calibration: ProbabilityCalibration, distances: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """log of p(distance | same) / p(distance | different): the calibrated log odds without the calibration's prior.

    >>> log_likelihood_ratio(ProbabilityCalibration("logistic", slope=-10.0, intercept=6.0), np.array([0.5])).tolist()
    [1.0]
    """
    if calibration.kind == "logistic":
        log_odds = calibration.intercept + calibration.slope * distances
    else:
        at, odds = zip(*calibration.knots, strict=True)
        log_odds = np.interp(distances, at, odds)
    return np.asarray(log_odds - math.log(calibration.prior / (1 - calibration.prior)))


def posterior(evidence: npt.NDArray[np.float64], prior_known: float) -> npt.NDArray[np.float64]:
    """The probability of each of K people and, last, of nobody known.

    Args:
        evidence: ``(n, K)`` log likelihood ratios.
        prior_known: probability that the probe shows one of the K, who are equally likely.

    Returns:
        ``(n, K + 1)``, rows sum to 1.

    >>> posterior(np.array([[0.0, 0.0]]), 0.5).tolist()
    [[0.25, 0.25, 0.5]]
    """
    if not 0 < prior_known <= 1:
        raise SettingError(expected="prior_known above 0, at most 1", got=str(prior_known), advice="give a probability")
    people = evidence.shape[1]
    nobody = math.log(1 - prior_known) if prior_known < 1 else -math.inf
    log_weights = np.hstack([evidence + math.log(prior_known / people), np.full((len(evidence), 1), nobody)])
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
