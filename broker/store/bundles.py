"""Which policy bundles were in force, as the log's transactions left it."""

from audit.database import Connection
from broker.domain.changes import ActivateBundle
from broker.store.connection import Reader
from broker.store.signal_rows import day

_QUERY = "SELECT sha256, activated_at, mark, statement, registered_on FROM bundles ORDER BY number"


class StoredBundles:
    """`BundleHistory` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def activations(self) -> tuple[ActivateBundle, ...]:
        """Return how each bundle came into force, the present one last."""

        def read(connection: Connection) -> tuple[ActivateBundle, ...]:
            return tuple(
                ActivateBundle(sha256=sha256, at=at, mark=mark, statement=statement, registered_on=day(registered_on))
                for sha256, at, mark, statement, registered_on in connection.execute(_QUERY).fetchall()
            )

        return await self._reader.run(read)
