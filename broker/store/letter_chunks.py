"""Chunks of attachments in the database: each organisation its own, gone after the last day of what names them."""

from collections.abc import Sequence
from datetime import date

from audit.database import Connection
from broker.domain.errors import StaleDecisionError
from broker.domain.letter_chunks import ForgetChunks, StoreChunk
from broker.store.connection import Reader

_CHUNK = "SELECT chunk FROM letter_chunks WHERE organisation = ? AND sha256 = ?"
_LOOSE = "SELECT count(*) FROM letter_chunks WHERE organisation = ? AND named = 0"
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

    async def loose(self, *, organisation: str) -> int:
        """Return how many no letter names. See `ChunkReader.loose`."""
        row = await self._reader.run(lambda connection: connection.execute(_LOOSE, (organisation,)).fetchone())
        return 0 if row is None else int(row[0])


def store_chunk(connection: Connection, change: StoreChunk) -> None:
    """The open transaction holds this chunk; one that is there already stays as it is."""
    connection.execute(_INSERT, (change.organisation, change.sha256, change.keep_until.isoformat(), change.chunk))


def name_chunks(connection: Connection, chunks: Sequence[str], *, organisation: str, until: date) -> None:
    """The open transaction keeps these up to this day at least. Raises StaleDecisionError: one of them is gone."""
    day = until.isoformat()
    for sha256 in chunks:
        if connection.execute(_NAME, (day, day, organisation, sha256)).rowcount != 1:
            raise StaleDecisionError


def forget_chunks(connection: Connection, change: ForgetChunks) -> None:
    """The open transaction has these no more, unless a letter named one meanwhile."""
    for one in change.chunks:
        connection.execute(_FORGET, one)
