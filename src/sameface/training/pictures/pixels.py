"""Where pixels lie: in memory, in a file, or in somebody's dataset."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Pixels(Protocol):
    """Pictures that are fetched batch by batch; a ``torch.Tensor`` of them all is one kind."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(n, channels, side, side)``, or ``(n, d)``."""
        ...

    @property
    def dtype(self) -> torch.dtype: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Tensor) -> Tensor:
        """The pictures of ``(m,)`` int64 row numbers, in that order."""
        ...


class RowsOf:
    """Some rows of other pixels, without a copy.

    Args:
        pixels: the others.
        rows: ``(n,)`` int64 row numbers there.
    """

    def __init__(self, pixels: Pixels, rows: Tensor) -> None:
        self._pixels, self._rows = pixels, rows

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self._rows), *self._pixels.shape[1:])

    @property
    def dtype(self) -> torch.dtype:
        return self._pixels.dtype

    @property
    def fingerprint(self) -> str:
        """What the others say of themselves, and which rows are taken."""
        return f"{fingerprint_of(self._pixels)} {hash_of(self._rows)}"

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Tensor) -> Tensor:
        return self._pixels[self._rows[rows]]


def fingerprint_of(pixels: Pixels) -> str:
    """What tells pixels from others in a checkpoint: a digest of them in memory, else what they say of themselves or their shape."""
    if isinstance(pixels, Tensor):
        return hash_of(pixels)
    return str(getattr(pixels, "fingerprint", f"{type(pixels).__name__} {tuple(pixels.shape)}"))


def hash_of(tensor: Tensor) -> str:
    """Hex digest of a tensor's bytes."""
    import hashlib

    return hashlib.blake2b(tensor.contiguous().numpy().data, digest_size=16).hexdigest()
