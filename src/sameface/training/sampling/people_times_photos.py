"""Identity-balanced batches: P people with K photos each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError, SettingError


class PeopleTimesPhotos:
    """Batches of P people × K photos, as FaceNet and Hermans et al. train: every batch holds pairs of both kinds.

    A batch is a pure function of the seed and the step, so a resumed training sees exactly what an unbroken one
    would have seen, and every process of a distributed training knows the whole batch.

    A person with fewer than K photos gives what there is, and further people fill the batch up to P·K: a photo beside itself
    would be a positive pair that teaches nothing.

    Args:
        labels: ``(n,)`` label of each photo.
        people: P.
        photos: K, at least 2.
        seed: of the draws.
        groups: ``(n,)`` a coarser label (the alphabet of a character): see `one_group`.
        one_group: share of batches drawn from one group first, where people are hardest to tell apart.
        even: exactly K of each, some of them twice where there are fewer: for augmentations that turn or join whole people.

    Raises:
        NotEnoughDataError: fewer than two people, or nobody with two photos.
    """

    def __init__(
        self,
        labels: npt.ArrayLike,
        *,
        people: int,
        photos: int,
        seed: int = 0,
        groups: npt.ArrayLike | None = None,
        one_group: float = 0.0,
        even: bool = False,
    ) -> None:
        if people < 2 or photos < 2:
            raise SettingError(
                expected="at least 2 people × 2 photos a batch",
                got=f"{people} × {photos}",
                advice="raise both to 2 or more",
            )
        array = np.asarray(labels)
        # Photos in a row, person by person: one sort, whatever the number of people.
        self._rows = np.argsort(array, kind="stable")
        _, self._starts, self._counts = np.unique(array[self._rows], return_index=True, return_counts=True)
        count = len(self._starts)
        if count < 2:
            raise NotEnoughDataError(
                expected="photos of at least two people",
                got=f"{count}",
                advice="add people: nothing can be told apart within one person alone",
            )
        self._several, self._single = np.flatnonzero(self._counts > 1), np.flatnonzero(self._counts == 1)
        if not len(self._several):
            raise NotEnoughDataError(
                expected="at least one person with two photos",
                got="one photo of everybody",
                advice="add second photos: from one photo each a network learns who differs, never what stays the same;"
                " to enroll people by one photo no training is needed",
            )
        self._people = min(people, count)
        self._photos, self._seed, self._one_group, self._even = photos, seed, one_group, even
        self._groups = None if groups is None else np.asarray(groups)[self._rows[self._starts]]
        there = int(np.minimum(self._counts, photos).sum())
        self._size = self._people * photos if even else min(self._people * photos, there)

    @property
    def batch_size(self) -> int:
        """Photos in a batch: P × K (P no more than there are people), or all there are when that is less."""
        return self._size

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Photo numbers of one batch.

        Args:
            step: 0, 1, 2 …

        Returns:
            ``(batch_size,)`` int64, the photos of a person beside each other. Nobody appears twice, nor does a photo unless
            `even`. People with a single photo are drawn only when the others do not fill the batch.
        """
        random = np.random.default_rng([self._seed, step])
        order = random.permutation(self._several)
        if self._groups is not None and random.random() < self._one_group:
            first = self._groups[order] == self._groups[order[0]]
            order = np.concatenate([order[first], order[~first]])
        order = np.concatenate([order, random.permutation(self._single)])
        rows: list[npt.NDArray[np.int64]] = []
        room = self._size
        for person in order:
            start = self._starts[person]
            members = self._rows[start : start + self._counts[person]]
            picked = random.permutation(members)[: self._photos]
            if self._even and len(picked) < self._photos:
                picked = np.concatenate([picked, random.choice(members, self._photos - len(picked))])
            rows.append(picked[:room])
            room -= len(rows[-1])
            if not room:
                break
        return np.concatenate(rows).astype(np.int64)
