"""The last step of erasing: old pages go from the log and the file, at once or as soon as nobody reads them any more.

A reader who began before keeps the state of then, old pages included, for as long as it reads; an export may take minutes. What could not be
emptied for that reason is noted in the gallery. Every later write tries again, and so does whoever opens or closes it and the reader itself when it
is done.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Final

#: What `Erased.pending` says.
PLACE: Final = "gallery file"
#: Milliseconds to wait for readers: a search takes few, an export many more than anybody should wait.
_WAIT: Final = 500


def is_due(connection: sqlite3.Connection) -> bool:
    """Whether something that was erased may still lie in old pages."""
    return connection.execute("SELECT 1 FROM gallery WHERE key = 'erase'").fetchone() is not None


def finish(connection: sqlite3.Connection, *, erased: bool = False) -> bool:
    """Empty the log into the file when something was erased, now or before. Returns False while that must wait for a reader.

    Args:
        connection: for writing, outside a transaction, in this writer's turn.
        erased: whether something was erased just now.
    """
    # What was changed before is safe already: a full disk here leaves the rest to the next.
    with suppress(sqlite3.OperationalError):
        noted = is_due(connection)
        if not (erased or noted):
            return True
        if _emptied(connection):
            if noted:
                connection.execute("DELETE FROM gallery WHERE key = 'erase'")
            return True
        if not noted:
            connection.execute("INSERT INTO gallery (key, value) VALUES ('erase', 'due')")
    return False


def _emptied(connection: sqlite3.Connection) -> bool:
    patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout = {_WAIT}")
    try:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
