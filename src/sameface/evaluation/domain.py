"""Which faces a threshold holds for, learned from photos that were damaged on purpose.

Each photo is disturbed in every way of `disturbances`, and the share of stranger pairs under τ is counted for each kind and strength; both photos
of a pair suffer the same. A logistic regression then tells faces of kinds where too many strangers pass from undisturbed ones, by what can be seen
of a face (`sameface.recognizer.domain.features`). Its limits are set on scores of people that the regression did not learn from (five folds).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError
from sameface.evaluation.disturbed import Faces, pairs_of
from sameface.types import Damage, Domain

Floats = npt.NDArray[np.float64]

#: One photo each of so many people is disturbed.
DISTURBED_PEOPLE: Final = 120
#: So many photos are looked at as they are: of few people several each, for the limits are the outermost of their scores.
CALM_PHOTOS: Final = 1500
#: Fewer than this say nothing about one stranger pair in a thousand.
LEAST_PEOPLE: Final = 60
#: Undisturbed photos that may be refused; half a percent is promised, this leaves room for other photos.
REFUSED: Final = 0.003
#: The part of undisturbed photos that is at least taken as usual: the most, in steps of half a percent, at which no kind that the score tells
#: passes over three times the target, on people that it did not learn from (docs/decisions/domain.md).
LEAST_USUAL: Final = 0.94
#: A kind is one where strangers come too close when more than this many times the target pass; faces that are answered may have twice the target.
TOO_MANY: Final = 3.0
_MAY: Final = 2.0
#: Stranger pairs below which a kind's rate is not judged alone.
_PAIRS: Final = 300
_FOLDS: Final = 5
#: Where so many of a kind's answered stranger pairs are under τ, the score does not tell the kind: a stricter τ would cost much and mend nothing.
_NOT_TOLD: Final = 0.2
_STEP: Final = 1e-4


def learn_domain(
    calm: Faces, disturbed: Sequence[Faces], *, threshold: float, fmr: float = 1e-3, data: str = ""
) -> Domain:
    """Learn which faces τ holds for.

    Args:
        calm: faces of undisturbed photos, of as many people as there are.
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
                expected=f"photos of at least {wanted} people to learn which photos are too poor for τ",
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
    known = ~np.isnan(rows).all(axis=0)  # of pictures taken whole, no detector says how sure it is
    mean, scale = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    mean[known], spread = np.nanmean(rows[:, known], axis=0), np.nanstd(rows[:, known], axis=0)
    scale[known] = np.where(spread > 1e-4, spread, 1.0)
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
    told = {kind: pairs for kind, pairs in strangers.items() if _is_told(pairs, limit, threshold)}
    usual = _usual(told, scores[0], limit, threshold, _MAY * fmr)
    strict = _strict(told, usual, limit, threshold, _MAY * fmr)
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
        apart, strangers, first, second = pairs_of(part.embeddings, part.people)
        worse = np.maximum(score[first], score[second])
        kinds.setdefault(part.kind, []).append((apart[strangers], worse[strangers]))
    return {
        kind: _Strangers(np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs]))
        for kind, pairs in kinds.items()
    }


def _is_told(pairs: _Strangers, limit: float, threshold: float) -> bool:
    """Whether the score refuses most of what a kind lets pass."""
    hits, count = pairs.under(threshold, limit)
    return count < _PAIRS or hits <= _NOT_TOLD * count


def _usual(strangers: Mapping[str, _Strangers], calm: Floats, limit: float, threshold: float, allowed: float) -> float:
    """The highest score up to which no kind passes more strangers than allowed under τ itself."""
    usual = limit
    for quantile in np.linspace(1 - REFUSED, LEAST_USUAL, 40):
        usual = min(limit, float(np.quantile(calm, quantile)))
        rates = [pairs.under(threshold, usual) for pairs in strangers.values()]
        if all(pairs < _PAIRS or hits <= allowed * pairs for hits, pairs in rates):
            break
    return usual


def _strict(strangers: Mapping[str, _Strangers], usual: float, limit: float, threshold: float, allowed: float) -> float:
    """The highest τ that passes no more strangers than allowed on pairs with a face between the two limits, for each kind."""
    strict = threshold
    for pairs in strangers.values():
        chosen = np.sort(pairs.apart[(pairs.worse > usual) & (pairs.worse <= limit)])
        if len(chosen) >= _PAIRS:
            strict = min(strict, float(chosen[int(allowed * len(chosen))]))
    return round(math.floor(strict / _STEP) * _STEP, 4) if strict < threshold else threshold


def _share_under(part: Faces, threshold: float) -> float | None:
    apart, strangers, _, _ = pairs_of(part.embeddings, part.people)
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
