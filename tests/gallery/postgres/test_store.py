"""What only a server does: it restarts, refuses passwords, has an approximate index, and is shared by many."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import NoneType

import psycopg
import pytest

from sameface.errors import (
    GalleryDamagedError,
    GalleryKeyError,
    GalleryMismatchError,
    GalleryMissingError,
    GallerySchemaError,
    GalleryUnavailableError,
    PersonExistsError,
    PersonNotFoundError,
    SettingError,
)
from sameface.gallery import IndexBuild, NewPerson, Place, Tuning, erase_gallery, open_store, read_space
from sameface.gallery.postgres import hnsw
from sameface.gallery.postgres.address import Address
from sameface.gallery.postgres.store import PostgresStore
from tests.gallery.postgres_server import Server
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, template, vectors

A, B, C = vectors(3)


def opened(location: str, **rest: object) -> PostgresStore:
    store = open_store(location, space=SPACE, dimension=DIMENSION, **rest)  # type: ignore[arg-type]
    assert isinstance(store, PostgresStore)
    return store


@pytest.fixture
def location(server: Server) -> str:
    return server.new_schema()


def test_a_lost_connection_is_tried_once_more(location: str, own_server: Server) -> None:
    with opened(location) as store, psycopg.connect(own_server.address(), autocommit=True) as other:
        store.add("Ada", [template(A)])
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        other.execute(kill)
        assert store.search(A)[0][0].name == "Ada"
        other.execute(kill)
        store.add("Grace", [template(B)])
        assert [person.name for person in store.people()] == ["Ada", "Grace"]


def test_a_write_whose_answer_was_lost_is_done_once(location: str) -> None:
    with opened(location) as store:
        connections = store._connections
        calls: list[int] = []

        def work(connection: psycopg.Connection) -> int:  # type: ignore[type-arg]
            calls.append(connection.execute("SELECT count(*) FROM sameface_audit").fetchone()[0])  # type: ignore[index]
            connection.execute("INSERT INTO sameface_audit (at, action, templates) VALUES ('now', 'x', 0)")
            if len(calls) == 1:
                connection.commit()  # the server has it, but this process will not hear of it
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return len(calls)

        with pytest.raises(IndexError):  # there was no result to give back, and nothing was done twice
            connections.write(work)
        assert calls == [0]
        assert len(store.audit()) == 1


def test_a_server_that_went_away_and_came_back(location: str, own_server: Server) -> None:
    server = own_server
    with opened(location, patience=1.0) as store:
        store.add("Ada", [template(A)])
        server.stop()
        try:
            for call in (
                lambda: store.search(A),
                lambda: store.add("Grace", [template(B)]),
                lambda: opened(location, patience=1.0),
            ):
                with pytest.raises(GalleryUnavailableError) as caught:
                    call()
                assert server.password not in str(caught.value)
        finally:
            server.start()
        assert store.search(A)[0][0].name == "Ada"
        server.stop(signal.SIGQUIT)  # a crash this time
        server.start()
        store.add("Grace", [template(B)])
        assert len(store) == 2


def test_a_wrong_password_is_refused_and_no_password_is_ever_shown(
    server: Server, location: str, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "secret-but-wrong"
    with pytest.raises(GalleryKeyError, match="faces") as caught:
        open_store(server.address(password=wrong))
    with opened(location) as store:
        shown = [
            str(caught.value),
            repr(caught.value),
            store.location,
            repr(store.stats()),
            repr(Address(location)),
            caplog.text,
        ]
    assert not [text for text in shown if wrong in text or server.password in text or "p%40ss" in text]
    with pytest.raises(SettingError) as malformed:
        Address("postgresql://faces:hush@host:notaport:1/x?=")
    assert "hush" not in str(malformed.value)


def test_nothing_there_another_encoder_and_a_newer_schema(server: Server, location: str) -> None:
    for call in (lambda: open_store(location), lambda: opened(location, create=False), lambda: read_space(location)):
        with pytest.raises(GalleryMissingError):
            call()
    with opened(location) as store:
        assert read_space(location) == SPACE
        with pytest.raises(GalleryMismatchError, match=r"other-encoder.*test-encoder"):
            open_store(location, space=OTHER, dimension=DIMENSION)
        store._connections.maintain("UPDATE sameface_gallery SET value = '99' WHERE key = 'schema'")
    with pytest.raises(GallerySchemaError, match="99"):
        open_store(location)
    with pytest.raises(SettingError, match="16000"):
        open_store(server.new_schema(), space=SPACE, dimension=76_800)


def test_a_changed_vector_is_found_and_named(location: str) -> None:
    with opened(location) as store:
        store.add_many(NewPerson(f"p{i}", [template(v)]) for i, v in enumerate(vectors(20)))
        store._connections.maintain(
            "UPDATE sameface_template SET embedding = '[1,2,3,4,5,6,7,8]' WHERE person_id = (SELECT person_id FROM sameface_name WHERE name = 'p7')"
        )
        (problem,) = store.check().problems
        assert problem.person == "p7"
        with pytest.raises(GalleryDamagedError, match="p7"):
            store.search([1, 2, 3, 4, 5, 6, 7, 8])
        with pytest.raises(GalleryDamagedError, match="p7"):
            list(store.export())


def test_ten_writers_at_once_and_one_name_for_two(location: str) -> None:
    with opened(location) as store:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: store.add(f"p{i % 12}", [template(vectors(1, seed=i)[0])]), range(60)))
        assert (len(store), store.count()) == (12, 60)
        assert all(person.photos == 5 for person in store.people())
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda i: _try_new(store, i), range(16)))
        assert outcomes.count(True) == 1
        assert store.check().ok


def test_changes_that_cross_leave_nothing_behind_that_is_nobodys(location: str) -> None:
    with opened(location, patience=60.0) as one, opened(location, patience=60.0) as two:
        for number in range(40):
            store = (one, two)[number % 2]
            for name in ("a", "b"):
                store.add(name, [template(vectors(1, seed=number)[0])])
            changes = [
                lambda: one.add("a", [template(A)]),
                lambda: two.forget("a"),
                lambda: one.merge("a", "b"),
                lambda: two.merge("b", "a"),
                lambda: one.update("b", name="a"),
                lambda: two.update("a", name="b"),
                lambda: one.admit("b", [template(B)], lambda sight: [0]),
            ]
            with ThreadPoolExecutor(len(changes)) as pool:
                for done in [pool.submit(change) for change in changes[number % 3 :]]:
                    assert isinstance(done.exception(), NoneType | PersonNotFoundError | PersonExistsError)
            report = one.check()
            assert report.ok, report.problems


def _try_new(store: PostgresStore, number: int) -> bool:
    try:
        store.add("only one", [template(vectors(1, seed=number)[0])], if_exists="refuse")
    except PersonExistsError:
        return False
    return True


def test_an_index_follows_the_record(location: str) -> None:
    world = {f"p{i}": list(vectors(1, seed=i)) for i in range(100)}
    with opened(location) as store:
        store.add_many(NewPerson(name, [template(v) for v in own]) for name, own in world.items())
        store.tune_search(0.9)
        # The record is float32 whatever the index holds.
        assert store.templates_of("p5")[0].template.embedding.tobytes() == world["p5"][0].tobytes()
        store.forget("p5")
        assert "p5" not in [c.name for c in store.search(world["p5"][0], 5)[0]]
        store.reindex()
        with opened(location) as again:
            assert "HNSW" in again.stats().settings["search"]


def test_an_erased_gallery_leaves_no_table(location: str, server: Server) -> None:
    place = Place(server.address().split("&options=")[0])
    for where in (location, place.make_room("team-2")):
        with opened(str(where)) as store:
            store.add("Ada", [template(A)])
            erase_gallery(where)
            with pytest.raises(GalleryMissingError):
                store.search(A)
        with pytest.raises(GalleryMissingError):
            erase_gallery(where)
    with psycopg.connect(server.address()) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relname LIKE 'sameface%%' AND (n.nspname = 'sameface_team-2' OR n.nspname = %s)",
            (location.rsplit("search_path%3D", 1)[1].split("%2C")[0],),
        ).fetchone()
        assert left == (0,)
    assert "team-2" not in place.names()
    with opened(location) as store:
        assert len(store) == 0


def test_no_driver_is_loaded_for_a_file(tmp_path: Path) -> None:
    import subprocess
    import sys

    program = "import sys, sameface.gallery; print(sorted(m for m in ('psycopg', 'pgvector', 'cryptography', 'onnxruntime') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


def test_a_server_that_goes_in_the_middle(location: str, own_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a bulk load, of an index build, of a search: said, nothing half-written, and the rest goes on when it is back."""
    server = own_server

    def people() -> Iterator[NewPerson]:
        for number, vector in enumerate(vectors(6000)):
            if number == 4500:
                server.stop(signal.SIGQUIT)
            yield NewPerson(f"p{number}", [template(vector)])

    with opened(location, patience=1.0) as store:
        store.add("Ada", [template(A)])
        assert store.search(A)[0][0].name == "Ada"
        with pytest.raises(GalleryUnavailableError):
            store.add_many(people())
        with pytest.raises(GalleryUnavailableError):
            store.search(A)
        server.start()
        assert [person.name for person in store.people()] == ["Ada"]
        assert store.search(A)[0][0].name == "Ada"

        choose = hnsw.choose

        def gone(*arguments: object) -> Tuning:
            server.stop(signal.SIGQUIT)
            return choose(*arguments)  # type: ignore[arg-type]

        for concurrently in (False, True):
            with monkeypatch.context() as patched:
                patched.setattr(hnsw, "choose", gone)
                with pytest.raises(GalleryUnavailableError):
                    store.tune_search(0.9, IndexBuild(concurrently=concurrently))
            server.start()
            assert store.search(A)[0][0].name == "Ada"
            assert store.stats().settings["search"].startswith("exact")
        assert store.tune_search(0.9, IndexBuild(concurrently=True)).recall >= 0.9  # over what the killed one left
        store.tune_search(None)
        assert store.check().ok
