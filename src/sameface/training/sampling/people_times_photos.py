"""Identity-balanced batches: P people with K photos each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError, SettingError


class PeopleTimesPhotos:
    """Batches of P people × K photos, as FaceNet and Hermans et al. train: every batch holds pairs of both kinds.

    A batch is a pure function of the seed and the step, so a resumed training sees exactly what an unbroken one
    would have seen, and every process of a distributed training knows the whole batch.

    Args:
        labels: ``(n,)`` label of each photo.
        people: P.
        photos: K, at least 2.
        seed: of the draws.
        groups: ``(n,)`` a coarser label (the alphabet of a character): see `one_group`.
        one_group: share of batches drawn from one group first, where people are hardest to tell apart.

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
    ) -> None:
        array = np.asarray(labels)
        if people < 2 or photos < 2:
            raise SettingError(
                expected="at least 2 people × 2 photos a batch",
                got=f"{people} × {photos}",
                advice="raise both to 2 or more",
            )
        self._members = {int(label): np.flatnonzero(array == label) for label in np.unique(array)}
        several = [label for label, rows in self._members.items() if len(rows) > 1]
        if len(self._members) < 2:
            raise NotEnoughDataError(
                expected="photos of at least two people",
                got=f"{len(self._members)}",
                advice="add people: nothing can be told apart within one person alone",
            )
        if not several:
            raise NotEnoughDataError(
                expected="at least one person with two photos",
                got="one photo of everybody",
                advice="add second photos: from one photo each a network learns who differs, never what stays the same;"
                " to enroll people by one photo no training is needed",
            )
        self._several = np.array(several)
        self._single = np.array([label for label in self._members if label not in set(several)], dtype=np.int64)
        self._people = min(people, len(self._members))
        self._photos = photos
        self._seed = seed
        self._one_group = one_group
        self._group_of: dict[int, object] = {}
        if groups is not None:
            coarse = np.asarray(groups)
            self._group_of = {label: coarse[rows[0]] for label, rows in self._members.items()}

    @property
    def batch_size(self) -> int:
        """Photos in a batch: P × K (P no more than there are people)."""
        return self._people * self._photos

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Photo numbers of one batch.

        Args:
            step: 0, 1, 2 …

        Returns:
            ``(P·K,)`` int64, the K photos of a person beside each other. Nobody appears twice. People with a single
            photo are drawn only when too few have several; a person with fewer than K photos gives some of them twice.
        """
        random = np.random.default_rng([self._seed, step])
        order = random.permutation(self._several)
        if self._group_of and random.random() < self._one_group:
            group = self._group_of[int(order[0])]
            first = np.array([self._group_of[int(label)] == group for label in order])
            order = np.concatenate([order[first], order[~first]])
        order = np.concatenate([order, random.permutation(self._single)])[: self._people]
        rows = []
        for label in order:
            members = self._members[int(label)]
            picked = random.permutation(members)[: self._photos]
            if len(picked) < self._photos:
                picked = np.concatenate([picked, random.choice(members, self._photos - len(picked))])
            rows.append(picked)
        return np.concatenate(rows).astype(np.int64)
