"""`cases.sqlite`: the workers of this organisation, its own signals by case, and whom a case is about (as an HMAC)."""

import datetime
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_SCHEMA = """
CREATE TABLE IF NOT EXISTS worker (
  local_id TEXT PRIMARY KEY, name TEXT NOT NULL, roles TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS worker_team (
  local_id TEXT NOT NULL, team TEXT NOT NULL, PRIMARY KEY (local_id, team)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS roster_number (audience TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own_signal (
  signal_id TEXT PRIMARY KEY, case_ref TEXT, purpose TEXT NOT NULL, team TEXT NOT NULL, ends_on TEXT NOT NULL,
  state TEXT NOT NULL, receipt INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS own_signal_case ON own_signal (case_ref, purpose, team);
CREATE TABLE IF NOT EXISTS case_person (case_ref TEXT PRIMARY KEY, person_mac BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS signal_person (
  person_mac BLOB NOT NULL, signal_id TEXT NOT NULL, PRIMARY KEY (person_mac, signal_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS draft (
  person_mac BLOB NOT NULL, purpose TEXT NOT NULL, team TEXT NOT NULL, row TEXT NOT NULL, case_ref TEXT,
  missing TEXT NOT NULL, noted_on TEXT NOT NULL, PRIMARY KEY (person_mac, purpose, team)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS look_later (
  place INTEGER PRIMARY KEY, signal_id TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL, told INTEGER NOT NULL
) STRICT;
"""

_WAITING = "look_later JOIN own_signal USING (signal_id) WHERE told = 0 AND state = 'active'"
"""A household is looked at as long as its own signal is active: that is what gives standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A row that is not registered, because a person has not judged it yet or the family's knowing is not stated.

    `missing` are the words `assessment` and `informing`; whom it is about stands here as an HMAC only.
    """

    row: str
    case_ref: str | None
    purpose: str
    team: str
    missing: tuple[str, ...]
    noted_on: datetime.date


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

    def put_worker(self, local_id: str, name: str, roles: str, teams: Sequence[str] = ()) -> None:
        """The worker stands in the book with these roles (words, separated by blanks) and in these teams.

        An earlier entry is replaced.
        """
        with self.transaction() as database:
            database.execute("INSERT OR REPLACE INTO worker VALUES (?, ?, ?)", (local_id, name, roles))
            database.execute("DELETE FROM worker_team WHERE local_id = ?", (local_id,))
            database.executemany("INSERT INTO worker_team VALUES (?, ?)", [(local_id, team) for team in teams])

    def teams(self) -> dict[str, frozenset[str]]:
        """Return the codes of the teams of every worker who is in one, by local id."""
        found: dict[str, frozenset[str]] = {}
        for local_id, team in self._database.execute("SELECT local_id, team FROM worker_team"):
            found[local_id] = found.get(local_id, frozenset()) | {team}
        return found

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

    def put_signal(
        self, signal: OwnSignal, *, person_mac: bytes | None = None, look_later: bytes | None = None
    ) -> None:
        """The signal stands in the book, with whom it is about and what is to be looked at later, in one go.

        The draft it was is gone. A second time changes nothing, and a case that is known keeps its own person.
        """
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
            if person_mac is not None:
                whose = (person_mac, signal.purpose, signal.team)
                database.execute("DELETE FROM draft WHERE (person_mac, purpose, team) = (?, ?, ?)", whose)
                database.execute("INSERT OR IGNORE INTO signal_person VALUES (?, ?)", (person_mac, signal.signal_id))
            if person_mac is not None and signal.case_ref is not None:
                database.execute("INSERT OR IGNORE INTO case_person VALUES (?, ?)", (signal.case_ref, person_mac))
            if look_later is not None:
                waiting = (signal.signal_id, look_later)
                database.execute("INSERT OR IGNORE INTO look_later VALUES (NULL, ?, ?, 0)", waiting)

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

    def case_refs(self, signal_ids: Sequence[str]) -> list[str]:
        """Return the cases that these own signals are about, each once; what is not known here is left out."""
        asked = json.dumps(list(signal_ids))
        found = self._database.execute(
            "SELECT DISTINCT case_ref FROM own_signal WHERE case_ref IS NOT NULL"
            " AND signal_id IN (SELECT value FROM json_each(?)) ORDER BY case_ref",
            (asked,),
        )
        return [row[0] for row in found]

    def has_active_signal(
        self, *, case_ref: str | None, person_mac: bytes | None, purpose: str, team: str, on: datetime.date
    ) -> bool:
        """Return whether a case, or a person, has a signal of this purpose and team here that is active on this day."""
        active = "(purpose, team, state) = (?3, ?4, 'active') AND ends_on >= ?5"
        found = self._database.execute(
            f"SELECT 1 FROM own_signal WHERE case_ref = ?1 AND {active} UNION ALL"  # noqa: S608 - fixed text
            f" SELECT 1 FROM signal_person JOIN own_signal USING (signal_id) WHERE person_mac = ?2 AND {active}",
            (case_ref, person_mac, purpose, team, on.isoformat()),
        )
        return found.fetchone() is not None

    def person_of(self, case_ref: str) -> bytes | None:
        """Return the HMAC of the person a case is about, if the case is known."""
        found = self._database.execute("SELECT person_mac FROM case_person WHERE case_ref = ?", (case_ref,)).fetchone()
        return None if found is None else bytes(found[0])

    def put_drafts(self, drafts: Mapping[bytes, Draft]) -> None:
        """These rows stand as drafts, by the HMAC of their person; an earlier draft on somebody is replaced."""
        rows = [
            (mac, one.purpose, one.team, one.row, one.case_ref, " ".join(one.missing), one.noted_on.isoformat())
            for mac, one in drafts.items()
        ]
        with self.transaction() as database:
            database.executemany("INSERT OR REPLACE INTO draft VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def drafts(self) -> list[Draft]:
        """Return every draft, the oldest first."""
        found = self._database.execute(
            "SELECT row, case_ref, purpose, team, missing, noted_on FROM draft ORDER BY noted_on, row"
        )
        return [
            Draft(
                row=row,
                case_ref=case_ref,
                purpose=purpose,
                team=team,
                missing=tuple(missing.split()),
                noted_on=datetime.date.fromisoformat(noted_on),
            )
            for row, case_ref, purpose, team, missing, noted_on in found
        ]

    def looks_waiting(self) -> list[tuple[str, bytes]]:
        """Return signal and sealed household of every imported household to look at, the oldest first."""
        return list(self._database.execute(f"SELECT signal_id, sealed FROM {_WAITING} ORDER BY place"))  # noqa: S608 - fixed text

    def count_looks_waiting(self) -> int:
        """Return how many imported households are still to be looked at."""
        return int(self._database.execute(f"SELECT count(*) FROM {_WAITING}").fetchone()[0])  # noqa: S608 - fixed text

    def conclude_look(self, signal_id: str, sealed: bytes) -> None:
        """What was told of an imported household stands in its place, until it was shown."""
        with self.transaction() as database:
            database.execute("UPDATE look_later SET sealed = ?, told = 1 WHERE signal_id = ?", (sealed, signal_id))

    def looks_untold(self) -> list[tuple[str, bytes]]:
        """Return signal and sealed conclusion of every look that was not shown yet, the oldest first."""
        return list(self._database.execute("SELECT signal_id, sealed FROM look_later WHERE told = 1 ORDER BY place"))

    def forget_looks(self, signal_ids: Sequence[str]) -> None:
        """These households stand on the list no more."""
        with self.transaction() as database:
            database.executemany("DELETE FROM look_later WHERE signal_id = ?", [(one,) for one in signal_ids])
