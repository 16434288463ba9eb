"""Which faces a threshold holds for, learned from photos that were damaged on purpose.

Each photo is disturbed in every way of `disturbances`, and the share of stranger pairs under τ is counted for each kind and strength; both photos
of a pair suffer the same. A logistic regression then tells faces of kinds where too many strangers pass from undisturbed ones, by what can be seen
of a face (`sameface.recognizer.domain.features`). Its limits are set on scores of people that the regression did not learn from (five folds).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sameface.datasets import LabelledPhotos
from sameface.errors import NotEnoughDataError, SamefaceError
from sameface.evaluation.disturbances import UNSEEN, USUAL, Disturbance
from sameface.evaluation.results import DisturbedRate
from sameface.imaging import Photo, load_image, open_photo
from sameface.progress import Advance, no_advance
from sameface.recognizer.domain import STANDINGS, features, scores_of, threshold_for
from sameface.types import Damage, Domain, Embeddings, ImageRGB, OperatingPoint

if TYPE_CHECKING:
    from sameface.recognizer import Recognizer
    from sameface.recognizer.found import EncodedFace

Floats = npt.NDArray[np.float64]

#: Photos of as many people are disturbed, and so many more are looked at as they are.
DISTURBED_PEOPLE: Final = 300
CALM_PEOPLE: Final = 1500
#: Fewer than this say nothing about one stranger pair in a thousand.
LEAST_PEOPLE: Final = 60
#: Undisturbed photos that may be refused; half a percent is promised, this leaves room for other photos.
REFUSED: Final = 0.003
#: The part of undisturbed photos that is at least taken as usual.
LEAST_USUAL: Final = 0.90
#: A kind is one where strangers come too close when more than this many times the target pass; usual faces may have twice the target.
TOO_MANY: Final = 3.0
_USUAL_MAY: Final = 2.0
#: Stranger pairs below which a kind's rate is not judged alone.
_PAIRS: Final = 300
_FOLDS: Final = 5
_STEP: Final = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Faces of photos that suffered alike.

    Attributes:
        kind, strength: of the disturbance; "" and 0 for photos as they are.
        photos: how many were tried; a face was not found in all.
        features: ``(n, f)`` float64. embeddings: ``(n, d)`` float32. people: ``(n,)``, who each shows.
    """

    kind: str
    strength: float
    photos: int
    features: Floats
    embeddings: Embeddings
    people: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.people)


def disturbed_faces(
    recognizer: Recognizer,
    photos: Sequence[Path],
    people: npt.NDArray[np.intp],
    *,
    kinds: Sequence[Disturbance] = (*USUAL, *UNSEEN),
    advance: Advance = no_advance,
) -> list[Faces]:
    """Disturb photos in every way, and encode what is still found in them; the face nearest the centre of each.

    Args:
        recognizer: what finds, aligns and encodes.
        photos: paths. people: ``(n,)``, whom each shows.
        kinds: of disturbances; none gives only the photos as they are.
        advance: told of each photo that is done.

    Returns:
        First the photos as they are, then each kind and strength in order.
    """
    cases = [("", 0.0), *((kind.name, strength) for kind in kinds for strength in kind.strengths)]
    rows: dict[tuple[str, float], list[tuple[Floats, Embeddings, int]]] = {case: [] for case in cases}
    tried = 0
    for path, person in zip(photos, people.tolist(), strict=True):
        advance(1)
        try:
            image = load_image(path, limits=recognizer.limits)
            calm = recognizer.encode_photo(image, "centre")
        except SamefaceError:
            continue
        if calm.evidence is None:  # of a recognizer that gives embeddings only: nothing can be learned
            continue
        tried += 1
        rows[cases[0]].append((features(calm.embedding, calm.evidence), calm.embedding, person))

        def spoilt(image: ImageRGB = image, face: EncodedFace = calm) -> Iterator[Photo]:
            for kind in kinds:
                for strength in kind.strengths:
                    yield open_photo(np.ascontiguousarray(kind.apply(image, face.detection, strength)))

        for case, found in zip(cases[1:], recognizer.encode_photos(spoilt(), "centre"), strict=True):
            if not isinstance(found, SamefaceError) and found.evidence is not None:
                rows[case].append((features(found.embedding, found.evidence), found.embedding, person))
    return [_faces(kind, strength, tried, rows[kind, strength]) for kind, strength in cases]


def _faces(kind: str, strength: float, tried: int, rows: Sequence[tuple[Floats, Embeddings, int]]) -> Faces:
    return Faces(
        kind,
        strength,
        tried,
        np.array([row[0] for row in rows], np.float64).reshape(len(rows), -1 if rows else 0),
        np.array([row[1] for row in rows], np.float32).reshape(len(rows), -1 if rows else 0),
        np.array([row[2] for row in rows], np.intp),
    )


def learn_domain(
    calm: Faces, disturbed: Sequence[Faces], *, threshold: float, fmr: float = 1e-3, data: str = ""
) -> Domain:
    """Learn which faces τ holds for.

    Args:
        calm: faces of undisturbed photos, many people with one photo each.
        disturbed: as `disturbed_faces` gives them; undisturbed ones among them are left out.
        threshold: τ.
        fmr: its target.
        data: for the record.

    Raises:
        NotEnoughDataError: too few people.
    """
    for part, wanted in ((calm, LEAST_PEOPLE), (max(disturbed, key=len), LEAST_PEOPLE)):
        have = len(np.unique(part.people))
        if have < wanted:
            raise NotEnoughDataError(
                expected=f"photos of at least {wanted} people to learn which faces τ holds for",
                got=f"{have}",
                advice="give more people, or calibrate with --no-domain",
            )
    disturbed = [part for part in disturbed if part.kind and len(part)]
    parts = [calm, *disturbed]
    rates = [0.0, *(_share_under(part, threshold) or 0.0 for part in disturbed)]
    rows = np.concatenate([part.features for part in parts])
    people = np.concatenate([part.people for part in parts])
    bad = np.concatenate([np.full(len(part), rate > TOO_MANY * fmr) for part, rate in zip(parts, rates, strict=True)])
    weight = np.concatenate(
        [
            np.full(len(part), min(1.0, rate / (5 * fmr)) if rate > TOO_MANY * fmr else 1.0)
            for part, rate in zip(parts, rates, strict=True)
        ]
    )
    # Calm faces weigh as much as all others: they are what must not be refused.
    weight[: len(calm)] *= max(1.0, weight[len(calm) :].sum() / len(calm))
    mean, scale = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
    mean, scale = np.nan_to_num(mean), np.where(np.nan_to_num(scale) > 1e-4, scale, 1.0)
    scaled = np.nan_to_num((rows - mean) / scale, nan=0.0)
    unseen = np.empty(len(rows))
    folds = people % _FOLDS
    for fold in range(_FOLDS):
        inside = folds == fold
        weights, bias = _fit(scaled[~inside], bad[~inside], weight[~inside])
        unseen[inside] = scaled[inside] @ weights + bias
    weights, bias = _fit(scaled, bad, weight)
    starts = np.cumsum([0, *(len(part) for part in parts)])
    scores = [unseen[start:end] for start, end in pairwise(starts)]
    limit = float(np.quantile(scores[0], 1 - REFUSED))
    strangers = _strangers(disturbed, scores[1:])
    usual = _usual(strangers, scores[0], limit, threshold, _USUAL_MAY * fmr)
    strict = _strict(strangers, usual, limit, threshold, fmr)
    return Domain(
        mean=_rounded(mean),
        scale=_rounded(scale),
        weights=_rounded(weights),
        bias=round(bias, 5),
        usual=round(usual, 4),
        limit=round(limit, 4),
        threshold=strict,
        kinds=_kinds(
            disturbed, scores[1:], [scaled[a:b] for a, b in pairwise(starts[1:])], strangers, usual, limit, threshold
        ),
        data=data,
        refused=float((scores[0] > limit).mean()),
    )


def _fit(rows: Floats, bad: npt.NDArray[np.bool_], weight: Floats) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.02, max_iter=3000).fit(rows, bad, sample_weight=weight)
    return model.coef_[0].astype(np.float64), float(model.intercept_[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Strangers:
    """Stranger pairs of one kind, over its strengths: distances, and the worse face's score. ``(n,)`` each."""

    apart: Floats
    worse: Floats

    def under(self, threshold: float, upto: float) -> tuple[int, int]:
        """(pairs under τ, pairs) of those whose worse face scores at most `upto`."""
        chosen = self.worse <= upto
        return int((self.apart[chosen] < threshold).sum()), int(chosen.sum())


def _strangers(parts: Sequence[Faces], scores: Sequence[Floats]) -> dict[str, _Strangers]:
    kinds: dict[str, list[tuple[Floats, Floats]]] = {}
    for part, score in zip(parts, scores, strict=True):
        apart, strangers, first, second = _pairs(part.embeddings, part.people)
        worse = np.maximum(score[first], score[second])
        kinds.setdefault(part.kind, []).append((apart[strangers], worse[strangers]))
    return {
        kind: _Strangers(np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs]))
        for kind, pairs in kinds.items()
    }


def _usual(strangers: Mapping[str, _Strangers], calm: Floats, limit: float, threshold: float, allowed: float) -> float:
    """The highest score up to which no kind passes more strangers than allowed under τ itself."""
    usual = limit
    for quantile in np.linspace(1 - REFUSED, LEAST_USUAL, 40):
        usual = min(limit, float(np.quantile(calm, quantile)))
        rates = [pairs.under(threshold, usual) for pairs in strangers.values()]
        if all(pairs < _PAIRS or hits <= allowed * pairs for hits, pairs in rates):
            break
    return usual


def _strict(strangers: Mapping[str, _Strangers], usual: float, limit: float, threshold: float, fmr: float) -> float:
    """The highest τ that keeps the target on pairs with a face between the two limits, for each kind."""
    strict = threshold
    for pairs in strangers.values():
        chosen = np.sort(pairs.apart[(pairs.worse > usual) & (pairs.worse <= limit)])
        if len(chosen) >= _PAIRS:
            strict = min(strict, float(chosen[int(fmr * len(chosen))]))
    return round(math.floor(strict / _STEP) * _STEP, 4) if strict < threshold else threshold


def _pairs(
    embeddings: Embeddings, people: npt.NDArray[np.intp]
) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Distances of all pairs, whether each shows strangers, and both faces' places."""
    first, second = np.triu_indices(len(people), 1)
    vectors = embeddings.astype(np.float64)
    squares = (vectors * vectors).sum(axis=1)
    products = vectors @ vectors.T if len(people) else np.zeros((0, 0))
    apart = np.sqrt(np.maximum(0.0, squares[first] + squares[second] - 2 * products[first, second]))
    return apart, people[first] != people[second], first, second


def _share_under(part: Faces, threshold: float) -> float | None:
    apart, strangers, _, _ = _pairs(part.embeddings, part.people)
    return float((apart[strangers] < threshold).mean()) if strangers.any() else None


def _kinds(
    parts: Sequence[Faces],
    scores: Sequence[Floats],
    scaled: Sequence[Floats],
    strangers: Mapping[str, _Strangers],
    usual: float,
    limit: float,
    threshold: float,
) -> tuple[Damage, ...]:
    """Each kind in the record: what it does, and what its faces look like where they are no longer usual."""
    kinds = []
    for name, pairs in strangers.items():
        chosen = [n for n, part in enumerate(parts) if part.kind == name]
        hits, count = pairs.under(threshold, np.inf)
        together = np.concatenate([scores[n] for n in chosen])
        spoilt = np.concatenate([scaled[n] for n in chosen])[together > usual]
        centre = _rounded(spoilt.mean(axis=0), 2) if len(spoilt) else ()
        rate = round(hits / count, 6) if count >= _PAIRS else None
        kinds.append(Damage(name, rate, round(float((together <= limit).mean()), 4), centre))
    return tuple(kinds)


def _rounded(values: Floats, digits: int = 5) -> tuple[float, ...]:
    return tuple(round(float(value), digits) for value in values)


def measure(parts: Sequence[Faces], point: OperatingPoint) -> list[DisturbedRate]:
    """What an operating point does on disturbed photos: one row for each kind and strength, undisturbed photos first."""
    rows = []
    for part in parts:
        levels = _levels(part, point)
        apart, strangers, first, second = _pairs(part.embeddings, part.people)
        level = np.maximum(levels[first], levels[second])
        answered = level < STANDINGS.index("outside")
        taus = np.array([threshold_for(point, standing) for standing in STANDINGS])[level]
        passed = apart < taus
        rows.append(
            DisturbedRate(
                part.kind,
                part.strength,
                len(part) / part.photos if part.photos else 0.0,
                float((levels < STANDINGS.index("outside")).mean()) if len(part) else 0.0,
                _mean(apart[strangers] < point.threshold),
                _mean(passed[strangers & answered]),
                _mean(~passed[~strangers & answered]),
                int((strangers & answered).sum()),
            )
        )
    return rows


def _levels(part: Faces, point: OperatingPoint) -> npt.NDArray[np.intp]:
    """0 for usual faces, 1 for poor ones, 2 outside."""
    if point.domain is None or not len(part):
        return np.zeros(len(part), np.intp)
    scores = scores_of(point.domain, part.features)
    return np.digitize(scores, [point.domain.usual, point.domain.limit], right=True).astype(np.intp)


def _mean(values: npt.NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


def one_each(data: LabelledPhotos, most: int, *, photos: int = 1) -> npt.NDArray[np.intp]:
    """Places of the first photos of people, evenly over the list of people; people with several photos come first.

    Args:
        data: labelled photos.
        most: people at most.
        photos: of a person at most.

    >>> data = LabelledPhotos("x", tuple(Path(str(n)) for n in range(5)), np.array([0, 1, 1, 2, 2]), ("a", "b", "c"))
    >>> one_each(data, 2).tolist(), one_each(data, 2, photos=2).tolist()
    ([1, 3], [1, 2, 3, 4])
    """
    counts = np.bincount(data.people)
    order = np.lexsort((np.arange(len(counts)), counts < 2))[: max(most, 0)]
    chosen = [np.flatnonzero(data.people == person)[:photos] for person in np.sort(order)]
    return np.concatenate(chosen) if chosen else np.empty(0, np.intp)
