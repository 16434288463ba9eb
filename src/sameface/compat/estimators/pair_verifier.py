"""Pairs of embeddings → same person or not."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from sameface.matching import as_threshold
from sameface.metrics import accuracy_threshold, threshold_at_fmr


def _wants_probability(self: PairVerifier) -> bool:
    if not self.probability:
        raise AttributeError("predict_proba needs PairVerifier(probability=True)")
    return True


class PairVerifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """Learns τ from labelled pairs; the decision is *same iff distance < τ*.

    Args:
        threshold: this τ instead of a learnt one.
        target_fmr: learn the highest τ whose FMR on the training pairs does not exceed this; None learns the τ that decides most pairs
            rightly.
        probability: also fit a logistic map from distance to probability (both kinds of pairs weighed equally: prior 0.5). `predict`
            decides by τ, so the two may disagree near it.

    Attributes:
        classes_: the two labels; the second (True, 1) means *same person*.
        threshold_: τ.

    Pairs are ``(n, 2, d)``: probe and reference. Their differences, ``(n, d)``, work too.

    >>> pairs = [[[0.0], [0.1]], [[0.0], [0.9]], [[1.0], [0.8]], [[0.2], [0.9]]]
    >>> PairVerifier().fit(pairs, [1, 0, 1, 0]).predict([[[0.3], [0.4]], [[0.0], [1.0]]]).tolist()
    [1, 0]
    """

    def __init__(
        self, threshold: float | None = None, *, target_fmr: float | None = None, probability: bool = False
    ) -> None:
        self.threshold = threshold
        self.target_fmr = target_fmr
        self.probability = probability

    def fit(self, X: Any, y: Any) -> Self:
        """Learn τ, and the probability if asked for.

        Args:
            X: ``(n, 2, d)`` pairs or ``(n, d)`` differences, finite.
            y: ``(n,)`` two labels; the larger one means same person.
        """
        differences, labels = validate_data(self, as_differences(X), y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        if len(self.classes_) != 2:
            kind = type_of_target(labels)
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {kind}, with {len(self.classes_)} class(es)."
            )
        apart = np.linalg.norm(differences, axis=1)
        same = labels == self.classes_[1]
        if self.threshold is not None:
            self.threshold_ = as_threshold(self.threshold)
        elif self.target_fmr is not None:
            self.threshold_ = threshold_at_fmr(apart[~same], self.target_fmr)
        else:
            self.threshold_, _ = accuracy_threshold(apart[same], apart[~same])
        if self.probability:
            # Barely regularised: one coefficient, and distances of an encoder are of order 1.
            self.calibrator_ = LogisticRegression(C=1e6, class_weight="balanced").fit(apart[:, np.newaxis], same)
        return self

    def distances(self, X: Any) -> npt.NDArray[np.float64]:
        """L2 distance of each pair, ``(n,)``."""
        check_is_fitted(self)
        return np.asarray(np.linalg.norm(validate_data(self, as_differences(X), reset=False, dtype=np.float64), axis=1))

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """τ − distance, ``(n,)``: above 0 iff the same person."""
        apart = self.distances(X)
        return np.asarray(self.threshold_ - apart)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The label of *same* where distance < τ, else the other, ``(n,)``."""
        apart = self.distances(X)
        return np.asarray(self.classes_[(apart < self.threshold_).astype(int)])

    @available_if(_wants_probability)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """``(n, 2)`` calibrated probabilities of different and same, at prior 0.5."""
        apart = self.distances(X)
        return np.asarray(self.calibrator_.predict_proba(apart[:, np.newaxis]))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = True  # on scikit-learn's test blobs, whose classes are no distances
        tags.input_tags.three_d_array = True
        return tags


def as_differences(X: Any) -> Any:
    """Pairs ``(n, 2, d)`` → differences ``(n, d)``; anything else is left for scikit-learn to judge.

    >>> as_differences([[[1.0, 5.0], [3.0, 1.0]]]).tolist()
    [[-2.0, 4.0]]
    """
    if hasattr(X, "ndim") and X.ndim != 3:
        return X
    if not hasattr(X, "ndim"):
        try:
            array = np.asarray(X, dtype=np.float64)
        except (TypeError, ValueError):
            return X
        if array.ndim != 3:
            return X
        X = array
    if X.shape[1] != 2:
        raise ValueError(f"expected pairs of shape (n, 2, d); got {X.shape}. Stack probe and reference on axis 1.")
    return X[:, 0] - X[:, 1]
