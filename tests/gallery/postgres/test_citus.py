"""What is said to Citus. It cannot be installed here: a stand-in of a few SQL functions writes down what it is told.

With ``SAMEFACE_TEST_POSTGRES`` of a real cluster the whole contract runs on spread tables, and these tests are left out.
"""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from sameface.errors import EmbeddingError, GalleryLockedError, GalleryMismatchError, SettingError
from sameface.gallery import NewPerson, distribute_gallery, open_store
from sameface.gallery.postgres import care
from sameface.gallery.postgres.store import PostgresStore
from sameface.gallery.store import CheckReport, GalleryProblem
from tests.gallery.postgres_server import Server
from tests.gallery.worlds import DIMENSION, OTHER, SPACE, slow_search, template, vectors

FACES = vectors(60, seed=3)
WORLD = {f"p{i}": [v] for i, v in enumerate(FACES)}

STAND_IN = """
CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod text, key text, beside text);
CREATE TABLE pg_dist_node (nodename text, shouldhaveshards boolean);
INSERT INTO pg_dist_node VALUES ('one', true), ('two', true), ('coordinator', false);
CREATE FUNCTION create_reference_table(t regclass) RETURNS void LANGUAGE sql AS
    $$ INSERT INTO pg_dist_partition VALUES (t, 'n', NULL, NULL) $$;
CREATE FUNCTION create_distributed_table(t regclass, key text, colocate_with text DEFAULT 'default') RETURNS void LANGUAGE sql AS
    $$ INSERT INTO pg_dist_partition VALUES (t, 'h', key, colocate_with) $$;
CREATE FUNCTION citus_table_size(t regclass) RETURNS bigint LANGUAGE sql AS $$ SELECT 1000 + pg_table_size(t) $$;
CREATE FUNCTION citus_total_relation_size(t regclass) RETURNS bigint LANGUAGE sql AS $$ SELECT 3000 + pg_total_relation_size(t) $$;
"""


@pytest.fixture
def location(server: Server) -> str:
    if server.spreads:
        pytest.skip("the server has Citus itself")
    return server.new_schema()


def opened(location: str, **rest: object) -> PostgresStore:
    store = open_store(location, space=SPACE, dimension=DIMENSION, **rest)  # type: ignore[arg-type]
    assert isinstance(store, PostgresStore)
    return store


@pytest.fixture
def spread(location: str) -> str:
    """A gallery that the stand-in takes for spread."""
    with opened(location) as store:
        store.add_many(NewPerson(name, [template(own[0])]) for name, own in WORLD.items())
    with psycopg.connect(location, autocommit=True) as server:
        server.execute(STAND_IN.encode())
    distribute_gallery(location)
    return location


def test_the_tables_are_spread_by_person(location: str) -> None:
    with opened(location) as store:
        store.add("Ada", [template(FACES[0])])
        with psycopg.connect(location, autocommit=True) as server:
            server.execute(STAND_IN.encode())
            done = distribute_gallery(location)
            assert (done.machines, done.before) == (2, False)
            assert done.local == ("sameface_audit", "sameface_change")
            told = server.execute(
                "SELECT logicalrelid::text, partmethod, key, beside FROM pg_dist_partition"
            ).fetchall()
            assert told == [
                ("sameface_gallery", "n", None, None),
                ("sameface_person", "h", "person_id", "default"),
                ("sameface_template", "h", "person_id", "sameface_person"),
                ("sameface_membership", "h", "person_id", "sameface_person"),
                ("sameface_name", "h", "name", "default"),
            ]
            assert distribute_gallery(location).before
            assert server.execute("SELECT count(*) FROM pg_dist_partition").fetchone() == (5,)
        with pytest.raises(GalleryMismatchError, match="several machines"):
            store.add("Grace", [template(FACES[1])])  # it would go on as on one machine


def test_without_citus_it_says_what_to_do(location: str, tmp_path: object) -> None:
    opened(location).close()
    with pytest.raises(SettingError, match="Citus"):
        distribute_gallery(location)
    with pytest.raises(SettingError, match="gallery copy"):
        distribute_gallery(f"{tmp_path}/people.db")


def test_sizes_are_asked_of_citus(spread: str) -> None:
    with opened(spread) as store:
        found = store.stats()
        assert found.settings["machines"] == "2"
        with psycopg.connect(spread) as server:
            row = server.execute(
                "SELECT pg_table_size('sameface_template') + pg_total_relation_size('sameface_person')"
            ).fetchone()
        assert row is not None
        assert found.bytes["record"] == row[0] + 4000
        assert store.compact() >= 0


def test_a_change_that_another_machine_does_not_show_yet_is_asked_for_again(spread: str) -> None:
    """The coordinator tells a change when it is committed there; a worker may show it a moment later."""
    world = dict(WORLD)
    with opened(spread) as writer, opened(spread) as reader:
        reader.warm()
        with psycopg.connect(spread, autocommit=True) as server:
            person = writer.add("late", [template(FACES[7] + 1)])
            server.execute(
                "CREATE TABLE away AS SELECT * FROM sameface_template WHERE person_id = %s", (person.person_id,)
            )
            server.execute("DELETE FROM sameface_template WHERE person_id = %s", (person.person_id,))
            assert reader.search(FACES[7] + 1)[0][0].name == slow_search(FACES[7] + 1, world)[0][0]
            server.execute("INSERT INTO sameface_template SELECT * FROM away")
            assert reader.search(FACES[7] + 1)[0][0].name == "late"
            # Somebody forgotten is gone from the answers at once, whatever a worker still shows.
            server.execute("TRUNCATE away")
            server.execute(
                "INSERT INTO away SELECT t.* FROM sameface_template t JOIN sameface_name n USING (person_id) WHERE n.name = 'p9'"
            )
            writer.forget("p9")
            server.execute("INSERT INTO sameface_template SELECT * FROM away")
            assert reader.search(FACES[9])[0][0].name != "p9"
            server.execute("DELETE FROM sameface_template t USING away a WHERE t.template_id = a.template_id")
            del world["p9"]
            assert reader.search(FACES[9])[0][0].name == slow_search(FACES[9], world)[0][0]
        unsettled = reader._following._live._unsettled  # type: ignore[union-attr]
        assert unsettled == 0


def test_whoever_waits_on_another_machine_is_called_back(spread: str) -> None:
    """There `lock_timeout` is not kept: here it is taken away."""
    with opened(spread, patience=1.0) as store, psycopg.connect(spread) as other:
        with store._connections._pool.connection() as connection:
            connection.execute("SET lock_timeout = 0")
            connection.commit()
        other.execute("SELECT 1 FROM sameface_person WHERE name = 'p3' FOR UPDATE")
        give_up = threading.Timer(20, other.cancel)
        give_up.start()
        begin = time.monotonic()
        with pytest.raises(GalleryLockedError):
            store.add("p3", [template(FACES[3])])
        assert time.monotonic() - begin < 15
        give_up.cancel()


def test_re_encoding_row_by_row(spread: str) -> None:
    new = vectors(60, 5)
    with opened(spread) as store:
        ids = {item.template_id: n for n, (_, items) in enumerate(store.export()) for item in items}
        with pytest.raises(EmbeddingError, match="none for 60 of 60"):
            store.reembed(OTHER, 5, [])
        assert store.reembed(OTHER, 5, ((number, new[n]) for number, n in ids.items())) == 60
        assert [store.search(new[n])[0][0].name for n in (0, 7, 59)] == ["p0", "p7", "p59"]
        assert store.check().ok


def test_a_check_looks_again_before_it_alarms(spread: str) -> None:
    """No snapshot spans machines: beside a rename, one look may see the new name without its person."""
    with opened(spread) as store, psycopg.connect(spread, autocommit=True) as server:
        seen = CheckReport(
            60,
            60,
            (
                GalleryProblem("a name without a person", person="renamed meanwhile"),
                GalleryProblem(care._NOBODYS, template_id=1),
            ),
        )
        assert care.looked_again(server, seen).ok
        server.execute("DELETE FROM sameface_person WHERE name = 'p4'")
        report = store.check()
        assert {problem.what for problem in report.problems} == {"a name without a person", care._NOBODYS}
