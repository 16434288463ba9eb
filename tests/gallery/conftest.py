"""Every backend that the contract is tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.gallery.worlds import DIMENSION, SPACE

from sameface.gallery import TemplateStore, open_store

#: Opens the same gallery at each call: a second call is a second user of it.
OpenGallery = Callable[[], TemplateStore]


@pytest.fixture(params=["sqlite"])
def open_gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenGallery]:
    opened: list[TemplateStore] = []

    def again() -> TemplateStore:
        store = open_store(tmp_path / "people.db", space=SPACE, dimension=DIMENSION)
        opened.append(store)
        return store

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_gallery: OpenGallery) -> TemplateStore:
    return open_gallery()
