"""Labelled pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.files import Skipped
from sameface.training.pictures.pixels import Pixels, RowsOf, fingerprint_of


@dataclass(frozen=True)
class Pictures:
    """Labelled pictures, in memory or fetched batch by batch.

    Attributes:
        pixels: ``(n, channels, size, size)`` uint8, or ``(n, d)`` float32 where embeddings stand in for pictures.
        labels: ``(n,)`` int64, an index into `people`.
        people: a name for each label.
        groups: ``(n,)`` a coarser label (the alphabet of a character), or None.
        skipped: what was passed over while reading.
        targets: ``(n, d)`` float32 embeddings that a teacher made of each picture, or None.
    """

    pixels: Tensor | Pixels
    labels: npt.NDArray[np.int64]
    people: tuple[str, ...]
    groups: npt.NDArray[np.int64] | None = None
    skipped: tuple[Skipped, ...] = ()
    targets: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def in_memory(self) -> Tensor:
        """All pixels as one tensor."""
        if isinstance(self.pixels, Tensor):
            return self.pixels
        return self.pixels[torch.arange(len(self.pixels))]

    def of_people(self, chosen: Iterable[int]) -> Pictures:
        """Only the pictures of some labels, renumbered 0, 1, 2 … in the order given."""
        order = np.fromiter(chosen, dtype=np.int64)
        place = np.full(len(self.people), -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        rows = np.flatnonzero(place[self.labels] >= 0)
        numbers = torch.from_numpy(rows)
        return replace(
            self,
            pixels=self.pixels[numbers] if isinstance(self.pixels, Tensor) else RowsOf(self.pixels, numbers),
            labels=place[self.labels[rows]],
            people=tuple(self.people[label] for label in order),
            groups=None if self.groups is None else self.groups[rows],
            skipped=(),
            targets=None if self.targets is None else self.targets[numbers],
        )


def digest_of(*parts: Pictures) -> str:
    """What is trained and validated on, as a digest: the pixels, and who is who."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update("\0".join(part.people).encode())
        digest.update(part.labels.tobytes())
        digest.update(fingerprint_of(part.pixels).encode())
    return digest.hexdigest()
