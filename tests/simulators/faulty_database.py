"""A connection on which one statement fails, as a disk or server makes it: before it had any effect, or after."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from audit.database import Connection, Dialect, Rows
from audit.errors import DatabaseError


@dataclass(slots=True, kw_only=True)
class Fault:
    """The next statement that holds `fragment` fails with this error; `after` lets it take effect first."""

    fragment: str
    error: Exception
    after: bool = False


def sqlite_error(code: int) -> sqlite3.OperationalError:
    """Return the error that the driver raises for an SQLite error code."""
    error = sqlite3.OperationalError("a fault of a test")
    error.sqlite_errorcode = code
    return error


class FaultyConnection:
    """The connection behind it, but for the faults that are armed."""

    def __init__(self, connection: Connection) -> None:
        self.inner = connection
        self.faults: list[Fault] = []

    @property
    def dialect(self) -> Dialect:
        """What kind of database it is."""
        return self.inner.dialect

    @property
    def lost(self) -> bool:
        """Whether the session has ended."""
        return self.inner.lost

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.inner.in_transaction

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        """Run or fail."""
        with _Failing(self, statement):
            return self.inner.execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Run or fail."""
        with _Failing(self, statement):
            return self.inner.executemany(statement, rows)

    def close(self) -> None:
        """Close."""
        self.inner.close()


class _Failing:
    def __init__(self, connection: FaultyConnection, statement: str) -> None:
        self._connection = connection
        self._fault = next((fault for fault in connection.faults if fault.fragment in statement), None)

    def __enter__(self) -> None:
        if self._fault is not None and not self._fault.after:
            self._raise(self._fault)

    def __exit__(self, *_: object) -> None:
        if self._fault is not None:
            self._raise(self._fault)

    def _raise(self, fault: Fault) -> None:
        self._connection.faults.remove(fault)
        self._fault = None
        if isinstance(fault.error, DatabaseError) and fault.error.lost:
            self._connection.inner.close()
        raise fault.error
