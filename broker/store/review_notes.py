"""What reviewers stated, and the checkpoints of the log: small readings, on the reader that the flows share."""

import json
from collections.abc import Sequence
from typing import Any

from audit.database import Connection
from audit.entry import Leaf
from audit.errors import AuditError
from audit.merkle import root_at
from audit.policy_file import Policy
from audit.stored_log import StoredLog
from broker.domain.acts import ReviewNote
from broker.domain.errors import StorageError
from broker.domain.review import KeptNote
from broker.review_ports import Seed
from broker.store.connection import Reader
from broker.store.quorum import PAGE, cosigners, quorum_met

_NOTES = """SELECT idx, organisation, worker, kind, about, body, at FROM review_notes
    WHERE organisation = ? AND kind = ? AND (? = '' OR about = ?) ORDER BY idx"""


class StoredNotes:
    """`NoteReader` and `CheckpointReader` over a database."""

    def __init__(self, reader: Reader, *, policy: Policy) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader
        self._policy = policy

    async def notes(self, *, organisation: str, kind: str, about: str | None = None) -> tuple[KeptNote, ...]:
        """Return what was stated. See `NoteReader.notes`."""
        values = (organisation, kind, about or "", about or "")
        rows = await self._reader.run(lambda connection: connection.execute(_NOTES, values).fetchall())
        return tuple(kept_note(row) for row in rows)

    async def first_cosigned(self, *, since: int, until: int) -> Seed | None:
        """Return the first checkpoint of this time with a quorum. See `CheckpointReader.first_cosigned`."""
        try:
            return await self._reader.run(lambda connection: self._first_cosigned(connection, since, until))
        except AuditError as error:
            raise StorageError from error

    async def has_head(self, *, size: int, root: str) -> bool:
        """Return whether the log had this root. See `CheckpointReader.has_head`."""

        def read(connection: Connection) -> bool:
            log = StoredLog(connection)
            return size <= log.size() and root_at(log, size).hex() == root

        try:
            return await self._reader.run(read)
        except AuditError as error:
            raise StorageError from error

    def _first_cosigned(self, connection: Connection, since: int, until: int) -> Seed | None:
        log = StoredLog(connection)
        above = _first_at(log, since)
        query = "SELECT size FROM log_checkpoints WHERE size > ? ORDER BY size LIMIT ?"
        while sizes := [row[0] for row in connection.execute(query, (above, PAGE)).fetchall()]:
            by_size = cosigners(connection, first=sizes[0], last=sizes[-1])
            covered = (size for size in sizes if quorum_met(self._policy, by_size.get(size, ())))
            found = next(covered, None)
            # Times only rise, so the first one with its quorum is it, or comes too late.
            if found is not None:
                return Seed(size=found, note=log.note(found)) if _time(log, found - 1) < until else None
            if _time(log, sizes[-1] - 1) >= until:
                return None
            above = sizes[-1]
        return None


def kept_note(row: Sequence[Any]) -> KeptNote:
    """Return the note in a row: index, organisation, worker, kind, about, body, at."""
    index, organisation, worker, kind, about, body, at = row
    note = ReviewNote(organisation=organisation, worker=worker, kind=kind, about=about, body=json.loads(body))
    return KeptNote(index=index, at=at, note=note)


def _time(log: StoredLog, index: int) -> int:
    return Leaf.parse(log.entries(index, index + 1)[0]).time


def _first_at(log: StoredLog, since: int) -> int:
    """Return the index of the first entry of this time, the log's size where there is none yet."""
    low, high = 0, log.size()
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if _time(log, middle) < since else (low, middle)
    return low
