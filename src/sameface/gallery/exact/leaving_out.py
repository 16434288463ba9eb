"""The nearest of everybody but some."""

from __future__ import annotations

from collections.abc import Callable, Collection

#: Person keys and distances, for each probe.
Ranked = list[list[tuple[int, float]]]


def without(keys: Collection[int], search: Callable[[int], Ranked], k: int) -> Ranked:
    """The k nearest but these: as many more are asked for as stood before them.

    >>> without([1], lambda most: [[(1, 0.1), (2, 0.2), (3, 0.3)][:most]], 1)
    [[(2, 0.2)]]
    """
    left_out, most = set(keys), k
    while True:
        ranked = search(most)
        kept = [[item for item in answer if item[0] not in left_out] for answer in ranked]
        if all(len(answer) >= k or len(found) < most for answer, found in zip(kept, ranked, strict=True)):
            return [answer[:k] for answer in kept]
        most = 2 * most + 2
