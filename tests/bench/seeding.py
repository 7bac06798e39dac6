"""A store with very many signals, quickly: what the log writer would have stored of each, many rows a statement.

`tests/bench/test_benches.py` holds that the rows are those of `broker.store.state_changes`. Indexes are random, as an
HMAC under a key that nobody has would be; those of the households that are asked about are real.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice

from audit.database import Connection
from broker.domain.changes import StoreSignal
from broker.domain.households import SealedToken, StoredToken, TokenIndex, TokenRole
from broker.domain.signals import Signal
from broker.ports import StampKind
from broker.protocol.tokens import INDEX_KEY_SIZE
from broker.store.signal_rows import SIGNAL_COLUMNS, signal_row
from tests.simulators.enrolled import NAMES

CHUNK = 400
"""Signals in one round of statements: 400 of 22 columns are fewer values than SQLite takes at once."""
_ID = "md5('id ' || n)"
SEALED = bytes(80)  # as long as a sealed token
_TABLES = {
    "signals": SIGNAL_COLUMNS,
    "signal_tokens": ("idx", "signal_id", "role", "family", "epoch", "source"),
    "sealed_tokens": ("idx", "signal_id", "sealed"),
    "version_stamps": ("kind", "key", "version"),
}


def store_all(connection: Connection, changes: Iterable[StoreSignal]) -> None:
    """The database holds these signals, each index in one of them only, in one transaction."""
    connection.execute("BEGIN")
    left = iter(changes)
    while chunk := list(islice(left, CHUNK)):
        tokens = [(change.signal, token, token.index.reveal()) for change in chunk for token in change.tokens]
        _insert(connection, "signals", [signal_row(change.signal) for change in chunk])
        _insert(
            connection,
            "signal_tokens",
            [(index, one.id, token.role.value, token.family, one.epoch, token.source) for one, token, index in tokens],
        )
        _insert(connection, "sealed_tokens", [(index, one.id, token.sealed.reveal()) for one, token, index in tokens])
        stamps = [(StampKind.TOKEN.value, index, 1) for index in dict.fromkeys(index for _, _, index in tokens)]
        _insert(connection, "version_stamps", stamps)
    connection.execute("COMMIT")


def store_on_server(connection: Connection, count: int) -> None:
    """PostgreSQL has made so many strangers' signals itself: sent row by row they would take a quarter of an hour."""
    holders = f"(ARRAY[{', '.join(map(_literal, NAMES))}])[1 + n % {len(NAMES)}]"
    made = dict(zip(SIGNAL_COLUMNS, map(_literal, signal_row(a_signal("0" * 64, ""))), strict=True))
    made |= {"id": _ID, "handle": "md5('handle ' || n)", "organisation": holders, "controller": holders}
    connection.execute("SET statement_timeout = 0")
    _make(connection, "signals", made, count)
    for place, (role, family, source) in enumerate(
        [("subject", "nlbsn", None), ("parent", "fam", "brp"), ("parent", "fam", "brp"), ("address", "addr", None)]
    ):
        index = f"sha256(('index {place} ' || n)::bytea)"
        row = {"idx": index, "signal_id": _ID, "role": _literal(role), "family": _literal(family), "epoch": "1"}
        _make(connection, "signal_tokens", {**row, "source": _literal(source)}, count)
        sealed = f"decode(repeat('00', {len(SEALED)}), 'hex')"
        _make(connection, "sealed_tokens", {"idx": index, "signal_id": _ID, "sealed": sealed}, count)
        _make(connection, "version_stamps", {"key": index, "kind": "'token'", "version": "1"}, count)
    connection.execute("ANALYZE")  # as a server does by itself, a minute later


def strangers(count: int, *, seed: int) -> Iterator[StoreSignal]:
    """Give signals of all organisations on households that nobody asks about: a subject, two parents, an address."""
    source, holders = random.Random(seed), list(NAMES)
    for number in range(count):
        signal = a_signal(source.randbytes(32).hex(), holders[number % len(holders)])
        roles = (TokenRole.SUBJECT, TokenRole.PARENT, TokenRole.PARENT, TokenRole.ADDRESS)
        yield StoreSignal(
            signal=signal,
            tokens=tuple(a_token(TokenIndex(source.randbytes(INDEX_KEY_SIZE)), role) for role in roles),
        )


def a_signal(name: str, organisation: str, *, ends_on: date = date(2027, 6, 1)) -> Signal:
    """Return an active signal of the test purpose; `name` is 64 characters, for id and search handle."""
    return Signal(
        id=name[:32],
        handle=name[32:],
        organisation=organisation,
        controller=organisation,
        parent_org=None,
        team="team-1",
        purpose="proefregio",
        ground="TEST-PROEFREGIO",
        epoch=1,
        case_ref=None,
        registered_on=date(2026, 11, 22),
        ends_on=ends_on,
    )


def a_token(index: TokenIndex, role: TokenRole) -> StoredToken:
    """Return a stored token in this role."""
    family = {TokenRole.SUBJECT: "nlbsn", TokenRole.PARENT: "fam", TokenRole.ADDRESS: "addr"}[role]
    source = "brp" if role is TokenRole.PARENT else None
    return StoredToken(index=index, family=family, role=role, source=source, sealed=SealedToken(SEALED))


def _make(connection: Connection, table: str, row: Mapping[str, str], count: int) -> None:
    columns, expressions = ", ".join(row), ", ".join(row.values())
    # In the order of the key, which comes first: an index that is filled at random is read from disk again and again.
    statement = f"INSERT INTO {table} ({columns}) SELECT {expressions} FROM generate_series(1, {count}) n ORDER BY 1"  # noqa: S608 - names and constants of ours
    connection.execute(statement)


def _literal(value: object) -> str:
    """Return a constant of ours as SQL; none of them holds a quote."""
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value)


def _insert(connection: Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    columns = _TABLES[table]
    places = ", ".join([f"({', '.join('?' * len(columns))})"] * len(rows))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES {places}"  # noqa: S608 - names of ours
    connection.execute(statement, [value for row in rows for value in row])
