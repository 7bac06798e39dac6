"""Erasures in the database: proposed by one person, carried out inside the writer's transaction (D12)."""

import json
from collections.abc import Sequence
from typing import Any

from audit.database import Connection
from audit.erasure import ErasedRange
from audit.stored_log import StoredLogTransaction
from broker.domain.changes import ErasePayloads
from broker.domain.erasures import EntryRange, Erasure, ErasureState
from broker.domain.errors import StaleDecisionError
from broker.ports import ANY_SHIELD, StampKey
from broker.store.act_rows import forget_acts
from broker.store.connection import Reader
from broker.store.keeping import forget_made_by
from broker.store.kept_answers import forget_answers

FEW_ROWS = 1024
"""Wrapped keys left in an epoch at which it is not waited any longer: wrapping them anew takes milliseconds."""
_COLUMNS = (
    "organisation, id, controller, proposed_by, proposed_at, ground, decision_ref, ranges, state, decided_by, "
    "entry_index"
)


class StoredErasures:
    """`ErasureReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def erasure(self, *, organisation: str, erasure_id: str) -> Erasure | None:
        """Return this organisation's own erasure. See `ErasureReader.erasure`."""
        rows = await self._read("organisation = ? AND id = ?", organisation, erasure_id)
        return rows[0] if rows else None

    async def erasures(self, *, organisation: str) -> tuple[Erasure, ...]:
        """Return all erasures of an organisation. See `ErasureReader.erasures`."""
        return await self._read("organisation = ?", organisation)

    async def _read(self, condition: str, *values: str) -> tuple[Erasure, ...]:
        query = f"SELECT {_COLUMNS} FROM erasures WHERE {condition} ORDER BY proposed_at, id"  # noqa: S608 - column names of ours
        return await self._reader.run(
            lambda connection: tuple(_erasure(row) for row in connection.execute(query, values).fetchall())
        )


def insert_erasure(connection: Connection, erasure: Erasure) -> None:
    """The open transaction holds this proposal."""
    ranges = json.dumps([one.document() for one in erasure.ranges])
    connection.execute(
        f"INSERT INTO erasures ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",  # noqa: S608 - column names of ours
        (
            erasure.organisation, erasure.id, erasure.controller, erasure.proposed_by, erasure.proposed_at,
            erasure.ground, erasure.decision_ref, ranges, erasure.state.value,
        ),
    )  # fmt: skip


def erase_payloads(connection: Connection, change: ErasePayloads, *, index: int) -> tuple[StampKey, ...]:
    """In the open transaction payloads, keys and kept answers are gone, and the epochs of the keys are doomed.

    So are the rows that these entries made, where two people decided it, but for what holds against somebody; returns
    the keys of the stamps that this moves.

    Raises:
        StaleDecisionError: something was erased meanwhile, or the proposal awaits nobody any more.
    """
    # (1) The proposal is carried out once.
    if change.erasure is not None:
        query = """UPDATE erasures SET state = ?, decided_by = ?, entry_index = ?
            WHERE organisation = ? AND id = ? AND state = ?"""
        values = (ErasureState.ERASED.value, change.decided_by, index, change.erasure.organisation, change.erasure.id)
        if connection.execute(query, (*values, ErasureState.PROPOSED.value)).rowcount != 1:
            raise StaleDecisionError
    # (2) Payloads and wrapped keys, all of them or nothing.
    ranges = [ErasedRange(first=one.first, last=one.last, group=group) for one in change.ranges for group in one.groups]
    epochs = StoredLogTransaction(connection).erase(ranges, erased_by=index)
    if epochs is None:
        raise StaleDecisionError
    # (3) What was kept to be answered again says the same as `meta`, and its receipt opens `meta` and `actor`.
    moved: list[StampKey] = []
    for one in change.ranges:
        if {"meta", "actor"} & set(one.groups):
            # Rows have terms of their own; one that ends later than its first entry's content is needed still.
            if change.erasure is not None:
                moved += forget_made_by(connection, first=one.first, last=one.last)
            forget_answers(connection, first=one.first, last=one.last, keys_too=change.erasure is None)
        # What others find the act by goes with its term, not by a decision of who acted.
        if change.erasure is None:
            forget_acts(connection, first=one.first, last=one.last, groups=one.groups)
    # (4) Copies elsewhere can be opened until the key-encryption keys of these epochs are destroyed.
    for epoch in sorted(epochs):
        if change.erasure is not None or _is_nearly_empty(connection, epoch):
            statement = "INSERT INTO doomed_epochs (epoch, entry_index) VALUES (?, ?) ON CONFLICT DO NOTHING"
            connection.execute(statement, (epoch, index))
    return (*moved, ANY_SHIELD)


def _is_nearly_empty(connection: Connection, epoch: int) -> bool:
    query = "SELECT count(*) FROM (SELECT 1 FROM log_payload_keys WHERE epoch = ? LIMIT ?) AS counted"
    return bool(connection.execute(query, (epoch, FEW_ROWS + 1)).fetchone()[0] <= FEW_ROWS)


def _erasure(row: Sequence[Any]) -> Erasure:
    organisation, erasure_id, controller, by, at, ground, reference, ranges, state, decided_by, index = row
    return Erasure(
        id=erasure_id,
        organisation=organisation,
        controller=controller,
        proposed_by=by,
        proposed_at=at,
        ground=ground,
        decision_ref=reference,
        ranges=tuple(
            EntryRange(first=one["from"], last=one["to"], groups=tuple(one["groups"])) for one in json.loads(ranges)
        ),
        state=ErasureState(state),
        decided_by=decided_by,
        entry_index=index,
    )
