"""Webhooks in the database: who wants events, which are on their way, and which were given up."""

from collections.abc import Callable, Collection

from audit.database import Connection
from broker.domain.errors import StorageError
from broker.domain.webhooks import Delivery, OwnWebhook, SetWebhook, next_try_after
from broker.store.connection import Reader, SingleWriter

KEPT_S = 30 * 86_400
"""Seconds that a dead letter is shown."""
_BEGIN = """INSERT INTO webhook_deliveries (id, organisation, url, made_at, tries, next_at)
    VALUES (?, ?, ?, ?, 0, ?)"""


class StoredWebhooks:
    """The events of one broker, over the single writer's connection."""

    def __init__(self, writer: SingleWriter) -> None:
        """Write with this; the caller closes it."""
        self._writer = writer

    async def begin(self, active: Collection[str], *, new_id: Callable[[], str], now: int) -> None:
        """An event is on its way to each of these organisations that wants them, whether or not something waits.

        What was on its way to another one goes nowhere. Raises StorageError.
        """

        def write(connection: Connection) -> None:
            subscribed = connection.execute("SELECT organisation, url FROM webhooks ORDER BY organisation").fetchall()
            for organisation, url in subscribed:
                if organisation in active:
                    connection.execute(_BEGIN, (new_id(), organisation, url, now, now))
                else:
                    query = "DELETE FROM webhook_deliveries WHERE organisation = ? AND next_at IS NOT NULL"
                    connection.execute(query, (organisation,))
            connection.execute("DELETE FROM webhook_deliveries WHERE next_at IS NULL AND made_at < ?", (now - KEPT_S,))

        await self._written(write)

    async def due(self, *, now: int) -> tuple[Delivery, ...]:
        """Return what is to be tried now, the oldest first."""
        return await self._writer.run(lambda connection: _deliveries(connection, "next_at <= ?", now))

    async def tried(self, delivery: Delivery, *, taken: bool, now: int) -> None:
        """What was taken is forgotten; what was not is tried later, or given up. Raises StorageError."""

        def write(connection: Connection) -> None:
            if taken:
                connection.execute("DELETE FROM webhook_deliveries WHERE id = ?", (delivery.id,))
                return
            wait = next_try_after(delivery.tries + 1)
            values = (None if wait is None else now + wait, delivery.id)
            connection.execute("UPDATE webhook_deliveries SET tries = tries + 1, next_at = ? WHERE id = ?", values)

        await self._written(write)

    async def _written(self, work: Callable[[Connection], None]) -> None:
        def write(connection: Connection) -> None:
            try:
                connection.execute(connection.dialect.begin_write)
                work(connection)
                connection.execute("COMMIT")
            except Exception as error:  # whatever it was: no transaction stays open
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise StorageError from error

        await self._writer.run(write)


class StoredWebhookReader:
    """`WebhookReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def webhook_of(self, *, organisation: str, at_most: int) -> OwnWebhook:
        """Return this organisation's own webhook. See `WebhookReader.webhook_of`."""

        def read(connection: Connection) -> OwnWebhook:
            row = connection.execute("SELECT url FROM webhooks WHERE organisation = ?", (organisation,)).fetchone()
            dead = _deliveries(connection, "next_at IS NULL AND organisation = ?", organisation)
            return OwnWebhook(url=None if row is None else str(row[0]), dead=dead[::-1][:at_most])

        return await self._reader.run(read)


async def dead_letters(reader: Reader) -> tuple[Delivery, ...]:
    """Return the events that were given up in the last month, the oldest first."""
    return await reader.run(lambda connection: _deliveries(connection, "next_at IS NULL"))


def _deliveries(connection: Connection, where: str, *values: object) -> tuple[Delivery, ...]:
    columns = "id, organisation, url, made_at, tries"
    query = f"SELECT {columns} FROM webhook_deliveries WHERE {where} ORDER BY made_at, id"  # noqa: S608 - no value in it
    rows = connection.execute(query, values).fetchall()
    return tuple(Delivery(id=row[0], organisation=row[1], url=row[2], made_at=row[3], tries=row[4]) for row in rows)


def set_webhook(connection: Connection, change: SetWebhook) -> None:
    """The open transaction has this organisation's events go to another address, or nowhere."""
    connection.execute("DELETE FROM webhooks WHERE organisation = ?", (change.organisation,))
    connection.execute("DELETE FROM webhook_deliveries WHERE organisation = ?", (change.organisation,))
    if change.url is not None:
        query = "INSERT INTO webhooks (organisation, url, since) VALUES (?, ?, ?)"
        connection.execute(query, (change.organisation, change.url, change.at))
