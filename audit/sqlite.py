"""SQLite as the database of a log: durable at every commit, erased bytes overwritten."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from audit.database import SQLITE
from audit.errors import LogStoreError

# secure_delete: an erased key must not stay readable in free pages; recursive_triggers: REPLACE fires DELETE triggers.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA recursive_triggers=ON",
)


class SqliteConnection(sqlite3.Connection):
    """A connection to a file, in the form of `audit.database.Connection`."""

    dialect = SQLITE
    lost = False
    """A file does not go away."""


def open_database(path: Path) -> SqliteConnection:
    """Return a connection in autocommit mode with the settings the log needs; the caller says BEGIN itself."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=SqliteConnection)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


@contextmanager
def open_read_only(path: Path) -> Iterator[SqliteConnection]:
    """Give a connection that sees one consistent state of an existing database and cannot write.

    Raises:
        LogStoreError: there is no such database, or it holds no log.

    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None, factory=SqliteConnection)) as connection:
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        raise LogStoreError("log: the database cannot be read or holds no log") from error
