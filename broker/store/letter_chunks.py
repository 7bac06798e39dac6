"""Chunks of attachments in the database: each organisation its own, gone after the last day of what names them."""

from collections.abc import Sequence
from datetime import date

from audit.database import Connection
from broker.domain.errors import StaleDecisionError
from broker.domain.information_requests import RequestState
from broker.domain.letter_chunks import MAX_KEPT, MAX_LOOSE, ForgetChunks, StoreChunk
from broker.store.connection import Reader

_CHUNK = "SELECT chunk FROM letter_chunks WHERE organisation = ? AND sha256 = ?"
_KEPT = "SELECT count(*), coalesce(sum(1 - named), 0) FROM letter_chunks WHERE organisation = ?"
_ELSEWHERE = f"""SELECT 1 FROM information_requests q LEFT JOIN request_answers a ON a.request_id = q.id
    WHERE q.state <> '{RequestState.WITHDRAWN.value}'
        AND ((q.sender = ? AND q.chunks LIKE ?) OR (q.receiver = ? AND a.chunks LIKE ?))"""  # noqa: S608 - a word of ours
_DESTROY = "DELETE FROM letter_chunks WHERE organisation = ? AND sha256 = ?"
_INSERT = """INSERT INTO letter_chunks (organisation, sha256, named, keep_until, chunk) VALUES (?, ?, 0, ?, ?)
    ON CONFLICT DO NOTHING"""
_NAME = """UPDATE letter_chunks SET named = 1, keep_until = CASE WHEN keep_until < ? THEN ? ELSE keep_until END
    WHERE organisation = ? AND sha256 = ?"""
_FORGET = "DELETE FROM letter_chunks WHERE organisation = ? AND sha256 = ? AND keep_until = ?"


class StoredChunks:
    """`ChunkReader` over a database."""

    def __init__(self, reader: Reader) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader

    async def chunk(self, *, organisation: str, sha256: str) -> bytes | None:
        """Return a chunk that this organisation left. See `ChunkReader.chunk`."""
        row = await self._reader.run(lambda connection: connection.execute(_CHUNK, (organisation, sha256)).fetchone())
        return None if row is None else bytes(row[0])

    async def known(self, *, organisation: str, hashes: Sequence[str]) -> bool:
        """Return whether this organisation left all of these. See `ChunkReader.known`."""
        if not hashes:
            return True
        marks = ", ".join("?" * len(hashes))
        query = f"SELECT count(*) FROM letter_chunks WHERE organisation = ? AND sha256 IN ({marks})"  # noqa: S608 - question marks
        row = await self._reader.run(lambda connection: connection.execute(query, (organisation, *hashes)).fetchone())
        return row is not None and int(row[0]) == len(hashes)

    async def full(self, *, organisation: str) -> bool:
        """Return whether it may leave no more. See `ChunkReader.full`."""
        kept, loose = await self._reader.run(lambda connection: _counted(connection, organisation))
        return kept >= MAX_KEPT or loose >= MAX_LOOSE


def store_chunk(connection: Connection, change: StoreChunk) -> None:
    """The open transaction holds this chunk; one that is there already stays as it is.

    Raises:
        StaleDecisionError: others of this tick were left meanwhile, and now there are too many.
    """
    connection.execute(_INSERT, (change.organisation, change.sha256, change.keep_until.isoformat(), change.chunk))
    kept, loose = _counted(connection, change.organisation)
    if kept > MAX_KEPT or loose > MAX_LOOSE:
        raise StaleDecisionError


def _counted(connection: Connection, organisation: str) -> tuple[int, int]:
    """Return how many chunks an organisation left, and how many of them no letter names."""
    (row,) = connection.execute(_KEPT, (organisation,)).fetchall()
    return int(row[0]), int(row[1])


def name_chunks(connection: Connection, chunks: Sequence[str], *, organisation: str, until: date) -> None:
    """The open transaction keeps these up to this day at least. Raises StaleDecisionError: one of them is gone."""
    day = until.isoformat()
    for sha256 in chunks:
        if connection.execute(_NAME, (day, day, organisation, sha256)).rowcount != 1:
            raise StaleDecisionError


def destroy_chunks(connection: Connection, chunks: Sequence[str], *, organisation: str) -> None:
    """The open transaction has these no more, but for those that another letter of this organisation names."""
    for sha256 in chunks:
        named = (organisation, f'%"{sha256}"%')
        if connection.execute(_ELSEWHERE, (*named, *named)).fetchone() is None:
            connection.execute(_DESTROY, (organisation, sha256))


def forget_chunks(connection: Connection, change: ForgetChunks) -> None:
    """The open transaction has these no more, unless a letter named one meanwhile."""
    for one in change.chunks:
        connection.execute(_FORGET, one)
