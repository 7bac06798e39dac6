"""The memory twin of `StoredEntries`: entries of the log, opened, without a database."""

import json
from collections.abc import Collection
from dataclasses import replace

from audit.entry import GROUPS, Leaf
from audit.log import SealedRow
from audit.stored_groups import stored_group
from broker.domain.erasures import Erasure
from broker.domain.errors import NotRecordedError, StorageError
from broker.log_ports import GroupStatus, OpenedEntry, OpenedGroup
from tests.simulators.broker_memory import MemoryBroker


class MemoryEntries:
    """`EntryReader` and `ErasureReader` over the memory of a broker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def log_size(self) -> int:
        """See `EntryReader.log_size`."""
        return len(self._broker.log.leaves)

    async def opened(self, indexes: Collection[int], groups: Collection[str]) -> tuple[OpenedEntry, ...]:
        """See `EntryReader.opened`."""
        if self._broker.fails_with is not None:
            raise StorageError
        size = len(self._broker.log.leaves)
        return tuple(self._entry(index, groups) for index in sorted(set(indexes)) if 0 <= index < size)

    def _entry(self, index: int, groups: Collection[str]) -> OpenedEntry:
        leaf = Leaf.parse(self._broker.log.leaves[index])
        opened = {group: self._group(leaf, index, group) for group in GROUPS if group in groups}
        return OpenedEntry(index=index, time=leaf.time, kind=leaf.kind, groups=opened)

    def _group(self, leaf: Leaf, index: int, group: str) -> OpenedGroup:
        def unwrap(row: SealedRow) -> bytes:
            return self._broker.keys.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group=group)

        tables = self._broker.log
        row, erased_by = tables.payloads.get((index, group)), tables.erased.get((index, group))
        stored = stored_group(row, leaf=leaf, group=group, erased_by=erased_by, unwrap=unwrap)
        return OpenedGroup(
            status=GroupStatus(stored.state.value),
            payload=None if stored.opening is None else json.loads(stored.opening.payload),
            erased_by=stored.erased_by,
        )

    async def erasure(self, *, organisation: str, erasure_id: str) -> Erasure | None:
        """See `ErasureReader.erasure`."""
        return self._broker.state.erasures.get((organisation, erasure_id))

    async def erasures(self, *, organisation: str) -> tuple[Erasure, ...]:
        """See `ErasureReader.erasures`."""
        known = self._broker.state.erasures.values()
        return tuple(one for one in known if one.organisation == organisation)


class MemoryRotation:
    """`KeyDestruction` over the memory of a broker; while `fails_with` is set nothing is destroyed."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self.fails_with: type[NotRecordedError] | None = None

    async def finish(self) -> int:
        """See `KeyDestruction.finish`."""
        if self.fails_with is not None:
            raise self.fails_with
        if not self._broker.state.doomed:
            return 0
        keys, tables = self._broker.keys, self._broker.log
        old, new = keys.epochs, keys.renew()
        for place, row in tables.payloads.items():
            opened = keys.unwrap(row.wrapped_key, epoch=row.epoch, index=row.index, group=row.group)
            wrapped = new.wrap(opened, index=row.index, group=row.group)
            tables.payloads[place] = replace(row, wrapped_key=wrapped, epoch=new.epoch)
        for epoch in old:
            keys.destroy(epoch)
        self._broker.state.doomed = False
        return len(old)

    async def renew_when_old(self) -> bool:
        """See `KeyDestruction.renew_when_old`."""
        return False
