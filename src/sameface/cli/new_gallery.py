"""A gallery that a failed command made is taken away again: a wrong path leaves no empty gallery behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def nothing_left_of(location: str) -> Iterator[None]:
    """A gallery that is made in the block is taken away again when the block fails with nobody in it."""
    from sameface.gallery import erase_gallery, gallery_exists, open_store

    there = gallery_exists(location)
    try:
        yield
    except BaseException:
        if not there and gallery_exists(location):
            with open_store(location, create=False) as store:
                empty = not len(store)
            if empty:
                erase_gallery(location)
        raise
