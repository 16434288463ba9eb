"""Counting and looking up cost what the store costs: nobody lists everybody for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sameface import Gallery
from sameface.gallery import NewPerson, TemplateStore, open_store
from sameface.types import Box, Detection, EmbeddingSpace, OperatingPoint, Template

PEOPLE = 1200
SPACE = EmbeddingSpace("test-encoder", "test-detector", "test-alignment")


class Counted:
    """A store that says what is asked of it."""

    def __init__(self, store: TemplateStore) -> None:
        self._store, self.asked = store, list[str]()

    def __getattr__(self, name: str) -> object:
        self.asked.append(name)
        return getattr(self._store, name)

    def __len__(self) -> int:
        return len(self._store)

    def __contains__(self, who: object) -> bool:
        return who in self._store


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    faces = np.random.default_rng(0).standard_normal((PEOPLE, 8)).astype(np.float32)
    path = tmp_path / "people.db"
    with open_store(path, space=SPACE, dimension=8) as store:
        store.add_many(
            NewPerson(f"p{i}", [Template(face)], groups=["few"] if i < 7 else []) for i, face in enumerate(faces)
        )
    with Gallery(path) as gallery:
        gallery.__dict__["store"] = Counted(gallery.store)
        yield gallery


def test_len_in_and_the_k_of_a_group_list_nobody(gallery: Gallery) -> None:
    from sameface.recognizer.found import EncodedFace

    assert len(gallery) == PEOPLE
    assert "p1199" in gallery
    assert "nobody" not in gallery

    class Stub:
        operating_point = OperatingPoint(0.1, SPACE, "given by the caller")

    gallery.__dict__["recognizer"] = Stub
    face = EncodedFace(Detection(Box(0, 0, 9, 9), 1.0), np.ones(8, np.float32))
    [answer] = gallery.identify_faces([face], group="few")
    assert answer.comparisons == 7
    assert set(gallery.store.asked) == {"count", "search"}  # type: ignore[attr-defined]


def test_iterating_takes_a_page_at_a_time(gallery: Gallery) -> None:
    everybody = iter(gallery)
    assert next(everybody).name == "p0"
    assert gallery.store.asked == ["page"]  # type: ignore[attr-defined]
    assert [person.name for person in everybody] == [f"p{i}" for i in range(1, PEOPLE)]
    assert set(gallery.store.asked) == {"page"}  # type: ignore[attr-defined]
    assert [person.name for person in gallery.people("few")] == [f"p{i}" for i in range(7)]
