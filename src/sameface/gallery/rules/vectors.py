"""Vectors at the door: what is not a sound embedding is not stored and not searched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sameface.errors import EmbeddingError
from sameface.matching import as_embedding
from sameface.types import Embeddings


def storable(vector: npt.ArrayLike, dimension: int) -> Embeddings:
    """An embedding that may be stored.

    Returns:
        ``(dimension,)`` float32, C-contiguous, little-endian.

    Raises:
        EmbeddingError: another shape, NaN, infinity, or a vector of length zero, which only a broken encoder makes.
    """
    array = as_embedding(vector, expect=dimension)
    if not array.any():
        raise EmbeddingError(
            expected="an embedding with a direction", got="a vector of length zero", advice="encode the photo again"
        )
    return np.ascontiguousarray(array, dtype="<f4")


def storable_rows(vectors: Sequence[npt.ArrayLike], dimension: int) -> Embeddings:
    """Many embeddings that may be stored, checked at once.

    Returns:
        ``(n, dimension)`` float32, C-contiguous, little-endian.

    Raises:
        EmbeddingError: as `storable`, of the first that may not.
    """
    try:
        with np.errstate(over="ignore"):
            matrix = np.array(vectors, dtype="<f4")
        right = matrix.shape == (len(vectors), dimension)
        sound = right and np.isfinite(matrix).all() and matrix.any(axis=1).all()
    except (ValueError, TypeError):  # of several lengths
        sound = False
    return matrix if sound else np.stack([storable(vector, dimension) for vector in vectors])


def as_probes(probes: npt.ArrayLike, dimension: int) -> Embeddings:
    """Probes as a matrix.

    Returns:
        ``(m, dimension)`` float32, C-contiguous; one vector becomes one row.

    Raises:
        EmbeddingError: another shape, NaN or infinity.
    """
    try:
        if isinstance(probes, (str, bytes)):  # NumPy would read "0.5" as a number
            raise TypeError
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(probes, dtype=np.float32)
    except (TypeError, ValueError):
        raise EmbeddingError(
            expected=f"probes of shape (m, {dimension})", got=type(probes).__name__, advice="encode the photos first"
        ) from None
    if array.ndim == 1 and array.size == dimension:
        array = array.reshape(1, dimension)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise EmbeddingError(
            expected=f"probes of shape (m, {dimension})",
            got=f"an array of shape {array.shape}",
            advice="encode them with the gallery's own encoder",
        )
    if not np.isfinite(array).all():
        raise EmbeddingError(
            expected="finite numbers", got="NaN or infinity in a probe", advice="encode the photo again"
        )
    return array
