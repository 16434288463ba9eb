"""Pictures that are decoded when their batch comes: crops that lie packed in large files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sameface.datasets.photo import Photo, photo_as_text
from sameface.errors import ImageError


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class DecodedPixels:
    """Photos decoded by a few threads, batch by batch.

    Args:
        photos: whose pictures.
        read: a photo to ``(c, s, s)`` uint8.
        shape: of one picture.
        threads: at once; None takes every core.
    """

    dtype = torch.uint8

    def __init__(
        self,
        photos: Sequence[Photo],
        read: Callable[[Photo], npt.NDArray[Any]],
        shape: tuple[int, ...],
        *,
        threads: int | None = None,
    ) -> None:
        self._photos, self._read, self._item = photos, read, shape
        self._pool = ThreadPoolExecutor(threads or cores(), "sameface-decode")

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self._photos), *self._item)

    @property
    def fingerprint(self) -> str:
        """By file and size: the pictures themselves are too many to look at."""
        files = sorted({photo.parent if not isinstance(photo, os.PathLike) else photo for photo in self._photos})
        return " ".join(f"{file} {file.stat().st_size}" for file in files)

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, rows: Tensor) -> Tensor:
        return torch.from_numpy(np.stack(list(self._pool.map(self._one, rows.tolist()))))

    def _one(self, row: int) -> npt.NDArray[Any]:
        photo = self._photos[row]
        try:
            return self._read(photo)
        except ImageError as error:
            raise ImageError(
                expected=f"a picture at {photo_as_text(photo)}",
                got=error.got,
                advice="remove it from the data set, and start again",
            ) from error
