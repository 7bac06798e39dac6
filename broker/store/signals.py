"""Reading signals, tokens and stamps over a connection of its own: driver SQL, one snapshot per call."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from broker.domain.households import TokenIndex
from broker.domain.signals import Exclusion, Signal
from broker.ports import LookUp, OwnSignal, Stamp, StampKey, StampKind
from broker.store.connection import open_connection, snapshot
from broker.store.signal_rows import SIGNAL_COLUMNS, found_token, signal_of

_SIGNAL = ", ".join(f"s.{name}" for name in SIGNAL_COLUMNS)
_FOUND = f"""SELECT t.idx, t.role, t.source, t.signal_id, subject.idx AS subject_idx, {_SIGNAL}
    FROM signal_tokens t
    JOIN signals s ON s.id = t.signal_id
    JOIN signal_tokens subject ON subject.signal_id = t.signal_id AND subject.role = 'subject'
    WHERE s.state = 'active' AND t.idx IN """  # noqa: S608 - column names of ours, no value
_EXCLUSIONS = """SELECT e.signal_id, e.organisation, e.worker
    FROM json_each(?) asked CROSS JOIN signal_exclusions e ON e.signal_id = asked.value"""
_UNLIMITED = -1
_ORDER = " ORDER BY t.signal_id, t.role, t.idx"


class SqliteSignals:
    """`SignalStore` over a database; used on the thread of the event loop, where a reading takes microseconds."""

    def __init__(self, path: Path) -> None:
        """Open the reading connection. Raises SchemaNotMigratedError."""
        self._connection = open_connection(path)
        self._connection.execute("PRAGMA query_only=ON")
        self._connection.row_factory = sqlite3.Row

    def close(self) -> None:
        """The connection is closed."""
        self._connection.close()

    async def look_up(self, indexes: Collection[TokenIndex]) -> LookUp:
        """Return the tokens of active signals under these indexes, whoever holds them."""
        with snapshot(self._connection) as connection:
            rows = connection.execute(_FOUND + _places(indexes) + _ORDER, _values(indexes)).fetchall()
            signals = _signals(connection, rows)
            holders = {signal.organisation for signal in signals.values()}
            keys = [StampKey(kind=StampKind.TOKEN, key=index) for index in _values(indexes)]
            keys += [StampKey(kind=StampKind.SHIELD, key=one.encode("ascii")) for one in sorted(signals)]
            keys += [StampKey(kind=StampKind.ORGANISATION, key=oin.encode("ascii")) for oin in sorted(holders)]
            stamps = read_stamps(connection, keys)
        return LookUp(found=tuple(found_token(row, signals) for row in rows), stamps=stamps)

    async def own_on(self, *, organisation: str, purpose: str, indexes: Collection[TokenIndex]) -> LookUp:
        """Return the tokens under these indexes of this organisation's own active signals for this purpose."""
        query = _FOUND + _places(indexes) + " AND s.organisation = ? AND s.purpose = ?" + _ORDER
        with snapshot(self._connection) as connection:
            rows = connection.execute(query, (*_values(indexes), organisation, purpose)).fetchall()
            signals = _signals(connection, rows)
            keys = [StampKey(kind=StampKind.SHIELD, key=one.encode("ascii")) for one in sorted(signals)]
            stamps = read_stamps(connection, keys)
        return LookUp(found=tuple(found_token(row, signals) for row in rows), stamps=stamps)

    async def own(self, *, organisation: str, signal_id: str) -> OwnSignal | None:
        """Return this organisation's own signal; None for another's and for none at all."""
        query = f"SELECT {_SIGNAL}, s.id AS signal_id FROM signals s WHERE s.id = ? AND s.organisation = ?"  # noqa: S608 - column names of ours
        with snapshot(self._connection) as connection:
            rows = connection.execute(query, (signal_id, organisation)).fetchall()
            if not rows:
                return None
            signal = _signals(connection, rows)[signal_id]
            stamps = read_stamps(connection, [StampKey(kind=StampKind.SHIELD, key=signal.id.encode("ascii"))])
        return OwnSignal(signal=signal, stamps=stamps)

    async def list_own(
        self, *, organisation: str, after: str | None = None, at_most: int | None = None
    ) -> tuple[Signal, ...]:
        """Return this organisation's own signals in the order of their ids, those after an id, so many at most."""
        query = f"""SELECT {_SIGNAL}, s.id AS signal_id FROM signals s
            WHERE s.organisation = ? AND s.id > ? ORDER BY s.id LIMIT ?"""  # noqa: S608 - column names of ours
        values = (organisation, after or "", _UNLIMITED if at_most is None else at_most)
        with snapshot(self._connection) as connection:
            rows = connection.execute(query, values).fetchall()
            return tuple(_signals(connection, rows).values())

    async def stamps(self, keys: Collection[StampKey]) -> tuple[Stamp, ...]:
        """Return the present version of each key, in the order asked."""
        with snapshot(self._connection) as connection:
            return read_stamps(connection, keys)


def read_stamps(connection: sqlite3.Connection, keys: Iterable[StampKey]) -> tuple[Stamp, ...]:
    """Return the present version of each key in the connection's transaction; 0 for what never changed."""
    return tuple(Stamp(of=key, version=_version(connection, key)) for key in keys)


def _version(connection: sqlite3.Connection, key: StampKey) -> int:
    query = "SELECT version FROM version_stamps WHERE kind = ? AND key = ?"
    row = connection.execute(query, (key.kind.value, key.key)).fetchone()
    return 0 if row is None else int(row[0])


def _signals(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> Mapping[str, Signal]:
    """Return the signals of these rows by id, each with its exclusions: one query, however many rows there are."""
    by_id = {row["signal_id"]: row for row in rows}
    exclusions: dict[str, list[Exclusion]] = defaultdict(list)
    for row in connection.execute(_EXCLUSIONS, (json.dumps(list(by_id)),)):
        exclusions[row["signal_id"]].append(Exclusion(organisation=row["organisation"], worker=row["worker"] or None))
    return {signal_id: signal_of(row, exclusions[signal_id]) for signal_id, row in by_id.items()}


def _values(indexes: Collection[TokenIndex]) -> tuple[bytes, ...]:
    return tuple(sorted(index.reveal() for index in indexes))


def _places(indexes: Collection[TokenIndex]) -> str:
    return "(" + ", ".join("?" * len(indexes)) + ")"
