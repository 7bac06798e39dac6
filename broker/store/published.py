"""The log as others may read it. Its tiles are published as files, by `sluis-audit publish`."""

from audit.errors import AuditError
from audit.stored_log import StoredLog
from broker.domain.errors import LogUnavailableError, StorageError
from broker.store.connection import Reader


class PublishedLog:
    """The newest checkpoint and the size of the log."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def checkpoint(self) -> str:
        """Return the newest signed note, with its cosignatures. Raises LogUnavailableError."""
        try:
            return await self._reader.run(lambda connection: StoredLog(connection).latest_note())
        except (StorageError, AuditError) as error:
            raise LogUnavailableError from error

    async def size(self) -> int:
        """Return the number of entries. Raises LogUnavailableError."""
        try:
            return await self._reader.run(lambda connection: StoredLog(connection).size())
        except StorageError as error:
            raise LogUnavailableError from error
