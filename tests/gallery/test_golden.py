"""The stored format, byte by byte: a gallery that was written once stays readable."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sameface.errors import GalleryDamagedError, GalleryKeyError, GalleryMismatchError, GalleryReadOnlyError
from sameface.gallery import TemplateStore, open_store
from sameface.gallery.sqlite.record import RESIDUE, pack, tombstone
from sameface.types import Box, Consent, Retention
from tests.gallery.worlds import SPACE, template
from tests.left_out import lacking
from tests.privileges import permissions_hold

#: Ada with her templates, Zoë with one, and somebody who was forgotten, by each schema. To be added to, never changed.
GOLDEN = Path(__file__).parent / "golden"
KEY = "07" * 32


@pytest.fixture(
    params=[
        "schema-1",
        "schema-1-sealed",
        "schema-2",
        "schema-2-sealed",
        "schema-3",
        "schema-3-sealed",
        "schema-3-names",
    ]
)
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.db"
    shutil.copy(GOLDEN / path.name, path)
    return path


def opened(path: Path) -> TemplateStore:
    return open_store(path, key=None if "-" not in path.stem[7:] else KEY)


def is_as_written(store: TemplateStore) -> None:
    assert store.space == SPACE
    ada, zoe = store.people()
    assert (ada.name, dict(ada.details), ada.groups) == ("Ada", {"team": "engines"}, ("staff",))
    assert (zoe.name, zoe.photos, dict(zoe.details), zoe.groups) == ("Zoë 👩‍🚀", 1, {}, ())
    first, second = (item.template for item in store.templates_of(ada)[:2])
    assert first.embedding.tolist() == [1.0, 0.0, 0.0, 0.5]
    assert (first.source, first.source_sha256, first.box, first.quality) == (
        "ada.jpg",
        "ab" * 32,
        Box(1, 2, 30.5, 40),
        0.75,
    )
    assert second.embedding.tolist() == [0.0, 1.0, 0.0, -0.25]
    assert [c.name for c in store.search([0, 0, 1, 0], 2)[0]] == [zoe.name, "Ada"]
    report = store.check()
    assert report.ok, report.problems
    assert {entry.action for entry in list(reversed(store.audit()))[:3]} <= {"add", "import"}


def test_terms_and_dates_of_schema_3(tmp_path: Path) -> None:
    for name in ("schema-3", "schema-3-sealed", "schema-3-names"):
        path = tmp_path / f"{name}.db"
        shutil.copy(GOLDEN / path.name, path)
        with opened(path) as store:
            ada, zoe = store.people()
            assert ada.consent == Consent(
                "the front door", "2026-11-20T00:00:00+00:00", "2096-11-21T00:00:00+00:00", "form 12"
            )
            assert (ada.keep_until, ada.hold) == ("2095-01-01T00:00:00+00:00", "case 7")
            assert ada.expires == "2095-01-01T00:00:00+00:00"
            assert (zoe.consent, zoe.keep_until, zoe.hold) == (None, "", "")
            assert (
                zoe.expires == "2126-11-02T00:00:00+00:00"
            )  # 36,525 days after the 1st of November 2026, counted by `date`
            assert store.retention() == {"": Retention(days=36_525)}
            assert store.templates_of(zoe)[0].template.added == "2026-11-02T10:00:00+00:00"
            assert store.check().ok


def test_names_are_in_no_byte_of_a_gallery_that_seals_them(tmp_path: Path) -> None:
    raw = (GOLDEN / "schema-3-names.db").read_bytes()
    for text in ("Ada", "Zoë", "engines", "ada.jpg", "front door", "form 12", "case 7"):
        assert text.encode() not in raw
        assert text.encode() in (GOLDEN / "schema-3-sealed.db").read_bytes()


def test_a_gallery_of_every_schema_opens_and_answers(golden: Path) -> None:
    with opened(golden) as store:
        is_as_written(store)
        assert "forget" in [entry.action for entry in store.audit()]
        store.add("Grace", [template(np.ones(4, np.float32))])
        assert (len(store), store.check().ok, store.stats().settings["schema"]) == (3, True, "3")
    with opened(golden) as store:
        assert len(store) == 3


def test_what_is_merged_and_forgotten_in_a_lifted_gallery_is_gone(golden: Path) -> None:
    with opened(golden) as store:
        if store.person("Ada").hold:
            store.lift_hold("Ada")
        store.merge("Zoë 👩‍🚀", "Ada")
        assert store.check().ok
        store.forget("Zoë 👩‍🚀")
        assert (len(store), store.check().ok) == (0, True)
    raw = b"".join(file.read_bytes() for file in golden.parent.iterdir())
    assert "Zoë".encode() not in raw
    assert b"ada.jpg" not in raw


@pytest.fixture
def read_only(golden: Path) -> Iterator[Path]:
    """The gallery on a disk that may only be read."""
    folder = str(golden.parent)
    for command in (["mount", "--bind", folder, folder], ["mount", "-o", "remount,bind,ro", folder]):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            lacking("the right to mount a disk", "run them as root")
    yield golden
    subprocess.run(["umount", folder], capture_output=True, check=True)


def test_a_gallery_of_every_schema_on_a_disk_that_may_only_be_read(read_only: Path) -> None:
    before = read_only.read_bytes()
    with opened(read_only) as store:
        is_as_written(store)
        assert len(list(store.export())) == 2
        with pytest.raises(GalleryReadOnlyError):
            store.forget("Zoë 👩‍🚀")
        is_as_written(store)
    assert read_only.read_bytes() == before


def test_a_lifted_copy_is_not_read_past_a_change(golden: Path) -> None:
    """Of a gallery of an older schema that may not be written a copy is read; whoever was forgotten since is in it still."""
    folder = golden.parent

    def allow(file: int, inside: int) -> None:
        for each in folder.iterdir():
            each.chmod(file)
        folder.chmod(inside)

    allow(0o444, 0o555)
    try:
        with permissions_hold(), opened(golden) as reader:
            is_as_written(reader)
            older = reader._reader.execute("PRAGMA database_list").fetchone()[2] == ""  # type: ignore[attr-defined]
            assert older or reader.stats().settings["schema"] == "3"
            allow(0o600, 0o755)
            with opened(golden) as writer:
                writer.forget("Zoë 👩‍🚀")
            if older:
                with pytest.raises(GalleryMismatchError, match="Open the gallery again"):
                    reader.people()
            else:
                assert "Zoë 👩‍🚀" not in reader
    finally:
        allow(0o600, 0o755)


def test_lifting_heals_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "schema-1.db"
    shutil.copy(GOLDEN / "schema-1.db", path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE person SET name = 'Eve' WHERE name = 'Ada'")
    connection.commit()
    connection.close()
    with open_store(path) as store:
        assert [problem.person for problem in store.check().problems] == ["Eve"]
        with pytest.raises(GalleryDamagedError):
            store.people()


def test_lifting_cleans_names_that_look_like_others(tmp_path: Path) -> None:
    path = tmp_path / "schema-1.db"
    shutil.copy(GOLDEN / "schema-1.db", path)
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT person_key, person_id, details FROM person").fetchall()
    for (key, person_id, details), name in zip(rows, ("Bo\u200b", "Bo"), strict=True):
        connection.execute(
            "UPDATE person SET name = ?, crc = ? WHERE person_key = ?",
            (name, zlib.crc32(b"\xff".join((person_id, name.encode(), details.encode()))), key),
        )
    connection.execute(
        "INSERT INTO person VALUES (9, ?, ' Eve', '{}', '', ?)", (bytes(16), zlib.crc32(bytes(16) + b"\xff Eve\xff{}"))
    )
    connection.commit()
    connection.close()
    with open_store(path) as store:
        assert [person.name for person in store.people()] == ["Bo\u200b", "Bo", "Eve"]
        assert store.check().ok
        assert "Eve" in store


def test_a_sealed_gallery_is_not_lifted_without_its_key(tmp_path: Path) -> None:
    path = tmp_path / "schema-1-sealed.db"
    shutil.copy(GOLDEN / path.name, path)
    for key in (None, "08" * 32):
        with pytest.raises(GalleryKeyError):
            open_store(path, key=key)
    assert path.read_bytes() == (GOLDEN / path.name).read_bytes()


def test_a_record_by_hand() -> None:
    vector = np.array([1.0, -2.0], "<f4")
    body = (258).to_bytes(8, "little") + bytes.fromhex("0000803f000000c0")
    assert pack(258, vector.tobytes()) == body + zlib.crc32(body).to_bytes(4, "little")
    assert zlib.crc32(pack(258, vector.tobytes())) == RESIDUE
    assert tombstone(20)[:8] == b"\xff" * 8
    assert tombstone(20)[8:16] == bytes(8)
