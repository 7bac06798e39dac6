"""Request ids that were used: a signed request counts once, also after a restart (D13)."""

import asyncio

from audit.database import DATABASE_ERRORS, Connection
from broker.domain.errors import NotRecordedError, StorageError
from broker.ports import Clock
from broker.protocol.request_signing import SKEW_S
from broker.store.connection import SingleWriter

ANSWERS_S = 2.0
"""Seconds after which a writer that does not answer is taken for one that hangs."""
_FLOOR = "floor"
"""The row of an issuer that is no request id: the latest expiry among its ids that may have been forgotten."""
# Grouped by an expression and no column: else SQLite walks every id in the order of issuers, at each request, to find
# the few that have expired.
_RAISE_FLOORS = f"""INSERT INTO request_jti (issuer, jti, expires_at)
    SELECT issuer || '', '{_FLOOR}', max(expires_at) FROM request_jti
    WHERE expires_at < ? AND jti <> '{_FLOOR}' GROUP BY issuer || ''
    ON CONFLICT (issuer, jti) DO UPDATE SET expires_at = CASE
        WHEN excluded.expires_at > request_jti.expires_at THEN excluded.expires_at ELSE request_jti.expires_at END"""  # noqa: S608 - a constant of ours
_FORGET = f"DELETE FROM request_jti WHERE expires_at < ? AND jti <> '{_FLOOR}'"  # noqa: S608 - as above
_FORGOTTEN = f"SELECT 1 FROM request_jti WHERE issuer = ? AND jti = '{_FLOOR}' AND expires_at >= ?"  # noqa: S608 - as above
_SPEND = "INSERT INTO request_jti (issuer, jti, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"


class StoredRequestIds:
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
        forgotten = self._clock.now() - 2 * SKEW_S

        def note(connection: Connection) -> bool:
            try:
                connection.execute(connection.dialect.begin_write)
                connection.execute(_RAISE_FLOORS, (forgotten,))
                connection.execute(_FORGET, (forgotten,))
                first = (
                    connection.execute(_FORGOTTEN, (issuer, expires_at)).fetchone() is None
                    and connection.execute(_SPEND, (issuer, jti, expires_at)).rowcount == 1
                )
                connection.execute("COMMIT")
            except Exception as error:  # whatever it was: no transaction stays open, and nobody is told "first"
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise StorageError from error
            return first

        return await self._writer.run(note)

    async def works(self) -> bool:
        """Return whether the writer, which every request needs, answers at once."""
        try:
            async with asyncio.timeout(ANSWERS_S):
                await self._writer.run(lambda connection: connection.execute("SELECT 1").fetchone())
        except (TimeoutError, NotRecordedError, *DATABASE_ERRORS):
            return False
        return True
