"""Entries of the log, read back and opened: each payload compared with what its leaf commits to."""

import json
from collections.abc import Collection

from audit.database import Connection
from audit.entry import GROUPS, Leaf
from audit.errors import AuditError
from audit.key_ring import KeyRing
from audit.log import SealedRow
from audit.stored_groups import stored_group
from audit.stored_log import StoredLog
from broker.domain.errors import StorageError
from broker.log_ports import GroupStatus, OpenedEntry, OpenedGroup
from broker.store.connection import Reader


class StoredEntries:
    """`EntryReader` over a database."""

    def __init__(self, reader: Reader, *, keys: KeyRing) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader
        self._keys = keys

    async def log_size(self) -> int:
        """Return the number of entries. Raises StorageError."""
        return await self._reader.run(lambda connection: StoredLog(connection).size())

    async def opened(self, indexes: Collection[int], groups: Collection[str]) -> tuple[OpenedEntry, ...]:
        """Return these entries with these groups. See `EntryReader.opened`."""
        wanted = tuple(group for group in GROUPS if group in groups)

        def read(connection: Connection) -> tuple[OpenedEntry, ...]:
            log = StoredLog(connection)
            size = log.size()
            return tuple(self._entry(log, index, wanted) for index in sorted(set(indexes)) if 0 <= index < size)

        try:
            return await self._reader.run(read)
        except AuditError as error:
            raise StorageError from error

    def _entry(self, log: StoredLog, index: int, groups: Collection[str]) -> OpenedEntry:
        leaf = Leaf.parse(bytes(log.entries(index, index + 1)[0]))
        return OpenedEntry(
            index=index,
            time=leaf.time,
            kind=leaf.kind,
            groups={group: self._group(log, leaf, index, group) for group in groups},
        )

    def _group(self, log: StoredLog, leaf: Leaf, index: int, group: str) -> OpenedGroup:
        def unwrap(row: SealedRow) -> bytes:
            return self._keys.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group=group)

        row, erased_by = log.sealed_row(index, group), log.erased_by(index, group)
        stored = stored_group(row, leaf=leaf, group=group, erased_by=erased_by, unwrap=unwrap)
        return OpenedGroup(
            status=GroupStatus(stored.state.value),
            payload=None if stored.opening is None else json.loads(stored.opening.payload),
            erased_by=stored.erased_by,
        )
