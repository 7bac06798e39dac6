"""Reading signals, tokens and stamps: driver SQL, one snapshot per call."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from audit.database import Connection
from broker.domain.households import FoundToken, TokenIndex
from broker.domain.signals import Exclusion, Signal
from broker.letter_ports import OwnId
from broker.ports import LookUp, OwnSignal, Stamp, StampKey, StampKind
from broker.store.connection import Reader
from broker.store.signal_rows import SIGNAL_COLUMNS, found_token, signal_of

_SIGNAL = ", ".join(f"s.{name}" for name in SIGNAL_COLUMNS)
_FOUND = f"""SELECT t.idx, t.role, t.source, subject.idx, {_SIGNAL}
    FROM signal_tokens t
    JOIN signals s ON s.id = t.signal_id
    JOIN signal_tokens subject ON subject.signal_id = t.signal_id AND subject.role = 'subject'
    WHERE s.state = 'active' AND """  # noqa: S608 - column names of ours, no value
# An expression and no column, so that the few tokens asked lead the way: a planner without statistics would rather walk
# every signal that the organisation has.
_OWN = " AND s.organisation || '' = ?"
_FOUND_ID = 4
"""The place of the signal's id in a row of `_FOUND`; the signal's columns begin there."""
_ORDER = " ORDER BY t.signal_id, t.role, t.idx"
_NO_LIMIT = 2**62


class StoredSignals:
    """`SignalStore` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def look_up(self, indexes: Collection[TokenIndex]) -> LookUp:
        """Return the tokens of active signals under these indexes, whoever holds them."""
        return await self._reader.run(lambda connection: _look_up(connection, _values(indexes)))

    async def own_on(self, *, organisation: str, purpose: str | None, indexes: Collection[TokenIndex]) -> LookUp:
        """Return the tokens under these indexes of own active signals for a purpose, or for any. See `SignalStore`."""
        return await self._reader.run(
            lambda connection: _own_on(connection, organisation, purpose, _values(indexes))
        )  # fmt: skip

    async def own(self, *, organisation: str, signal_id: str) -> OwnSignal | None:
        """Return this organisation's own signal; None for another's and for none at all."""
        own_id = (organisation, signal_id)
        return (await self._reader.run(lambda connection: read_own_signals(connection, {own_id}))).get(own_id)

    async def list_own(
        self, *, organisation: str, after: str | None = None, at_most: int | None = None
    ) -> tuple[Signal, ...]:
        """Return this organisation's own signals in the order of their ids, those after an id, so many at most."""
        query = f"SELECT {_SIGNAL} FROM signals s WHERE s.organisation = ? AND s.id > ? ORDER BY s.id LIMIT ?"  # noqa: S608 - column names of ours
        values = (organisation, after or "", _NO_LIMIT if at_most is None else at_most)

        def read(connection: Connection) -> tuple[Signal, ...]:
            return tuple(_signals(connection, connection.execute(query, values).fetchall()).values())

        return await self._reader.run(read)

    async def stamps(self, keys: Collection[StampKey]) -> tuple[Stamp, ...]:
        """Return the present version of each key, in the order asked."""
        return await self._reader.run(lambda connection: read_stamps(connection, keys))


def _look_up(connection: Connection, indexes: list[bytes]) -> LookUp:
    among, values = connection.dialect.among("t.idx", indexes)
    rows = connection.execute(_FOUND + among + _ORDER, values).fetchall()
    signals = _signals(connection, [row[_FOUND_ID:] for row in rows])
    holders = {signal.organisation for signal in signals.values()}
    keys = [StampKey(kind=StampKind.TOKEN, key=index) for index in indexes]
    keys += [StampKey(kind=StampKind.SHIELD, key=one.encode("ascii")) for one in sorted(signals)]
    keys += [StampKey(kind=StampKind.ORGANISATION, key=oin.encode("ascii")) for oin in sorted(holders)]
    return LookUp(found=_found(rows, signals), stamps=read_stamps(connection, keys))


def _own_on(connection: Connection, organisation: str, purpose: str | None, indexes: list[bytes]) -> LookUp:
    among, values = connection.dialect.among("t.idx", indexes)
    of, named = ("", ()) if purpose is None else (" AND s.purpose = ?", (purpose,))
    query = _FOUND + among + _OWN + of + _ORDER
    rows = connection.execute(query, (*values, organisation, *named)).fetchall()
    signals = _signals(connection, [row[_FOUND_ID:] for row in rows])
    keys = [StampKey(kind=StampKind.SHIELD, key=one.encode("ascii")) for one in sorted(signals)]
    return LookUp(found=_found(rows, signals), stamps=read_stamps(connection, keys))


def read_own_signals(connection: Connection, ids: Collection[OwnId]) -> Mapping[OwnId, OwnSignal]:
    """Return those of these own signals that there are, in the connection's transaction."""
    chosen, of = connection.dialect.among("s.id", sorted({signal_id for _, signal_id in ids}))
    held, by = connection.dialect.among("s.organisation || ''", sorted({organisation for organisation, _ in ids}))
    query = f"SELECT {_SIGNAL} FROM signals s WHERE {chosen} AND {held}"  # noqa: S608 - column names of ours
    found = _signals(connection, connection.execute(query, (*of, *by)).fetchall()).values()
    signals = {(one.organisation, one.id): one for one in found if (one.organisation, one.id) in ids}
    named = [signal_id for _, signal_id in signals]
    shields = read_stamps(connection, _keys(StampKind.SHIELD, named))
    days = read_stamps(connection, _keys(StampKind.LAST_DAY, named))
    stamps = {one: both for one, *both in zip(named, shields, days, strict=True)}
    among, values = connection.dialect.among("signal_id", named)
    query = f"SELECT signal_id, idx FROM signal_tokens WHERE role = 'subject' AND {among}"  # noqa: S608 - no value in it
    subjects = {row[0]: TokenIndex(bytes(row[1])) for row in connection.execute(query, values).fetchall()}
    return {
        own_id: OwnSignal(signal=one, stamps=tuple(stamps[one.id]), subject=subjects[one.id])
        for own_id, one in signals.items()
    }


def _keys(kind: StampKind, signal_ids: Iterable[str]) -> list[StampKey]:
    return [StampKey(kind=kind, key=one.encode("ascii")) for one in signal_ids]


def read_stamps(connection: Connection, keys: Iterable[StampKey]) -> tuple[Stamp, ...]:
    """Return the present version of each key in the connection's transaction; 0 for what never changed.

    One query, however many keys there are: on a server each would be a way there and back.
    """
    asked = tuple(keys)
    by_kind: dict[str, list[bytes]] = defaultdict(list)
    for key in asked:
        by_kind[key.kind.value].append(key.key)
    conditions, values = [], list[object]()
    for kind, kept in by_kind.items():
        among, listed = connection.dialect.among("key", kept)
        conditions.append(f"kind = ? AND {among}")
        values += [kind, *listed]
    if not asked:
        return ()
    query = "SELECT kind, key, version FROM version_stamps WHERE " + " OR ".join(conditions)  # noqa: S608 - no value in it
    versions = {(kind, bytes(key)): version for kind, key, version in connection.execute(query, values)}
    return tuple(Stamp(of=key, version=versions.get((key.kind.value, key.key), 0)) for key in asked)


def read_signals(connection: Connection, ids: Collection[str]) -> Mapping[str, Signal]:
    """Return these signals by id, whoever holds them and whatever their state, in the connection's transaction."""
    among, values = connection.dialect.among("s.id", sorted(ids))
    query = f"SELECT {_SIGNAL} FROM signals s WHERE {among}"  # noqa: S608 - column names of ours
    return _signals(connection, connection.execute(query, values).fetchall())


def _found(rows: Sequence[Sequence[Any]], signals: Mapping[str, Signal]) -> tuple[FoundToken, ...]:
    return tuple(found_token(row, signals[row[_FOUND_ID]]) for row in rows)


def _signals(connection: Connection, rows: Sequence[Sequence[Any]]) -> Mapping[str, Signal]:
    """Return the signals of these rows by id, each with its exclusions: one query, however many rows there are."""
    by_id = {row[0]: row for row in rows}
    exclusions: dict[str, list[Exclusion]] = defaultdict(list)
    # Asked also where nothing was found: one way to the server more or less would tell that something was (D8).
    among, values = connection.dialect.among("signal_id", list(by_id))
    query = f"SELECT signal_id, organisation, worker FROM signal_exclusions WHERE {among}"  # noqa: S608 - no value in it
    for signal_id, organisation, worker in connection.execute(query, values):
        exclusions[signal_id].append(Exclusion(organisation=organisation, worker=worker or None))
    return {signal_id: signal_of(row, exclusions[signal_id]) for signal_id, row in by_id.items()}


def _values(indexes: Collection[TokenIndex]) -> list[bytes]:
    return sorted(index.reveal() for index in indexes)
