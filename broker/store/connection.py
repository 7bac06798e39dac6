"""Connections to the one database: a single writer on a thread of its own, readers beside it."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from audit.sqlite import open_database
from broker.store.schema import check_migrated

BUSY_MS = 5000
"""How long to wait for another process, which imports a register, to end its transaction."""

_T = TypeVar("_T")


def open_connection(path: Path) -> sqlite3.Connection:
    """Return a connection in autocommit mode to a migrated database: WAL, synchronous FULL, foreign keys on.

    Raises:
        SchemaNotMigratedError: the database has another schema, or none.
    """
    connection = open_database(path)
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    try:
        check_migrated(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Give the connection inside one read transaction: everything read in it is of one moment."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.execute("ROLLBACK")


class SingleWriter:
    """The one connection that writes; whatever is run on it is run in order, on one thread."""

    def __init__(self, path: Path) -> None:
        """Open the connection. Raises SchemaNotMigratedError."""
        self.connection = open_connection(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sluis-writer")

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what `work` returns, run alone on the writer's thread; its exceptions come back."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self.connection)

    def close(self) -> None:
        """Nothing writes any more and the connection is closed."""
        self._thread.shutdown(wait=True)
        self.connection.close()
