"""`cases.sqlite`: the workers of this organisation, its own signals by case, and whom a case is about (as an HMAC)."""

import datetime
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_SCHEMA = """
CREATE TABLE IF NOT EXISTS worker (
  local_id TEXT PRIMARY KEY, name TEXT NOT NULL, roles TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS roster_number (audience TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own_signal (
  signal_id TEXT PRIMARY KEY, case_ref TEXT, purpose TEXT NOT NULL, team TEXT NOT NULL, ends_on TEXT NOT NULL,
  state TEXT NOT NULL, receipt INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS own_signal_case ON own_signal (case_ref, purpose, team);
CREATE TABLE IF NOT EXISTS case_person (case_ref TEXT PRIMARY KEY, person_mac BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSignal:
    """A signal of this organisation as it stands here; `receipt` is the log entry that began it."""

    signal_id: str
    case_ref: str | None
    purpose: str
    team: str
    ends_on: datetime.date
    state: str
    receipt: int | None


def open_database(path: Path) -> sqlite3.Connection:
    """Return a connection to a partner's own database: durable (WAL, FULL), deleted rows overwritten, mode 0600."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, timeout=10.0)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


class Casebook:
    """The open casebook of a folder; close it, or use it as a context."""

    def __init__(self, path: Path) -> None:
        self._database = open_database(path)
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block is stored, or nothing of it."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def put_worker(self, local_id: str, name: str, roles: str) -> None:
        """The worker stands in the book with these roles (words, separated by blanks); an earlier entry is replaced."""
        with self.transaction() as database:
            database.execute("INSERT OR REPLACE INTO worker VALUES (?, ?, ?)", (local_id, name, roles))

    def workers(self) -> list[tuple[str, str, str]]:
        """Return (local id, name, roles) of every worker, by local id."""
        return list(self._database.execute("SELECT local_id, name, roles FROM worker ORDER BY local_id"))

    def next_roster_number(self, audience: str) -> int:
        """Return a number for this audience that was never given before, stored before it is returned."""
        with self.transaction() as database:
            rows = database.execute(
                "INSERT INTO roster_number VALUES (?, 1)"
                " ON CONFLICT (audience) DO UPDATE SET number = number + 1 RETURNING number",
                (audience,),
            ).fetchall()
        return int(rows[0][0])

    def put_signal(self, signal: OwnSignal) -> None:
        """The signal stands in the book; a second time changes nothing."""
        with self.transaction() as database:
            database.execute(
                "INSERT OR IGNORE INTO own_signal VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    signal.signal_id,
                    signal.case_ref,
                    signal.purpose,
                    signal.team,
                    signal.ends_on.isoformat(),
                    signal.state,
                    signal.receipt,
                ),
            )

    def change_signal(self, signal_id: str, *, state: str | None = None, ends_on: datetime.date | None = None) -> None:
        """The signal has this state, or this end date."""
        with self.transaction() as database:
            database.execute(
                "UPDATE own_signal SET state = coalesce(?, state), ends_on = coalesce(?, ends_on) WHERE signal_id = ?",
                (state, ends_on.isoformat() if ends_on else None, signal_id),
            )

    def signals(self, *, case_ref: str | None = None) -> list[OwnSignal]:
        """Return the signals of a case, or all of them."""
        found = self._database.execute(
            "SELECT signal_id, case_ref, purpose, team, ends_on, state, receipt FROM own_signal"
            " WHERE ?1 IS NULL OR case_ref = ?1 ORDER BY signal_id",
            (case_ref,),
        )
        return [
            OwnSignal(
                signal_id=row[0],
                case_ref=row[1],
                purpose=row[2],
                team=row[3],
                ends_on=datetime.date.fromisoformat(row[4]),
                state=row[5],
                receipt=row[6],
            )
            for row in found
        ]

    def active_signal(self, *, case_ref: str, purpose: str, team: str) -> OwnSignal | None:
        """Return the active signal of a case in this purpose and team, if it stands here."""
        return next(
            (
                signal
                for signal in self.signals(case_ref=case_ref)
                if (signal.purpose, signal.team, signal.state) == (purpose, team, "active")
            ),
            None,
        )

    def person_of(self, case_ref: str) -> bytes | None:
        """Return the HMAC of the person a case is about, if the case is known."""
        found = self._database.execute("SELECT person_mac FROM case_person WHERE case_ref = ?", (case_ref,)).fetchone()
        return None if found is None else bytes(found[0])

    def put_person(self, case_ref: str, person_mac: bytes) -> None:
        """The case is about this person; a case that is known keeps its own."""
        with self.transaction() as database:
            database.execute("INSERT OR IGNORE INTO case_person VALUES (?, ?)", (case_ref, person_mac))
