"""Two pieces of work at the same time."""

from __future__ import annotations

import threading

import pytest

from sameface.together import together


def test_both_run_at_once() -> None:
    # Each waits until the other has begun: one after the other they would wait for ever.
    here, there = threading.Event(), threading.Event()

    def first() -> bool:
        here.set()
        return there.wait(20)

    def second() -> bool:
        there.set()
        return here.wait(20)

    assert together(first, second) == (True, True)


def _fail(kind: type[Exception]) -> None:
    raise kind


def test_the_first_error_is_the_one_that_is_raised() -> None:
    with pytest.raises(KeyError):
        together(lambda: _fail(KeyError), lambda: _fail(ValueError))


@pytest.mark.parametrize("which", [0, 1])
def test_an_error_waits_for_the_other_piece(which: int) -> None:
    done: list[int] = []
    pieces = [lambda: done.append(1), lambda: done.append(2)]
    pieces[which] = lambda: _fail(ZeroDivisionError)  # type: ignore[assignment,return-value]
    with pytest.raises(ZeroDivisionError):
        together(*pieces)
    assert done == [2 - which]
