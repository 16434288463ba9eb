"""Folds that share no person."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError

#: ``(n,)`` numbers that name people.
People = npt.NDArray[np.integer]


def linked(first: People, second: People, count: int) -> npt.NDArray[np.intp]:
    """Connected components: people (or photos) that pairs link, directly or through others.

    Args:
        first, second: ``(n,)`` the two ends of each link, in 0…count − 1.

    Returns:
        ``(count,)`` for each the smallest member of its component.

    >>> linked(np.array([0, 2]), np.array([1, 3]), 5).tolist()
    [0, 0, 2, 2, 4]
    """
    root = np.arange(count)

    def find(x: int) -> int:
        while root[x] != x:
            root[x] = root[root[x]]
            x = int(root[x])
        return x

    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        low, high = sorted((find(a), find(b)))
        root[high] = low
    return np.array([find(x) for x in range(count)], dtype=np.intp)


def person_disjoint_folds(
    person_a: People, person_b: People, folds: int = 10, *, seed: int = 0
) -> npt.NDArray[np.intp]:
    """Deal pairs out to folds so that, as far as the pairs allow, no person is in two.

    Pairs that hang together through their people go to one fold, the largest groups first, each to the fold with the fewest pairs so far.
    Where one group is too large for a fold of its own, people are dealt out instead and a pair goes with its first person; `shares_people` then
    tells which pairs must not help to choose the threshold of a fold.

    Args:
        person_a, person_b: ``(n,)`` whose photos are compared.
        folds: how many, at least 2.
        seed: of the order among equals.

    Returns:
        ``(n,)`` fold numbers from 0.

    Raises:
        NotEnoughDataError: fewer groups of people than folds.
    """
    everybody, codes = np.unique(np.concatenate([person_a, person_b]), return_inverse=True)
    a, b = codes[: len(person_a)], codes[len(person_a) :]
    group = linked(a, b, len(everybody))[a]
    sizes = np.bincount(group, minlength=len(everybody))
    if sizes.max() > 2 * len(a) / folds:
        group, sizes = a, np.bincount(a, minlength=len(everybody))
    groups = np.flatnonzero(sizes)
    if folds < 2 or len(groups) < folds:
        raise NotEnoughDataError(
            expected=f"people for {folds} folds that share nobody",
            got=f"{len(groups)} separate groups of people",
            advice="give photos of more people, or ask for fewer folds (`--folds`)",
        )
    shuffled = np.random.default_rng(seed).permutation(groups)
    load = np.zeros(folds, dtype=np.intp)
    fold_of = np.zeros(len(everybody), dtype=np.intp)
    for member in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of[member] = int(np.argmin(load))
        load[fold_of[member]] += sizes[member]
    return fold_of[group]


def shares_people(person_a: People, person_b: People, of: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which pairs show a person who is also in the chosen pairs.

    Args:
        of: ``(n,)`` marks the chosen pairs.

    >>> shares_people(np.array([0, 1, 2]), np.array([0, 2, 2]), np.array([False, True, False])).tolist()
    [False, True, True]
    """
    people = np.concatenate([person_a[of], person_b[of]])
    return np.isin(person_a, people) | np.isin(person_b, people)
