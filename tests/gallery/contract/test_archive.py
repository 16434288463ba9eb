"""Bulk indexing into every backend: what a ledger rests on holds in each."""

from __future__ import annotations

from pathlib import Path

import pytest

from sameface.gallery import TemplateStore
from sameface.indexing import workers
from sameface.indexing.archive import index_photos
from sameface.indexing.photos import Found, Job
from sameface.types import Template
from tests.gallery.conftest import OpenGallery
from tests.gallery.worlds import vectors
from tests.indexing.made_up import made_up, photo


def test_a_gallery_has_an_id_that_stays(open_gallery: OpenGallery, tmp_path: Path) -> None:
    first, again = open_gallery(), open_gallery()
    assert first.gallery_id == again.gallery_id
    assert len(first.gallery_id) == 32
    int(first.gallery_id, 16)


def test_an_archive_is_indexed_kept_and_cleaned(
    store: TemplateStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(job: Job) -> Found:
        found = made_up(job)
        rows = vectors(len(found.templates), store.dimension, seed=int(found.sha256[:6], 16))
        templates = (Template(row, job.path, found.sha256) for row in rows)
        return Found(found.path, found.sha256, tuple(templates), found.error, found.lasting, found.known)

    monkeypatch.setattr(workers, "encode", encode)
    folder = tmp_path / "photos"
    for number in range(12):
        photo(folder / f"{number}.png", number % 3, number)

    def run() -> tuple[int, int, int, int]:
        done = index_photos(folder, store, detector="d", encoder="e", ledger=tmp_path / "ledger")
        return done.photos, done.faces, done.known, done.gone

    assert run() == (12, 12, 0, 0)
    assert run() == (0, 0, 12, 0)
    (folder / "2.png").unlink()
    photo(folder / "5.png", 1, 99)
    assert run() == (1, 1, 10, 2)
    assert store.count() == len(store) == 9
    assert store.check().ok
