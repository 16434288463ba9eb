"""The pass over all templates: a lower bound of the distance to each block of them, at the speed of memory.

For a block the bound is ``min ‖x‖² − 2 max x·p + ‖p‖²``. Where there are codes (`codes`), ``max x·p`` is bounded from 8 bits a number instead of
32: a quarter of the bytes, and four times the multiplications in one instruction.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from sameface.errors import SettingError
from sameface.gallery.exact.codes import BLOCK, CodedProbes, Codes, code_probes, product_bounds
from sameface.gallery.exact.parallel import share
from sameface.gallery.exact.segment import Segment
from sameface.gallery.exact.threads import limited
from sameface.types import Embeddings

#: How a large gallery is looked through. The answers are the same.
Scan = Literal["int8", "float32"]
VARIABLE: Final = "SAMEFACE_SEARCH_SCAN"
#: Templates from which on they are kept in 8 bits too: below, reading all of them in full takes about a millisecond.
CODED_FROM: Final = 50_000
#: Bytes of products made before they are reduced: they should stay in the processor's cache.
_PRODUCT_BYTES: Final = 1 << 21
#: Rows in one piece of work, at least and at most, and pieces for each thread: handing them out shall cost little, and all threads end together.
_PIECE_ROWS: Final = (1 << 13, 1 << 16)
_PIECES: Final = 8


def scan_from_environment() -> Scan:
    """What ``$SAMEFACE_SEARCH_SCAN`` says, ``int8`` when it says nothing.

    Raises:
        SettingError: another word.
    """
    value = os.environ.get(VARIABLE, "").strip() or "int8"
    if value not in get_args(Scan):
        raise SettingError(
            expected=f"{VARIABLE} as one of {', '.join(get_args(Scan))}",
            got=repr(value),
            advice="correct it, or remove it",
        )
    return cast(Scan, value)


@dataclass(frozen=True, slots=True)
class View:
    """A segment as it was when a search began: what is appended later is not part of it.

    Attributes:
        count: rows.
        codes: of its first rows, None when there are none.
        first_block: the number of its first block among those of all segments.
    """

    segment: Segment
    count: int
    codes: Codes | None
    first_block: int

    @property
    def blocks(self) -> int:
        return -(-self.count // BLOCK)


def views_of(segments: Sequence[Segment]) -> list[View]:
    """All segments that hold anything, as they are now."""
    views: list[View] = []
    for segment in segments:
        codes, count = segment.codes, segment.count  # codes first: they are never ahead of the count
        if count:
            first = views[-1].first_block + views[-1].blocks if views else 0
            views.append(View(segment, count, codes, first))
    return views


def lower_bounds(
    views: Sequence[View], probes: Embeddings, threads: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Lower bounds of ‖x − p‖² by block and probe, ``(blocks, m)``, and how far rounding may have lifted each probe's, ``(m,)``."""
    total = views[-1].first_block + views[-1].blocks
    lows, largest = np.empty(total, np.float32), 0.0
    for view in views:
        lows[view.first_block : view.first_block + view.blocks], high = view.segment.lowest_norms(view.count)
        largest = max(largest, high)
    with np.errstate(over="ignore", invalid="ignore"):
        bounds = _product_bounds(views, probes, threads, total, math.sqrt(largest))
        p_norms = np.einsum("ij,ij->i", probes.astype(np.float64), probes.astype(np.float64))
        bounds *= -2
        bounds += lows[:, None]
        bounds += p_norms.astype(np.float32)
        # |fl(x·p) − x·p| ≤ d·2⁻²³·‖x‖‖p‖ (Higham, eq. 3.5, with room to spare), twice that in the bound, and rounding of the sums.
        size = math.sqrt(largest) * np.sqrt(p_norms)
        slack = (probes.shape[1] + 8) * 2.0**-22 * (size + largest + p_norms) + 1e-30
        bounds[~np.isfinite(bounds)] = -np.inf  # overflow bounds nothing: such blocks are looked at exactly
    return bounds, slack


def _product_bounds(
    views: Sequence[View], probes: Embeddings, threads: int, total: int, largest_norm: float
) -> npt.NDArray[np.float32]:
    """At least the largest x·p of each block and probe, ``(blocks, m)``, but for rounding."""
    bounds = np.empty((total, len(probes)), np.float32)
    transposed = np.ascontiguousarray(probes.T)
    coded: CodedProbes | None = None
    least, most = _PIECE_ROWS
    step = min(most, max(least, total * BLOCK // (_PIECES * threads)))
    step = max(BLOCK, min(step, _PRODUCT_BYTES // (4 * len(probes))) // BLOCK * BLOCK)
    pieces: list[tuple[View, int, int, Codes | None]] = []
    for view in views:
        turn = len(view.codes) if view.codes is not None else 0
        pieces += [(view, start, min(start + step, turn), view.codes) for start in range(0, turn, step)]
        pieces += [(view, start, min(start + step, view.count), None) for start in range(turn, view.count, step)]
    if any(codes is not None for *_, codes in pieces):
        from sameface.models.integer_product import LARGEST, integer_product

        coded = code_probes(probes, LARGEST)

    def work(number: int) -> None:
        view, start, stop, codes = pieces[number]
        out = bounds[view.first_block + start // BLOCK : view.first_block - (-stop // BLOCK)]
        with np.errstate(over="ignore", invalid="ignore"):  # in each thread anew
            if codes is not None and coded is not None:
                out[:] = product_bounds(
                    integer_product(codes.rows[start:stop], coded.numbers), codes, start, coded, largest_norm
                )
            else:
                _block_maxima(view.segment.matrix[start:stop], transposed, out)

    with limited(1):  # the threads are ours
        share(work, len(pieces), threads)
    return bounds


def _block_maxima(matrix: Embeddings, transposed: Embeddings, out: npt.NDArray[np.float32]) -> None:
    """The largest x·p of each block and probe."""
    products = matrix @ transposed
    whole = len(matrix) - len(matrix) % BLOCK
    if whole:
        products[:whole].reshape(-1, BLOCK, products.shape[1]).max(axis=1, out=out[: whole // BLOCK])
    if whole < len(matrix):
        out[-1] = products[whole:].max(axis=0)
