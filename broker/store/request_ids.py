"""Request ids that were used: a signed request counts once, also after a restart (D13)."""

import sqlite3

from broker.domain.errors import StorageError
from broker.ports import Clock
from broker.protocol.request_signing import SKEW_S
from broker.store.connection import SingleWriter


class SqliteRequestIds:
    """`RequestSpending` over the single writer's connection; each first use is durable before it is told."""

    def __init__(self, *, writer: SingleWriter, clock: Clock) -> None:
        """Spend over this writer; ids whose requests have expired are forgotten by this clock."""
        self._writer = writer
        self._clock = clock

    async def spend(self, *, issuer: str, jti: str, expires_at: int) -> bool:
        """Return whether this was the first use, durably noted. Raises StorageError."""
        forgotten = self._clock.now() - 2 * SKEW_S

        def note(connection: sqlite3.Connection) -> bool:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DELETE FROM request_jti WHERE expires_at < ?", (forgotten,))
                query = "INSERT OR IGNORE INTO request_jti (issuer, jti, expires_at) VALUES (?, ?, ?)"
                first = connection.execute(query, (issuer, jti, expires_at)).rowcount == 1
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise StorageError from error
            return first

        return await self._writer.run(note)
