"""Labelled pictures in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.files import Skipped


@dataclass(frozen=True)
class Pictures:
    """Labelled pictures in memory.

    Attributes:
        pixels: ``(n, channels, size, size)`` uint8, or ``(n, d)`` float32 where embeddings stand in for pictures.
        labels: ``(n,)`` int64, an index into `people`.
        people: a name for each label.
        groups: ``(n,)`` a coarser label (the alphabet of a character), or None.
        skipped: what was passed over while reading.
    """

    pixels: Tensor
    labels: npt.NDArray[np.int64]
    people: tuple[str, ...]
    groups: npt.NDArray[np.int64] | None = None
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def of_people(self, chosen: Iterable[int]) -> Pictures:
        """Only the pictures of some labels, renumbered 0, 1, 2 … in the order given."""
        order = list(chosen)
        place = {label: number for number, label in enumerate(order)}
        rows = np.flatnonzero(np.isin(self.labels, order))
        return replace(
            self,
            pixels=self.pixels[torch.from_numpy(rows)],
            labels=np.array([place[int(label)] for label in self.labels[rows]], dtype=np.int64),
            people=tuple(self.people[label] for label in order),
            groups=None if self.groups is None else self.groups[rows],
            skipped=(),
        )
