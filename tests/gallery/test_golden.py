"""The stored format, byte by byte: a gallery that was written once stays readable."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import numpy as np

from sameface.gallery import open_store
from sameface.gallery.sqlite.record import RESIDUE, pack, tombstone
from sameface.types import Box
from tests.gallery.worlds import SPACE

#: Written by schema 1: Ada with two templates, Zoë with one, and somebody who was forgotten. To be added to, never changed.
GOLDEN = Path(__file__).parent / "golden" / "schema-1.db"


def test_a_gallery_of_schema_1_opens_and_answers(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    shutil.copy(GOLDEN, path)
    with open_store(path) as store:
        assert store.space == SPACE
        assert [(person.name, person.photos, dict(person.details), person.groups) for person in store.people()] == [
            ("Ada", 2, {"team": "engines"}, ("staff",)),
            ("Zoë 👩‍🚀", 1, {}, ()),
        ]
        ada, zoe = store.people()
        first, second = (item.template for item in store.templates_of(ada.person_id))
        assert first.embedding.tolist() == [1.0, 0.0, 0.0, 0.5]
        assert (first.source, first.source_sha256, first.box, first.quality) == (
            "ada.jpg",
            "ab" * 32,
            Box(1, 2, 30.5, 40),
            0.75,
        )
        assert second.embedding.tolist() == [0.0, 1.0, 0.0, -0.25]
        assert [c.name for c in store.search([0, 0, 1, 0], 2)[0]] == [zoe.name, "Ada"]
        assert store.check().ok
        assert [entry.action for entry in store.audit()] == ["forget", "add", "add", "add"]
        store.add("Grace", [first])
        assert len(store) == 3


def test_a_record_by_hand() -> None:
    vector = np.array([1.0, -2.0], "<f4")
    body = (258).to_bytes(8, "little") + bytes.fromhex("0000803f000000c0")
    assert pack(258, vector.tobytes()) == body + zlib.crc32(body).to_bytes(4, "little")
    assert zlib.crc32(pack(258, vector.tobytes())) == RESIDUE
    assert tombstone(20)[:8] == b"\xff" * 8
    assert tombstone(20)[8:16] == bytes(8)
