"""What `check` finds: any row that is not as it was written, wherever the damage is and whoever did it."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest

from sameface.errors import GalleryError
from sameface.gallery import NewPerson, new_key, open_store
from sameface.types import Box
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors

#: How many flipped bytes; 6,000 for a thorough look.
FLIPS = int(os.environ.get("SAMEFACE_FLIPS", "250"))
FACES = vectors(60, seed=31)


@pytest.fixture(params=[None, "key"])
def key(request: pytest.FixtureRequest) -> str | None:
    return request.param and new_key()


@pytest.fixture
def gallery(tmp_path: Path, key: str | None) -> Path:
    """A closed gallery in which everything occurs."""
    path = tmp_path / "people.db"
    with open_store(path, space=SPACE, dimension=DIMENSION, key=key) as store:
        store.add_many(
            NewPerson(
                f"p{i}",
                [template(v, source=f"/photos/{i}.jpg", source_sha256="ab" * 32, box=Box(1, 2, 3, 4), quality=0.5)],
                {"team": f"t{i % 3}"},
                ["staff", f"g{i % 4}"],
            )
            for i, v in enumerate(FACES)
        )
        store.forget("p3")
        store.merge("p5", "p6")
        store.update("p7", name="q7")
        store.update("p8", groups=["staff"])
        store.drop_template(store.templates_of("p9")[0].template_id)
    return path


def everything(path: Path) -> list[str]:
    """All rows of all tables, as SQL."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_no_flipped_byte_that_changes_a_row_is_called_well(gallery: Path, key: str | None, tmp_path: Path) -> None:
    whole, rng = gallery.read_bytes(), random.Random(5)
    before, found = everything(gallery), 0
    copy = tmp_path / "copy.db"
    for _ in range(FLIPS):
        raw, place = bytearray(whole), rng.randrange(100, len(whole))
        raw[place] ^= rng.randrange(1, 256)
        copy.write_bytes(raw)
        try:
            with open_store(copy, key=key) as store:
                well = store.check().ok
        except GalleryError:
            well = False
        for rest in ("-wal", "-shm"):
            copy.with_name(copy.name + rest).unlink(missing_ok=True)
        if well:
            assert everything(copy) == before, f"byte {place}"
        else:
            found += 1
    assert found > FLIPS / 10


CHANGES = {
    "a name": "UPDATE person SET name = 'other' WHERE person_key = 2",
    "when somebody was enrolled": "UPDATE person SET created = '1999-01-01T00:00:00+00:00' WHERE person_key = 2",
    "a group": "UPDATE membership SET group_name = 'boss' WHERE person_key = 2 AND group_name = 'staff'",
    "a group more": "INSERT INTO membership VALUES ('boss', 2)",
    "a group less": "DELETE FROM membership WHERE person_key = 2 AND group_name = 'staff'",
    "a group of nobody": "INSERT INTO membership VALUES ('boss', 999)",
    "a source": "UPDATE template SET source = '/else' WHERE template_id = 2",
    "a digest": f"UPDATE template SET source_sha256 = '{'cd' * 32}' WHERE template_id = 2",
    "a box": "UPDATE template SET box = NULL WHERE template_id = 2",
    "a quality": "UPDATE template SET quality = 0.75 WHERE template_id = 2",
    "an owner": "UPDATE template SET person_key = 1 WHERE template_id = 2",
    "a template less": "DELETE FROM vector WHERE template_id = 2",
    "a person less": "DELETE FROM person WHERE person_key = 2",
    "a setting": "UPDATE gallery SET value = '2000-01-01T00:00:00+00:00' WHERE key = 'created'",
    "what caches are told": "UPDATE change SET person_key = 1 WHERE seq = 2",
    "a definition": "CREATE TABLE more (x)",
    "a trigger": "DROP TRIGGER audit_is_kept",
    "a number": "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'vector'",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_past_the_program_is_found(gallery: Path, key: str | None, what: str) -> None:
    _past_the_program(gallery, CHANGES[what])
    try:
        with open_store(gallery, key=key) as store:
            assert not store.check().ok
    except GalleryError:
        assert what == "a setting"


AUDIT_CHANGES = {
    "changed": "UPDATE audit SET action = 'add' WHERE seq = 2",
    "dated back": "UPDATE audit SET at = '1999-01-01T00:00:00+00:00' WHERE seq = 3",
    "taken out": "DELETE FROM audit WHERE seq = 2",
    "cut off": "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
    "put in": "INSERT INTO audit SELECT 100, at, action, person_id, templates, link FROM audit WHERE seq = 2",
}


@pytest.mark.parametrize("what", AUDIT_CHANGES)
def test_the_audit_log_is_only_added_to(gallery: Path, key: str | None, what: str) -> None:
    if what != "put in":
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            _past_the_program(gallery, AUDIT_CHANGES[what])
    triggers = [text for text in everything(gallery) if text.startswith("CREATE TRIGGER")]
    _past_the_program(
        gallery, "DROP TRIGGER audit_is_kept", "DROP TRIGGER audit_is_not_changed", AUDIT_CHANGES[what], *triggers
    )
    with open_store(gallery, key=key) as store:
        problems = [problem.what for problem in store.check().problems]
    assert problems
    assert all("audit" in problem for problem in problems)


def _past_the_program(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()
