"""Bulk indexing: resumable, without doubles, the same from one process, several, or a cluster."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sameface.files import photos_below, sha256_of
from sameface.gallery import TemplateStore, open_store
from sameface.indexing import workers
from sameface.indexing.archive import GROUP, index_photos
from sameface.indexing.photos import Found, Job
from sameface.types import Box, EmbeddingSpace, Template

SPACE = EmbeddingSpace("made-up", "made-up", "made-up")
DIMENSION = 4


def made_up(job: Job) -> Found:
    """Stands in for the networks: as many faces as the photo's first pixel says; a black photo cannot be read."""
    count = int(np.asarray(Image.open(job.path))[0, 0, 0])
    if count == 0:
        return Found(job.path, job.sha256, (), "expected a photo; got darkness. Turn on the light.")
    seed = int(job.sha256[:8], 16)
    rows = np.random.default_rng(seed).standard_normal((count - 1, DIMENSION)).astype(np.float32)
    return Found(job.path, job.sha256, tuple(Template(row, job.path, job.sha256, Box(0, 0, 1, 1)) for row in rows))


def photo(path: Path, faces: int, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), np.uint8)
    pixels[0, 0, 0] = faces + 1
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for number in range(12):
        photo(root / f"year {number % 3}" / f"{number}.png", number % 3, number)
    shutil.copy(root / "year 1" / "1.png", root / "copy.png")
    dark = photo(root / "dark.png", -1, 99)
    assert dark.exists()
    photo(root / ".hidden" / "x.png", 2, 100)
    (root / "notes.txt").write_text("no photo")
    return root


@pytest.fixture
def store(tmp_path: Path) -> TemplateStore:
    return open_store(tmp_path / "archive.db", space=SPACE, dimension=DIMENSION)


@pytest.fixture(autouse=True)
def _no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "encode", made_up)


def run(folder: Path, store: TemplateStore, **rest: object):  # type: ignore[no-untyped-def]
    return index_photos(folder, store, detector="made-up", encoder="made-up", **rest)  # type: ignore[arg-type]


def test_every_face_of_every_photo_once(folder: Path, store: TemplateStore) -> None:
    seen: list[int] = []
    done = run(folder, store, progress=lambda: seen.append(1))
    assert (done.photos, done.faces, done.without_face, done.known) == (12, 12, 4, 1)
    assert [Path(path).name for path, _ in done.failed] == ["dark.png"]
    assert len(seen) == sum(1 for _ in photos_below(folder)) == 14
    assert len(store) == len(store.people(GROUP)) == 12


def test_a_second_run_finds_all_known(folder: Path, store: TemplateStore) -> None:
    first = run(folder, store)
    again = run(folder, store)
    assert again.faces == 0
    assert again.known == 14 - 1 - first.without_face - 1 + 1  # photos with a face, and the copy
    shutil.move(folder / "year 2", folder / "moved")
    assert run(folder, store).faces == 0
    assert store.check().ok


def test_a_run_that_was_stopped_goes_on(folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def stopped(job: Job) -> Found:
        calls.append(job.path)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return made_up(job)

    monkeypatch.setattr(workers, "encode", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(folder, store)
    kept = len(store)
    assert kept > 0
    monkeypatch.setattr(workers, "encode", made_up)
    run(folder, store)
    assert len(store) == 12


def test_found_by_example(folder: Path, store: TemplateStore) -> None:
    run(folder, store)
    path = folder / "year 2" / "5.png"
    probe = made_up(Job(str(path), sha256_of(path), "", "", None)).templates[0].embedding
    best = store.search(probe)[0][0]
    assert best.distance == 0
    assert store.templates_of(best.person_id)[0].template.source == str(path)


def die_once(job: Job) -> Found:
    marker = Path(job.path).with_suffix(".died")
    if job.path.endswith("4.png") and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return made_up(job)


def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "encode", die_once)
    done = run(folder, store, processes=2)
    assert (done.photos, done.faces, len(store)) == (12, 12, 12)


def test_a_dask_cluster_gives_the_same(folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "encode", made_up)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        done = run(folder, store, scheduler=cluster.scheduler_address)
    assert (done.photos, done.faces, len(store)) == (12, 12, 12)
