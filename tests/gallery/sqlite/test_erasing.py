"""Erasing while somebody reads an older state: said, and finished as soon as it can be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sameface.gallery import NewPerson, TemplateStore, open_store
from sameface.gallery.sqlite import erasing
from tests.forked import python
from tests.gallery.worlds import SPACE, template, vectors

ROOT = Path(__file__).parents[3]
FACES = vectors(200, 64, seed=40)
GONE = FACES[7].tobytes()


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    path = tmp_path / "people.db"
    with opened(path) as store:
        store.add_many(NewPerson(f"p{i}", [template(v)]) for i, v in enumerate(FACES))
    return path


def opened(path: Path, patience: float = 10.0) -> TemplateStore:
    return open_store(path, space=SPACE, dimension=64, patience=patience)


@pytest.fixture
def long_reader(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """Another program in the middle of reading, for longer than anybody waits."""
    monkeypatch.setattr(erasing, "_WAIT", 50)
    connection = sqlite3.connect(gallery, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM person").fetchone()
    yield connection
    connection.close()


def on_disk(path: Path) -> bool:
    return any(GONE in file.read_bytes() for file in path.parent.iterdir())


def test_without_a_reader_nothing_is_pending(gallery: Path) -> None:
    with opened(gallery) as store:
        assert store.forget("p7").pending == ()
        assert not on_disk(gallery)


def test_a_long_reader_makes_it_pending_and_nobody_is_named(gallery: Path, long_reader: sqlite3.Connection) -> None:
    with opened(gallery) as store:
        erased = store.forget("p7")
        assert (erased.templates, erased.pending) == (1, ("gallery file",))
        assert "p7" not in store
        assert store.search(FACES[7])[0][0].name != "p7"
        assert store.check().ok


@pytest.mark.parametrize("by", ["a write", "closing", "opening", "another process"])
def test_it_is_finished_when_the_reader_is_done(gallery: Path, long_reader: sqlite3.Connection, by: str) -> None:
    with ExitStack() as held:
        store, other = (held.enter_context(opened(gallery)) for _ in range(2))  # the other keeps SQLite from tidying up
        assert store.forget("p7").pending
        assert store.add("more", [template(FACES[9])]).photos == 1
        assert on_disk(gallery)  # still read
        long_reader.execute("COMMIT")
        assert on_disk(gallery)
        if by == "a write":
            store.update("more", name="less")
        elif by == "closing":
            store.close()
        elif by == "opening":
            held.enter_context(opened(gallery))
        else:
            program = f"from sameface.gallery import open_store\nprint(len(open_store({str(gallery)!r})))"
            assert python(program).communicate() == ("200\n", "")
        assert not on_disk(gallery)
        assert other.check().ok


def test_an_export_erases_after_itself(gallery: Path) -> None:
    with opened(gallery) as store, opened(gallery) as other:
        export = other.export()
        next(export)
        assert store.forget("p7").pending
        assert sum(1 for _ in export) == len(FACES) - 1  # of the moment at which it began
        assert not on_disk(gallery)
        assert store.forget("p8").pending == ()


def test_an_export_within_a_change_waits_for_nobody(gallery: Path) -> None:
    with opened(gallery) as store:
        export = store.export()
        first = next(export)[1][0]
        assert store.forget("p7").pending
        ids = [
            (first.template_id, FACES[0]),
            *((item.template_id, item.template.embedding) for _, own in export for item in own),
        ]
        export = store.export()
        vectors_of = ((item.template_id, item.template.embedding) for _, own in export for item in own)
        assert store.reembed(SPACE, 64, vectors_of) == len(ids) - 1
        assert not on_disk(gallery)


def test_compacting_while_somebody_reads_is_finished_later(gallery: Path, long_reader: sqlite3.Connection) -> None:
    with opened(gallery, patience=0.5) as store, opened(gallery) as other:
        store.forget("p7")
        store.compact()
        long_reader.execute("COMMIT")
        other.update("p8", groups=["a"])
        assert not on_disk(gallery)
        assert other.check().ok
