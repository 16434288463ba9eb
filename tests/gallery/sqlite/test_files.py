"""A gallery that was erased leaves no byte: the folder's files are searched for what it held."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from sameface.errors import GalleryLockedError, GalleryMissingError, NotAGalleryError
from sameface.gallery import NewPerson, Place, TemplateStore, erase_gallery, open_store
from sameface.gallery.following import cache_draft, live_index
from sameface.gallery.sqlite.writer_queue import WriterQueue
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors

FACES = vectors(300)


@pytest.fixture
def small_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search cache is written for few people too."""
    monkeypatch.setattr(live_index, "CACHE_FROM", 100)


def filled(path: Path) -> TemplateStore:
    store = open_store(path, space=SPACE, dimension=DIMENSION)
    store.add_many(NewPerson(f"p{i}", [template(face)]) for i, face in enumerate(FACES))
    return store


def found_in(folder: Path) -> list[str]:
    """Files that hold a known vector."""
    return [file.name for file in folder.iterdir() if any(face.tobytes() in file.read_bytes() for face in FACES[:20])]


def test_no_byte_is_left(tmp_path: Path, small_caches: None) -> None:
    path, other = tmp_path / "people.db", tmp_path / "people.db-2.db"
    with filled(path) as store:
        store.warm()
    open_store(path).close()
    with filled(other):
        # What a process that was killed leaves: a log, a cache half written, a gallery half made.
        (tmp_path / "people.db-wal").write_bytes(FACES[0].tobytes())
        (tmp_path / "people.db-cache.part").write_bytes(FACES[1].tobytes())
        (tmp_path / f".people.db.{'ab' * 16}.new").write_bytes(FACES[2].tobytes())
        (tmp_path / f".people.db.{'ab' * 16}.new-wal").write_bytes(FACES[3].tobytes())
        assert set(found_in(tmp_path)) >= {"people.db", "people.db-cache", "people.db-wal", "people.db-cache.part"}
        erase_gallery(path)
        assert {file.name for file in tmp_path.iterdir() if not file.name.startswith(other.name)} == set()
        assert set(found_in(tmp_path)) <= {file.name for file in tmp_path.iterdir()}
    with open_store(other) as store:
        assert len(store) == len(FACES)
    with pytest.raises(GalleryMissingError):
        erase_gallery(path)


def test_what_was_begun_is_finished_by_the_next_call(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    (tmp_path / "people.db-wal").write_bytes(FACES[0].tobytes())
    erase_gallery(path)
    assert list(tmp_path.iterdir()) == []


def test_a_new_gallery_of_that_name_begins_empty(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    filled(path).close()
    erase_gallery(path)
    with open_store(path, space=SPACE, dimension=DIMENSION) as store:
        assert (len(store), store.check().ok) == (0, True)


def test_names_with_odd_characters_erase_only_their_own(tmp_path: Path) -> None:
    odd, other = tmp_path / "a[1].db", tmp_path / "a1.db"
    filled(odd).close()
    filled(other).close()
    (tmp_path / ".a1.db.ab.new").write_bytes(b"x")
    erase_gallery(odd)
    assert {file.name for file in tmp_path.iterdir()} >= {"a1.db", ".a1.db.ab.new"}
    assert not odd.exists()


def test_who_writes_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    filled(path).close()
    queue = WriterQueue(path, 1.0)
    with queue.turn(), pytest.raises(GalleryLockedError):
        erase_gallery(path, patience=0.1)
    queue.close()
    assert path.exists()
    erase_gallery(path)


def test_who_waited_for_a_turn_goes_on_under_the_new_lock(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    filled(path).close()
    waiting, late = WriterQueue(path, 5.0), WriterQueue(path, 0.1)
    with waiting.turn():
        pass
    erase_gallery(path)
    with waiting.turn(), pytest.raises(GalleryLockedError), late.turn():
        pytest.fail("two writers at once")
    for queue in (waiting, late):
        queue.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cache_that_is_being_written_meanwhile_does_not_stay(
    tmp_path: Path, small_caches: None, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Erased before the cache is put in its place, and right after."""
    path = tmp_path / "people.db"
    filled(path).close()
    (tmp_path / "people.db-cache").unlink(missing_ok=True)
    finish = cache_draft.Draft.finish

    def while_it_is_erased(*arguments: object) -> bool:
        if when == "before":
            erase_gallery(path)
        done = finish(*arguments)  # type: ignore[arg-type]
        if when == "after":
            erase_gallery(path)
        return done

    monkeypatch.setattr(cache_draft.Draft, "finish", while_it_is_erased)
    with open_store(path) as store:
        with suppress(GalleryMissingError):
            store.warm()
        with pytest.raises(GalleryMissingError, match="deleted"):
            store.search(FACES[0])
    assert found_in(tmp_path) == []


def test_a_place_knows_its_galleries(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "galleries"))
    place.prepare()
    assert place.names() == []
    for name in ("team-2", "people"):
        open_store(place.make_room(name), space=SPACE, dimension=DIMENSION).close()
    (tmp_path / "galleries" / "Somebody's own.db").touch()
    assert place.names() == ["people", "team-2"]
    before = place.stamp("people")
    assert before == place.stamp("people") != place.stamp("team-2")
    erase_gallery(place.location("people"))
    assert (place.names(), place.stamp("people")) == (["team-2"], None)
    open_store(place.make_room("people"), space=SPACE, dimension=DIMENSION).close()
    assert place.stamp("people") is not None
    with pytest.raises(ValueError, match="gallery name"):
        place.location("../people")


def test_two_makers_of_one_gallery_do_not_overwrite_each_other(tmp_path: Path) -> None:
    from sameface.gallery.sqlite import schema

    path = tmp_path / "people.db"
    exists, asked = Path.exists, [False]

    def another_makes_it_first(self: Path, **rest: object) -> bool:
        if self == path and not asked[0]:
            asked[0] = True
            filled(path).close()
            return False
        return exists(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "exists", another_makes_it_first)
        schema.create(path, SPACE, DIMENSION)
    with open_store(path) as store:
        assert len(store) == len(FACES)
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith(".new")] == []


def test_only_galleries_are_erased(tmp_path: Path) -> None:
    notes, damaged = tmp_path / "notes.db", tmp_path / "damaged.db"
    notes.write_text("my notes")
    with pytest.raises(NotAGalleryError):
        erase_gallery(notes)
    assert notes.read_text() == "my notes"
    filled(damaged).close()
    raw = bytearray(damaged.read_bytes())
    raw[4096:] = b"\x5a" * (len(raw) - 4096)
    damaged.write_bytes(raw)
    erase_gallery(damaged)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.db"]
