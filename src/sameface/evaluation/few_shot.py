"""k-way n-shot: k classes that were never trained on, n examples of each, one more to be told.

Each episode draws k classes, n + 1 photos of each, and enrolls the mean of n embeddings; the last photo of each class is asked. It is answered
rightly iff its own class is strictly nearer (L2) than all others, so an encoder that maps everything to one point is always wrong.

Episodes are drawn, not listed: there are far too many. The same seed draws the same. The interval draws the classes asked about anew
(bootstrap), with what they were asked beside; the error that stems from drawing episodes is far smaller.

Sources: Lake et al. 2015 (20-way, one shot, within an alphabet); Vinyals et al., *Matching Networks*, 2016 (5- and 20-way, 1 and 5 shots,
across alphabets); Snell et al., *Prototypical Networks*, 2017 (the mean of the examples).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError, SettingError
from sameface.evaluation.results import FewShotResult, Rate
from sameface.metrics import bootstrap_interval, rule_of_three
from sameface.types import Embeddings, Interval

EPISODES: Final = 2000


def few_shot(
    embeddings: Embeddings,
    classes: npt.ArrayLike,
    *,
    ways: int,
    shots: int,
    within: npt.ArrayLike | None = None,
    found: npt.ArrayLike | None = None,
    episodes: int = EPISODES,
    seed: int = 0,
) -> FewShotResult:
    """The share of right answers in k-way n-shot episodes.

    Args:
        embeddings: ``(p, d)``, one row a photo.
        classes: ``(p,)`` int, the class of each photo.
        ways: k classes in an episode.
        shots: n examples of each.
        within: ``(p,)`` a coarser label (the alphabet): all classes of an episode are from one group, and each group of k classes or
            more is drawn as often as any other. None draws from all classes alike.
        found: ``(p,)`` bool; a photo without embedding is enrolled by the others of its class, and wrong when asked. None: all were found.
        episodes: how many to draw.
        seed: of the draws and of the interval.

    Raises:
        NotEnoughDataError: fewer than k classes with n + 1 photos, in all or in every group.
        SettingError: ways, shots or episodes that cannot be.

    >>> points = np.array([[0.0], [0.1], [1.0], [1.1], [2.0], [2.1]], dtype=np.float32)
    >>> few_shot(points, [0, 0, 1, 1, 2, 2], ways=3, shots=1, episodes=10).accuracy.value
    1.0
    """
    if ways < 2 or shots < 1 or episodes < 1:
        raise SettingError(
            expected="two ways or more, one shot or more, one episode or more",
            got=f"{ways} ways, {shots} shots, {episodes} episodes",
            advice="5 or 20 ways with 1 or 5 shots are usual",
        )
    labels = np.asarray(classes)
    usable = np.ones(len(labels), dtype=np.bool_) if found is None else np.asarray(found, dtype=np.bool_)
    pools, too_small = _pools(labels, None if within is None else np.asarray(within), ways, shots)
    photos_of = {int(name): np.flatnonzero(labels == name) for pool in pools for name in pool}
    place = {name: number for number, name in enumerate(photos_of)}
    random = np.random.default_rng(seed)
    x = embeddings.astype(np.float64)
    asked, right = np.zeros(len(place)), np.zeros(len(place))
    for _ in range(episodes):
        pool = pools[int(random.integers(len(pools)))]
        drawn = random.choice(pool, ways, replace=False)
        photos = np.stack([random.choice(photos_of[int(name)], shots + 1, replace=False) for name in drawn])
        at = [place[int(name)] for name in drawn]
        asked[at] += 1
        right[at] += answers(x, photos, usable)
    total, correct = int(asked.sum()), int(right.sum())
    interval = _interval(right, asked, seed)
    return FewShotResult(
        ways=ways,
        shots=shots,
        accuracy=Rate(correct / total, correct, total, interval),
        episodes=episodes,
        classes=len(place),
        groups=0 if within is None else len(pools),
        groups_too_small=too_small,
    )


def answers(
    embeddings: npt.NDArray[np.float64], photos: npt.NDArray[np.intp], found: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Which of the asked photos of one episode are told rightly.

    Args:
        embeddings: ``(p, d)``.
        photos: ``(k, n + 1)`` of each class; the last is asked, the others are enrolled.
        found: ``(p,)`` whether there is an embedding.

    Returns:
        ``(k,)`` bool.
    """
    enrolled, probes = photos[:, :-1], photos[:, -1]
    there = found[enrolled][..., None]
    count = there.sum(axis=1)
    centres = (embeddings[enrolled] * there).sum(axis=1) / np.maximum(count, 1)
    right = np.zeros(len(photos), dtype=np.bool_)
    for own, probe in enumerate(probes):
        distances = np.square(centres - embeddings[probe]).sum(axis=1)
        distances[count[:, 0] == 0] = np.inf
        right[own] = found[probe] and distances[own] < np.delete(distances, own).min()
    return right


def _interval(right: npt.NDArray[np.float64], asked: npt.NDArray[np.float64], seed: int) -> Interval:
    """Over draws of classes; where all answers were right, or none, there is nothing to draw, and each class is one trial."""
    if right.sum() in (0, asked.sum()):
        bound = rule_of_three(len(asked))
        return bound if not right.any() else Interval(1 - bound.high, 1.0, bound.level, bound.method)

    def rate(weights: npt.NDArray[np.intp]) -> float:
        return float((weights * right).sum() / max(1.0, (weights * asked).sum()))

    return bootstrap_interval(rate, len(asked), seed=seed)


def _pools(
    labels: npt.NDArray[np.integer], within: npt.NDArray[np.generic] | None, ways: int, shots: int
) -> tuple[list[npt.NDArray[np.integer]], int]:
    """The classes that episodes are drawn from, group by group, and how many groups have too few."""
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    several = counts > shots
    if within is None:
        pools = [names[several]]
    else:
        groups = within[first]
        pools = [names[several & (groups == group)] for group in np.unique(groups)]
    enough = [pool for pool in pools if len(pool) >= ways]
    if not enough:
        raise NotEnoughDataError(
            expected=f"{ways} classes with {shots + 1} photos or more" + ("" if within is None else " in a group"),
            got=f"{max(len(pool) for pool in pools)}",
            advice="ask for fewer ways or shots, or add photos",
        )
    return enough, len(pools) - len(enough)
