"""The key of a gallery changes while it is used: nobody meets an unreadable row, whatever is killed when."""

from __future__ import annotations

import random
import signal
import sqlite3
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sameface.errors import GalleryKeyError, SettingError
from sameface.gallery import NewPerson, TemplateStore, new_key, open_store, retire_key, rotate_key
from sameface.gallery.sqlite import rekeying
from tests.forked import python
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors

FACES = vectors(300, seed=5)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.delenv("SAMEFACE_GALLERY_KEY", raising=False)
    return new_key(), new_key()


@pytest.fixture
def gallery(tmp_path: Path, keys: tuple[str, str]) -> Path:
    path = tmp_path / "people.db"
    with open_store(path, space=SPACE, dimension=DIMENSION, key=keys[0]) as store:
        store.add_many(
            NewPerson(f"person {i}", [template(v, source=f"photo-{i}.jpg")], {"desk": f"room {i}"})
            for i, v in enumerate(FACES)
        )
        store.forget("person 7")
        store.merge("person 1", "person 2")
    return path


def records(path: Path) -> list[bytes]:
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute("SELECT record FROM vector")]
    connection.close()
    return found


def bytes_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.name.startswith(path.name))


def is_whole(store: TemplateStore) -> bool:
    return store.check().ok and len(store) == 298 and store.search(FACES[9])[0][0].name == "person 9"


def test_old_and_new_open_it_then_the_new_one_alone(gallery: Path, keys: tuple[str, str]) -> None:
    old, new = keys
    before, moved = records(gallery), []
    report = rotate_key(gallery, new, key=old, progress=moved.append)
    assert report.ok
    assert sum(moved) >= 2 * 299 + 298
    for key in keys:
        with open_store(gallery, key=key) as store:
            assert is_whole(store)
            assert store.stats().settings["keys that open it"] == "2"
    raw = bytes_of(gallery)
    sealed = [record for record in before if any(record[8:-4])]
    assert len(sealed) == 299
    assert not [record for record in sealed if record[8:40] in raw]
    assert retire_key(gallery, key=new) == 1
    assert retire_key(gallery, key=new) == 0
    with pytest.raises(GalleryKeyError, match="rotate-key"):
        open_store(gallery, key=old)
    with open_store(gallery, key=new) as store:
        assert is_whole(store)
        assert [entry.action for entry in store.audit(2)] == ["old key gone", "new key"]


def test_it_turns_again_and_again(gallery: Path, keys: tuple[str, str]) -> None:
    key = keys[0]
    for number in range(3):
        with open_store(gallery, key=key) as store:
            store.add(f"more {number}", [template(FACES[number])])
        fresh = new_key()
        rotate_key(gallery, fresh, key=key)
        with pytest.raises(SettingError, match="--finish"):  # whoever has the key before this one would be locked out
            rotate_key(gallery, new_key(), key=fresh)
        retire_key(gallery, key=fresh)
        key = fresh
        with open_store(gallery, key=key) as store:
            assert store.check().ok
            assert len(store) == 299 + number


def test_who_has_it_open_goes_on(gallery: Path, keys: tuple[str, str]) -> None:
    old, new = keys
    with (
        open_store(gallery, key=old) as reader,
        open_store(gallery, key=old) as writer,
        open_store(gallery, key=old) as idle,
    ):
        export = reader.export()
        first = next(export)[0]
        assert is_whole(idle)
        rotate_key(gallery, new, key=old)
        writer.add("new", [template(FACES[0])])
        assert reader.search(FACES[9])[0][0].name == "person 9"
        assert len([first, *export]) == 298  # of the moment before, sealed by the old data key
        retire_key(gallery, key=new)
        with pytest.raises(GalleryKeyError):
            writer.add("newer", [template(FACES[0])])
        assert (
            reader.search(FACES[11])[0][0].name == "person 11"
        )  # what was met while both keys opened it stays in memory
        with pytest.raises(GalleryKeyError, match="rotate-key"):
            idle.search(FACES[11])
    with open_store(gallery, key=new) as store:
        assert store.check().ok
        assert "new" in store


def test_names_are_encrypted_when_asked(gallery: Path, keys: tuple[str, str]) -> None:
    old, new = keys
    words = (b"person 9", b"room 9", b"photo-9.jpg")
    assert all(word in bytes_of(gallery) for word in words)
    rotate_key(gallery, new, key=old, seal_names=True)
    assert not [word for word in words if word in bytes_of(gallery)]
    with open_store(gallery, key=new) as store:
        assert is_whole(store)
        assert store.stats().settings["names"] == "encrypted too"
        assert store.page(search="PERSON 29").people[0].name == "person 29"
        assert store.update("person 9", name="somebody").name == "somebody"
        store.update("somebody", name="person 9")
        assert store.templates_of("person 9")[0].template.source == "photo-9.jpg"
    retire_key(gallery, key=new)
    rotate_key(gallery, new, key=new, seal_names=False)
    assert all(word in bytes_of(gallery) for word in words)


def test_what_cannot_be(gallery: Path, keys: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = keys
    with pytest.raises(GalleryKeyError):
        rotate_key(gallery, new)
    with pytest.raises(GalleryKeyError):
        rotate_key(gallery, new, key=new)
    with pytest.raises(SettingError):
        rotate_key("postgresql://nowhere/x", new, key=old)
    plain = tmp_path / "plain.db"
    open_store(plain, space=SPACE, dimension=DIMENSION).close()
    with pytest.raises(SettingError, match="copy"):
        rotate_key(plain, new, key=old)

    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_key(gallery, new, key=old, progress=stopped)
    with pytest.raises(SettingError, match="Give that key"):
        rotate_key(gallery, new_key(), key=old)
    with pytest.raises(SettingError):
        retire_key(gallery, key=new)
    for key in keys:
        with open_store(gallery, key=key) as store:
            assert is_whole(store)
            assert "being changed" in store.stats().settings["keys that open it"]
    assert rotate_key(gallery, new, key=new).ok  # who has the new one alone goes on, too


def test_a_row_that_was_damaged_before_stays_so_and_is_named(gallery: Path, keys: tuple[str, str]) -> None:
    old, new = keys
    connection = sqlite3.connect(gallery)
    connection.execute("UPDATE person SET created = '2001-01-01' WHERE person_key = 5")
    connection.commit()
    connection.close()
    report = rotate_key(gallery, new, key=old)
    assert [problem.person for problem in report.problems] == ["person 4"]


def test_a_key_by_a_command(gallery: Path, keys: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "a key"
    file.write_text(keys[0])
    with open_store(gallery, key=f"!{sys.executable} -c \"print(open('{file}').read())\"") as store:
        assert is_whole(store)
    for wrong, word in (
        ("!", "command"),
        ("!no-such-program-anywhere", "no-such-program"),
        (f"!{sys.executable} -c 'raise SystemExit(3)'", "exit code 3"),
        (f"!{sys.executable} -c 'print(1)'", "hex digits"),
        ("!'", "command"),
    ):
        with pytest.raises(GalleryKeyError, match=word):
            open_store(gallery, key=wrong)


def test_a_reader_who_asks_by_name_follows_at_once(gallery: Path, keys: tuple[str, str]) -> None:
    """Names are found by a keyed hash: with the old key alone nobody would be there, and no row would be unreadable either."""
    old, new = keys
    with open_store(gallery, key=old) as reader:
        assert reader.templates_of("person 60")
        rotate_key(gallery, new, key=old)
        assert reader.templates_of("person 60")[0].template.source == "photo-60.jpg"


#: Asks until the file of the third argument is there, by the key of the environment, and says what went wrong.
CLIENT = """
import os, sys, time
import numpy as np
from sameface.gallery import open_store
from sameface.types import Template

path, faces, end, writes = sys.argv[1], np.load(sys.argv[2]), sys.argv[3], sys.argv[4] == "writes"
asked = wrong = 0
with open_store(path, create=False) as store:
    print("ready", flush=True)
    while not os.path.exists(end):
        at = 10 + asked % 200
        found = store.search(faces[at])[0][0].name
        wrong += found != f"person {at}" or store.templates_of(found)[0].template.embedding.tobytes() != faces[at].tobytes()
        if writes and asked % 10 == 0:
            store.add("visitor", [Template(faces[0])])
        asked += 1
        time.sleep(0.002)
print(asked, wrong)
"""
ROTATE = """
import sys
from sameface.gallery import rotate_key
from sameface.gallery.sqlite import rekeying

rekeying.AT_ONCE = 20
print("begun", flush=True)
rotate_key(sys.argv[1], sys.argv[2])
print("done")
"""


def test_kills_and_clients_meet_no_unreadable_row(
    gallery: Path, keys: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = keys
    np.save(tmp_path / "faces.npy", FACES)
    end = tmp_path / "end"
    monkeypatch.setenv("SAMEFACE_GALLERY_KEY", old)
    clients = [python(CLIENT, gallery, tmp_path / "faces.npy", end, way) for way in ("reads", "reads", "writes")]
    for client in clients:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
    chance = random.Random(14)
    for _ in range(4):
        rotation = python(ROTATE, gallery, new)
        assert rotation.stdout is not None
        assert rotation.stdout.readline() == "begun\n"
        time.sleep(chance.uniform(0.02, 0.25))
        rotation.send_signal(signal.SIGKILL)
        rotation.communicate()
    last = python(ROTATE, gallery, new)
    out, err = last.communicate(timeout=120)
    assert (last.returncode, "done" in out) == (0, True), err
    end.touch()
    for client in clients:
        out, err = client.communicate(timeout=120)
        assert client.returncode == 0, err
        asked, wrong = map(int, out.split())
        assert asked > 5
        assert wrong == 0
    retire_key(gallery, key=new)
    with open_store(gallery, key=new) as store:
        assert store.check().ok
        assert len(store) == 299
        assert store.stats().settings["keys that open it"] == "1"


def test_the_steps_are_small() -> None:
    assert rekeying.AT_ONCE <= 1000
