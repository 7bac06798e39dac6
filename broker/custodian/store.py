"""A custodian's own SQLite file: durable at every commit, shared safely by several processes of one custodian.

A store belongs to the thread that opened it. Whatever SQLite reports becomes StoreError without its text.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from audit.durability import Durability
from broker.custodian.errors import FolderError, StoreError
from broker.custodian.schema import STEPS

BUSY_S = 5.0  # seconds to wait for another process that writes


class Store:
    """One connection, with every pragma that durability needs."""

    def __init__(self, path: Path) -> None:
        """Open an existing store and bring its tables up to date. Raises FolderError, StoreError."""
        self.durability = Durability()
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_S)
        except sqlite3.Error:
            raise FolderError(f"{path.name} cannot be opened: run init first") from None
        try:
            self._connection.isolation_level = None
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
                self._connection.execute(f"PRAGMA {pragma}").fetchall()
            # After a failed sync the WAL may stand in memory only; written to the file, what it holds is durable.
            self._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
            self._apply_steps()
        except sqlite3.Error:
            self.close()
            raise StoreError from None
        except FolderError:
            self.close()
            raise

    @classmethod
    def create(cls, path: Path) -> Self:
        """Return a new, empty store in a file that only its owner can read."""
        path.touch(mode=0o600, exist_ok=False)
        return cls(path)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Hold the only writing transaction; what happened in it is durable on exit, or undone on an exception.

        Raises:
            StoreError: the store is busy, full or broken; nothing was done.
        """
        if self.durability.lost is not None:
            raise StoreError
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            raise StoreError from None
        try:
            yield self
            self._connection.execute("COMMIT")
        except BaseException as error:
            # SQLite may have undone it itself; if undoing fails, the next BEGIN does too, and nothing is served.
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                self.durability.judge(error)
                raise StoreError from None
            raise

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - what SQLite takes
        """Return the rows of one statement. Raises StoreError."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error:
            raise StoreError from None

    def change(self, statement: str, *values: Any) -> int:  # noqa: ANN401 - as above
        """Return how many rows one statement changed. Raises StoreError."""
        try:
            return self._connection.execute(statement, values).rowcount
        except sqlite3.Error:
            raise StoreError from None

    def number(self, name: str) -> int | None:
        """Return a number of the state table, or None."""
        found = self.rows("SELECT value FROM state WHERE name = ?", name)
        return int(found[0][0]) if found else None

    def set_number(self, name: str, value: int) -> None:
        """Store a number in the state table."""
        self.change(
            "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            value,
        )

    def _apply_steps(self) -> None:
        with self.transaction():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > len(STEPS):
                raise FolderError("the store was made by a newer version of this program")
            for step in STEPS[version:]:
                for statement in step:
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(STEPS)}")
