"""Which policy bundle is in force, as the log's transactions left it."""

from audit.database import Connection
from broker.store.connection import Reader


class StoredBundles:
    """`BundleHistory` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def bundle_in_force(self) -> str | None:
        """Return the hex hash of the bundle that was activated last; None before the first."""

        def newest(connection: Connection) -> str | None:
            row = connection.execute("SELECT sha256 FROM bundles ORDER BY number DESC LIMIT 1").fetchone()
            return None if row is None else str(row[0])

        return await self._reader.run(newest)
