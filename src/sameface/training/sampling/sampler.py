"""What a sampler is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Sampler(Protocol):
    """Says which pictures make a batch, as a function of the step alone: so a resumed training sees what an unbroken one would
    have seen, and every process of several knows the whole batch."""

    @property
    def batch_size(self) -> int:
        """Pictures in a batch, always the same."""
        ...

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """``(batch_size,)`` picture numbers of batch 0, 1, 2 … The pictures of one person lie beside each other, as many of each as
        the settings say, where an augmentation joins or turns whole people."""
        ...
