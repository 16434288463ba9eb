"""Checks that every metric shares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError, SettingError

#: ``(n,)`` distances; ``inf`` where no comparison could be made.
Distances = npt.NDArray[np.floating]


def as_distances(values: npt.ArrayLike, *, kind: str, empty: bool = False) -> Distances:
    """Check and convert distances of one kind of pair.

    Args:
        values: ``(n,)`` numbers of at least 0, ``inf`` allowed.
        kind: what they are, for the message.
        empty: whether none at all is fine.

    Raises:
        NotEnoughDataError: none given.
        SettingError: NaN, or not one-dimensional.
    """
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.ndim != 1 or np.isnan(array).any():
        raise SettingError(
            expected=f"a flat array of {kind} distances without NaN",
            got=f"shape {array.shape}" if array.ndim != 1 else "NaN",
            advice="give inf for a comparison that could not be made",
        )
    if array.size == 0 and not empty:
        raise NotEnoughDataError(
            expected=f"at least one {kind} pair", got="none", advice="give photos or pairs of both kinds"
        )
    return array
