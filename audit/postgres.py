"""PostgreSQL as the database of a log: the only module that knows its driver.

What the server says in words never leaves this module: `Key (idx)=(...) already exists` would quote a value.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from audit.database import POSTGRESQL, Rows
from audit.errors import MISCONFIGURED, DatabaseError

CONNECT_S = 5
"""Seconds to wait for a server."""
_OPTIONS = {
    "connect_timeout": CONNECT_S,
    "application_name": "sluis",
    # Never a standby: it lags, so it would show again what was withdrawn.
    "target_session_attrs": "read-write",
    # A machine that went away is noticed, instead of waited for (milliseconds, seconds, seconds, probes).
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# search_path: only our own schema, so that nobody puts a table of his in front of ours.
# tcp_*: the server too notices soon that we went away, and lets go of the lock of the one writer.
_SETTINGS = (
    "SET search_path = public",
    "SET lock_timeout = '5s'",
    "SET statement_timeout = '30s'",
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 10000",
)
_DURABLE = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "data_sync_retry": {"off"},
    "synchronous_commit": {"on", "remote_apply", "remote_write"},
}
_COMMIT = "COMMIT"


class PostgresConnection:
    """A session with a server, in the form of `audit.database.Connection`."""

    dialect = POSTGRESQL

    def __init__(self, inner: "psycopg.Connection[Any]") -> None:
        self._inner = inner
        self._warned = False
        inner.add_notice_handler(self._noticed)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._inner.info.transaction_status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}

    @property
    def lost(self) -> bool:
        """Whether the session has ended without our doing."""
        return self._inner.closed

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        """Return what one statement gives. Raises DatabaseError."""
        self._warned = False
        try:
            cursor = self._inner.execute(_placed(statement), values or None)
        except psycopg.Error as error:
            raise self._told(error) from None
        if statement == _COMMIT:
            self._check_committed(cursor.statusmessage)
        return cursor

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Carry out one statement for each of these rows, in order. Raises DatabaseError."""
        try:
            cursor = self._inner.cursor()
            cursor.executemany(_placed(statement), rows)
        except psycopg.Error as error:
            raise self._told(error) from None
        return cursor

    def close(self) -> None:
        """The session has ended; an open transaction is undone."""
        self._inner.close()

    def _check_committed(self, status: str | None) -> None:
        """Hold only for a commit that is what it says. Raises DatabaseError: what became of it is not known."""
        # (1) A transaction that had failed is rolled back by COMMIT, without an error.
        # (2) A warning means: here, but perhaps not at the standby that would take over. That is no acknowledgement.
        if status != _COMMIT or self._warned:
            self._inner.close()
            raise DatabaseError(None, lost=True)

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        self._warned = self._warned or notice.severity_nonlocalized == "WARNING"

    def _told(self, error: psycopg.Error) -> DatabaseError:
        of_values = isinstance(error, psycopg.DataError | psycopg.IntegrityError)
        return DatabaseError(error.sqlstate, lost=self._inner.closed, of_values=of_values)


def driver_connection(address: str, *, for_administration: bool = False) -> "psycopg.Connection[Any]":
    """Return the driver's own connection, in autocommit mode with our settings.

    Args:
        address: libpq's URL.
        for_administration: a step of the schema takes the time it takes.

    Raises:
        DatabaseError: no such server, not let in, or a server that forgets what it said was durable.

    """
    try:
        inner = psycopg.connect(address, autocommit=True, **_OPTIONS)  # type: ignore[arg-type]  # names of libpq
    except psycopg.Error as error:
        raise DatabaseError(error.sqlstate, lost=True) from None
    try:
        _prepare(inner)
        if for_administration:
            inner.execute("SET statement_timeout = 0")
    except BaseException:
        inner.close()
        raise
    return inner


def _prepare(inner: "psycopg.Connection[Any]") -> None:
    """The session has our settings, on a server that keeps what it acknowledged. Raises DatabaseError."""
    # Readings end their transaction each time, which would throw prepared statements away as fast as they are made.
    inner.prepare_threshold = None
    try:
        for setting in _SETTINGS:
            inner.execute(setting)
        found = {name: inner.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in _DURABLE}
        # Behind a pooler that changes sessions, a lock and these settings would belong to whoever comes next.
        backend = inner.execute("SELECT pg_backend_pid()").fetchone()
        # What was accepted is kept for this session, whatever the server is told later.
        inner.execute("SELECT set_config('synchronous_commit', current_setting('synchronous_commit'), false)")
    except psycopg.Error as error:
        raise DatabaseError(error.sqlstate, lost=True) from None
    if any(value is None or value[0] not in _DURABLE[name] for name, value in found.items()):
        raise DatabaseError(MISCONFIGURED, lost=False)
    if backend is None or backend[0] != inner.info.backend_pid:
        raise DatabaseError(MISCONFIGURED, lost=False)


def open_postgres(address: str) -> PostgresConnection:
    """Return a session in autocommit mode; the caller says BEGIN itself. Raises DatabaseError."""
    return PostgresConnection(driver_connection(address))


@contextmanager
def open_postgres_read_only(address: str) -> Iterator[PostgresConnection]:
    """Give a session that sees one consistent state and cannot write. Raises DatabaseError."""
    with closing(open_postgres(address)) as connection:
        connection.execute(POSTGRESQL.begin_read)
        yield connection


@lru_cache(maxsize=512)
def _placed(statement: str) -> str:
    """Return a statement of ours with the driver's mark for values; none of our texts holds a `?` or `%` itself."""
    return statement.replace("?", "%s")
