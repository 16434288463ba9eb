"""Exported files from anybody: whatever is in them, an error of ours or people who can be found, listed and forgotten."""

from __future__ import annotations

import json
import random
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sameface.errors import GalleryDamagedError, NotAGalleryError, SamefaceError
from sameface.gallery import TemplateStore, open_store
from sameface.gallery.transfer import Exported, export_file, import_file
from sameface.types import Box, PersonId
from tests.gallery.worlds import DIMENSION, SPACE, template, vectors

#: In place of every value of the JSON text, one at a time.
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    2**70,
    1e300,
    float("nan"),
    float("inf"),
    "",
    " ",
    "x" * 70_000,
    "a\0b",
    "\ud800",
    "Ada",
    "AB" * 16,
    "ab" * 16,
    "../../x",
    [],
    [[]],
    [1, 2, 3, 4],
    ["1", "2", "3", "4"],
    {},
    {"a": 1},
    {"": ""},
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    with open_store(folder / "a.db", space=SPACE, dimension=DIMENSION) as store:
        face = vectors(4)
        box = Box(1, 2, 3, 4)
        store.add(
            "Ada", [template(face[0], source="a.jpg", source_sha256="ab" * 32, box=box, quality=0.5), template(face[1])]
        )
        store.add("Grace", [template(face[2])], details={"team": "navy"}, groups=["staff"])
        export_file(store, folder / "people.npz", card="{}")
    return folder / "people.npz"


@pytest.fixture
def target(tmp_path: Path) -> Iterator[TemplateStore]:
    with open_store(tmp_path / "target.db", space=SPACE, dimension=DIMENSION) as store:
        yield store


def taken_in(path: Path, store: TemplateStore) -> str:
    """What became of a file; nothing else than an error of ours leaves, and whoever comes in can be told apart and forgotten."""
    try:
        import_file(path, store)
    except SamefaceError as error:
        outcome, said = type(error).__name__, str(error)
    else:
        outcome, said = "taken", ""
    if outcome != "taken":
        assert len(said) < 3000
        assert (len(store), store.count()) == (0, 0)
        return outcome
    assert store.check().ok
    for person in store.people():
        assert store.person(PersonId(person.person_id)) == person == store.person(person.name)
        store.templates_of(person)
        if person.hold:
            store.lift_hold(person)
        if person in store:  # else their time was over, and the hold alone kept them
            store.forget(PersonId(person.person_id))
    assert len(store) == 0
    return outcome


def about_of(path: Path) -> dict[str, Any]:
    with np.load(path) as arrays:
        return json.loads(arrays["about"].tobytes())  # type: ignore[no-any-return]


def with_about(whole: Path, text: bytes, path: Path) -> Path:
    with np.load(whole) as arrays:
        np.savez(path, embeddings=arrays["embeddings"], about=np.frombuffer(text, np.uint8))
    return path


def variants(value: Any) -> Iterator[Any]:
    """The value with one of its parts replaced, taken out or doubled, part by part."""
    if isinstance(value, dict):
        for key in value:
            without = deepcopy(value)
            del without[key]
            yield without
            for changed in variants(value[key]):
                yield {**deepcopy(value), key: changed}
        yield {**value, "unknown": 1}
    elif isinstance(value, list):
        if value:
            yield value[1:]
            yield [*value, value[0]]
        for place, item in enumerate(value):
            for changed in variants(item):
                yield [*value[:place], changed, *value[place + 1 :]]
    yield from ODD


def test_every_part_of_the_text_may_be_anything(whole: Path, target: TemplateStore, tmp_path: Path) -> None:
    outcomes: dict[str, int] = {}
    path = tmp_path / "odd.npz"
    for number, about in enumerate(variants(about_of(whole))):
        if number % 3:  # a third of some 900, each third the same way on every run
            continue
        outcome = taken_in(with_about(whole, json.dumps(about).encode(), path), target)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert outcomes.pop("taken") > 20
    assert sum(outcomes.values()) > 150


def test_every_byte_may_be_anything(whole: Path, target: TemplateStore, tmp_path: Path) -> None:
    rng, content, path = random.Random(0), whole.read_bytes(), tmp_path / "odd.npz"
    for _ in range(400):
        raw = bytearray(content)
        for _ in range(rng.choice([1, 1, 1, 4, 40])):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        if rng.random() < 0.2:
            del raw[rng.randrange(len(raw)) :]
        path.write_bytes(raw)
        taken_in(path, target)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"format": 1, "people": ' + b"[" * 100_000,
        b'{"format": 1, "format": 2}',
        b"\xff\xfe",
        b'{"format": ' + b"9" * 100_000 + b"}",
        b'{"format": 1e999}',
        b'"' + b"\\ud800" * 10 + b'"',
    ],
)
def test_texts_that_are_none(whole: Path, tmp_path: Path, text: bytes) -> None:
    with pytest.raises(SamefaceError):
        Exported(with_about(whole, text, tmp_path / "odd.npz"))


def test_two_megabytes_take_no_gigabytes(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    about = json.dumps(about_of(whole)).encode()
    bombs = []
    np.savez_compressed(path, embeddings=np.zeros((50_000, 1000), np.float32), about=np.frombuffer(about, np.uint8))
    bombs.append(path.read_bytes())
    for shape in ((10**9, DIMENSION), (3, 10**9), (2**62, 2**62)):
        with zipfile.ZipFile(path, "w") as archive:
            for name, kind, size in (("embeddings.npy", "<f4", shape), ("about.npy", "|u1", (10**12,))):
                with archive.open(name, "w") as file:
                    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": size})
        bombs.append(path.read_bytes())
    bombs.append(with_about(whole, about.replace(b"[", b"[" + b'{"format":1},' * 150_000, 1), path).read_bytes())
    for content in bombs:
        assert len(content) < 3_000_000
        path.write_bytes(content)
        tracemalloc.start()
        try:
            with pytest.raises((NotAGalleryError, GalleryDamagedError)):
                Exported(path)
            assert tracemalloc.get_traced_memory()[1] < 50_000_000
        finally:
            tracemalloc.stop()


def test_archives_of_other_shapes(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.npz"
    members = {name: zipfile.ZipFile(whole).read(name) for name in ("embeddings.npy", "about.npy")}
    for names in (["embeddings.npy"], ["about.npy"], ["embeddings.npy", "about.npy", "more.npy"], ["about.npy"] * 2):
        with (
            zipfile.ZipFile(path, "w") as archive,
            pytest.warns(UserWarning, match="Duplicate") if len(set(names)) < len(names) else nullcontext(),
        ):
            for name in names:
                archive.writestr(name, members.get(name, b""))
        with pytest.raises(NotAGalleryError):
            Exported(path)
    for kind in (">f4", "<f8", "<i4", "|O"):
        arrays = {
            "embeddings": np.zeros((3, DIMENSION)).astype(kind),
            "about": np.frombuffer(members["about.npy"][128:], np.uint8),
        }
        np.savez(path, **arrays)
        with pytest.raises(NotAGalleryError):
            Exported(path)


def test_a_folder_and_a_file_that_may_not_be_read(tmp_path: Path, whole: Path) -> None:
    with pytest.raises(SamefaceError):
        Exported(tmp_path)


def test_a_file_that_is_changed_while_it_is_read_stores_nobody(
    whole: Path, target: TemplateStore, tmp_path: Path
) -> None:
    path = tmp_path / "people.npz"
    path.write_bytes(whole.read_bytes())
    exported = Exported(path)
    raw = bytearray(whole.read_bytes())
    raw[raw.index(vectors(4)[1].tobytes()) + 1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(GalleryDamagedError):
        import_file(exported, target)
    assert len(target) == 0
