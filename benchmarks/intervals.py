"""How long intervals take over millions of pairs: all pairs of 2,150 made-up photos are 2.3 million.

    python benchmarks/intervals.py [PHOTOS]

Prints the seconds for the sorting, for EER, AUC and TAR at four FMRs with their intervals, and for a whole 1:1 result with four groups.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from sameface.evaluation.resampling import PeopleDraws, percentiles
from sameface.evaluation.scores import Scores
from sameface.evaluation.verification import verify_all


def made_up(photos: int, each: int = 4) -> Scores:
    """All pairs of photos, so many of each person; distances overlap as an encoder's do."""
    whose = (np.arange(photos) // each).astype(np.int32)
    a, b = (x.astype(np.int32) for x in np.triu_indices(photos, 1))
    same = whose[a] == whose[b]
    generator = np.random.default_rng(0)
    distances = generator.normal(1.35, 0.08, len(a)).astype(np.float32)
    distances[same] = generator.normal(0.9, 0.15, int(same.sum()))
    return Scores(distances, same, a, b, whose[a], whose[b], photos_of=np.bincount(whose))


def main() -> None:
    scores = made_up(int(sys.argv[1]) if len(sys.argv) > 1 else 2150)
    print(f"{len(scores.a):,} pairs, {int(scores.same.sum()):,} mated")
    start = time.perf_counter()
    ranks = PeopleDraws(scores).ranks
    interval = percentiles(ranks.eer)
    print(f"EER, AUC, TAR: {len(ranks.eer)} draws in {time.perf_counter() - start:.1f} s; EER {interval}")
    groups = np.array(["a", "b", "c", "d"])[scores.person_a % 4]
    groups[scores.person_a % 4 != scores.person_b % 4] = ""
    start = time.perf_counter()
    verify_all(scores, groups={"made up": groups})
    print(f"all of 1:1, with four groups: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
