"""A gallery as a classifier: nearest enrolled person, or the unknown label."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import gen_batches
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sameface.compat.estimators.posterior import log_likelihood_ratio, posterior
from sameface.defaults import DEFAULT_FPIR
from sameface.errors import NoThresholdError
from sameface.matching import as_threshold
from sameface.recognizer.domain import STANDINGS, threshold_for
from sameface.recognizer.identify import threshold_for_search
from sameface.types import OperatingPoint, ProbabilityCalibration

ROWS = 1024  # probes compared in one go: keeps the distance table small


def _calibrated(self: OneShotClassifier) -> bool:
    point = self.operating_point
    if not isinstance(point, OperatingPoint) or point.probability is None:
        raise AttributeError("predict_proba needs an OperatingPoint with a calibrated probability")
    return True


class OneShotClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn brings no types
    """One embedding makes a person known; a probe that is near nobody gets the unknown label.

    Args:
        operating_point: decides who is unknown. An `OperatingPoint` gives τ(K) for the number K of templates and the FPIR asked for; a bare
            number is taken as τ of this search; ``math.inf`` is the closed set, where everybody gets the nearest name. There is no
            default: None raises when fitting.
        fpir: with an `OperatingPoint`, the share of unknown people that may be named wrongly.
        unknown_label: the answer for nobody known. In `y` it marks photos of people who are *not* enrolled: they are left out at `fit`, and
            naming them counts as an error in `score`. None takes ``"unknown"`` for text labels, and for numbers -1 or, where labels are
            negative, one less than the smallest, which marks nobody.
        prior_known: for `predict_proba`, how likely a probe shows somebody enrolled, in (0, 1].

    Attributes:
        classes_: ``(c,)`` all labels that `predict` may answer, sorted: the people, and the unknown label unless the set is closed.
        people_: the enrolled labels, sorted.
        threshold_: τ in use; the rule is *distance < τ*.
        templates_: ``(k, d)`` float64; template_labels_: ``(k,)``.

    A row with ``nan`` (a photo without a face, by ``FaceEncoder(missing="nan")``) enrolls nobody, and as a probe is nobody known.

    >>> gallery = OneShotClassifier(0.6).fit([[0.0, 0.0], [1.0, 0.0]], ["Ada", "Grace"])
    >>> gallery.predict([[0.1, 0.0], [0.5, 0.9]]).tolist()
    ['Ada', 'unknown']
    """

    def __init__(
        self,
        operating_point: OperatingPoint | float | None = None,
        *,
        fpir: float = DEFAULT_FPIR,
        unknown_label: Any = None,
        prior_known: float = 0.5,
    ) -> None:
        self.operating_point = operating_point
        self.fpir = fpir
        self.unknown_label = unknown_label
        self.prior_known = prior_known

    templates_: npt.NDArray[np.float64]
    template_labels_: npt.NDArray[Any]

    def fit(self, X: Any, y: Any) -> Self:
        """Enroll.

        Args:
            X: ``(n, d)`` embeddings, finite.
            y: ``(n,)`` whom each shows.

        Raises:
            NoThresholdError: no operating point was given.
            ValueError: scikit-learn's, for other shapes, NaN or infinity.
        """
        return self._enroll(X, y, afresh=True)

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Enroll more photos or more people; who is known already stays known.

        Args:
            classes: ignored: one photo makes a person known at any time. There for scikit-learn's signature.
        """
        return self._enroll(X, y, afresh=not hasattr(self, "templates_"))

    def predict(self, X: Any, standing: Any = None) -> npt.NDArray[Any]:
        """The nearest person under τ, else the unknown label; of equally near ones the first enrolled.

        Args:
            standing: ``(n,)`` where each face stands, by `FaceEncoder.standings`: poor ones are decided under the stricter τ of such faces, those
                outside are nobody known. None decides all alike: an embedding does not tell whether its face was blurred or covered.

        Returns:
            ``(n,)`` of the labels' type.
        """
        check_is_fitted(self)
        apart, nearest = self.kneighbors(X, 1)
        answers = self.template_labels_[nearest[:, 0]].astype(self._label_type, copy=True)
        answers[~(apart[:, 0] < self._thresholds(standing, len(apart)))] = self.unknown_label_
        return answers

    def kneighbors(self, X: Any, n_neighbors: int = 5) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """The nearest templates, whoever they belong to and however far they are.

        Returns:
            distances and indices into `template_labels_`, ``(n, min(n_neighbors, k))``, nearest first; ties in order of enrolment.
        """
        check_is_fitted(self)
        probes = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        keep = min(n_neighbors, len(self.templates_))
        apart = np.empty((len(probes), keep))
        order = np.empty((len(probes), keep), dtype=np.intp)
        for rows in gen_batches(len(probes), ROWS):
            table = cdist(probes[rows], self.templates_)
            order[rows] = np.argsort(table, axis=1, kind="stable")[:, :keep]
            apart[rows] = np.take_along_axis(table, order[rows], axis=1)
        return apart, order

    @available_if(_calibrated)  # type: ignore[untyped-decorator]  # as above
    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """How probable each answer is, by the calibration of the operating point.

        Bayes' rule over the nearest template of each person, comparisons taken as independent, the enrolled equally likely. There only with
        an `OperatingPoint` whose probability was fitted on labelled pairs. `predict` decides by distance under τ(K), not by this.

        Returns:
            ``(n, c)`` in the order of `classes_`; rows sum to 1.
        """
        check_is_fitted(self)
        probes = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        person_of = np.searchsorted(self.people_, self.template_labels_)
        nearest = np.full((len(probes), len(self.people_)), np.inf)
        for rows in gen_batches(len(probes), ROWS):
            table = cdist(probes[rows], self.templates_)
            for person in range(len(self.people_)):
                nearest[rows, person] = table[:, person_of == person].min(axis=1)
        calibration: ProbabilityCalibration = self.operating_point.probability  # type: ignore[union-attr, assignment]  # _calibrated
        evidence = log_likelihood_ratio(calibration, nearest)
        evidence[np.isnan(probes).any(axis=1)] = -np.inf if self.prior_known < 1 else 0.0
        shares = posterior(evidence, self.prior_known)
        columns = np.searchsorted(self.classes_, [*self.people_, self.unknown_label_])
        ordered = np.empty((len(probes), len(self.classes_)))
        ordered[:, columns] = shares
        return ordered

    def _enroll(self, X: Any, y: Any, *, afresh: bool) -> Self:
        if self.operating_point is None:
            raise NoThresholdError(
                expected="an operating point, a threshold, or math.inf for a closed set",
                got="none",
                advice="give one: who is unknown cannot be decided without it",
            )
        vectors, labels = validate_data(self, X, y, reset=afresh, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(labels)
        labels = np.asarray(labels)
        encoded = ~np.isnan(vectors).any(axis=1)
        known = encoded if self.unknown_label is None else encoded & (labels != self.unknown_label)
        vectors, labels = vectors[known], labels[known]
        if not afresh:
            vectors = np.concatenate([self.templates_, vectors])
            labels = np.concatenate([self.template_labels_, labels])
        if len(labels) == 0:
            raise ValueError("0 sample(s) of known people: nobody to enroll, at least one class is needed")
        self.templates_, self.template_labels_ = vectors, labels
        self.people_ = np.unique(labels)
        self.threshold_ = self._threshold(len(labels))
        self.unknown_label_ = self._unknown()
        closed = math.isinf(self.threshold_)
        everybody = self.people_ if closed else np.append(self.people_, [self.unknown_label_])
        self.classes_ = np.unique(everybody)
        self._label_type = np.append(self.people_, [self.unknown_label_]).dtype
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _threshold(self, templates: int) -> float:
        """τ(K); 0, which names nobody, where the data behind the operating point support no claim for so many."""
        if not isinstance(self.operating_point, OperatingPoint):
            given = self.operating_point
            return math.inf if given == math.inf else as_threshold(given)  # type: ignore[arg-type]  # None was refused above
        found = threshold_for_search(self.operating_point, templates, self.fpir)
        return 0.0 if found is None else found

    def _thresholds(self, standing: Any, count: int) -> npt.NDArray[np.float64]:
        """τ of each probe by where its face stands; 0, which names nobody, outside."""
        taus = np.full(count, self.threshold_)
        if standing is None:
            return taus
        words = np.asarray(standing)
        if words.shape != (count,) or not set(words.tolist()) <= set(STANDINGS):
            raise ValueError(f"standing: expected {count} words of {', '.join(STANDINGS)}")
        if isinstance(self.operating_point, OperatingPoint):
            point = self.operating_point
            taus[words == "poor"] = max(0.0, self.threshold_ - (point.threshold - threshold_for(point, "poor")))
        taus[words == "outside"] = 0.0
        return taus

    def _unknown(self) -> Any:
        if self.unknown_label is not None:
            return self.unknown_label
        if self.people_.dtype.kind in "OUS":
            return "unknown"
        return min(-1, int(self.people_.min()) - 1)
