"""Embeddings as features: kNN, a linear SVM and logistic regression, learned from one, two and five photos a person.

The learning curve shows one-shot learning for what it is: with one photo the nearest neighbour is all there is to know.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.evaluation.embed import EmbeddedPhotos
from sameface.evaluation.results import ClassifierResult, ClassifierRow, Fold, KFoldAccuracy
from sameface.evaluation.scores import Scores
from sameface.metrics import mean_and_standard_error, person_disjoint_folds, shares_people
from sameface.metrics.extra import need
from sameface.types import Embeddings

SHOTS: Final = (1, 2, 5)
DRAWS: Final = 5
#: People at most: a linear SVM on thousands takes minutes and says no more.
MOST_PEOPLE: Final = 200
#: Longer embeddings (pixels) are first turned into this many principal components, fitted on the photos that are learned from.
WIDEST: Final = 1024


def learning_curve(
    embedded: EmbeddedPhotos,
    people: npt.NDArray[np.integer],
    *,
    shots: Sequence[int] = SHOTS,
    draws: int = DRAWS,
    seed: int = 0,
) -> ClassifierResult:
    """Accuracy of classifiers that learn from a few photos of each person, on the same people's other photos.

    Args:
        embedded: embeddings; photos without a face take no part.
        people: ``(n,)`` whose each photo is.
        shots: photos of each person to learn from. The people and the test photos are the same for all of them: people who have more photos with a
            face than the largest number.
        draws: random choices of the photos to learn from.
        seed: of the draws.

    Raises:
        NotEnoughDataError: fewer than two people have so many photos.
    """
    most = max(shots)
    usable = np.flatnonzero(embedded.found)
    counts = np.bincount(people[usable])
    chosen = np.flatnonzero(counts > most)
    if len(chosen) < 2:
        raise NotEnoughDataError(
            expected=f"two people with more than {most} photos",
            got=f"{len(chosen)}",
            advice="give more photos per person, or learn from fewer",
        )
    generator = np.random.default_rng(seed)
    if len(chosen) > MOST_PEOPLE:
        chosen = np.sort(generator.choice(chosen, MOST_PEOPLE, replace=False))
    rights: dict[tuple[str, int], list[float]] = {}
    tested = 0
    for _ in range(draws):
        order = [generator.permutation(usable[people[usable] == person]) for person in chosen]
        test = np.concatenate([photos[most:] for photos in order])
        tested = len(test)
        for n in shots:
            learn = np.concatenate([photos[:n] for photos in order])
            x, x_test = _features(embedded.embeddings, learn, test)
            for name, model in _models().items():
                with warnings.catch_warnings():
                    # scikit-learn suspects a regression where each class has one sample; here that is the point.
                    warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
                    model.fit(x, people[learn])
                rights.setdefault((name, n), []).append(float(np.mean(model.predict(x_test) == people[test])))
    rows = tuple(
        ClassifierRow(name, n, float(np.mean(values)), float(np.std(values, ddof=1)) if draws > 1 else 0.0, draws)
        for (name, n), values in rights.items()
    )
    return ClassifierResult(len(chosen), tested, rows)


def verification_by_regression(
    scores: Scores, embeddings: Embeddings, *, folds: int = 10, seed: int = 0
) -> tuple[KFoldAccuracy, KFoldAccuracy]:
    """Verification as binary classification: logistic regression on |f(a) − f(b)| against the plain distance, on the same pairs and folds.

    Folds share no person: no pair that shares one with a fold helps to fit the model that is scored on it. Pairs with a face that was not found are
    errors of both.

    Returns:
        (regression, distance), each mean ± standard error over folds.
    """
    from sameface.metrics import accuracy_by_fold

    people = (scores.person_a, scores.person_b)
    fold = scores.folds if scores.folds is not None else person_disjoint_folds(*people, folds, seed=seed)
    found = np.isfinite(scores.distances)
    results = []
    for number in np.unique(fold):
        scored = fold == number
        fit = ~shares_people(*people, scored) & found
        model = _pair_model()
        test = scored & found
        points = _for_pairs(embeddings, scores, fit, test)
        model.fit(_difference(points, scores, fit), scores.same[fit])
        right = int(np.sum(model.predict(_difference(points, scores, test)) == scores.same[test])) if test.any() else 0
        results.append(Fold(right / int(scored.sum()), 0.5, int(scored.sum()), int(fit.sum())))
    mean, error = mean_and_standard_error([item.accuracy for item in results])
    plain = accuracy_by_fold(scores.distances, scores.same, fold, people=people)
    plain_mean, plain_error = mean_and_standard_error([item.accuracy for item in plain])
    how = "{} over {} folds that share no person"
    return (
        KFoldAccuracy(
            mean, error, 0.5, tuple(results), False, how.format("logistic regression on |f(a) − f(b)|", len(results))
        ),
        KFoldAccuracy(
            plain_mean,
            plain_error,
            float(np.mean([item.threshold for item in plain])),
            tuple(Fold(r.accuracy, r.threshold, r.pairs, r.chosen_on) for r in plain),
            False,
            how.format("distance < τ", len(plain)),
        ),
    )


def _models() -> dict[str, Any]:
    pipeline, scaler = need("sklearn.pipeline").make_pipeline, need("sklearn.preprocessing").StandardScaler
    return {
        "nearest neighbour": need("sklearn.neighbors").KNeighborsClassifier(1),
        "linear SVM": pipeline(scaler(), need("sklearn.svm").SVC(kernel="linear", C=1.0)),
        "logistic regression": pipeline(
            scaler(), need("sklearn.linear_model").LogisticRegression(C=1.0, max_iter=2000)
        ),
    }


def _pair_model() -> Any:
    pipeline, scaler = need("sklearn.pipeline").make_pipeline, need("sklearn.preprocessing").StandardScaler
    return pipeline(scaler(), need("sklearn.linear_model").LogisticRegression(C=0.01, max_iter=2000))


def _features(
    embeddings: Embeddings, learn: npt.NDArray[np.intp], test: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    x, x_test = embeddings[learn], embeddings[test]
    if x.shape[1] <= WIDEST:
        return x, x_test
    turn = need("sklearn.decomposition").PCA(min(200, len(learn) - 1), random_state=0).fit(x)
    return turn.transform(x), turn.transform(x_test)


def _for_pairs(
    embeddings: Embeddings, scores: Scores, fit: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_]
) -> npt.NDArray[np.floating]:
    """The embeddings in as few numbers as `_features` gives them, by photo; rows that no pair asks for are 0."""
    learn, asked = (np.unique(np.concatenate([scores.a[rows], scores.b[rows]])) for rows in (fit, test))
    learnt, tested = _features(embeddings, learn, asked)
    points = np.zeros((len(embeddings), learnt.shape[1]), learnt.dtype)
    points[asked] = tested
    points[learn] = learnt
    return points


def _difference(
    embeddings: npt.NDArray[np.floating], scores: Scores, rows: npt.NDArray[np.bool_]
) -> npt.NDArray[np.floating]:
    out: npt.NDArray[np.floating] = np.abs(embeddings[scores.a[rows]] - embeddings[scores.b[rows]])
    return out
