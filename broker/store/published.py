"""The log as others may read it. Its tiles are published as files, by `sluis-audit publish`."""

import sqlite3
from pathlib import Path

from audit.errors import AuditError
from audit.sqlite import SqliteLogReader
from broker.domain.errors import LogUnavailableError
from broker.store.connection import open_connection


class SqlitePublishedLog:
    """The newest checkpoint and the size of the log, over a reading connection."""

    def __init__(self, path: Path) -> None:
        """Open the reading connection. Raises SchemaNotMigratedError."""
        self._connection = open_connection(path)
        self._connection.execute("PRAGMA query_only=ON")

    def close(self) -> None:
        """The connection is closed."""
        self._connection.close()

    async def checkpoint(self) -> str:
        """Return the newest signed note, with its cosignatures. Raises LogUnavailableError."""
        try:
            return SqliteLogReader(self._connection).latest_note()
        except (sqlite3.Error, AuditError) as error:
            raise LogUnavailableError from error

    async def size(self) -> int:
        """Return the number of entries. Raises LogUnavailableError."""
        try:
            return SqliteLogReader(self._connection).size()
        except (sqlite3.Error, AuditError) as error:
            raise LogUnavailableError from error
