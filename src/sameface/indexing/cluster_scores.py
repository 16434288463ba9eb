"""How well groups agree with the truth: pairwise and BCubed precision, recall and F.

Source: BCubed: Bagga and Baldwin 1998, "Entity-based cross-document coreferencing using the vector space model"; Amigó et al. 2009 compare it with
other measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sameface.errors import DataError


@dataclass(frozen=True, slots=True)
class Agreement:
    """Precision, recall and their harmonic mean, each 0 to 1."""

    precision: float
    recall: float

    @property
    def f(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def bcubed(truth: npt.ArrayLike, found: npt.ArrayLike) -> Agreement:
    """BCubed: for each face, what share of its group is its person (precision), and what share of its person is in its group (recall);
    averaged over faces.

    >>> bcubed(["a", "a", "b", "b"], [0, 0, 0, 1]).precision  # (2/3 + 2/3 + 1/3 + 1) / 4
    0.6666666666666666
    """
    person, group, together = _contingency(truth, found)
    of_person, of_group = np.bincount(person, together), np.bincount(group, together)
    total = together.sum()
    return Agreement(
        float((together**2 / of_group[group]).sum() / total), float((together**2 / of_person[person]).sum() / total)
    )


def pairwise(truth: npt.ArrayLike, found: npt.ArrayLike) -> Agreement:
    """Of the pairs put together, the share of one person (precision); of the pairs of one person, the share put together (recall).

    Without any such pair the share is 1: nothing was wrong.

    >>> pairwise(["a", "a", "b"], [0, 0, 0]).recall
    1.0
    """
    person, group, together = _contingency(truth, found)

    def pairs(counts: npt.NDArray[Any]) -> float:
        return float((counts * (counts - 1) / 2).sum())

    right = pairs(together)
    joined, mated = pairs(np.bincount(group, together)), pairs(np.bincount(person, together))
    return Agreement(right / joined if joined else 1.0, right / mated if mated else 1.0)


def _contingency(
    truth: npt.ArrayLike, found: npt.ArrayLike
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """The occupied cells of the table person × group: person, group, count."""
    people, groups = np.asarray(truth), np.asarray(found)
    if people.ndim != 1 or people.shape != groups.shape or not len(people):
        raise DataError(
            expected="a person and a group for each face",
            got=f"shapes {people.shape} and {groups.shape}",
            advice="give two lists of one length",
        )
    person = np.unique(people, return_inverse=True)[1]
    group = np.unique(groups, return_inverse=True)[1]
    cells, counts = np.unique(person * (int(group.max()) + 1) + group, return_counts=True)
    wide = int(group.max()) + 1
    return cells // wide, cells % wide, counts.astype(np.float64)
