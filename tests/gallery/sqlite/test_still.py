"""A gallery that cannot be written, because the disk is full or belongs to somebody else, is read all the same; and never as it was some time ago."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sameface.errors import GalleryLockedError, GalleryReadOnlyError, StorageFullError
from sameface.gallery import NewPerson, TemplateStore, open_store, read_space
from sameface.gallery.following import live_index
from sameface.gallery.sqlite import still
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors
from tests.left_out import lacking
from tests.privileges import permissions_hold

FACES = vectors(30)
#: What every gallery has: two empty files that writers take turns by.
LOCKS = {"people.db-next", "people.db-writers"}


def filled(path: Path) -> TemplateStore:
    store = open_store(path, space=SPACE, dimension=DIMENSION)
    store.add_many(NewPerson(f"p{i}", [template(face)]) for i, face in enumerate(FACES))
    return store


def answers(store: TemplateStore) -> None:
    """Every way of reading gives what is there."""
    assert store.search(FACES[3])[0][0].name == "p3"
    assert len(store.people()) == len(list(store.export())) == len(store)
    assert store.check().ok
    assert store.stats().people == len(store)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk, of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode:
        lacking("the right to mount a disk", "run them as root")
    yield folder
    subprocess.run(["umount", str(folder)], capture_output=True, check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Take all room of a disk but so many bytes."""
    filler = folder / "filler"
    handle = os.open(filler, os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(handle, bytes(4096))
    except OSError:
        os.truncate(handle, os.fstat(handle).st_size - leave)
    finally:
        os.close(handle)
    return filler


def beside(path: Path) -> set[str]:
    return {file.name for file in path.parent.iterdir()} - {path.name, "filler"}


def test_a_full_disk_is_read_and_nothing_is_left_beside_it(disk: Path) -> None:
    path = disk / "people.db"
    filled(path).close()
    filler = fill(disk)
    with open_store(path) as store:
        answers(store)
        with pytest.raises(StorageFullError, match="Free some space"):
            store.add("late", [template(FACES[0])])
        answers(store)
        filler.unlink()
        store.add("late", [template(FACES[0])])  # by the same object, once there is room
        assert "late" in store
        store.forget("p3")
        assert store.search(FACES[3])[0][0].name != "p3"
    assert beside(path) == LOCKS


def test_on_a_full_disk_a_cache_makes_room_to_forget(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_index, "CACHE_FROM", 10)
    path = disk / "people.db"
    store = open_store(path, space=SPACE, dimension=DIMENSION)
    with store:
        store.add_many(NewPerson(f"p{i}", [template(face)]) for i, face in enumerate(vectors(200)))
    with open_store(path) as store:
        store.warm()
    cache = disk / "people.db-cache"
    with cache.open("ab") as file:  # of a larger gallery than such a disk holds
        file.write(bytes(120_000))
    fill(disk)
    with open_store(path) as store:
        assert store.forget("p3").templates == 1
        assert "p3" not in store
    assert not cache.exists()


def test_a_log_on_a_full_disk_is_settled_where_it_fits_and_else_said(disk: Path) -> None:
    path, kept = disk / "people.db", disk.parent / "kept.db"
    with filled(path) as store:
        store.forget("p7")
        log = path.with_name("people.db-wal")
        store.add("late", [template(FACES[0])])
        assert log.stat().st_size
        for ending in ("", "-wal"):  # as a process that was killed leaves them
            shutil.copy(f"{path}{ending}", f"{kept}{ending}")
    for ending in ("", "-wal"):
        shutil.copy(f"{kept}{ending}", f"{path}{ending}")
    fill(disk)
    with open_store(path) as store:
        assert ("late" in store, "p7" in store) == (True, False)
    assert beside(path) == LOCKS


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """Takes away the right to write a gallery and its folder."""
    path = tmp_path / "theirs" / "people.db"
    path.parent.mkdir()
    filled(path).close()

    def close() -> Path:
        for file in path.parent.iterdir():
            file.chmod(0o444)
        path.parent.chmod(0o555)
        return path

    yield close
    path.parent.chmod(0o755)


def test_who_may_only_read_reads(foreign: Callable[[], Path]) -> None:
    path = foreign()
    with permissions_hold(), open_store(path) as store:
        answers(store)
        assert read_space(path) == SPACE
        with pytest.raises(GalleryReadOnlyError):
            store.forget("p3")
    assert beside(path) == LOCKS


def test_in_a_folder_that_may_be_written_a_reader_leaves_nothing(tmp_path: Path) -> None:
    """Files of the reader's beside the gallery would be files that its owner may not write."""
    path = tmp_path / "people.db"
    filled(path).close()
    path.chmod(0o444)
    with permissions_hold(), open_store(path) as store:
        answers(store)
    assert beside(path) == LOCKS


def test_who_may_only_read_sees_the_log_of_who_writes(foreign: Callable[[], Path]) -> None:
    path = foreign()
    with permissions_hold(), open_store(path) as reader:
        answers(reader)  # as it lies
        path.parent.chmod(0o755)
        path.chmod(0o644)
        for lock in LOCKS:
            path.with_name(lock).chmod(0o600)
        with open_store(path) as writer:
            writer.forget("p3")
            foreign()
            assert reader.search(FACES[3])[0][0].name != "p3"
            assert "p3" not in reader
            with open_store(path) as another:
                assert "p3" not in another
            path.parent.chmod(0o755)
            for file in path.parent.iterdir():
                file.chmod(0o644)
            writer.add("late", [template(FACES[0])])
            assert "late" in reader
    with open_store(path) as store:
        assert ("late" in store, store.check().ok) == (True, True)


def test_a_log_that_cannot_be_read_with_the_file_is_said(foreign: Callable[[], Path], tmp_path: Path) -> None:
    path = tmp_path / "theirs" / "people.db"
    with open_store(path) as store:
        store.forget("p3")
        store.add("late", [template(FACES[0])])
        shutil.copy(f"{path}-wal", tmp_path / "log")
    shutil.copy(tmp_path / "log", f"{path}-wal")
    foreign()
    with permissions_hold(), pytest.raises(GalleryReadOnlyError, match=r"people\.db-wal") as told:
        open_store(path)
    assert "may write open it once" in str(told.value)


def test_an_answer_of_two_moments_is_none(foreign: Callable[[], Path]) -> None:
    path = foreign()
    with permissions_hold(), open_store(path) as store:
        answers(store)
        reader = store._reader  # type: ignore[attr-defined]
        assert isinstance(reader, still.Still)
        export = store.export()
        next(export)
        path.parent.chmod(0o755)
        path.chmod(0o644)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA user_version = 3")
        connection.close()
        assert still.is_over(reader)
        with pytest.raises(GalleryLockedError, match="Try again"):
            list(export)
