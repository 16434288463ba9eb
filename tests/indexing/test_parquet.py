"""An archive as tables, read again by pyarrow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sameface.errors import ExtraMissingError
from sameface.gallery import NewPerson, open_store
from sameface.indexing.ledger import Entry, Ledger
from sameface.indexing.parquet import write_parquet
from sameface.types import Box, EmbeddingSpace, Template

parquet = pytest.importorskip("pyarrow.parquet")
SPACE = EmbeddingSpace("e", "d", "a")


def test_photos_and_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).standard_normal((25, 4)).astype(np.float32)
    with (
        open_store(tmp_path / "p.db", space=SPACE, dimension=4) as store,
        Ledger(tmp_path / "ledger", store.gallery_id) as book,
    ):
        store.add_many(
            NewPerson(f"photo {n}", [Template(row, f"/p/{n}.jpg", f"{n:064x}", Box(1, 2, 3, 4.5) if n else None)])
            for n, row in enumerate(rows)
        )
        book.put(Entry(f"/p/{n:02d}.jpg", n, "1", f"{n:064x}", 1, "", False, str(SPACE)) for n in range(25))
        book.put([Entry("/p/bad.jpg", 9, "1", "", 0, "no photo", True, str(SPACE))])
        monkeypatch.setattr("sameface.indexing.parquet._AT_ONCE", 10)  # several pieces
        photos, faces = (parquet.read_table(path) for path in write_parquet(store, book, tmp_path / "out"))
        people = {person.name: person.person_id for person in store.people()}
    assert photos.column("photo").to_pylist() == [*(f"/p/{n:02d}.jpg" for n in range(25)), "/p/bad.jpg"]
    assert photos.column("error").to_pylist()[-1] == "no photo"
    assert photos.column("faces").to_pylist() == [*[1] * 25, 0]
    assert (np.array(faces.column("embedding").to_pylist(), dtype=np.float32) == rows).all()
    assert faces.column("person_id").to_pylist() == [people[f"photo {n}"] for n in range(25)]
    assert faces.column("x1").to_pylist() == [None, *[1.0] * 24]
    assert faces.column("y2").to_pylist()[1] == 4.5
    assert faces.schema.metadata[b"encoder"] == b"e"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["faces.parquet", "photos.parquet"]


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with (
        open_store(tmp_path / "p.db", space=SPACE, dimension=4) as store,
        Ledger(tmp_path / "ledger") as book,
        pytest.raises(ExtraMissingError, match="parquet"),
    ):
        write_parquet(store, book, tmp_path)
