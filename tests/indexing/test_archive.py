"""Bulk indexing: resumable, without doubles, true to the folder, the same from one process, several, or a cluster."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sameface.errors import DataError, GalleryLockedError, SettingError, StorageFullError
from sameface.files import photos_below, sha256_of
from sameface.gallery import NewPerson, TemplateStore, erase_gallery, open_store
from sameface.indexing import archive, workers
from sameface.indexing.archive import GROUP, Indexed, index_photos
from sameface.indexing.ledger import Ledger, default_ledger
from sameface.indexing.photos import Found, Job
from sameface.types import PersonId
from tests.forked import python

from .made_up import DIMENSION, SPACE, made_up, photo


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
def store(tmp_path: Path) -> Iterator[TemplateStore]:
    with open_store(tmp_path / "archive.db", space=SPACE, dimension=DIMENSION) as opened:
        yield opened


@pytest.fixture(autouse=True)
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which photos were read, by name, in order."""
    names: list[str] = []

    def noted(job: Job) -> Found:
        names.append(Path(job.path).name)
        return made_up(job)

    monkeypatch.setattr(workers, "encode", noted)
    return names


def run(folder: Path | str, store: TemplateStore, **rest: object) -> Indexed:
    return index_photos(folder, store, detector="made-up", encoder="made-up", **rest)  # type: ignore[arg-type]


def held(store: TemplateStore) -> set[tuple[str, bytes]]:
    """Every face: the photo's content, and its vector."""
    return {
        (stored.template.source_sha256, stored.template.embedding.tobytes())
        for _, templates in store.export()
        for stored in templates
    }


def wanted(folder: Path) -> set[tuple[str, bytes]]:
    """What a loop over the photos finds."""
    return {
        (template.source_sha256, template.embedding.tobytes())
        for path in photos_below(folder)
        for template in made_up(Job(str(path), "", "", None)).templates
    }


def test_every_face_of_every_photo_once(folder: Path, store: TemplateStore) -> None:
    seen: list[int] = []
    done = run(folder, store, progress=lambda: seen.append(1))
    assert (done.photos, done.faces, done.without_face, done.known, done.gone) == (12, 12, 4, 1, 0)
    assert [Path(path).name for path, _ in done.failed] == ["dark.png"]
    assert len(seen) == sum(1 for _ in photos_below(folder)) == 14
    assert len(store) == len(store.people(GROUP)) == 12
    assert held(store) == wanted(folder)


def test_a_second_run_reads_nothing(folder: Path, store: TemplateStore, read: list[str]) -> None:
    run(folder, store)
    read.clear()
    again = run(folder, store)
    assert read == []  # not those without a face either, nor the one that cannot be read while it stays as it is
    assert (again.photos, again.faces, again.known) == (0, 0, 13)
    assert [Path(path).name for path, _ in again.failed] == ["dark.png"]  # and it is still said
    assert store.check().ok


def test_what_was_moved_is_read_and_not_encoded(folder: Path, store: TemplateStore) -> None:
    run(folder, store)
    before = held(store)
    shutil.move(folder / "year 2", folder / "moved")
    done = run(folder, store)
    assert (done.photos, done.faces, done.known, done.gone) == (0, 0, 13, 4)
    assert held(store) == before
    with Ledger(default_ledger(store.location), store.gallery_id) as book:
        (place,) = book.paths_of([sha256_of(folder / "moved" / "5.png")]).values()
    assert place == [str(folder / "moved" / "5.png")]


def test_deleted_and_overwritten_photos_leave_the_gallery(folder: Path, store: TemplateStore, read: list[str]) -> None:
    run(folder, store)
    read.clear()
    (folder / "year 1" / "1.png").unlink()  # its copy stays, and so does its face
    (folder / "year 2" / "2.png").unlink()
    photo(folder / "year 2" / "5.png", 1, 500)
    photo(folder / "dark.png", 2, 501)
    shutil.copy(folder / "year 0" / "0.png", folder / "year 1" / "4.png")  # now without a face
    done = run(folder, store)
    assert sorted(read) == ["4.png", "5.png", "dark.png"]
    assert done.failed == []
    assert held(store) == wanted(folder)
    assert store.check().ok
    assert run(folder, store).gone == 0


def test_photos_that_change_places_keep_their_faces(folder: Path, store: TemplateStore) -> None:
    run(folder, store)
    first, second = folder / "year 2" / "2.png", folder / "year 2" / "5.png"
    spare = folder / "spare"
    first.rename(spare)
    second.rename(first)
    spare.rename(second)
    run(folder, store)
    assert held(store) == wanted(folder)


def test_faces_that_were_named_or_merged_stay(folder: Path, store: TemplateStore) -> None:
    run(folder, store)
    digests = {name: sha256_of(folder / "year 2" / f"{name}.png")[:24] for name in ("2", "5")}
    store.update(f"photo {digests['2']} face 1", name="Ada")
    store.merge(f"photo {digests['5']} face 1", f"photo {digests['2']} face 2")
    for name in ("2", "5"):
        (folder / "year 2" / f"{name}.png").unlink()
    run(folder, store)
    assert "Ada" in store
    assert f"photo {digests['5']} face 2" not in store
    rest = store.templates_of(f"photo {digests['5']} face 1")
    assert [stored.template.source_sha256[:24] for stored in rest] == [digests["2"]]


def test_a_disk_that_is_not_mounted_erases_nothing(folder: Path, store: TemplateStore) -> None:
    run(folder, store)
    before = held(store)
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    with pytest.raises(DataError, match="mounted"):
        run(folder, store)
    assert held(store) == before


def test_a_folder_that_cannot_be_listed_is_said_and_not_taken_for_gone(
    folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(folder, store)
    before = held(store)
    listed = Path.iterdir

    def denied(path: Path) -> Iterator[Path]:
        if path.name == "year 1":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", denied)
    done = run(folder, store)
    assert [Path(path).name for path, _ in done.failed] == ["year 1", "dark.png"]
    assert held(store) == before


def test_a_photo_that_cannot_be_read_today_is_tried_again(
    folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(folder, store)
    before = held(store)

    def unreadable(job: Job) -> Found:
        return Found(job.path, "", (), "no permission")

    for name in ("2.png", "5.png"):
        os.utime(folder / "year 2" / name, (1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(workers, "encode", unreadable)
        done = run(folder, store)
    assert sorted(Path(path).name for path, _ in done.failed) == ["2.png", "5.png", "dark.png"]
    assert held(store) == before
    done = run(folder, store)
    assert [Path(path).name for path, _ in done.failed] == ["dark.png"]
    assert held(store) == before


def test_a_run_that_was_stopped_goes_on(
    folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch, read: list[str]
) -> None:
    calls: list[str] = []

    def stopped(job: Job) -> Found:
        calls.append(job.path)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return made_up(job)

    with monkeypatch.context() as patch:
        patch.setattr(workers, "encode", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(folder, store)
    assert len(store) > 0
    run(folder, store)
    assert len(read) == 14 - 5
    assert held(store) == wanted(folder)


def test_what_a_kill_costs(folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos are in the gallery a second after they were encoded, the first one at once."""
    seconds, kept = [0.0], []

    def slow(job: Job) -> Found:
        kept.append(len(store))
        seconds[0] += 0.3
        return made_up(job)

    monkeypatch.setattr(archive.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(workers, "encode", slow)
    run(folder, store)
    stored_by_then = [number for number, count in enumerate(kept) if count]
    assert stored_by_then[0] == 1  # when the second photo is encoded
    assert len(set(kept)) >= len(kept) // 4


_CHILD = """
import sys, time
from sameface.gallery import open_store
from sameface.indexing import archive, workers
from tests.indexing.made_up import DIMENSION, SPACE, made_up
def encode(job):
    time.sleep(0.002)
    return made_up(job)
workers.encode, archive._PHOTOS_AT_ONCE = encode, 4
with open_store(sys.argv[2], space=SPACE, dimension=DIMENSION) as store:
    print("begun", flush=True)
    archive.index_photos(sys.argv[1], store, detector="made-up", encoder="made-up")
    print("done", flush=True)
"""


def test_a_coordinator_that_is_killed_again_and_again(tmp_path: Path, read: list[str]) -> None:
    folder, place = tmp_path / "photos", tmp_path / "archive.db"
    for number in range(300):
        photo(folder / f"{number}.png", number % 3, number)
    draw = random.Random(5)
    for _ in range(4):
        child = python(_CHILD, folder, place)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(draw.random() * 0.5)
        child.kill()
        child.communicate()
    with open_store(place, space=SPACE, dimension=DIMENSION) as store:
        done = run(folder, store)
        assert done.known > 0  # something was kept
        assert done.known + done.photos == 300
        assert held(store) == wanted(folder)
        assert len(store) == 300
        assert store.check().ok


def test_killed_between_gallery_and_ledger(folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gallery has the faces, the ledger does not know; and later the gallery forgot, and the ledger does not know."""

    def killed(*arguments: object, **rest: object) -> None:
        raise RuntimeError("killed here")

    for method in ("put", "settle"):
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, method, killed)
            with pytest.raises(RuntimeError):
                run(folder, store)
        run(folder, store)
        assert held(store) == wanted(folder)
        (folder / "year 2" / "5.png").unlink(missing_ok=True)


def test_a_gallery_without_its_ledger_is_read_and_not_encoded_again(
    folder: Path, store: TemplateStore, read: list[str]
) -> None:
    run(folder, store)
    before = held(store)
    default_ledger(store.location).unlink()
    done = run(folder, store)
    assert done.faces == 0
    assert done.photos == 4  # those without a face are known to nobody else
    assert held(store) == before


def test_a_ledger_of_another_gallery_says_nothing(folder: Path, store: TemplateStore, tmp_path: Path) -> None:
    run(folder, store)
    with open_store(tmp_path / "other.db", space=SPACE, dimension=DIMENSION) as other:
        shutil.copy(default_ledger(store.location), default_ledger(other.location))
        assert run(folder, other).faces == 12


def test_a_backup_that_came_back_is_filled_up(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "archive.db"
    later = folder.with_name("later")
    (folder / "year 2").rename(later)
    with open_store(place, space=SPACE, dimension=DIMENSION) as store:
        run(folder, store)
    backup = place.read_bytes()
    time.sleep(1.1)  # the audit log counts seconds
    later.rename(folder / "year 2")
    with open_store(place, space=SPACE, dimension=DIMENSION) as store:
        run(folder, store)
        everything = held(store)
    for old in place.parent.glob("archive.db*"):
        if not old.name.endswith("-photos"):
            old.unlink()
    place.write_bytes(backup)
    with open_store(place, space=SPACE, dimension=DIMENSION) as store:
        assert held(store) < everything
        run(folder, store)
        assert held(store) == everything


def test_a_person_who_was_enrolled_from_the_same_photo_is_untouched(folder: Path, store: TemplateStore) -> None:
    path = folder / "year 1" / "4.png"
    (template,) = made_up(Job(str(path), "", "", None)).templates
    store.add_many([NewPerson("Ada", [template])])
    run(folder, store)
    path.unlink()
    run(folder, store)
    assert "Ada" in store


def test_found_by_example(folder: Path, store: TemplateStore) -> None:
    run(folder, store)
    path = folder / "year 2" / "5.png"
    probe = made_up(Job(str(path), "", "", None)).templates[0].embedding
    best = store.search(probe)[0][0]
    assert best.distance == 0
    assert store.templates_of(PersonId(best.person_id))[0].template.source == str(path)


@pytest.mark.timeout(120)
def test_processes_give_the_same(folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "encode", made_up)
    done = run(folder, store, processes=2)
    assert (done.photos, done.faces, done.known) == (12, 12, 1)
    assert held(store) == wanted(folder)


def test_a_dask_cluster_gives_the_same(folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "encode", made_up)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as cluster:
        done = run(folder, store, scheduler=cluster.scheduler_address)
    assert (done.photos, done.faces, done.known) == (12, 12, 1)
    assert held(store) == wanted(folder)


def test_photos_at_an_address(folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for path in photos_below(folder):
        memory.pipe(f"/bucket/{path.relative_to(folder)}", path.read_bytes())
    memory.pipe("/bucket/.thumbs/1.png", b"hidden")
    monkeypatch.setattr(workers, "encode", from_memory)
    try:
        done = run("memory://bucket", store)
        assert (done.photos, done.faces, done.known, len(done.failed)) == (12, 12, 1, 1)
        assert held(store) == wanted(folder)
        assert run("memory://bucket/", store).known == 13
        memory.rm("/bucket/year 2/5.png")
        memory.pipe("/bucket/year 2/2.png", (folder / "year 1" / "4.png").read_bytes())
        done = run("memory://bucket", store)
        assert done.gone == 2
        (folder / "year 2" / "5.png").unlink()
        shutil.copy(folder / "year 1" / "4.png", folder / "year 2" / "2.png")
        assert held(store) == wanted(folder)
        with pytest.raises(DataError, match="nothing there"):
            run("memory://no such bucket", store)
        with pytest.raises(DataError, match="scheme"):
            run("nosuchscheme://bucket", store)
    finally:
        memory.rm("/bucket", recursive=True)


def test_what_cannot_be_listed_at_an_address_is_said_and_not_taken_for_gone(
    store: TemplateStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    for number in range(6):
        path = photo(tmp_path / f"{number}.png", 2, number)
        memory.pipe(f"/closing/open/{number}.png" if number % 2 else f"/closing/a/b/{number}.png", path.read_bytes())
    monkeypatch.setattr(workers, "encode", from_memory)
    listed = type(memory).ls

    def closing(place: str, failure: Exception) -> Callable[..., object]:
        def ls(system: object, path: str, **rest: object) -> object:
            if path.rstrip("/").endswith(place):
                raise failure
            return listed(system, path, **rest)

        return ls

    try:
        run("memory://closing", store)
        before = held(store)
        assert len(before) == 12
        for failure in (PermissionError(13, "Permission denied"), RuntimeError("AccessDenied")):
            for place in ("/closing/a/b", "/closing/a"):
                monkeypatch.setattr(type(memory), "ls", closing(place, failure))
                done = run("memory://closing", store)
                assert [(path, "enied" in reason) for path, reason in done.failed] == [(place, True)]
                assert (done.gone, held(store)) == (0, before)
            monkeypatch.setattr(type(memory), "ls", closing("/closing", failure))
            with pytest.raises(DataError, match="enied"):
                run("memory://closing", store)
            assert held(store) == before
    finally:
        monkeypatch.undo()
        memory.rm("/closing", recursive=True)


def test_links_to_folders_at_an_address_are_not_followed(
    folder: Path, store: TemplateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    (folder / "year 1" / "above").symlink_to(folder, target_is_directory=True)
    monkeypatch.setattr(workers, "encode", from_memory)
    done = run(f"file://{folder}", store)
    assert (done.photos, len(done.failed)) == (12, 1)


def from_memory(job: Job) -> Found:
    """As `made_up`, of a photo that is read from its address."""
    import tempfile
    from dataclasses import replace

    from sameface.indexing.sources import read_photo

    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(read_photo(job.path, 10**6))
        file.flush()
        found = made_up(replace(job, path=file.name))
    return replace(found, path=job.path)


def test_an_erased_gallery_takes_its_ledger_along(folder: Path, tmp_path: Path) -> None:
    with open_store(tmp_path / "archive.db", space=SPACE, dimension=DIMENSION) as store:
        run(folder, store)
    erase_gallery(tmp_path / "archive.db")
    assert list(tmp_path.glob("archive.db*")) == []


# -- what goes wrong --------------------------------------------------------------------------------------------------
def test_one_run_at_a_time(folder: Path, store: TemplateStore) -> None:
    with (
        Ledger(default_ledger(store.location), store.gallery_id),
        pytest.raises(GalleryLockedError, match="one run at a time"),
    ):
        run(folder, store)


def test_the_ledger_is_a_file_of_its_own(folder: Path, store: TemplateStore) -> None:
    with pytest.raises(SettingError, match="of its own"):
        run(folder, store, ledger=Path(store.location))
    assert store.check().ok


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    place = tmp_path / "disk"
    place.mkdir()

    def mount(kilobytes: int) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no right to mount a small disk here")
        return place

    yield mount
    subprocess.run(["umount", str(place)], capture_output=True, check=False)


@pytest.mark.parametrize("kilobytes", [16, 40])
def test_a_full_disk_under_the_ledger(
    tmp_path: Path,
    store: TemplateStore,
    small_disk: Callable[[int], Path],
    monkeypatch: pytest.MonkeyPatch,
    kilobytes: int,
) -> None:
    folder = tmp_path / "many"
    for number in range(150):
        photo(folder / f"{'a long name ' * 10}{number}.png", 1, number)
    place = small_disk(kilobytes)
    monkeypatch.setattr(archive, "_PHOTOS_AT_ONCE", 16)
    with pytest.raises(StorageFullError, match="ledger"):
        run(folder, store, ledger=place / "ledger")
    run(folder, store, ledger=tmp_path / "elsewhere")
    assert held(store) == wanted(folder)
    assert len(store) == 150
