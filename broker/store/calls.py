"""Oproepen in the database: read by who sent them or by whom they ask, never by the one for the other."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from audit.database import Connection
from broker.call_ports import calls_key
from broker.domain.calls import AnswerRing, Call, ForwardRing, Ring, RingState, StoreCall
from broker.domain.errors import StaleDecisionError
from broker.domain.information_requests import RestsOn
from broker.domain.team_tasks import TeamTask
from broker.ports import StampKey
from broker.store.asked_on import asked_of, asked_text, found_of, found_text
from broker.store.connection import Reader
from broker.store.team_tasks import StoredTasks

_CALL_COLUMNS = (
    "id", "organisation", "controller", "team", "worker", "purpose", "case_ref", "sent_at", "asked_until", "asked_on",
)  # fmt: skip
_CALL = ", ".join(f"c.{name}" for name in _CALL_COLUMNS)
_RINGS = (
    f"SELECT r.id, r.organisation, r.team, r.signal_id, r.state, r.rests_on, r.valid_until, r.found_as, {_CALL}"  # noqa: S608 - column names of ours, no value
    " FROM call_rings r JOIN calls c ON c.id = r.call_id WHERE "
)
_OWN_FIELDS = 8
"""Columns of the ring itself in a row of `_RINGS`; those of its call follow."""


class StoredCalls:
    """`CallReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def calls(self, *, organisation: str, after: str, at_most: int) -> tuple[Call, ...]:
        """Return what this organisation sent. See `CallReader.calls`."""
        query = f"SELECT {_CALL} FROM calls c WHERE c.organisation = ? AND c.id > ? ORDER BY c.id LIMIT ?"  # noqa: S608 - column names of ours
        rows = await self._reader.run(
            lambda connection: connection.execute(query, (organisation, after, at_most)).fetchall()
        )
        return tuple(_call(row) for row in rows)

    async def rings(self, *, organisation: str, day: date, after: str, at_most: int) -> tuple[Ring, ...]:
        """Return what asks this organisation's teams. See `CallReader.rings`."""
        where = "r.organisation = ? AND r.id > ? AND r.state <> ? AND c.asked_until >= ? ORDER BY r.id LIMIT ?"
        values = (organisation, after, RingState.DECLINED.value, day.isoformat(), at_most)
        return await self._rings(where, values)

    async def asked_by(
        self, *, organisation: str, purpose: str, day: date, signals: Collection[str]
    ) -> tuple[Ring, ...]:
        """Return what these oproepen ask. See `CallReader.asked_by`."""
        # One statement whoever was found, nobody too: asking is the same act in every world.
        named = [*signals, ""]
        marks = ", ".join("?" * len(named))
        where = f"c.organisation = ? AND c.purpose = ? AND c.asked_until >= ? AND r.signal_id IN ({marks})"
        return await self._rings(where, (organisation, purpose, day.isoformat(), *named))

    async def ring(self, *, organisation: str, ring_id: str) -> Ring | None:
        """Return this organisation's own ring. See `CallReader.ring`."""
        rings = await self._rings("r.organisation = ? AND r.id = ?", (organisation, ring_id))
        return rings[0] if rings else None

    async def of_reference(self, *, organisation: str, reference: str) -> tuple[TeamTask, ...]:
        """Return tasks about a report or order. See `ReferenceReader.of_reference`."""
        return await StoredTasks(self._reader).of_reference(organisation=organisation, reference=reference)

    async def _rings(self, where: str, values: tuple[object, ...]) -> tuple[Ring, ...]:
        rows = await self._reader.run(lambda connection: connection.execute(_RINGS + where, values).fetchall())
        return tuple(_ring(row) for row in rows)


def store_call(connection: Connection, change: StoreCall, *, index: int) -> tuple[StampKey, ...]:
    """The open transaction holds this call and its rings; returns the key of the stamp it moves, whomever it reached.

    Raises:
        StaleDecisionError: a ring that goes on was declined or forgotten meanwhile.
    """
    call = change.call
    marks = ", ".join("?" * (len(_CALL_COLUMNS) + 2))
    connection.execute(
        f"INSERT INTO calls ({', '.join(_CALL_COLUMNS)}, rings_until, idx) VALUES ({marks})",  # noqa: S608 - column names of ours
        (
            call.id, call.organisation, call.controller, call.team, call.worker, call.purpose, call.case_ref,
            call.sent_at, call.asked_until.isoformat(), asked_text(call.asked_on), call.asked_until.isoformat(), index,
        ),
    )  # fmt: skip
    for ring in change.rings:
        connection.execute(
            "INSERT INTO call_rings (id, call_id, organisation, team, signal_id, state, rests_on, valid_until, "
            "found_as) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                ring.id,
                call.id,
                ring.organisation,
                ring.team,
                ring.signal_id,
                ring.state.value,
                json.dumps([asdict(one) for one in ring.rests_on]),
                None if ring.valid_until is None else ring.valid_until.isoformat(),
                found_text(ring.found_as),
            ),
        )
    for ring_id in change.again:
        _go_on(connection, ring_id, call_id=call.id)
    return (calls_key(call.organisation, call.purpose),)


def _go_on(connection: Connection, ring_id: str, *, call_id: str) -> None:
    query = "UPDATE call_rings SET call_id = ? WHERE id = ? AND state <> ?"
    if connection.execute(query, (call_id, ring_id, RingState.DECLINED.value)).rowcount != 1:
        raise StaleDecisionError
    # Whoever did not hear of it yet hears of it once.
    connection.execute("DELETE FROM notices WHERE about = ? AND told_at IS NULL AND read_at IS NULL", (ring_id,))


def answer_ring(connection: Connection, change: AnswerRing) -> None:
    """The open transaction holds what a holder decided. Raises StaleDecisionError: it was decided meanwhile."""
    query = "UPDATE call_rings SET state = ?, answered_by = ?, answered_at = ? WHERE id = ? AND state = ?"
    values = (change.state.value, change.worker, change.at, change.ring_id, RingState.WAITING.value)
    if connection.execute(query, values).rowcount != 1:
        raise StaleDecisionError


def forward_ring(connection: Connection, change: ForwardRing) -> None:
    """The open transaction has another team asked. Raises StaleDecisionError: it was decided or forwarded meanwhile."""
    query = "UPDATE call_rings SET team = ? WHERE id = ? AND team = ? AND state = ?"
    values = (change.team, change.ring_id, change.from_team, RingState.WAITING.value)
    if connection.execute(query, values).rowcount != 1:
        raise StaleDecisionError


def _call(row: Sequence[Any]) -> Call:
    fields = dict(zip(_CALL_COLUMNS, row, strict=True))
    days = {"asked_until": date.fromisoformat(fields["asked_until"])}
    return Call(**{**fields, **days, "asked_on": asked_of(fields["asked_on"])})


def _ring(row: Sequence[Any]) -> Ring:
    ring_id, organisation, team, signal_id, state, rests_on, valid_until, found_as = row[:_OWN_FIELDS]
    return Ring(
        id=ring_id,
        call=_call(row[_OWN_FIELDS:]),
        organisation=organisation,
        team=team,
        signal_id=signal_id,
        state=RingState(state),
        rests_on=tuple(RestsOn(**one) for one in json.loads(rests_on)),
        valid_until=None if valid_until is None else date.fromisoformat(valid_until),
        found_as=found_of(found_as),
    )
