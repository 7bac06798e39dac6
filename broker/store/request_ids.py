"""Request ids that were used: a signed request counts once, also after a restart (D13)."""

import sqlite3

from broker.domain.errors import StorageError
from broker.ports import Clock
from broker.protocol.request_signing import SKEW_S
from broker.store.connection import SingleWriter

_FLOOR = "floor"
"""The row of an issuer that is no request id: the latest expiry among its ids that may have been forgotten."""
_RAISE_FLOORS = """INSERT INTO request_jti (issuer, jti, expires_at)
    SELECT issuer, :floor, max(expires_at) FROM request_jti
    WHERE expires_at < :forgotten AND jti <> :floor GROUP BY issuer
    ON CONFLICT (issuer, jti) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)"""
_FORGET = "DELETE FROM request_jti WHERE expires_at < :forgotten AND jti <> :floor"
_SPEND = """INSERT OR IGNORE INTO request_jti (issuer, jti, expires_at)
    SELECT :issuer, :jti, :expires_at WHERE NOT EXISTS (
        SELECT 1 FROM request_jti WHERE issuer = :issuer AND jti = :floor AND expires_at >= :expires_at
    )"""


class SqliteRequestIds:
    """`RequestSpending` over the single writer's connection; each first use is durable before it is told.

    A wall clock that goes forward and back revives nothing: what expires no later than a forgotten id is refused.
    """

    def __init__(self, *, writer: SingleWriter, clock: Clock) -> None:
        """Spend over this writer; ids whose requests have expired are forgotten by this clock."""
        self._writer = writer
        self._clock = clock

    async def spend(self, *, issuer: str, jti: str, expires_at: int) -> bool:
        """Return whether this was the first use, durably noted; False also for a use that may be forgotten.

        Raises:
            StorageError: it is not known to be noted.
        """
        forgetting = {"forgotten": self._clock.now() - 2 * SKEW_S, "floor": _FLOOR}
        spending = {"issuer": issuer, "jti": jti, "expires_at": expires_at, "floor": _FLOOR}

        def note(connection: sqlite3.Connection) -> bool:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_RAISE_FLOORS, forgetting)
                connection.execute(_FORGET, forgetting)
                first = connection.execute(_SPEND, spending).rowcount == 1
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise StorageError from error
            return first

        return await self._writer.run(note)
