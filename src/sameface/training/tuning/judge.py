"""Whether a fine-tuned encoder is better: on damaged pictures of people held out, and no worse on the undamaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.errors import NotEnoughDataError
from sameface.metrics import curve, equal_error_rate, false_non_match_rate, threshold_at_fmr
from sameface.training.loop.collapse import spread_of
from sameface.training.loop.validation import Validation, one_shot_error, pair_distances
from sameface.training.losses.distillation import targets_of
from sameface.training.pictures import Pictures

#: Pictures of one person, and of all, that are looked at: pairs grow with the square, and each validation costs two encodings of each.
#: Fewer would let chance decide: of 1,000 mated pairs the misses that may be added are three.
EACH: Final = 8
MOST: Final = 2000
#: At which false match rate misses are counted, where the pairs are enough for it.
FMR: Final = 1e-3
#: By how much misses on undamaged pictures may rise.
ALLOWED: Final = 0.003


class Judge:
    """Counts misses at a false match rate; what is lower is better.

    Args:
        held_out: pictures of people who are not trained on, with the encoder's own embeddings of them as targets.
        damage: all pictures damaged, as a seed says; None judges the undamaged alone.
        allowed: by how much misses on undamaged pictures may rise above the encoder's own; beyond, nothing is better.
        seed: of the people and of the damage.

    Raises:
        NotEnoughDataError: nobody has two pictures, or there is one person.
    """

    def __init__(
        self,
        held_out: Pictures,
        damage: Callable[[Tensor, int], Tensor] | None,
        *,
        allowed: float = ALLOWED,
        seed: int = 0,
    ) -> None:
        rows = chosen_rows(held_out.labels, seed)
        self._labels = held_out.labels[rows]
        self._undamaged = held_out.pixels[torch.from_numpy(rows)]
        self._damaged = self._undamaged if damage is None else damage(self._undamaged, seed)
        own = targets_of(held_out.targets)[torch.from_numpy(rows)].numpy()
        self._most_missed = missed(own, self._labels) + allowed
        self._seed = seed

    def __call__(self, embed: Callable[[Tensor], Tensor]) -> Validation:
        """Judge a network.

        Args:
            embed: stored pictures ``(m, …)`` to embeddings ``(m, d)``.
        """
        undamaged, damaged = _encoded(embed, self._undamaged), _encoded(embed, self._damaged)
        found = missed(damaged, self._labels)
        kept = missed(undamaged, self._labels)
        mated, non_mated = pair_distances(damaged, self._labels)
        return Validation(
            eer=equal_error_rate(curve(mated, non_mated))[0],
            one_shot_error=one_shot_error(damaged, self._labels, seed=self._seed),
            spread=spread_of(torch.from_numpy(damaged)),
            missed=found,
            missed_undamaged=kept,
            judged=found if kept <= self._most_missed else float("inf"),
        )


def chosen_rows(labels: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """Up to `EACH` pictures of as many people with several as `MOST` allows.

    Raises:
        NotEnoughDataError: fewer than two of them.
    """
    random = np.random.default_rng([seed, 0x1D6E])
    names, counts = np.unique(labels, return_counts=True)
    rows: list[int] = []
    people = 0
    for name in random.permutation(names[counts > 1]).tolist():
        own = random.permutation(np.flatnonzero(labels == name))[:EACH]
        if len(rows) + len(own) > MOST:
            break
        rows += own.tolist()
        people += 1
    if people < 2:
        raise NotEnoughDataError(
            expected="two people with two pictures or more to judge on",
            got=str(people),
            advice="hold out more people (`--validation 0.2`)",
        )
    return np.sort(np.array(rows, dtype=np.int64))


def missed(embeddings: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """Share of mated pairs that are missed at the false match rate `FMR`, or at the lowest that these pairs show."""
    mated, non_mated = pair_distances(embeddings, labels)
    threshold = threshold_at_fmr(non_mated, max(FMR, 1 / len(non_mated)))
    return float(false_non_match_rate(mated, threshold))


def _encoded(embed: Callable[[Tensor], Tensor], pictures: Tensor) -> npt.NDArray[np.float32]:
    with torch.no_grad():
        parts = [embed(part).float().cpu() for part in torch.split(pictures, 64)]
    encoded: npt.NDArray[np.float32] = torch.cat(parts).numpy()
    return encoded
