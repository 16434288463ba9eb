"""A data set as an evaluation sees it: its pairs with their distances and groups, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sameface.datasets import Bench, PairList
from sameface.evaluation.embed import EmbeddedPhotos
from sameface.evaluation.results import DataSummary
from sameface.evaluation.scores import Scores, score_all_pairs, score_pairs


def score(bench: Bench, embedded: EmbeddedPhotos) -> Scores:
    """Distances of a data set's pairs: those of its list, or all pairs of its photos."""
    return score_pairs(bench, embedded) if isinstance(bench, PairList) else score_all_pairs(bench, embedded)


def protocol_of(bench: Bench) -> str:
    """How the pairs came about, in a sentence."""
    if isinstance(bench, PairList):
        return bench.protocol
    most = int(np.bincount(bench.people).max(initial=0))
    return (
        f"all pairs of the photos of {bench.name}, at most {most} a person; of several faces the one nearest the centre"
    )


def summary(bench: Bench, sha256: Sequence[str] = ()) -> DataSummary:
    """Counts and problems of a data set."""
    kinds = Counter[str](item.kind for item in bench.problems)
    dropped = [str(item.error) for item in bench.problems if item.dropped]
    copies = [digest for digest in sha256 if digest]
    return DataSummary(
        name=bench.name,
        protocol=protocol_of(bench),
        photos=len(bench.photos),
        people=len(np.unique(bench.people)),
        problems=dict(kinds),
        examples=tuple(dropped[:5]),
        duplicates=len(copies) - len(set(copies)),
        groups=(*bench.groups, *bench.photo_groups),
    )


def pair_groups(bench: Bench, scores: Scores) -> dict[str, npt.NDArray[np.str_]]:
    """By column, the group of each pair, ``(n,)``, "" for none.

    Of labelled people a pair is in a group when both of its people are. Of labelled photos a pair with two different labels is in a group of
    its own, ``no / yes``: a face without glasses beside one with them is a case that happens.
    """
    groups: dict[str, npt.NDArray[np.str_]] = {}
    if isinstance(bench, PairList):
        groups.update({column: np.array(values) for column, values in bench.groups.items()})
    else:
        for column, values in bench.groups.items():
            of = np.array(values)
            first, second = of[scores.person_a], of[scores.person_b]
            groups[column] = np.where(first == second, first, "")
    for column, values in bench.photo_groups.items():
        labels, code = np.unique(np.array(values), return_inverse=True)
        names = np.array([[_joined(a, b) for b in labels.tolist()] for a in labels.tolist()])
        groups[column] = names[code[scores.a], code[scores.b]]
    return groups


def _joined(first: str, second: str) -> str:
    if not first or not second:
        return ""
    return first if first == second else " / ".join(sorted((first, second)))
