"""Ranges of a chain's activations on real crops: what its 8-bit form is scaled by."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from sameface.models.graphs.chain import Chain
from sameface.models.graphs.eight_bits import Ranges, channel_factors, prepared_chain, write_float
from sameface.models.runtime import Session

Pixels = npt.NDArray[np.uint8]
_QUANTILE, _WHOLE_QUANTILE = 0.99, 0.97


def measure_ranges(read: Callable[[], Chain], batches: Callable[[], Iterable[Pixels]]) -> Ranges:
    """Measure twice: channels first, then whole activations after channels were brought to like ranges.

    Quantiles over crops of each crop's smallest and largest value: a few values that are cut off cost less than coarser steps for all.

    Args:
        read: gives the chain anew.
        batches: gives crops ``(m, 3, h, w)``, the same ones each time.
    """
    chain = prepared_chain(read())
    lowest, highest = _extremes(chain, batches())
    loudest = [
        np.maximum(np.quantile(-low, _QUANTILE, axis=0), np.quantile(high, _QUANTILE, axis=0))
        for low, high in zip(lowest, highest, strict=True)
    ]
    channels = channel_factors(chain, loudest)
    lowest, highest = _extremes(prepared_chain(read(), channels), batches())
    values = [
        (
            float(np.quantile(low.min(axis=1), 1 - _WHOLE_QUANTILE)),
            float(np.quantile(high.max(axis=1), _WHOLE_QUANTILE)),
        )
        for low, high in zip(lowest, highest, strict=True)
    ]
    return Ranges(channels, values)


def _extremes(chain: Chain, batches: Iterable[Pixels]) -> tuple[list[npt.NDArray[np.float64]], ...]:
    """Smallest and largest value of each crop and channel, ``(crops, channels)`` for each layer."""
    session = Session(write_float(chain).SerializeToString())
    lowest: list[list[npt.NDArray[np.float32]]] = [[] for _ in chain.layers]
    highest: list[list[npt.NDArray[np.float32]]] = [[] for _ in chain.layers]
    for batch in batches:
        for number, values in enumerate(session.run({"pixels": batch})[1:]):
            lowest[number].append(values.min(axis=(2, 3)))
            highest[number].append(values.max(axis=(2, 3)))
    return tuple([np.concatenate(parts).astype(np.float64) for parts in side] for side in (lowest, highest))
