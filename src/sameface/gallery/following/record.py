"""What a live index asks of the record that it follows: two backends answer, one mechanism asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from sameface.gallery.following.moment import Moment


class Rows(NamedTuple):
    """Some templates, checked against the record's sums.

    Attributes:
        vectors: ``(n, d)`` float32.
        ids: ``(n,)`` int64, template ids.
        keys: ``(n,)`` int64, the number of each template's person.
        crcs: ``(n,)`` uint32, `crc_of` of each.
    """

    vectors: npt.NDArray[np.float32]
    ids: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    crcs: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Seen:
    """Up to where a record was read.

    Attributes:
        template, change: as the record counts; kept in the cache file. What lies after them is asked for again, never missed.
        exact: the same to the last change, for as long as a process runs; "" when only the numbers are known.
    """

    template: int = 0
    change: int = 0
    exact: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What happened since.

    Attributes:
        added: templates that were added, perhaps with some that are known already.
        gone: people of whom something was taken away or moved, as numbers.
        again: all templates of those people, as they are now.
        settled: whether all of this was to be seen already, asked when all templates were taken: else it is asked for again.
    """

    added: Iterator[Rows]
    gone: Sequence[int]
    again: Iterator[Rows]
    settled: Callable[[], bool]


class View(Protocol):
    """A record in one moment."""

    def require_same_epoch(self) -> None:
        """Raise GalleryMismatchError when all embeddings were replaced since the gallery was opened."""
        ...

    def moment(self) -> Moment: ...

    def includes(self, earlier: Moment) -> bool:
        """Whether this record was in that state once, or is; False when another was put in its place."""
        ...

    def seen(self) -> Seen:
        """Up to where everything is in this moment."""
        ...

    def count(self) -> int:
        """Templates."""
        ...

    def everybody(self) -> Iterator[Rows]:
        """All templates, in the order of enrolment. Raises GalleryDamagedError, which names the first that is not what was written."""
        ...

    def news(self, since: Seen) -> News:
        """What happened since. Raises GalleryDamagedError likewise."""
        ...


class Record(Protocol):
    """A gallery's record as a live index sees it."""

    def unchanged(self, since: Seen) -> bool:
        """Whether nothing happened since, asked at the price of one small question.

        Raises:
            GalleryMismatchError: all embeddings were replaced; where that is not asked here, the next view's `require_same_epoch` asks.
        """
        ...

    def view(self) -> AbstractContextManager[View]:
        """The record as of now, for as long as the block takes."""
        ...

    def require_there(self) -> None:
        """Raise unless the gallery that was opened is still in its place."""
        ...
