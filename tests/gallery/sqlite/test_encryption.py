"""Encrypted galleries: no vector in the clear on disk, no answer without the key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sameface.errors import GalleryDamagedError, GalleryKeyError, SettingError
from sameface.gallery import NewPerson, new_key, open_store, read_space
from sameface.gallery.sqlite import live_index
from sameface.gallery.sqlite.key import read_key
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
        assert store.templates_of(store.person("p50").person_id)[0].template.embedding.tobytes() == FACES[50].tobytes()
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
    import sqlite3

    connection = sqlite3.connect(gallery)
    # p10 and p11 with each other's records: owner and check sum rebuilt by an attacker who has no key.
    from sameface.gallery.sqlite.record import pack, unpack

    (one,), (two,) = (
        connection.execute("SELECT record FROM vector WHERE template_id = ?", (n,)).fetchone() for n in (11, 12)
    )
    connection.execute("UPDATE vector SET record = ? WHERE template_id = 11", (pack(unpack(one)[0], unpack(two)[1]),))
    connection.commit()
    connection.close()
    with open_store(gallery, key=key) as store:
        assert [problem.person for problem in store.check().problems] == ["p10"]
        with pytest.raises(GalleryDamagedError):
            store.search(FACES[0])


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
