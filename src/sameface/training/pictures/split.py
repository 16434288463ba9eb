"""Who is trained on, and who is held out to validate on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError


def split_by_person(labels: npt.NDArray[np.int64], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Divide people, never photos: whoever is validated on was never trained on.

    Args:
        labels: ``(n,)``.
        share: of people held out, among those with two photos or more (the only ones that can be validated on);
            0 holds out nobody, else at least two people.
        seed: of the draw.

    Returns:
        Labels to train on, labels held out, each sorted.

    Raises:
        NotEnoughDataError: too few people with several photos.
    """
    names, counts = np.unique(labels, return_counts=True)
    several = names[counts > 1]
    if share <= 0:
        return [int(name) for name in names], []
    held = max(2, round(share * len(several)))
    if len(several) - held < 2:
        raise NotEnoughDataError(
            expected="at least four people with two photos or more: two to train on, two to validate on",
            got=f"{len(several)}",
            advice="add people or photos, or hold out nobody (`--validation 0`) and measure elsewhere;"
            " from one photo each nothing is learned about what stays the same",
        )
    out = {int(name) for name in np.random.default_rng([seed, 0x5EED]).permutation(several)[:held]}
    return [int(name) for name in names if int(name) not in out], sorted(out)
