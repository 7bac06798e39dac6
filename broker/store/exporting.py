"""Entries with their proofs, for exports: `EntryExporter` over a database."""

from collections.abc import Iterator

from audit.database import Connection
from audit.entry import Leaf, Opening, parse_payload
from audit.errors import AuditError
from audit.key_ring import KeyRing
from audit.log import SealedRow
from audit.policy_file import Policy
from audit.receipt import Receipt
from audit.stored_groups import ALARMS, stored_group
from audit.stored_log import StoredLog
from broker.domain.errors import StorageError
from broker.export_ports import ProvenEntries, ProvenEntry
from broker.store.address import DatabaseAddress
from broker.store.connection import ApartReader
from broker.store.quorum import covered_size

GROUPS = ("meta", "actor")
"""What an organisation reads of its own acts (audit/export/opened.py)."""
PAGE = 512
"""Leaves read together."""


_FIRST = "SELECT min(idx) FROM acts"
_OF = "SELECT idx FROM acts WHERE organisation = ? AND at >= ? AND at < ? AND idx > ? ORDER BY idx"


class StoredExports:
    """`EntryExporter` over a database; it opens every entry that may be one's own, so it reads apart from the flows.

    `acts` names them, as it does for the review, but not those that are older than `acts` itself: there every leaf is
    looked at. Either way `actor` decides whose an entry is, for as long as it is there.
    """

    def __init__(self, address: DatabaseAddress, *, policy: Policy, keys: KeyRing) -> None:
        """Open a session of its own, on a thread of its own. Raises as `open_connection`."""
        self._reader = ApartReader(address)
        self._policy = policy
        self._keys = keys

    def close(self) -> None:
        """Nothing reads any more."""
        self._reader.close()

    async def own_entries(
        self, *, organisation: str, worker: str | None, since: int, until: int, after: int | None, at_most: int
    ) -> ProvenEntries:
        """Return an organisation's entries. See `EntryExporter.own_entries`."""
        start = 0 if after is None else after + 1

        def read(connection: Connection) -> ProvenEntries:
            log, size = StoredLog(connection), covered_size(connection, self._policy)
            if size is None:
                raise StorageError
            found: list[ProvenEntry] = []
            for index, leaf, named in _candidates(connection, organisation, since, until, start=start, size=size):
                if self._is_of(log, index, leaf, organisation, worker, named=named):
                    if len(found) == at_most:
                        return ProvenEntries(entries=tuple(found), more=True)
                    found.append(self._proven(log, index, leaf, size))
            return ProvenEntries(entries=tuple(found), more=False)

        try:
            return await self._reader.run(read)
        except AuditError as error:
            raise StorageError from error

    def _is_of(
        self, log: StoredLog, index: int, leaf: Leaf, organisation: str, worker: str | None, *, named: bool
    ) -> bool:
        """Return whose an entry is: by its actor; where that was erased by `acts`, or the controller in its meta."""
        opening = self._opening(log, index, leaf, "actor")
        if opening is not None:
            actor = parse_payload(opening.payload)
            return actor.get("organisation") == organisation and worker in (None, actor.get("worker"))
        if named or worker is not None:
            return worker is None
        meta = self._opening(log, index, leaf, "meta")
        request = {} if meta is None else parse_payload(meta.payload).get("request")
        return isinstance(request, dict) and request.get("controller") == organisation

    def _opening(self, log: StoredLog, index: int, leaf: Leaf, group: str) -> Opening | None:
        """Return what opens a group, None where an entry says that it was erased. Raises StorageError: an alarm."""

        def unwrap(row: SealedRow) -> bytes:
            return self._keys.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group=group)

        row, erased_by = log.sealed_row(index, group), log.erased_by(index, group)
        stored = stored_group(row, leaf=leaf, group=group, erased_by=erased_by, unwrap=unwrap)
        if stored.state in ALARMS:
            raise StorageError
        return stored.opening

    def _proven(self, log: StoredLog, index: int, leaf: Leaf, size: int) -> ProvenEntry:
        opened = {group: self._opening(log, index, leaf, group) for group in GROUPS}
        openings = {group: opening for group, opening in opened.items() if opening is not None}
        wire = Receipt(
            leaf=leaf, proof=log.proof(index, size), openings=openings, uncosigned_since=None
        ).to_wire()  # fmt: skip
        return ProvenEntry(
            index=index,
            leaf=str(wire["leaf"]),
            leaf_hash=leaf.leaf_hash,
            proof=str(wire["proof"]),
            openings=wire["openings"],  # type: ignore[arg-type]  # a receipt's own wire form
            erased=tuple(group for group in GROUPS if group not in openings),
        )


def _candidates(
    connection: Connection, organisation: str, since: int, until: int, *, start: int, size: int
) -> Iterator[tuple[int, Leaf, bool]]:
    """Yield each leaf of the period that may be this organisation's, and whether `acts` says so."""
    log = StoredLog(connection)
    (first,) = connection.execute(_FIRST).fetchone()
    for index, leaf in _leaves(log, start=start, size=size if first is None else min(int(first), size)):
        if since <= leaf.time < until:
            yield index, leaf, False
    for (index,) in connection.execute(_OF, (organisation, since, until, start - 1)).fetchall():
        if index < size:
            (text,) = log.entries(index, index + 1)
            yield int(index), Leaf.parse(bytes(text)), True


def _leaves(log: StoredLog, *, start: int, size: int) -> Iterator[tuple[int, Leaf]]:
    """Yield every leaf from `start` on: times go back with a clock, and what is skipped would be left out unseen."""
    for first in range(start, size, PAGE):
        texts = log.entries(first, min(first + PAGE, size))
        yield from ((index, Leaf.parse(bytes(text))) for index, text in enumerate(texts, start=first))
