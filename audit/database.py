"""What our SQL needs of a database, so that one text serves SQLite and PostgreSQL.

Statements are written with `?` for values. What differs between the two stands in `Dialect` and nowhere else.
Each connection is in autocommit mode: whoever needs a transaction says BEGIN, COMMIT and ROLLBACK itself.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from audit.errors import DatabaseError

DATABASE_ERRORS = (sqlite3.Error, DatabaseError)
"""Whatever a database can raise. None of their texts is shown: it can hold a value."""


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""

    def fetchone(self) -> Any:  # noqa: ANN401 - columns, of the types the query asks for
        """Return the next row, None after the last."""

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Give one row after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one kind of database says what SQL leaves open.

    `begin_write` opens a transaction that behaves as if it were alone (D7); `begin_read` one that sees one moment.
    """

    name: str
    begin_write: str
    begin_read: str
    takes_lists: bool

    def among(self, column: str, values: Sequence[object]) -> tuple[str, list[object]]:
        """Return a condition that holds for a column with any of these values, and the values it takes."""
        if self.takes_lists:
            return f"{column} = ANY(?)", [list(values)]
        return f"{column} IN ({', '.join('?' * len(values))})", list(values)


SQLITE = Dialect(name="sqlite", begin_write="BEGIN IMMEDIATE", begin_read="BEGIN", takes_lists=False)
POSTGRESQL = Dialect(
    name="postgresql",
    begin_write="BEGIN ISOLATION LEVEL SERIALIZABLE",
    begin_read="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    takes_lists=True,
)


class Connection(Protocol):
    """One session with a database, used by one thread at a time."""

    @property
    def dialect(self) -> Dialect:
        """What kind of database it is."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    @property
    def lost(self) -> bool:
        """Whether the session has ended without our doing; what was under way in it may be done or not."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Rows:
        """Return what one statement gives. Raises one of DATABASE_ERRORS."""

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Carry out one statement for each of these rows, in order. Raises one of DATABASE_ERRORS."""

    def close(self) -> None:
        """The session has ended; an open transaction is undone."""
