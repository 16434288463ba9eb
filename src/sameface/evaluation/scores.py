"""Distances of a data set's pairs, with who is compared: what every verification number is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sameface.datasets import LabelledPhotos, PairList
from sameface.errors import NotEnoughDataError
from sameface.evaluation.embed import EmbeddedPhotos
from sameface.types import Embeddings

#: All pairs of more photos than this would not fit a laptop's memory.
MOST_PHOTOS_IN_PAIRS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The compared pairs.

    Attributes:
        distances: ``(n,)`` float32; ``inf`` where a face was not found.
        same: ``(n,)``.
        a, b: ``(n,)`` int32 indices of the photos.
        person_a, person_b: ``(n,)`` int32 indices of the people.
        photos_of: ``(people,)`` compared photos of each person when these are *all* pairs of the photos, else None.
        folds: ``(n,)`` of the protocol, or None.
    """

    distances: npt.NDArray[np.float32]
    same: npt.NDArray[np.bool_]
    a: npt.NDArray[np.int32]
    b: npt.NDArray[np.int32]
    person_a: npt.NDArray[np.int32]
    person_b: npt.NDArray[np.int32]
    photos_of: npt.NDArray[np.intp] | None = None
    folds: npt.NDArray[np.intp] | None = None

    @property
    def mated(self) -> npt.NDArray[np.float32]:
        """Distances of mated pairs; a face that was not found is ``inf``, a non-match at every τ."""
        return self.distances[self.same]

    @property
    def non_mated(self) -> npt.NDArray[np.float32]:
        """Distances of non-mated pairs that could be compared: a face that was not found must not lower the FMR."""
        return self.distances[~self.same & np.isfinite(self.distances)]

    @property
    def people(self) -> int:
        """How many people are compared."""
        return len(everybody(self))

    @property
    def disjoint(self) -> bool:
        """Whether no person is in two pairs, so that pairs are independent trials."""
        if self.photos_of is not None:
            return False
        second = self.person_b[self.person_a != self.person_b]  # a mated pair shows one person, a non-mated pair two
        return bool(np.bincount(np.concatenate([self.person_a, second])).max(initial=0) <= 1)


def everybody(scores: Scores) -> npt.NDArray[np.intp]:
    """The people of the pairs, by number."""
    count = int(max(scores.person_a.max(), scores.person_b.max())) + 1
    seen = np.bincount(scores.person_a, minlength=count) + np.bincount(scores.person_b, minlength=count)
    return np.flatnonzero(seen)


def compared_photos(scores: Scores, photos: int) -> npt.NDArray[np.bool_]:
    """``(photos,)`` which photos have a distance to another: those whose face was found."""
    finite = np.isfinite(scores.distances)
    compared = np.zeros(photos, dtype=np.bool_)
    compared[scores.a[finite]] = compared[scores.b[finite]] = True
    return compared


def score_pairs(pairs: PairList, embedded: EmbeddedPhotos) -> Scores:
    """Distances of a pair list, in its order."""
    distances = pair_distances(embedded.embeddings, pairs.a, pairs.b)
    distances[~(embedded.found[pairs.a] & embedded.found[pairs.b])] = np.inf
    return Scores(
        distances,
        pairs.same,
        pairs.a.astype(np.int32),
        pairs.b.astype(np.int32),
        pairs.person_a.astype(np.int32),
        pairs.person_b.astype(np.int32),
        folds=pairs.folds,
    )


def score_all_pairs(bench: LabelledPhotos, embedded: EmbeddedPhotos) -> Scores:
    """Distances of all pairs of labelled photos. Photos without a face give mated pairs at ``inf``.

    Raises:
        NotEnoughDataError: too many photos, nobody with two, or fewer than two people.
    """
    n = len(bench.photos)
    if n > MOST_PHOTOS_IN_PAIRS:
        raise NotEnoughDataError(
            expected=f"at most {MOST_PHOTOS_IN_PAIRS} photos for all pairs",
            got=str(n),
            advice="take fewer photos per person, or a list of people",
        )
    a, b = np.triu_indices(n, 1)
    table = distance_table(embedded.embeddings, embedded.embeddings)
    distances = table[a, b]
    del table
    distances[~(embedded.found[a] & embedded.found[b])] = np.inf
    person_a, person_b = bench.people[a].astype(np.int32), bench.people[b].astype(np.int32)
    same = person_a == person_b
    if not same.any() or same.all():
        raise NotEnoughDataError(
            expected="mated and non-mated pairs",
            got="mated only" if same.any() else "non-mated only: nobody has two photos",
            advice="give two photos or more of several people",
        )
    return Scores(
        distances,
        same,
        a.astype(np.int32),
        b.astype(np.int32),
        person_a,
        person_b,
        np.bincount(bench.people[embedded.found], minlength=len(bench.names)),
    )


def pair_distances(
    embeddings: Embeddings, a: npt.NDArray[np.integer], b: npt.NDArray[np.integer]
) -> npt.NDArray[np.float32]:
    """L2 distance of each pair of rows, in float64 inside, in blocks that keep memory flat."""
    out = np.empty(len(a), dtype=np.float32)
    step = max(1, 2**24 // max(1, embeddings.shape[1]))
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        difference = embeddings[a[part]].astype(np.float64) - embeddings[b[part]]
        out[part] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return out


def distance_table(first: Embeddings, second: Embeddings) -> npt.NDArray[np.float32]:
    """All L2 distances between rows, ``(m, n)``, by the expansion of the square.

    In float64 the expansion's cancellation stays under 1e-6; very long rows (pixels) are centred and kept in float32.
    """
    wide = first.shape[1] > 4096
    kind: type[np.floating] = np.float32 if wide else np.float64
    middle = first.mean(axis=0, dtype=np.float64).astype(kind)
    x, y = first.astype(kind) - middle, second.astype(kind) - middle
    x2, y2 = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    out = np.empty((len(x), len(y)), dtype=np.float32)
    for start in range(0, len(x), 1024):
        part = slice(start, start + 1024)
        out[part] = np.sqrt(np.maximum(x2[part, None] + y2[None, :] - 2 * (x[part] @ y.T), 0))
    return out
