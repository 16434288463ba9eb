"""Encrypted galleries: no vector in the clear on disk, no answer without the key."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sameface.errors import GalleryDamagedError, GalleryKeyError, SettingError
from sameface.gallery import NewPerson, new_key, open_store, read_space
from sameface.gallery.following import live_index
from sameface.gallery.sqlite import schema, sums
from sameface.gallery.sqlite.key import read_key
from sameface.gallery.sqlite.record import pack, unpack
from sameface.gallery.sqlite.vault import PlainVault
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, template, vectors

FACES = vectors(120, seed=8)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("SAMEFACE_GALLERY_KEY", raising=False)
    return new_key()


@pytest.fixture
def gallery(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(live_index, "CACHE_FROM", 10)
    path = tmp_path / "people.db"
    with open_store(path, space=SPACE, dimension=DIMENSION, key=key) as store:
        store.add_many(NewPerson(f"p{i}", [template(v)]) for i, v in enumerate(FACES))
        store.add("p0", [template(FACES[1])])
        store.merge("p2", "p3")
        store.warm()
    return path


def test_everything_works_with_the_key(gallery: Path, key: str) -> None:
    with open_store(gallery, key=key) as store:
        assert store.search(FACES[50])[0][0].name == "p50"
        assert store.templates_of("p50")[0].template.embedding.tobytes() == FACES[50].tobytes()
        assert store.check().ok
        assert store.stats().settings["encryption"] == "aes-256-gcm"
        assert store.forget("p50").templates == 1
        assert store.search(FACES[50])[0][0].name != "p50"
        ids = [item.template_id for _, items in store.export() for item in items]
        store.reembed(OTHER, 6, zip(ids, vectors(len(ids), 6), strict=True))
        assert store.check().ok


def test_no_vector_lies_in_the_clear_and_there_is_no_cache(gallery: Path, key: str) -> None:
    with open_store(gallery, key=key) as store:
        store.add("new", [template(FACES[0])])
        raw = b"".join(file.read_bytes() for file in gallery.parent.iterdir())
    assert not [v for v in FACES if v.tobytes()[:12] in raw]
    assert not gallery.with_name("people.db-cache").exists()


def test_no_key_and_a_wrong_key_are_said(gallery: Path, key: str) -> None:
    other = new_key()
    for given in (None, other):
        with pytest.raises(GalleryKeyError) as caught:
            open_store(gallery, key=given)
        assert other not in str(caught.value)
        assert key not in str(caught.value)
    assert read_space(gallery) == SPACE  # what it is of is no secret


def test_a_record_moved_to_another_template_does_not_open(gallery: Path, key: str) -> None:
    with _by_hand(gallery) as connection:
        one, two = (_record(connection, number) for number in (11, 12))
        # p10 with p11's vector: owner and check sum rebuilt by an attacker who has no key.
        _write(connection, 11, pack(unpack(one)[0], unpack(two)[1]))
    _is_found(gallery, key, {"p10"})


def test_a_template_moved_to_another_person_does_not_open(gallery: Path, key: str) -> None:
    with _by_hand(gallery) as connection:
        owner = unpack(_record(connection, 12))[0]
        connection.execute("UPDATE template SET person_key = ? WHERE template_id = 11", (owner,))
        _write(connection, 11, pack(owner, unpack(_record(connection, 11))[1]))
    _is_found(gallery, key, {"p11"})


def test_exchanged_names_are_found(gallery: Path, key: str) -> None:
    with _by_hand(gallery) as connection:
        for old, new in (("p10", "?"), ("p11", "p10"), ("?", "p11")):
            connection.execute("UPDATE person SET name = ? WHERE name = ?", (new, old))
        # The sums that an unsealed gallery would have.
        rows = connection.execute(
            "SELECT person_key, person_id, name, details, created, terms, expires, held FROM person"
        ).fetchall()
        for row in rows:
            if row[2] in ("p10", "p11"):
                made = PlainVault().sum(sums.of_person(*row, []))
                connection.execute("UPDATE person SET sum = ? WHERE person_key = ?", (made, row[0]))
    with open_store(gallery, key=key) as store:
        assert {problem.person for problem in store.check().problems} == {"p10", "p11"}
        for call in (store.people, lambda: store.search(FACES[10]), lambda: store.person("p10")):
            with pytest.raises(GalleryDamagedError):
                call()


@pytest.mark.parametrize("given", [True, False], ids=["with the key", "without"])
@pytest.mark.parametrize("thorough", [True, False], ids=["sums too", "one word"])
def test_a_gallery_that_says_it_is_not_encrypted_takes_nobody_in(
    gallery: Path, key: str, given: bool, thorough: bool
) -> None:
    with _by_hand(gallery) as connection:
        connection.execute("UPDATE gallery SET value = 'none' WHERE key = 'encryption'")
        if thorough:
            schema.write_settings(connection, PlainVault(), {"keys": ""})
    with pytest.raises(GalleryDamagedError, match="settings"):
        open_store(gallery, key=key if given else None)


def test_nothing_is_stored_in_the_clear_where_there_is_a_key(tmp_path: Path, key: str) -> None:
    path = tmp_path / "clear.db"
    with open_store(path, space=SPACE, dimension=DIMENSION) as store:
        store.add("Ada", [template(FACES[0])])
        store.add("Bob", [template(FACES[1])])
    with open_store(path, key=key) as store:
        assert store.search(FACES[0])[0][0].name == "Ada"
        with pytest.raises(GalleryKeyError, match="in the clear"):
            store.add("Eve", [template(FACES[2])])
        ids = [item.template_id for _, items in store.export() for item in items]
        with pytest.raises(GalleryKeyError, match="in the clear"):
            store.reembed(OTHER, 6, zip(ids, vectors(len(ids), 6), strict=True))
        assert store.forget("Bob").templates == 1
        assert [person.name for person in store.people()] == ["Ada"]


@contextmanager
def _by_hand(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    yield connection
    connection.commit()
    connection.close()


def _record(connection: sqlite3.Connection, number: int) -> bytes:
    return bytes(connection.execute("SELECT record FROM vector WHERE template_id = ?", (number,)).fetchone()[0])


def _write(connection: sqlite3.Connection, number: int, record: bytes) -> None:
    connection.execute("UPDATE vector SET record = ? WHERE template_id = ?", (record, number))


def _is_found(gallery: Path, key: str, people: set[str]) -> None:
    with open_store(gallery, key=key) as store:
        assert {problem.person for problem in store.check().problems} == people
        with pytest.raises(GalleryDamagedError):
            store.search(FACES[0])
        with pytest.raises(GalleryDamagedError):
            store.templates_of(people.copy().pop())


def test_the_key_comes_from_a_file_or_the_environment(
    gallery: Path, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text(key + "\n")
    for given in (file, f"@{file}"):
        open_store(gallery, key=given).close()
    for value in (key, f"@{file}"):
        monkeypatch.setenv("SAMEFACE_GALLERY_KEY", value)
        open_store(gallery).close()
    for bad in ("abc", "zz" * 32, f"@{tmp_path / 'none'}", os.urandom(8).hex()):
        monkeypatch.setenv("SAMEFACE_GALLERY_KEY", bad)
        with pytest.raises(GalleryKeyError) as caught:
            read_key(None)
        assert bad.startswith("@") or bad not in str(caught.value)


def test_servers_have_no_key_of_ours(key: str) -> None:
    with pytest.raises(SettingError):
        open_store("postgresql://nowhere/x", key=key)
