"""Templates in 8 bits beside their full form: a quarter of the memory to read, and a bound on how far each may be off.

Row x is kept as whole numbers c and one scale s for its block: ``x = s (c − 128) + e``, with ``‖e‖`` known. A probe becomes ``p = t q + f`` with
small whole numbers q. Then, with the integer product exact,

``x·p ≤ s t (c − 128)·q + ‖e‖ ‖t q‖ + ‖x‖ ‖f‖``

(Cauchy–Schwarz), which is what a search needs to leave a block out for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.types import Embeddings

#: Rows that share one scale and one bound. Small enough to examine exactly, large enough that bounds are few.
BLOCK: Final = 64
_HALF: Final = 128
_AT_ONCE: Final = 32  # blocks turned into codes at a time: 1 MiB of templates, which the processor's cache holds
#: Below this largest value of a block its codes are all zero and the error is the row itself: 1 / scale would overflow.
_TINY: Final = 1e-30


@dataclass(frozen=True, slots=True)
class Codes:
    """The first rows of a matrix in 8 bits, whole blocks only.

    Attributes:
        rows: ``(n, d)`` uint8, 1 to 255; 0 where a template was overwritten.
        scales: ``(n / BLOCK,)`` float32.
        errors: ``(n / BLOCK,)`` float32, at least ``‖e‖`` of every row of the block; infinite where nothing can be said.
    """

    rows: npt.NDArray[np.uint8]
    scales: npt.NDArray[np.float32]
    errors: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)


def whole_blocks(rows: int) -> int:
    """How many of so many rows are in whole blocks."""
    return rows - rows % BLOCK


def encoded(matrix: Embeddings, before: Codes | None = None) -> Codes:
    """The whole blocks of a matrix in 8 bits.

    Args:
        before: codes of its first rows, which are taken over.
    """
    count, done = whole_blocks(len(matrix)), 0
    codes = Codes(
        np.empty((count, matrix.shape[1]), np.uint8),
        np.empty(count // BLOCK, np.float32),
        np.empty(count // BLOCK, np.float32),
    )
    if before is not None:
        done = len(before)
        codes.rows[:done], codes.scales[: done // BLOCK], codes.errors[: done // BLOCK] = (
            before.rows,
            before.scales,
            before.errors,
        )
    step = _AT_ONCE * BLOCK
    for start in range(done, count, step):
        stop = min(start + step, count)
        blocks = slice(start // BLOCK, stop // BLOCK)
        _encode_blocks(matrix[start:stop], codes.rows[start:stop], codes.scales[blocks], codes.errors[blocks])
    return codes


def _encode_blocks(
    matrix: Embeddings,
    rows: npt.NDArray[np.uint8],
    scales: npt.NDArray[np.float32],
    errors: npt.NDArray[np.float32],
) -> None:
    blocks, dimension = len(scales), matrix.shape[1]
    exact = matrix.reshape(blocks, BLOCK * dimension)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        largest = np.maximum(exact.max(axis=1), -exact.min(axis=1))
        usable = largest > _TINY
        scales[:] = np.where(usable, largest / np.float32(127), 0)
        numbers = exact * np.where(usable, np.float32(127) / largest, np.float32(0))[:, None]
        np.rint(numbers, out=numbers)
        np.clip(numbers, -127, 127, out=numbers)
        np.add(numbers, _HALF, out=rows.reshape(numbers.shape), casting="unsafe")
        numbers *= scales[:, None]
        numbers -= exact
        rest = numbers.reshape(-1, dimension)
        off = np.sqrt(np.einsum("ij,ij->i", rest, rest).reshape(blocks, BLOCK).max(axis=1))
        # Room for what rounding took away above: of each difference, and of the sum of their squares.
        size = largest * np.float32(np.sqrt(dimension))
        errors[:] = off * np.float32(1 + 2.0**-9) + size * np.float32(2.0**-21)
        errors[~np.isfinite(errors)] = np.inf


@dataclass(frozen=True, slots=True)
class CodedProbes:
    """Probes in whole numbers.

    Attributes:
        numbers: ``(d, m)`` int8, q of each probe.
        scales: ``(m,)`` float64, t.
        norms: ``(m,)`` float64, ``‖t q‖``.
        errors: ``(m,)`` float64, ``‖f‖``.
    """

    numbers: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float64]
    norms: npt.NDArray[np.float64]
    errors: npt.NDArray[np.float64]


def code_probes(probes: Embeddings, largest: int) -> CodedProbes:
    """Probes as whole numbers of at most `largest`.

    Args:
        probes: ``(m, d)``.
    """
    wide = probes.astype(np.float64)
    scales = np.abs(wide).max(axis=1) / largest
    numbers = np.rint(np.divide(wide, scales[:, None], out=np.zeros_like(wide), where=scales[:, None] > 0))
    meant = numbers * scales[:, None]
    return CodedProbes(
        np.ascontiguousarray(numbers.T.astype(np.int8)),
        scales,
        np.linalg.norm(meant, axis=1),
        np.linalg.norm(wide - meant, axis=1),
    )


def product_bounds(
    products: npt.NDArray[np.int32], codes: Codes, first: int, probes: CodedProbes, largest_norm: float
) -> npt.NDArray[np.float32]:
    """Upper bounds of x·p over each block, ``(blocks, m)``.

    Args:
        products: ``(rows, m)``, ``c·q`` of rows `first` on, whole blocks.
        largest_norm: at least ‖x‖ of every row.
    """
    blocks = slice(first // BLOCK, (first + len(products)) // BLOCK)
    top = products.reshape(-1, BLOCK, products.shape[1]).max(axis=1)
    top -= _HALF * probes.numbers.sum(axis=0, dtype=np.int32)
    bounds: npt.NDArray[np.float32] = top.astype(np.float32)
    bounds *= probes.scales.astype(np.float32)
    bounds *= codes.scales[blocks, None]
    bounds += codes.errors[blocks, None] * probes.norms.astype(np.float32)
    bounds += (largest_norm * probes.errors).astype(np.float32)
    return bounds
