"""A gallery moves to another encoder: each face is found again where it was, all are replaced or none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sameface.errors import DataError, NotAnImageError
from sameface.files import path_as_text, sha256_of
from sameface.gallery import NewPerson, TemplateStore, open_store
from sameface.imaging import Limits
from sameface.indexing.reencode import reencode
from sameface.types import Box, EmbeddingSpace, Template

OLD, NEW = EmbeddingSpace("old", "d", "a"), EmbeddingSpace("new", "d", "a")


@dataclass
class MadeUp:
    """Finds the faces that a file's text lists: ``x y size value`` a line. The new embedding is three times the value."""

    space: EmbeddingSpace = NEW
    reads: int = 0

    def __post_init__(self) -> None:
        self.card = SimpleNamespace(dimension=3)
        self.limits = Limits()

    def encode_faces(self, data: bytes) -> list[SimpleNamespace]:
        self.reads += 1
        text = data.decode()
        if text == "no photo":
            raise NotAnImageError(expected="a picture", got="words", advice="give a picture")
        rows = [list(map(float, line.split())) for line in text.splitlines()]
        return [
            SimpleNamespace(box=Box(x, y, x + size, y + size), embedding=np.full(3, value, dtype=np.float32))
            for x, y, size, value in rows
        ]


def template(path: Path, box: Box | None, **rest: str) -> Template:
    known = {"source": path_as_text(path), "source_sha256": sha256_of(path)}
    return Template(np.ones(2, dtype=np.float32), **{**known, **rest}, box=box)  # type: ignore[arg-type]


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """A photo of two people, and its name is no UTF-8."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfcppe.jpg"))
    path.write_text("0 0 10 1\n100 0 10 2", encoding="utf-8")
    return path


@pytest.fixture
def store(tmp_path: Path) -> TemplateStore:
    return open_store(tmp_path / "people.db", space=OLD, dimension=2)


def values(store: TemplateStore) -> dict[str, list[float]]:
    return {person.name: [float(t.template.embedding[0]) for t in templates] for person, templates in store.export()}


def test_each_face_is_found_again_where_it_was(tmp_path: Path, store: TemplateStore, group: Path) -> None:
    alone = tmp_path / "alone.jpg"
    alone.write_text("5 5 10 7")
    with store:
        store.add_many(
            [
                NewPerson("left", [template(group, Box(1, 1, 12, 12))]),  # another detector drew it a little aside
                NewPerson("right", [template(group, Box(98, 0, 109, 10)), template(alone, None)]),
            ]
        )
        seen: list[str] = []
        recognizer = MadeUp()
        done = reencode(store, recognizer, progress=seen.append)  # type: ignore[arg-type]
        assert (done.replaced, done.missing) == (3, [])
        assert values(store) == {"left": [1.0], "right": [2.0, 7.0]}
        assert (store.space, store.dimension) == (NEW, 3)
        assert seen == [path_as_text(group), path_as_text(group), path_as_text(alone)]
        assert recognizer.reads == 2  # the photo of two people once


def test_all_or_none(tmp_path: Path, store: TemplateStore, group: Path) -> None:
    files = {name: tmp_path / f"{name}.jpg" for name in ("gone", "changed", "broken", "several")}
    for path in files.values():
        path.write_text("0 0 10 1")
    people = [
        NewPerson("good", [template(group, Box(0, 0, 10, 10))]),
        NewPerson("elsewhere", [template(group, Box(50, 50, 60, 60))]),
        NewPerson("unknown", [Template(np.ones(2, dtype=np.float32))]),
        *(NewPerson(name, [template(path, None)]) for name, path in files.items() if name in ("gone", "changed")),
    ]
    files["broken"].write_text("no photo")
    files["several"].write_text("0 0 10 1\n20 0 10 2")
    people += [NewPerson(name, [template(files[name], None)]) for name in ("broken", "several")]
    with store:
        store.add_many(people)
        files["gone"].unlink()
        files["changed"].write_text("0 0 10 2")
        before = values(store)
        with pytest.raises(DataError, match="6 of 7") as refused:
            reencode(store, MadeUp())  # type: ignore[arg-type]
        assert "not found again" in str(refused.value)
        assert values(store) == before
        assert store.space == OLD
        done = reencode(store, MadeUp(), drop_missing=True)  # type: ignore[arg-type]
        assert done.replaced == 1
        assert [why for _, why in done.missing] == [
            "it was not found again",
            "it is not known",
            "it is not there",
            "it was changed",
            "words",
            "it was not found again",  # two faces, and nobody said which
        ]
        assert values(store)["good"] == [1.0]
        assert store.count() == 1
        assert store.check().ok


def test_photos_at_an_address(store: TemplateStore) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/photos/1.jpg", b"0 0 10 4")
    try:
        with store:
            store.add_many([NewPerson("a", [Template(np.ones(2, dtype=np.float32), "memory://photos/1.jpg")])])
            assert reencode(store, MadeUp()).replaced == 1  # type: ignore[arg-type]
            assert values(store) == {"a": [4.0]}
    finally:
        fsspec.filesystem("memory").rm("/photos", recursive=True)


def test_at_the_shell_with_real_networks(photos: Path, tmp_path: Path) -> None:
    """The gallery answers with the other encoder as one that was enrolled with it."""
    import sameface

    first = sameface.Recognizer(encoder="dlib-resnet", detector="mtcnn")
    second = sameface.Recognizer(encoder="dlib-resnet-mirror-unit", detector="mtcnn")
    with sameface.Gallery(tmp_path / "a.db", recognizer=first) as gallery:
        for name in ("obama", "biden"):
            gallery.enroll(name, photos / f"{name}.jpg")
        assert reencode(gallery.store, second).replaced == 2
    with sameface.Gallery(tmp_path / "b.db", recognizer=second) as gallery:
        for name in ("obama", "biden"):
            gallery.enroll(name, photos / f"{name}.jpg")
    with open_store(tmp_path / "a.db", create=False) as a, open_store(tmp_path / "b.db", create=False) as b:
        for (_, left), (_, right) in zip(a.export(), b.export(), strict=True):
            assert np.abs(left[0].template.embedding - right[0].template.embedding).max() < 1e-6
