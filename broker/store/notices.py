"""Notices in the database: written with their cause, told until the organisation says that it has them."""

from audit.database import Connection
from broker.domain.notices import NoticeKind, Notify, ReadNotices, WaitingNotice
from broker.store.connection import Reader

_WAITING = """SELECT id, team, kind, about, created_at FROM
    (SELECT seq, id, team, kind, about, created_at FROM notices
        WHERE organisation = ? AND read_at IS NULL AND {among} ORDER BY coalesce(set_aside_at, 0), seq LIMIT ?) AS w
    ORDER BY seq"""


class StoredNotices:
    """`NoticeReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def waiting(
        self, *, organisation: str, kinds: frozenset[NoticeKind], without: tuple[str, ...], at_most: int
    ) -> tuple[WaitingNotice, ...]:
        """Return what waits for an organisation. See `InboxReader.waiting`."""

        def read(connection: Connection) -> tuple[WaitingNotice, ...]:
            among, values = connection.dialect.among("kind", sorted(kind.value for kind in kinds))
            limit = at_most + len(without)
            rows = connection.execute(_WAITING.format(among=among), (organisation, *values, limit)).fetchall()
            found = (
                WaitingNotice(id=row[0], team=row[1], kind=NoticeKind(row[2]), about=row[3], at=row[4])
                for row in rows
                if row[0] not in without
            )
            return tuple(found)[:at_most]

        return await self._reader.run(read)


def insert_notice(connection: Connection, change: Notify, *, now: int) -> None:
    """The open transaction holds this notice."""
    connection.execute(
        "INSERT INTO notices (id, organisation, team, kind, about, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (change.id, change.organisation, change.team, change.kind.value, change.about, now),
    )


def mark_read(connection: Connection, change: ReadNotices, *, now: int) -> None:
    """In the open transaction these own notices wait no more, and it stands of which the organisation knows."""
    for what, names in (("read_at = ? WHERE id", change.ids), ("told_at = ? WHERE id", change.told),
                        ("told_at = ? WHERE about", change.shown)):  # fmt: skip
        column = what.split(maxsplit=1)[0]
        query = f"UPDATE notices SET {what} = ? AND organisation = ? AND {column} IS NULL"  # noqa: S608 - names of ours
        for name in names:
            connection.execute(query, (now, name, change.organisation))
    among, values = connection.dialect.among("id", change.aside)
    query = f"UPDATE notices SET set_aside_at = ? WHERE organisation = ? AND {among}"  # noqa: S608 - no value in it
    connection.execute(query, (now, change.organisation, *values))
