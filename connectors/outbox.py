"""`outbox.sqlite`: every command waits here, sealed, from before it is sent until its receipt is verified and kept.

A command holds tokens and tickets, so a row is sealed under the outbox key, and a deleted row is overwritten.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from connectors.casebook import open_database
from connectors.errors import EndedElsewhereError, FolderError, NotDoneError
from connectors.sealing import OutboxKey

_SCHEMA = """
CREATE TABLE IF NOT EXISTS command (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, created_at INTEGER NOT NULL, sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""


Person = tuple[str, str, str]
"""Whom a registration is about: an HMAC, with purpose and team."""


NOW = "now"
"""What a command notes beside it that makes sense at this moment alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One request to the broker as it will be sent, and what is needed to send it again. It holds tokens.

    `kind` is the log kind of its entry; `effect` what it does to the casebook: register, renew, withdraw, check, or
    nothing. `role` is in which the worker asks.
    `body` is without tickets; `evaluation` the exact body the custodians got, "" for commands without tokens.
    `local` are own notes: row, case reference, signal id. A question that needs several messages is a group: its parts
    share a `group` id and are numbered from 1. `conclusion` is how this part ended, kept until all of them have
    (`connectors/conclusions.py`); such a command holds no token any more. `grant` is the import grant it goes under.
    With `blinding` it has no tokens yet: it is what undoes the blinding of `evaluation`, which may be charged already.
    """

    key: str
    kind: str
    effect: str
    path: str
    worker: str
    approver: str | None
    body: Mapping[str, Any]
    tickets: tuple[str, ...]
    evaluation: str
    local: Mapping[str, str | None]
    group: str | None = None
    part: int = 1
    parts: int = 1
    conclusion: Mapping[str, Any] | None = None
    grant: str | None = None
    blinding: Mapping[str, Sequence[str]] | None = None
    role: str = "worker"

    @property
    def person(self) -> Person | None:
        """Whom a registration is about, as HMAC, with purpose and team; None for every other command."""
        mac = self.local.get("person_mac")
        if self.effect != "register" or mac is None:
            return None
        return mac, self.body["purpose"], self.body["team"]

    @property
    def of_now(self) -> bool:
        """Whether it makes sense at this moment alone, so that it never waits to be carried out days later."""
        return self.local.get(NOW) is not None

    @property
    def renewable(self) -> bool:
        """Whether fresh tickets can be had: those of a grant live as long as it, and no longer."""
        return bool(self.evaluation) and self.grant is None

    def wire_body(self) -> bytes:
        """Return the body as it is sent, with its tickets where it is about tokens."""
        tickets = {"tickets": list(self.tickets)} if self.evaluation else {}
        return json.dumps({**self.body, **tickets}, separators=(",", ":")).encode()

    def __repr__(self) -> str:
        """Return the kind and key only."""
        return f"Command(kind={self.kind!r}, key={self.key!r}, redacted)"


@contextmanager
def kept_waiting(key: str) -> Iterator[None]:
    """What the broker may have carried out, and cannot be written down here, is not done yet and waits under its key.

    So nobody types it again: `resume` asks the broker what became of it. Raises NotDoneError.
    """
    try:
        yield
    except (OSError, sqlite3.Error):
        raise NotDoneError("not-done", key=key) from None


class Outbox:
    """The open outbox of a folder; close it, or use it as a context."""

    def __init__(self, path: Path, key: OutboxKey) -> None:
        self._key = key
        self._persons: dict[str, Person | None] = {}
        self._database = open_database(path)
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def put(self, *commands: Command, now: int) -> None:
        """All of these new commands are durable, sealed, and will be found by `waiting`, or none of them is."""
        rows = [(command.key, command.kind, now, self._sealed(command)) for command in commands]
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT INTO command VALUES (?, ?, ?, ?)", rows)

    def change(self, command: Command) -> None:
        """What waits under this key is the command as it is now, in its place.

        Raises:
            EndedElsewhereError: it waits no more; another run ended it, and it is not brought back.
        """
        changing = "UPDATE command SET sealed = ? WHERE key = ?"
        if self._database.execute(changing, (self._sealed(command), command.key)).rowcount != 1:
            raise EndedElsewhereError

    def holds(self, key: str) -> bool:
        """Return whether a command waits under this key."""
        return self._database.execute("SELECT 1 FROM command WHERE key = ?", (key,)).fetchone() is not None

    def left(self, *, before: int) -> int:
        """Return how many commands wait that were begun before this unix second: what runs now is not left."""
        query = "SELECT count(*) FROM command WHERE created_at < ?"
        return int(self._database.execute(query, (before,)).fetchone()[0])

    def delete(self, *keys: str) -> None:
        """All of these commands are gone and their bytes in the database are overwritten, or none is."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("DELETE FROM command WHERE key = ?", [(key,) for key in keys])

    def forget(self) -> None:
        """No trace of a deleted command is left in the write-ahead log."""
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def waiting(self) -> list[tuple[Command, ...]]:
        """Return the commands without a receipt, oldest first, each with the parts of its group in their order.

        Raises:
            FolderError: a row does not open.
        """
        rows = self._database.execute("SELECT sealed FROM command ORDER BY created_at, key").fetchall()
        groups: dict[str, list[Command]] = {}
        for command in (self._opened(sealed) for (sealed,) in rows):
            groups.setdefault(command.group or command.key, []).append(command)
        return [tuple(sorted(parts, key=lambda command: command.part)) for parts in groups.values()]

    def persons(self) -> dict[Person, str]:
        """Return whom the waiting registrations are about, each with its key. Raises FolderError: one does not open."""
        rows = self._database.execute("SELECT key FROM command").fetchall()
        # A row is opened once: whom it is about never changes, and an import asks before each of its rows.
        self._persons = {key: self._person_of(key) for (key,) in rows}
        return {person: key for key, person in self._persons.items() if person is not None}

    def _person_of(self, key: str) -> Person | None:
        if key not in self._persons:
            found = self._database.execute("SELECT sealed FROM command WHERE key = ?", (key,)).fetchone()
            return None if found is None else self._opened(found[0]).person
        return self._persons[key]

    def _sealed(self, command: Command) -> bytes:
        return self._key.seal(json.dumps(asdict(command)).encode())

    def _opened(self, sealed: bytes) -> Command:
        try:
            members = json.loads(self._key.unseal(sealed))
            return Command(**{**members, "tickets": tuple(members["tickets"])})
        except (ValueError, TypeError, KeyError, sqlite3.Error):
            raise FolderError("outbox.sqlite", "has a row that is no command") from None


def persons_in(waiting: Iterable[tuple[Command, ...]]) -> frozenset[Person]:
    """Return whom the registrations among waiting commands are about."""
    return frozenset(parts[0].person for parts in waiting if parts[0].person is not None)
