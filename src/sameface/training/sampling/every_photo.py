"""Every photo as often as any other: for losses that score each photo by itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sameface.errors import NotEnoughDataError, SettingError


class EveryPhoto:
    """Photos in random order, all of them before any comes again; people with one photo too.

    Batches go on where the last one ended, across the end of an epoch, so all are equally large. A batch is a pure function of the
    seed and the step.

    Args:
        photos: how many there are.
        batch_size: in a batch.
        seed: of the orders.

    Raises:
        SettingError: an empty batch.
        NotEnoughDataError: fewer photos than a batch holds.
    """

    def __init__(self, photos: int, *, batch_size: int, seed: int = 0) -> None:
        if batch_size < 1:
            raise SettingError(expected="one photo a batch or more", got=f"{batch_size}", advice="raise it")
        if photos < batch_size:
            raise NotEnoughDataError(
                expected=f"{batch_size} photos, a batch", got=f"{photos}", advice="add photos, or make batches smaller"
            )
        self._photos, self._size, self._seed = photos, batch_size, seed
        self._orders: dict[int, npt.NDArray[np.int64]] = {}

    @property
    def batch_size(self) -> int:
        """Photos in a batch."""
        return self._size

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Photo numbers of one batch.

        Args:
            step: 0, 1, 2 …

        Returns:
            ``(batch_size,)`` int64; a photo is in it twice only where an epoch ends within.
        """
        epoch, at = divmod(step * self._size, self._photos)
        first = self._order(epoch)[at : at + self._size]
        missing = self._size - len(first)
        return first if not missing else np.concatenate([first, self._order(epoch + 1)[:missing]])

    def _order(self, epoch: int) -> npt.NDArray[np.int64]:
        found = self._orders.get(epoch)
        if found is None:
            found = np.random.default_rng([self._seed, epoch]).permutation(self._photos)
            # This epoch and the one before: a feed may ask ahead.
            self._orders = {kept: order for kept, order in self._orders.items() if kept == epoch - 1} | {epoch: found}
        return found
