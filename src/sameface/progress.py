"""How long work tells how far it is: four shapes of a callback, and silence."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

#: Told the share that is done, 0 to 1.
Share = Callable[[float], None]
#: Told how many steps were done since it was last told.
Advance = Callable[[int], None]
#: Told (done, all), in bytes or in pieces.
Tally = Callable[[int, int], None]
#: Begins a named stage of so many steps; gives its `Advance` while the context lasts.
Stages = Callable[[str, int], AbstractContextManager[Advance]]


def no_advance(steps: int) -> None:
    """An `Advance` that tells nobody."""


def no_stages(label: str, total: int) -> AbstractContextManager[Advance]:
    """`Stages` that tell nobody."""
    return nullcontext(no_advance)
