"""Connections to the one database: a single writer on a thread of its own, readers beside it."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Protocol, TypeVar

from audit.database import DATABASE_ERRORS, Connection
from audit.durability import Durability
from audit.errors import DatabaseError
from audit.sqlite import SqliteConnection, open_database
from broker.domain.errors import (
    LogUnavailableError,
    RightsTooWideError,
    SchemaNotMigratedError,
    StorageError,
    WriterHeldError,
)
from broker.store.address import DatabaseAddress, PostgresServer, SqliteFile
from broker.store.rights import check_rights
from broker.store.schema import check_migrated

BUSY_MS = 5000
"""How long to wait for another process, which imports a register, to end its transaction."""
READERS = 2
"""Sessions that read from a server at once; the flows of one tick share them."""
_LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL, appendix A: nobody waits longer for a lock than `lock_timeout`."""
_WRITER_LOCK = 0x536C756973
"""The advisory lock of the one writer of a database on a server: `Sluis` in ASCII."""

_T = TypeVar("_T")


def open_connection(address: DatabaseAddress) -> Connection:
    """Return a session in autocommit mode with a migrated database, durable at every commit.

    Raises:
        SchemaNotMigratedError: the database has another schema, or none.
        DATABASE_ERRORS: it cannot be reached.
    """
    connection = _open_file(address) if isinstance(address, SqliteFile) else _open_server(address)
    try:
        check_migrated(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _open_file(address: SqliteFile) -> SqliteConnection:
    if not address.path.is_file():
        raise SchemaNotMigratedError
    connection = open_database(address.path)
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    return connection


def _open_server(address: PostgresServer) -> Connection:
    from audit.postgres import open_postgres  # noqa: PLC0415 - the driver is loaded only where a server is used

    return open_postgres(address.url)


@contextmanager
def snapshot(connection: Connection) -> Iterator[Connection]:
    """Give the connection inside one read transaction: everything read in it is of one moment."""
    connection.execute(connection.dialect.begin_read)
    try:
        yield connection
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


class Reader(Protocol):
    """Reads committed state."""

    async def run(self, work: Callable[[Connection], _T], /) -> _T:
        """Return what `work` returns, run alone on one session in one snapshot. Raises StorageError: unreadable."""

    def close(self) -> None:
        """Nothing reads any more."""


def open_reader(address: DatabaseAddress) -> Reader:
    """Return a reader of a migrated database. Raises as `open_connection`."""
    return FileReader(address) if isinstance(address, SqliteFile) else ServerReader(address)


class FileReader:
    """A reader on the thread of the event loop, where a reading of a file takes microseconds."""

    def __init__(self, address: SqliteFile) -> None:
        """Open the session. Raises SchemaNotMigratedError."""
        self._connection = open_connection(address)
        self._connection.execute("PRAGMA query_only=ON")

    async def run(self, work: Callable[[Connection], _T], /) -> _T:
        """Return what `work` returns. See `Reader.run`."""
        try:
            with snapshot(self._connection) as connection:
                return work(connection)
        except DATABASE_ERRORS as error:
            raise StorageError from error

    def close(self) -> None:
        """The session has ended."""
        self._connection.close()


class ServerReader:
    """A reader on threads of its own, so that a server which is slow or away holds up no event loop."""

    def __init__(self, address: PostgresServer) -> None:
        """Open every session. Raises SchemaNotMigratedError, DatabaseError."""
        self._address = address
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        for _ in range(READERS):
            self._idle.put(open_connection(address))
        self._threads = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="sluis-reader")

    async def run(self, work: Callable[[Connection], _T], /) -> _T:
        """Return what `work` returns. See `Reader.run`."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)
        except (*DATABASE_ERRORS, SchemaNotMigratedError) as error:
            raise StorageError from error

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        connection = self._idle.get()
        try:
            try:
                with snapshot(connection):
                    return work(connection)
            except DatabaseError:
                if not connection.lost:
                    raise
                # The server was started anew: reading twice does no harm.
                connection = open_connection(self._address)
                with snapshot(connection):
                    return work(connection)
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """Every session has ended."""
        self._threads.shutdown(wait=True)
        while not self._idle.empty():
            self._idle.get().close()


class ApartReader:
    """A reader on a thread of its own, for readings that take long: no tick and no event loop waits for it."""

    def __init__(self, address: DatabaseAddress) -> None:
        """Open the session. Raises as `open_connection`."""
        self._address = address
        self._connection = open_connection(address)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sluis-apart")

    async def run(self, work: Callable[[Connection], _T], /) -> _T:
        """Return what `work` returns. See `Reader.run`."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, work)
        except (*DATABASE_ERRORS, SchemaNotMigratedError) as error:
            raise StorageError from error

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        if self._connection.lost:
            self._connection = open_connection(self._address)
        with snapshot(self._connection) as connection:
            return work(connection)

    def close(self) -> None:
        """The session has ended."""
        self._thread.shutdown(wait=True)
        self._connection.close()


class SingleWriter:
    """The one session that writes; whatever is run on it is run in order, on one thread."""

    def __init__(self, address: DatabaseAddress) -> None:
        """Open the session. Raises as `open_connection`; of a server also while another broker writes there."""
        self._address = address
        self._settle: Callable[[Connection], object] | None = None
        self._settled = True
        self.durability = Durability()
        self.connection = _open_writing(address)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sluis-writer")

    def settles_with(self, settle: Callable[[Connection], object]) -> None:
        """Whenever it is not known what became of a commit, `settle` finds out before anything else is run."""
        self._settle = settle

    def is_unsettled(self) -> None:
        """What became of the newest commit is not known."""
        self._settled = False

    async def run(self, work: Callable[[Connection], _T]) -> _T:
        """Return what `work` returns, run alone on the writer's thread; its exceptions come back.

        Raises:
            StorageError: the database cannot be reached; `work` was not begun.
            LogUnavailableError: what became of an earlier commit cannot be settled, or the disk cannot be trusted any
                more; `work` was not begun.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def _run(self, work: Callable[[Connection], _T]) -> _T:
        if self.durability.lost is not None:
            raise LogUnavailableError
        try:
            self._prepare()
            return work(self.connection)
        except Exception as error:  # whoever meets a failed fsync first, nothing is written here after it
            self.durability.judge(error)
            raise

    def _prepare(self) -> None:
        if self.connection.lost:
            try:
                self.connection = _open_writing(self._address)
            except (*DATABASE_ERRORS, StorageError) as error:
                raise StorageError from error
            self._settled = False
        if not self._settled and self._settle is not None:
            # Nothing that a lost commit left behind is read, told or built on before the signer knows of it.
            self._settle(self.connection)
            self._settled = True

    def close(self) -> None:
        """Nothing writes any more and the session has ended."""
        self._thread.shutdown(wait=True)
        self.connection.close()


def _open_writing(address: DatabaseAddress) -> Connection:
    """Return the session of the one writer.

    On a server it holds a lock for as long as the session lives. So after a lost session its commit, if it was under
    way, has come to its end before anything is read or written here again.

    Raises:
        WriterHeldError: another broker holds it.
        RightsTooWideError: this role may do too much. And as `open_connection`.
    """
    connection = open_connection(address)
    if isinstance(address, SqliteFile):
        # After a failed sync the WAL may stand in memory only; written to the file, what it holds is durable.
        connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
    if isinstance(address, PostgresServer):
        try:
            check_rights(connection)
            connection.execute("SELECT pg_advisory_lock(?)", (_WRITER_LOCK,))
        except DatabaseError as error:
            connection.close()
            if error.sqlstate == _LOCK_NOT_AVAILABLE:
                raise WriterHeldError from None
            raise
        except RightsTooWideError:
            connection.close()
            raise
    return connection
