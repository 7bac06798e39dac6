"""Notices that came for this organisation, kept until somebody has read them; the broker forgets what is kept here."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from broker.protocol.inbox_messages import NOTICES_PER_PAGE, Notice
from connectors.casebook import Casebook
from connectors.dates import HERE

_SCHEMA = """CREATE TABLE IF NOT EXISTS notice (
  place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, team TEXT NOT NULL, about TEXT NOT NULL,
  at INTEGER NOT NULL, role TEXT NOT NULL, confirmed INTEGER NOT NULL, read INTEGER NOT NULL
) STRICT"""
_FETCHED = "CREATE TABLE IF NOT EXISTS fetched (role TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNotice:
    """A notice as it stands here; `role` is in which it was fetched."""

    id: str
    kind: str
    team: str
    about: str
    at: int

    @property
    def when(self) -> str:
        """When it was left, as people here read it."""
        return moment_nl(self.at)


def moment_nl(at: int) -> str:
    """Return a moment as people here read it; `at` is unix seconds."""
    return datetime.datetime.fromtimestamp(at, HERE).strftime("%Y-%m-%d %H:%M")


class NoticeBook:
    """The notices in a partner's own database, those of a role by themselves."""

    def __init__(self, book: Casebook, *, role: str) -> None:
        """Keep them in this book."""
        self._book = book
        self._role = role
        with book.transaction() as connection:
            connection.execute(_SCHEMA)
            connection.execute(_FETCHED)

    def unconfirmed(self) -> list[str]:
        """Return notices that are kept here and that the broker does not know of being kept."""
        query = "SELECT id FROM notice WHERE confirmed = 0 AND role = ? ORDER BY place LIMIT ?"
        with self._book.transaction() as connection:
            return [row[0] for row in connection.execute(query, (self._role, NOTICES_PER_PAGE)).fetchall()]

    def keep(self, notices: Sequence[Notice], *, confirmed: Sequence[str], at: int) -> None:
        """These notices are kept durably, and those that the broker was told of are confirmed; none stands twice.

        Args:
            at: when they were fetched, in unix seconds.
        """
        with self._book.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO fetched VALUES (?, ?)", (self._role, at))
            for one in notices:
                connection.execute(
                    "INSERT INTO notice (id, kind, team, about, at, role, confirmed, read) "
                    "VALUES (?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING",
                    (one.id, one.kind, one.team, one.about, one.at, self._role),
                )
            for one_id in confirmed:
                connection.execute("UPDATE notice SET confirmed = 1 WHERE id = ?", (one_id,))

    def fetched_at(self) -> int | None:
        """Return when notices were last fetched, in unix seconds; None: never. What came later does not stand here."""
        with self._book.transaction() as connection:
            row = connection.execute("SELECT at FROM fetched WHERE role = ?", (self._role,)).fetchone()
        return None if row is None else int(row[0])

    def unread(self) -> list[KeptNotice]:
        """Return what nobody has read yet, oldest first."""
        query = "SELECT id, kind, team, about, at FROM notice WHERE read = 0 AND role = ? ORDER BY place"
        with self._book.transaction() as connection:
            rows = connection.execute(query, (self._role,)).fetchall()
        return [KeptNotice(id=row[0], kind=row[1], team=row[2], about=row[3], at=row[4]) for row in rows]

    def read(self, ids: Sequence[str]) -> None:
        """These were read, so they are shown no more."""
        with self._book.transaction() as connection:
            for one_id in ids:
                connection.execute("UPDATE notice SET read = 1 WHERE id = ?", (one_id,))
