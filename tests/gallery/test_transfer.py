"""Galleries on the move lose no bit: between backends, to a file and back."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from sameface.errors import (
    GalleryDamagedError,
    GalleryMismatchError,
    GalleryMissingError,
    NotAGalleryError,
    PersonExistsError,
)
from sameface.gallery import NewPerson, TemplateStore, open_store
from sameface.gallery.transfer import Exported, copy_gallery, export_file, import_file
from sameface.types import Box, Consent, Retention
from tests.gallery.postgres_server import Server
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, template, vectors

#: Written by the first version of `export_file`; to be added to, never changed.
GOLDEN = Path(__file__).parent / "golden" / "export-1.npz"


def everything(store: TemplateStore) -> list[object]:
    return [
        (
            person,
            [
                (t.embedding.tobytes(), t.source, t.source_sha256, t.box, t.quality)
                for t in (item.template for item in items)
            ],
        )
        for person, items in store.export()
    ]


def fill(store: TemplateStore) -> None:
    awkward = np.array([1e-40, -0.0, 1 / 3, 3.4e38, -1.5, 0, 2**-126, 7], np.float32)
    store.add(
        "Ada / 👩‍🚀",
        [template(awkward, source="día.jpg", source_sha256="ab" * 32, box=Box(0.1, 2, 3, 1e9), quality=0.3)],
        details={"a": "é"},
    )
    for number, vector in enumerate(vectors(50, seed=1)):
        store.add(f"p{number % 20}", [template(vector)], groups=["g"] if number % 3 else [])
    store.forget("p7")


def test_a_copy_to_a_server_and_back_loses_no_bit(tmp_path: Path, server: Server) -> None:
    with (
        open_store(tmp_path / "a.db", space=SPACE, dimension=DIMENSION) as first,
        open_store(server.new_schema(), space=SPACE, dimension=DIMENSION) as second,
        open_store(tmp_path / "b.db", space=SPACE, dimension=DIMENSION) as third,
    ):
        fill(first)
        seen: list[int] = []
        assert copy_gallery(first, second, seen.append) == first.count()
        assert seen == list(range(1, len(first) + 1))
        copy_gallery(second, third)
        assert everything(first) == everything(second) == everything(third)
        assert third.check().ok
        probes = vectors(5, seed=2)
        assert first.search(probes, 5) == third.search(probes, 5)
        with pytest.raises(PersonExistsError):
            copy_gallery(first, third)


def test_a_copy_to_another_encoder_is_refused(tmp_path: Path) -> None:
    with (
        open_store(tmp_path / "a.db", space=SPACE, dimension=4) as first,
        open_store(tmp_path / "b.db", space=OTHER, dimension=4) as second,
        pytest.raises(GalleryMismatchError),
    ):
        copy_gallery(first, second)


def test_a_file_and_back(tmp_path: Path) -> None:
    path = tmp_path / "people.npz"
    with (
        open_store(tmp_path / "a.db", space=SPACE, dimension=DIMENSION) as first,
        open_store(tmp_path / "b.db", space=SPACE, dimension=DIMENSION) as second,
    ):
        fill(first)
        assert export_file(first, path, card='{"id": "x"}') == first.count()
        assert import_file(path, second) == first.count()
        assert everything(first) == everything(second)
    exported = Exported(path)
    assert (exported.space, exported.dimension, exported.card, len(exported)) == (SPACE, DIMENSION, '{"id": "x"}', 20)
    assert path.stat().st_mode & 0o777 == 0o600
    with np.load(path, allow_pickle=False) as arrays:  # what a reader without this program sees
        about = json.loads(arrays["about"].tobytes())
        assert arrays["embeddings"].dtype == np.float32
        assert about["people"][0]["name"] == "Ada / 👩‍🚀"


def with_terms(path: Path) -> TemplateStore:
    store = open_store(path, space=SPACE, dimension=DIMENSION)
    faces = vectors(3)
    store.add("Ada", [template(faces[0], added="2026-11-02T10:00:00+00:00")], groups=["guests"])
    store.update("Ada", consent=Consent("the door", "2026-11-01", "2096-01-01", "form 12"), keep_until="2095-01-01")
    store.hold("Ada", "case 7")
    store.add_many([NewPerson("Bob", [template(faces[1])], groups=["guests"], created="2026-11-01T00:00:00+00:00")])
    store.set_retention(Retention(days=10_000), group="guests")
    return store


@pytest.mark.parametrize("way", ["copy", "file"])
def test_terms_go_along(tmp_path: Path, way: str) -> None:
    def over(source: TemplateStore, target: TemplateStore) -> None:
        if way == "copy":
            copy_gallery(source, target)
        else:
            export_file(source, tmp_path / "people.npz")
            import_file(tmp_path / "people.npz", target)
            (tmp_path / "people.npz").unlink()

    with (
        with_terms(tmp_path / "a.db") as first,
        open_store(tmp_path / "b.db", space=SPACE, dimension=DIMENSION) as empty,
        open_store(tmp_path / "c.db", space=SPACE, dimension=DIMENSION) as used,
    ):
        over(first, empty)
        assert empty.people() == first.people()
        assert empty.retention() == first.retention()
        assert empty.templates_of("Ada")[0].template.added == "2026-11-02T10:00:00+00:00"
        used.add("Cy", [template(vectors(4)[3])])
        over(first, used)
        assert used.retention() == {}
        # Nobody is kept longer than where they come from: Bob until 10,000 days after his enrolment.
        assert [person.expires for person in used.people()][1:] == [person.expires for person in first.people()]
        assert used.person("Bob").keep_until == "2054-03-19T00:00:00+00:00"


def test_an_empty_gallery_and_another_encoder(tmp_path: Path) -> None:
    path = tmp_path / "people.npz"
    with open_store(tmp_path / "a.db", space=SPACE, dimension=DIMENSION) as store:
        assert export_file(store, path) == 0
        assert import_file(path, store) == 0
    with open_store(tmp_path / "b.db", space=OTHER, dimension=DIMENSION) as store, pytest.raises(GalleryMismatchError):
        import_file(path, store)


def test_files_that_are_no_export(tmp_path: Path) -> None:
    path = tmp_path / "people.npz"
    with pytest.raises(GalleryMissingError):
        Exported(path)
    for content in (b"", b"hello", b"PK\x03\x04broken"):
        path.write_bytes(content)
        with pytest.raises((NotAGalleryError, GalleryDamagedError)):
            Exported(path)
    np.savez(path, embeddings=np.zeros((1, 2)), about=np.array([{"pickled": True}], dtype=object))
    with pytest.raises(NotAGalleryError):
        Exported(path)


def test_a_damaged_export_is_found(tmp_path: Path) -> None:
    path = tmp_path / "people.npz"
    with open_store(tmp_path / "a.db", space=SPACE, dimension=DIMENSION) as store:
        fill(store)
        export_file(store, path)
    whole = path.read_bytes()
    with np.load(path) as arrays:
        vector = arrays["embeddings"][7].tobytes()
    raw = bytearray(whole)
    raw[raw.index(vector)] ^= 1
    for damaged in (bytes(raw), whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(damaged)
        with pytest.raises((GalleryDamagedError, NotAGalleryError)):
            Exported(path)


def test_an_export_of_format_2_is_read(tmp_path: Path) -> None:
    path = GOLDEN.with_name("export-2.npz")
    with open_store(tmp_path / "new.db", space=SPACE, dimension=4) as store:
        assert import_file(path, store) == 3
        ada, zoe = store.people()
        assert ada.consent == Consent(
            "the front door", "2026-11-20T00:00:00+00:00", "2096-11-21T00:00:00+00:00", "form 12"
        )
        assert (ada.keep_until, ada.hold) == ("2095-01-01T00:00:00+00:00", "case 7")
        assert zoe.expires == "2126-11-02T00:00:00+00:00"
        assert store.retention() == {"": Retention(days=36_525)}
        assert store.templates_of(zoe)[0].template.added == "2026-11-02T10:00:00+00:00"


def test_an_export_of_format_1_is_read(tmp_path: Path) -> None:
    with open_store(tmp_path / "a.db", space=SPACE, dimension=4) as store:
        assert import_file(GOLDEN, store) == 3
        ada, zoe = store.people()
        assert (ada.name, dict(ada.details), ada.groups, zoe.name) == (
            "Ada",
            {"team": "engines"},
            ("staff",),
            "Zoë 👩‍🚀",
        )
        first, second = (item.template for item in store.templates_of(ada))
        assert first.embedding.tolist() == [1.0, 0.0, 0.0, 0.5]
        assert (first.source, first.source_sha256, first.box, first.quality) == (
            "ada.jpg",
            "ab" * 32,
            Box(1, 2, 30.5, 40),
            0.75,
        )
        assert (second.source, second.box, second.quality) == ("", None, None)
    assert Exported(GOLDEN).card == '{"id": "test-encoder"}'


def test_an_export_holds_a_few_people_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "people.npz"
    with open_store(tmp_path / "a.db", space=SPACE, dimension=512) as store:
        store.add_many(NewPerson(f"p{i}", [template(face)]) for i, face in enumerate(vectors(8000, 512)))
        size = 8000 * 512 * 4
        tracemalloc.start()
        try:
            export_file(store, path)
            assert tracemalloc.get_traced_memory()[1] < size / 4
            tracemalloc.reset_peak()
            exported = Exported(path)
            assert sum(1 for _ in exported.people()) == 8000
            assert tracemalloc.get_traced_memory()[1] < size
        finally:
            tracemalloc.stop()
    assert path.stat().st_size > size


def test_a_failed_export_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out" / "people.npz"
    path.parent.mkdir()
    path.write_bytes(b"before")
    with open_store(tmp_path / "a.db", space=SPACE, dimension=DIMENSION) as store:
        fill(store)

        def stop(done: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            export_file(store, path, progress=stop)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == {"people.npz": b"before"}
