"""Making a gallery at one place at once: one of many is told that it made it, on every backend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sameface.errors import GalleryMissingError
from sameface.gallery import Place, make_gallery, open_store
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors


@pytest.fixture(params=["folder", "database"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "database":
        return Place(request.getfixturevalue("server").address().split("&options=")[0])
    made = Place(str(tmp_path))
    made.prepare()
    return made


def test_one_of_many_makes_a_gallery(place: Place) -> None:
    for name in ("first", "second", "third"):
        location = place.make_room(name)
        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(lambda _, at=location: make_gallery(at, SPACE, DIMENSION), range(6)))  # type: ignore[misc]
        assert sorted(made) == [False] * 5 + [True]
        with open_store(location) as store:
            store.add("Ada", [template(vectors(1)[0])])
        assert not make_gallery(location, SPACE, DIMENSION)
        with open_store(location) as store:
            assert len(store) == 1


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GalleryMissingError):
        make_gallery(tmp_path / "nowhere" / "people.db", SPACE, DIMENSION)
