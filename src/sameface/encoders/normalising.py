"""From RGB bytes to the numbers a network takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sameface.models.card import NORMALISATIONS, PER_IMAGE, ModelCard
from sameface.types import CropsRGB


def network_input(crops_rgb: CropsRGB, card: ModelCard, *, as_bytes: bool = False) -> npt.NDArray[Any]:
    """Order the channels, normalise and order the axes as a card says.

    Args:
        crops_rgb: ``(m, h, w, 3)`` uint8, already of the network's size.
        card: colour, normalisation and layout are read.
        as_bytes: the network takes uint8 and normalises by itself.

    Returns:
        ``(m, h, w, 3)`` or ``(m, 3, h, w)``, contiguous, float32 (uint8 when `as_bytes`).
    """
    pixels: npt.NDArray[Any] = crops_rgb[..., ::-1] if card.colour == "bgr" else crops_rgb
    if card.layout == "nchw":
        pixels = pixels.transpose(0, 3, 1, 2)
    if as_bytes:
        return np.ascontiguousarray(pixels)
    values = np.ascontiguousarray(pixels, dtype=np.float32)
    if card.normalisation == "none":
        return values
    if card.normalisation == PER_IMAGE:
        return _prewhiten(values)
    if card.normalisation == "mean-std":
        shape = (1, 3, 1, 1) if card.layout == "nchw" else (1, 1, 1, 3)
        mean = np.asarray(card.mean, dtype=np.float32).reshape(shape)
        return np.asarray((values - mean) / np.asarray(card.std, dtype=np.float32).reshape(shape))
    mean_value, scale = NORMALISATIONS[card.normalisation]
    return (values - np.float32(mean_value)) / np.float32(scale)


def _prewhiten(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(x − mean) / max(std, 1/√n)`` over all n numbers of each picture, as FaceNet's TensorFlow code of 2017 did."""
    flat = values.reshape(len(values), -1)
    mean = flat.mean(axis=1, keepdims=True, dtype=np.float64)
    std = np.maximum(flat.std(axis=1, keepdims=True, dtype=np.float64), 1.0 / np.sqrt(flat.shape[1]))
    return np.asarray((flat - mean) / std, dtype=np.float32).reshape(values.shape)
