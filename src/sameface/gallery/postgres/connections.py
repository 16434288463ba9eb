"""Connections to a server: pooled, tried once more when one is lost, and PostgreSQL's errors in this project's words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
from pgvector.psycopg.vector import register_vector_info
from psycopg import errors
from psycopg.types import TypeInfo
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from sameface.errors import (
    GalleryDamagedError,
    GalleryError,
    GalleryKeyError,
    GalleryLockedError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GalleryUnavailableError,
    PersonExistsError,
    SamefaceError,
    StorageFullError,
)
from sameface.gallery.postgres.address import Address

Connection = psycopg.Connection[tuple[Any, ...]]
Result = TypeVar("Result")
#: Connections kept open at most: threads of one process that search at once.
_MOST: Final = 8
#: Two changes that may not both be made as they were begun; how often one is begun at most.
_CROSSED: Final = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure)
_CROSSINGS: Final = 6


class Connections:
    """Runs functions on pooled connections, each in a transaction of its own.

    Args:
        address: the server.
        patience: seconds to wait for a connection or a lock.
    """

    def __init__(self, address: Address, patience: float) -> None:
        self.address, self._patience = address, patience
        self._closed = False
        try:
            with psycopg.connect(address.secret, connect_timeout=max(2, int(patience)), autocommit=True) as first:
                self._enable_vectors(first)
        except psycopg.Error as error:
            raise self.in_our_words(error) from None
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            address.secret,
            min_size=1,
            max_size=_MOST,
            open=False,
            configure=_know_vectors,
            timeout=patience,
            reconnect_timeout=patience,
            kwargs={"connect_timeout": max(2, int(patience)), "options": _with_lock_timeout(address, patience)},
        )
        try:
            # Waited for, or the first to ask would make the pool open a second one beside it.
            self._pool.open(wait=True, timeout=patience)
        except PoolTimeout as error:
            raise self.in_our_words(error) from None

    def _enable_vectors(self, connection: Connection) -> None:
        visible = "SELECT to_regtype('vector') IS NOT NULL"
        if connection.execute(visible.encode()).fetchone() == (True,):
            return
        problem = "pgvector in a schema that is not on the search path"
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
        except psycopg.Error as error:
            problem = self.address.clean(str(error))
        if connection.execute(visible.encode()).fetchone() != (True,):
            raise GalleryError(
                expected=f"a server with pgvector at {self.address.shown}",
                got=problem,
                advice="install pgvector there, run CREATE EXTENSION vector as a superuser, and name its schema in the search path",
            )

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function that changes nothing, in one snapshot; once more when the connection was lost."""

        def snapshot(connection: Connection) -> Result:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return work(connection)

        return self._run(snapshot, lambda _: None)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function in one transaction that takes effect exactly once.

        When the connection is lost, the server is asked whether it had committed; what was undone because two changes crossed is run again.
        """
        ids: list[str] = []

        def marked(connection: Connection) -> Result:
            row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
            ids.append(str(row[0]) if row else "")
            return work(connection)

        return self._run(marked, lambda connection: self._committed(connection, ids.pop()) if ids else False)

    def maintain(self, statement: str) -> None:
        """Run a statement that may not stand in a transaction, VACUUM for one."""
        with self.outside() as connection:
            connection.execute(statement.encode())

    @contextmanager
    def outside(self) -> Iterator[Connection]:
        """A connection of its own without transactions."""
        try:
            with psycopg.connect(self.address.secret, autocommit=True) as connection:
                yield connection
        except psycopg.Error as error:
            raise self.in_our_words(error) from None

    def _run(self, work: Callable[[Connection], Result], done: Callable[[Connection], bool | None]) -> Result:
        self._open_or_raise()
        outcome: list[Result] = []
        lost = crossed = 0
        while True:
            try:
                with self._pool.connection() as connection:
                    if lost and done(connection):
                        return outcome[-1]
                    connection.rollback()  # a transaction begins anew with the next statement
                    outcome.append(work(connection))
                return outcome[-1]
            except _CROSSED as error:  # two changes crossed, and this one was undone as a whole: it sees the other's when it is run again
                crossed += 1
                if crossed == _CROSSINGS:
                    raise self.in_our_words(error) from None
            except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed) as error:
                lost += 1
                if lost == 2 or not _lost(error):
                    raise self.in_our_words(error) from None
                self._pool.check()
            except psycopg.Error as error:
                raise self.in_our_words(error) from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment for as long as the block takes, and changes nothing. It is not tried again when it is lost."""
        self._open_or_raise()
        try:
            with self._pool.connection() as connection:
                connection.rollback()
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield connection
        except (psycopg.Error, PoolTimeout, PoolClosed) as error:
            raise self.in_our_words(error) from None

    def revive(self) -> None:
        """Replace the connections that were lost."""
        self._pool.check()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection of its own that sees one moment for as long as the block takes, and changes nothing."""
        self._open_or_raise()
        options = _with_lock_timeout(self.address, self._patience) + " -c idle_in_transaction_session_timeout=0"
        try:
            with psycopg.connect(
                self.address.secret, connect_timeout=max(2, int(self._patience)), options=options
            ) as connection:
                _know_vectors(connection)
                connection.rollback()
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
                yield connection
        except psycopg.Error as error:
            raise self.in_our_words(error) from None

    def _committed(self, connection: Connection, transaction: str) -> bool:
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            row = connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchone()
            status = row[0] if row else None
            connection.rollback()
            if status in ("committed", "aborted"):
                return bool(status == "committed")
            time.sleep(0.05)
        raise GalleryUnavailableError(
            expected="to know whether a change was stored",
            got="a lost connection, and no word from the server",
            advice="look before you repeat it",
        )

    def _open_or_raise(self) -> None:
        if self._closed:
            raise GalleryError(
                expected=f"an open gallery at {self.address.shown}", got="one that was closed", advice="open it again"
            )

    def close(self) -> None:
        """Hang up; twice is fine."""
        if not self._closed:
            self._closed = True
            self._pool.close()

    def in_our_words(self, error: Exception) -> SamefaceError:
        """The error to raise instead of the driver's, which may hold the address."""
        shown, text = self.address.shown, self.address.clean(str(error))
        if isinstance(error, errors.LockNotAvailable | errors.QueryCanceled | errors.DeadlockDetected):
            return GalleryLockedError(
                expected=f"a turn to use {shown}", got=text, advice="wait until the other work is done and try again"
            )
        if isinstance(error, errors.UniqueViolation):
            return PersonExistsError(
                expected="a new name", got="one that another process just enrolled", advice="try again"
            )
        if isinstance(error, errors.ReadOnlySqlTransaction):
            return GalleryReadOnlyError(expected=f"to write {shown}", got=text, advice="connect to the primary server")
        if isinstance(error, errors.InsufficientPrivilege):
            return GalleryReadOnlyError(expected=f"the right to use {shown}", got=text, advice="grant it to that user")
        if isinstance(error, errors.DiskFull):
            return StorageFullError(
                expected=f"room at {shown}",
                got=text,
                advice="free some space on the server; nothing of this change was stored",
            )
        if isinstance(error, errors.UndefinedTable):
            return GalleryMissingError(
                expected=f"a gallery at {shown}",
                got="its tables are gone",
                advice="it was deleted meanwhile: open another",
            )
        if isinstance(error, errors.DataCorrupted | errors.IndexCorrupted):
            return GalleryDamagedError(
                expected=f"a whole gallery at {shown}", got=text, advice="restore a backup of the server"
            )
        if "password" in text or isinstance(error, errors.InvalidPassword | errors.InvalidAuthorizationSpecification):
            return GalleryKeyError(
                expected=f"to sign in at {shown}",
                got=text,
                advice="check user and password (PGPASSWORD or ~/.pgpass also do)",
            )
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | PoolTimeout | PoolClosed):
            return GalleryUnavailableError(
                expected=f"an answer from {shown}",
                got=text or type(error).__name__,
                advice="check that the server runs and is reachable, then try again",
            )
        return GalleryError(expected=f"to use {shown}", got=text, advice="run `sameface gallery check`")


def _lost(error: Exception) -> bool:
    """Whether an error is about the connection, so that another may do."""
    if isinstance(error, PoolTimeout | PoolClosed | psycopg.InterfaceError):
        return True
    code = getattr(error, "sqlstate", None)
    return code is None or code.startswith(("08", "57P"))


def _know_vectors(connection: Connection) -> None:
    """Of pgvector's types the one that is stored here: `pgvector.psycopg.register_vector` asks the server for three more."""
    register_vector_info(connection, TypeInfo.fetch(connection, "vector"))


def _with_lock_timeout(address: Address, patience: float) -> str:
    given = psycopg.conninfo.conninfo_to_dict(address.secret).get("options", "")
    return f"{given or ''} -c lock_timeout={int(patience * 1000)}".strip()
