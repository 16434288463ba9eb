"""Citus: the tables of a gallery spread over many machines, behind the one that is asked.

Settings made on that one do not reach the others unless that is said, and neither does `lock_timeout`; sizes are asked by functions of its own.
"""

from __future__ import annotations

from typing import Any, Final

from sameface.errors import SettingError
from sameface.gallery.postgres.connections import Connection
from sameface.gallery.store import Spread

_SPREAD: Final = (
    ("sameface_gallery", "SELECT create_reference_table('sameface_gallery')"),
    ("sameface_person", "SELECT create_distributed_table('sameface_person', 'person_id')"),
    (
        "sameface_template",
        "SELECT create_distributed_table('sameface_template', 'person_id', colocate_with => 'sameface_person')",
    ),
    (
        "sameface_membership",
        "SELECT create_distributed_table('sameface_membership', 'person_id', colocate_with => 'sameface_person')",
    ),
    ("sameface_name", "SELECT create_distributed_table('sameface_name', 'name')"),
)
#: What stays on the coordinator: both are small, and only added to.
LOCAL: Final = ("sameface_audit", "sameface_change")


def is_there(connection: Connection) -> bool:
    """Whether the server has Citus in this database."""
    return connection.execute("SELECT to_regclass('pg_dist_partition') IS NOT NULL").fetchone() == (True,)


def spreads(connection: Connection) -> bool:
    """Whether the gallery's tables are spread; asked of Citus itself, for it may have been done by hand."""
    if not is_there(connection):
        return False
    query = "SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass('sameface_template')"
    return connection.execute(query.encode()).fetchone() is not None


def set_local(connection: Connection, *settings: str) -> None:
    """Change settings until the end of the transaction, on every machine that has a part in it."""
    if is_there(connection):
        connection.execute(b"SET LOCAL citus.propagate_set_commands = 'local'")  # else they stay on the coordinator
    for setting in settings:
        connection.execute(f"SET LOCAL {setting}".encode())


def spread(connection: Connection, shown: str) -> Spread:
    """Spread the tables of a gallery, with everybody who is in them; nothing where they are spread.

    Args:
        connection: in a transaction: all tables or none.

    Raises:
        SettingError: a server without Citus.
    """
    if not is_there(connection):
        query = "SELECT 1 FROM pg_available_extensions WHERE name = 'citus'"
        there = connection.execute(query.encode()).fetchone() is not None
        raise SettingError(
            expected=f"a server with Citus at {shown}",
            got="one with Citus that this database does not use" if there else "one without it",
            advice="run CREATE EXTENSION citus in this database and add the workers"
            if there
            else "install Citus on every machine, or keep the gallery on this one server",
        )
    done = spreads(connection)
    if not done:
        connection.execute(b"SET LOCAL citus.multi_shard_modify_mode = 'sequential'")  # several tables, one transaction
        for _, statement in _SPREAD:
            connection.execute(statement.encode())
        # Whoever has the gallery open would go on as on one machine: they have to open it again, and are told.
        connection.execute(b"UPDATE sameface_gallery SET value = (value::bigint + 1)::text WHERE key = 'epoch'")
    row: Any = connection.execute("SELECT count(*) FROM pg_dist_node WHERE shouldhaveshards").fetchone()
    return Spread(tuple(name for name, _ in _SPREAD), LOCAL, int(row[0]), done)


def sizes(connection: Connection, *, spread: bool) -> dict[str, int]:
    """Bytes of the tables and of their indexes, on all machines."""
    table, total = (
        ("citus_table_size", "citus_total_relation_size") if spread else ("pg_table_size", "pg_total_relation_size")
    )
    query = f"SELECT {table}('sameface_template'), {total}('sameface_template'), {total}('sameface_person')"
    row: Any = connection.execute(query.encode()).fetchone()
    templates, with_indexes, people = map(int, row)
    return {"record": templates + people, "indexes": with_indexes - templates}
