"""What is kept longer than it may be: read for housekeeping on a thread of its own, so that no tick waits for it."""

import asyncio
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import takewhile
from typing import Any

from audit.database import DATABASE_ERRORS
from audit.entry import Leaf
from audit.erasure import ERASING_KINDS
from audit.errors import AuditError
from broker.domain.erasures import MAX_EXPIRED, EntryRange, joined
from broker.domain.errors import SchemaNotMigratedError, StorageError
from broker.domain.keeping import ForgetRows, Kept, Over, TellOver, before
from broker.domain.signals import Signal, SignalState
from broker.store.address import DatabaseAddress
from broker.store.connection import open_connection, snapshot
from broker.store.keeping import overdue_query
from broker.store.signal_rows import SIGNAL_COLUMNS, signal_of

UNASKED = frozenset({"retention", "policy"})
"""The kinds of entries that no partner asked for: their time is a claim of our own clock."""
LOOKED_BACK = 5000
"""Entries looked at for the newest act: more than housekeeping alone writes in a week."""

_DUE = f"""SELECT {", ".join(SIGNAL_COLUMNS)} FROM signals
    WHERE state IN ('active', 'frozen') AND (ends_on < ? OR age_quarter < ? OR consent_until < ?) ORDER BY id LIMIT ?"""  # noqa: S608 - column names of ours
_RESTING = f"""SELECT {", ".join(SIGNAL_COLUMNS)} FROM signals
    WHERE state = ? AND (%s) ORDER BY id LIMIT ?"""  # noqa: S608 - column names of ours
_TICKETS = """SELECT custodian, ticket_id FROM spent_tickets
    WHERE expires_at < ? ORDER BY custodian, ticket_id LIMIT ?"""
_CHUNKS = """SELECT organisation, sha256, keep_until FROM letter_chunks
    WHERE keep_until < ? ORDER BY organisation, sha256 LIMIT ?"""
_OLDEST = """SELECT p.idx, e.leaf FROM log_payloads p JOIN log_payload_keys k ON k.idx = p.idx AND k.grp = p.grp
    JOIN log_entries e ON e.idx = p.idx WHERE p.grp = 'shielded' ORDER BY p.idx LIMIT ?"""
"""Nobody erases `shielded` by decision, so it stands as long as anything of an entry that may expire."""
_STORED = """SELECT p.idx, p.grp FROM log_payloads p JOIN log_payload_keys k ON k.idx = p.idx AND k.grp = p.grp
    WHERE p.idx BETWEEN ? AND ?"""
"""What lacks its payload or its key is an alarm, which is left as it is and keeps nothing else from its end."""
_NEWEST = "SELECT leaf FROM log_entries ORDER BY idx DESC LIMIT ?"


class StoredRetention:
    """`RetentionReader` over a database."""

    def __init__(self, address: DatabaseAddress) -> None:
        """Open the reading session. Raises as `open_connection`."""
        self._address = address
        self._connection = open_connection(address)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sluis-retention")

    def close(self) -> None:
        """The session has ended."""
        self._thread.shutdown(wait=True)
        self._connection.close()

    async def due(self, *, day: date, at_most: int) -> tuple[Signal, ...]:
        """Return signals that are held and whose last day lies before this day. See `RetentionReader.due`."""
        before = day.isoformat()
        return tuple(signal_of(row, ()) for row in await self._read(_DUE, before, before, before, at_most))

    async def resting_on(
        self, pairs: Collection[tuple[str, str]], *, state: SignalState, at_most: int
    ) -> tuple[Signal, ...]:
        """Return signals in this state that rest on one of these. See `RetentionReader.resting_on`."""
        if not pairs:
            return ()
        either = " OR ".join(["purpose = ? AND ground = ?"] * len(pairs))
        values = [word for pair in sorted(pairs) for word in pair]
        rows = await self._read(_RESTING % either, state.value, *values, at_most)
        return tuple(signal_of(row, ()) for row in rows)

    async def forgettable_tickets(self, *, expired_before: int, at_most: int) -> tuple[tuple[str, str], ...]:
        """Return spent tickets that expired before this second. See `RetentionReader.forgettable_tickets`."""
        rows = await self._read(_TICKETS, expired_before, at_most)
        return tuple((str(custodian), str(ticket_id)) for custodian, ticket_id in rows)

    async def forgettable_chunks(self, *, before: date, at_most: int) -> tuple[tuple[str, str, str], ...]:
        """Return chunks whose last day lies before this one. See `RetentionReader.forgettable_chunks`."""
        rows = await self._read(_CHUNKS, before.isoformat(), at_most)
        return tuple((str(oin), str(sha256), str(day)) for oin, sha256, day in rows)

    async def overdue_rows(self, *, day: date, now: int, at_most: int) -> tuple[ForgetRows | TellOver, ...]:
        """Return what is kept no longer and what is over. See `RetentionReader.overdue_rows`."""
        found: list[ForgetRows | TellOver] = []
        for over in Over:  # told before what rests on it is forgotten
            query, values = overdue_query(over, day.isoformat(), at_most=at_most)
            ids = tuple(row[0] for row in await self._read(query, *values))
            if ids:
                found.append(TellOver(kind=over, ids=ids, before=day.isoformat()))
        for kind in Kept:
            limit = before(kind, day=day, now=now)
            query, values = overdue_query(kind, limit, at_most=at_most)
            ids = tuple(row[0] for row in await self._read(query, *values))
            if ids:
                found.append(ForgetRows(kind=kind, ids=ids, before=limit))
        return tuple(found)

    async def expired_payloads(self, *, written_before: int) -> tuple[EntryRange, ...]:
        """Return what is still there of the oldest entries. See `RetentionReader.expired_payloads`."""
        try:
            oldest = [(index, Leaf.parse(bytes(leaf))) for index, leaf in await self._read(_OLDEST, MAX_EXPIRED)]
        except AuditError as error:
            raise StorageError from error
        past = dict(takewhile(lambda entry: entry[1].time < written_before, oldest))
        if not past:
            return ()
        rows = await self._read(_STORED, min(past), max(past))
        kept = {(index, "meta") for index, leaf in past.items() if leaf.kind in ERASING_KINDS}
        return joined((index, group) for index, group in rows if index in past and (index, group) not in kept)

    async def newest_act_at(self) -> int | None:
        """Return the time of the newest entry that is no housekeeping. See `RetentionReader.newest_act_at`."""
        try:
            leaves = (Leaf.parse(bytes(leaf)) for (leaf,) in await self._read(_NEWEST, LOOKED_BACK))
            return next((leaf.time for leaf in leaves if leaf.kind not in UNASKED), None)
        except AuditError as error:
            raise StorageError from error

    async def _read(self, query: str, *values: object) -> list[Any]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._rows, query, values)
        except (*DATABASE_ERRORS, SchemaNotMigratedError) as error:
            raise StorageError from error

    def _rows(self, query: str, values: tuple[object, ...]) -> list[Any]:
        if self._connection.lost:
            self._connection = open_connection(self._address)
        with snapshot(self._connection) as connection:
            return connection.execute(query, values).fetchall()
