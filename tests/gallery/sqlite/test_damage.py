"""What is damaged, foreign, locked, full or read-only is said so; it never gives a wrong answer."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from sameface.errors import (
    GalleryDamagedError,
    GalleryError,
    GalleryLockedError,
    GalleryMismatchError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GallerySchemaError,
    NotAGalleryError,
    SettingError,
    StorageFullError,
)
from sameface.gallery import NewPerson, TemplateStore, open_store, read_space
from sameface.gallery.following import live_index
from sameface.types import EmbeddingSpace
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, slow_search, template, vectors
from tests.privileges import permissions_hold

FACES = vectors(300, seed=5)
WORLD = {f"p{i}": [v] for i, v in enumerate(FACES)}
PROBES = vectors(4, seed=6)


def opened(path: Path, **rest: object) -> TemplateStore:
    return open_store(path, space=SPACE, dimension=DIMENSION, **rest)  # type: ignore[arg-type]


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """A closed gallery of 300 people."""
    path = tmp_path / "people.db"
    with opened(path) as store:
        store.add_many(NewPerson(name, [template(own[0])]) for name, own in WORLD.items())
    return path


def test_a_flipped_byte_in_a_vector_is_named(gallery: Path) -> None:
    raw = bytearray(gallery.read_bytes())
    place = raw.index(FACES[123].tobytes())
    raw[place + 5] ^= 1
    gallery.write_bytes(raw)
    with opened(gallery) as store:
        report = store.check()
        assert [(problem.person, problem.template_id) for problem in report.problems] == [("p123", 124)]
        with pytest.raises(GalleryDamagedError, match="template 124 of 'p123'"):
            store.search(PROBES)
        with pytest.raises(GalleryDamagedError, match="template 124 of 'p123'"):
            store.templates_of("p123")
        with pytest.raises(GalleryDamagedError, match="template 124"):
            list(store.export())
        # The way out that the message gives.
        store.forget("p123")
        assert store.check().ok
        left = {name: own for name, own in WORLD.items() if name != "p123"}
        assert [answer[0].name for answer in store.search(PROBES)] == [
            slow_search(probe, left)[0][0] for probe in PROBES
        ]


def test_merging_a_damaged_person_does_not_heal_the_damage(gallery: Path) -> None:
    raw = bytearray(gallery.read_bytes())
    raw[raw.index(FACES[7].tobytes())] ^= 4
    gallery.write_bytes(raw)
    with opened(gallery) as store:
        store.merge("p8", "p7")
        assert [(problem.person, problem.template_id) for problem in store.check().problems] == [("p8", 8)]


def test_a_changed_name_is_found(gallery: Path) -> None:
    raw = gallery.read_bytes()
    gallery.write_bytes(raw.replace(b"p250", b"q250"))
    with opened(gallery) as store:
        assert any(problem.person == "q250" for problem in store.check().problems)
        with pytest.raises(GalleryDamagedError):
            store.people()
        with pytest.raises(GalleryDamagedError):
            store.search(FACES[250])


def test_any_zeroed_block_is_found(gallery: Path, tmp_path: Path) -> None:
    whole = gallery.read_bytes()
    pages = len(whole) // 4096
    for page in random.Random(1).sample(range(1, pages), min(pages - 1, 12)):
        copy = tmp_path / f"{page}.db"
        copy.write_bytes(whole[: page * 4096] + bytes(4096) + whole[(page + 1) * 4096 :])
        _never_silently_wrong(copy)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_any_truncation_is_found(gallery: Path, share: float) -> None:
    os.truncate(gallery, int(gallery.stat().st_size * share))
    with pytest.raises((GalleryDamagedError, NotAGalleryError)), opened(gallery) as store:
        store.search(PROBES)


def test_flipped_bits_anywhere_never_give_a_wrong_answer(gallery: Path, tmp_path: Path) -> None:
    whole, rng = gallery.read_bytes(), random.Random(2)
    for number in range(25):
        raw = bytearray(whole)
        raw[rng.randrange(100, len(raw))] ^= 1 << rng.randrange(8)
        copy = tmp_path / f"{number}.db"
        copy.write_bytes(raw)
        _never_silently_wrong(copy, may_be_unused=True)


def test_a_damaged_head_is_said_in_words_of_our_own(gallery: Path, tmp_path: Path) -> None:
    """The header, the definitions of the tables, and the settings: all that is read before anything is known."""
    whole, rng = gallery.read_bytes(), random.Random(4)
    text = [place for place in range(4096) if whole[place] > 31]
    copy = tmp_path / "copy.db"
    for place in [*range(100), *rng.sample(text, 150)]:
        raw = bytearray(whole)
        raw[place] ^= rng.choice((0xFF, 0x80, 0x01, 0x20))
        copy.write_bytes(raw)
        for use in (read_space, lambda path: open_store(path, create=False, patience=0.2)):
            try:
                found = use(copy)
                if not isinstance(found, EmbeddingSpace):
                    with found as store:
                        store.check()
                        store.people()
                        store.search(PROBES)
                        store.add("Ada", [template(FACES[0])])
                        store.forget("Ada")
            except GalleryError:
                pass
        for rest in ("-wal", "-shm", "-journal"):
            copy.with_name(copy.name + rest).unlink(missing_ok=True)


def _never_silently_wrong(path: Path, *, may_be_unused: bool = False) -> None:
    expected = [slow_search(probe, WORLD, 3) for probe in PROBES]
    try:
        with opened(path) as store:
            found = not store.check().ok
            answers = [[c.name for c in answer] for answer in store.search(PROBES, 3)]
    except GalleryError:
        return
    assert answers == [[name for name, _ in best] for best in expected]
    assert found or may_be_unused


@pytest.mark.parametrize("content", [b"hello", b"PK\x03\x04" + bytes(5000), b"", bytes(8192), os.urandom(4096)])
def test_files_that_are_no_gallery(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "people.db"
    path.write_bytes(content)
    for use in (opened, read_space):
        with pytest.raises(NotAGalleryError, match=r"people\.db"):
            use(path)
    assert path.read_bytes() == content


def test_a_folder_and_another_programs_file(tmp_path: Path) -> None:
    with pytest.raises(NotAGalleryError, match="folder"):
        opened(tmp_path)
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE person (x)")
    connection.close()
    with pytest.raises(NotAGalleryError, match="another program"):
        opened(path)


@pytest.mark.parametrize("location", [":memory:", Path(":memory:")])
def test_memory_is_no_place_for_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str | Path) -> None:
    monkeypatch.chdir(tmp_path)
    for use in (opened, open_store):
        with pytest.raises(SettingError, match="temporary folder"):
            use(location)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_no_gallery(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "people.db")
    for use in (opened, read_space):
        with pytest.raises(NotAGalleryError, match="pipe"):
            use(tmp_path / "people.db")


def test_a_copy_of_the_file_alone_has_everybody_soon(gallery: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with opened(gallery) as store, opened(gallery) as reader:
        reader.search(PROBES)
        for number in range(5):
            store.add(f"new {number}", [template(FACES[number])])
            store.forget(f"p{number}")
            store.add(f"newer {number}", [template(FACES[number])])
            expected, found = {person.name for person in store.people()}, set[str]()
            until = time.monotonic() + 30
            while found != expected and time.monotonic() < until:
                time.sleep(0.05)
                # By another process: to close the file here would end the locks that this one has on it.
                subprocess.run(["cp", gallery, copy], check=True)
                found = people_of_sound(copy)
            assert found == expected


def people_of_sound(copy: Path) -> set[str]:
    """Nobody where it was copied in the very moment in which the log went into the file: then it is torn, and says so."""
    try:
        with open_store(copy) as copied:
            return {person.name for person in copied.people()} if copied.check().ok else set()
    except GalleryDamagedError:
        return set()


def test_a_file_put_in_the_place_of_an_open_one_is_said(gallery: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with opened(other) as store:
        store.add("Eve", [template(FACES[0])])
    with opened(gallery) as store:
        store.add("Ada", [template(FACES[0])])
        other.rename(gallery)
        for call in (
            lambda: store.search(FACES[3]),
            lambda: store.add("late", [template(FACES[1])]),
            lambda: store.forget("p3"),
            lambda: len(store),
            lambda: list(store.export()),
        ):
            with pytest.raises(GalleryMismatchError, match="another file"):
                call()
    with opened(gallery) as store:  # closing the other took nothing of this one away
        assert [person.name for person in store.people()] == ["Eve"]
        assert store.check().ok


def test_an_open_gallery_that_was_deleted_is_said(gallery: Path) -> None:
    with opened(gallery) as store:
        store.add("Ada", [template(FACES[0])])
        for ending in ("", "-wal", "-shm"):
            gallery.with_name(gallery.name + ending).unlink(missing_ok=True)
        for call in (lambda: store.search(FACES[3]), lambda: store.add("late", [template(FACES[1])])):
            with pytest.raises(GalleryMissingError, match="deleted"):
                call()
    assert not gallery.exists()


def test_nothing_there(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    for call in (
        lambda: read_space(path),
        lambda: open_store(path),
        lambda: opened(path, create=False),
        lambda: opened(tmp_path / "no" / "people.db"),
    ):
        with pytest.raises(GalleryMissingError):
            call()
    assert not path.exists()


def test_another_encoder_is_refused_and_both_are_named(gallery: Path) -> None:
    with pytest.raises(GalleryMismatchError, match=r"other-encoder.*test-encoder"):
        open_store(gallery, space=OTHER, dimension=DIMENSION)
    with pytest.raises(GalleryMismatchError, match="8-dimensional"):
        open_store(gallery, space=SPACE, dimension=DIMENSION + 1)
    assert read_space(gallery) == SPACE
    with open_store(gallery) as store:
        assert (store.space, store.dimension) == (SPACE, DIMENSION)


def test_a_newer_schema_is_refused(gallery: Path) -> None:
    connection = sqlite3.connect(gallery)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for use in (opened, read_space):
        with pytest.raises(GallerySchemaError, match="99"):
            use(gallery)


def test_a_locked_gallery_can_be_read_but_not_written(gallery: Path) -> None:
    connection = sqlite3.connect(gallery, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    with opened(gallery, patience=0.2) as store:
        assert store.search(FACES[3])[0][0].name == "p3"
        with pytest.raises(GalleryLockedError):
            store.forget("p3")
        connection.execute("ROLLBACK")
        assert store.forget("p3").templates == 1
    connection.close()


def test_a_full_disk_keeps_what_was_acknowledged(gallery: Path) -> None:
    with opened(gallery) as store:
        store.add("before", [template(FACES[0])])
        connection = store._writing.connection()  # type: ignore[attr-defined]  # the only way to a full disk without a disk
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 2}")
        with pytest.raises(StorageFullError):
            store.add_many(NewPerson(f"new {i}", [template(v)]) for i, v in enumerate(FACES))
        assert (len(store), store.check().ok) == (301, True)
        store.forget("before")
    with opened(gallery) as store:
        assert len(store) == 300


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE gallery SET value = 'x' WHERE key = 'encoder'", "got their check sum, missing or broken"),
        ("PRAGMA user_version = 0", "got the number of their schema, missing or broken"),
    ],
)
def test_settings_that_were_changed_are_said_in_words(gallery: Path, change: str, what: str) -> None:
    connection = sqlite3.connect(gallery)
    connection.execute(change)
    connection.commit()
    connection.close()
    with pytest.raises(GalleryDamagedError, match=what):
        open_store(gallery)


@pytest.mark.parametrize("folder", [0o755, 0o555])
def test_a_file_that_may_only_be_read(gallery: Path, folder: int) -> None:
    gallery.chmod(0o444)
    gallery.parent.chmod(folder)
    try:
        with permissions_hold(), pytest.raises(GalleryReadOnlyError, match=gallery.name), open_store(gallery) as store:
            store.add("Ada", [template(FACES[0])])
    finally:
        gallery.parent.chmod(0o755)
    gallery.chmod(0o644)
    with open_store(gallery) as store:
        assert len(store) == 300


def test_a_cache_that_may_not_be_changed_is_said(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_index, "CACHE_FROM", 50)
    with opened(gallery) as store:
        store.warm()

        def refuse(*_: object, **__: object) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        monkeypatch.setattr(Path, "unlink", refuse)
        with pytest.raises(GalleryReadOnlyError, match=r"people\.db-cache"):
            store.reindex()
        monkeypatch.undo()
        assert store.search(FACES[3])[0][0].name == "p3"


def test_a_new_gallery_does_not_replay_the_log_of_a_deleted_one(gallery: Path) -> None:
    store = opened(gallery)
    store.add("Ada", [template(FACES[0])])
    log = gallery.with_name("people.db-wal")
    assert log.stat().st_size > 0
    shutil.copy(log, gallery.with_name("kept"))
    store.close()
    gallery.unlink()
    shutil.move(gallery.with_name("kept"), log)
    with opened(gallery) as fresh:
        assert (len(fresh), fresh.check().ok) == (0, True)


def test_only_the_owner_may_read_a_gallery(gallery: Path) -> None:
    with opened(gallery) as store:
        store.add("Ada", [template(FACES[0])])
        assert {
            path.name: oct(path.stat().st_mode & 0o777)
            for path in gallery.parent.iterdir()
            if path.stat().st_mode & 0o077
        } == {}
