"""Answers of this moment from an index that follows a record which others change meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sameface.errors import GalleryError
from sameface.gallery.exact.index import MatrixIndex
from sameface.gallery.exact.leaving_out import Ranked, without
from sameface.gallery.exact.segment import StaleRowError
from sameface.gallery.exact.threads import threads_for
from sameface.types import Candidate, Embeddings

_RETRIES: Final = 20
#: So many stale rows are races with a `forget`; after more, memory or the file that is mapped is not what it was.
_RACES: Final = 3


@dataclass(frozen=True, slots=True)
class Look:
    """What is searched, as of now.

    Attributes:
        index: follows the record up to this moment.
        only: person keys of the group that was asked for; None for everybody.
        over: person keys of people whose time is over; nobody names them.
    """

    index: MatrixIndex
    only: npt.NDArray[np.int64] | None
    over: Collection[int]


def answer(
    probes: Embeddings,
    k: int,
    *,
    look: Callable[[bool], Look],
    named: Callable[[Ranked], list[list[Candidate]] | None],
    distrust: Callable[[], object],
    threads: int | None,
) -> list[list[Candidate]]:
    """Rank people for each probe; again whenever somebody among them was forgotten or merged in the meantime.

    Args:
        probes: (n, D) float32.
        k: candidates for each at most.
        look: asked before every attempt; told whether somebody who may not be named was found before.
        named: candidates of ranked keys; None when one of them is there no more, or their time is over.
        distrust: throws the index and its cache away.
        threads: threads of one search, None for the default.

    Raises:
        GalleryError: the people found were changed at every attempt.
    """
    gone = False
    for attempt in range(_RETRIES):
        seen = look(gone)
        used = threads_for(seen.index.rows * probes.size, threads)

        def nearest(most: int, seen: Look = seen, used: int = used) -> Ranked:
            return seen.index.search(probes, most, seen.only, threads=used)

        try:
            ranked = without(seen.over, nearest, k)
        except StaleRowError:
            if attempt >= _RACES:
                distrust()
            continue
        found = named(ranked)
        if found is not None:
            return found
        gone = True
    raise GalleryError(
        expected="people that stay enrolled while they are searched",
        got="changes at every attempt",
        advice="try again when fewer people are removed",
    )
