"""What a custodian reads of the log: every entry, and of those that use tickets who asked with which (D2)."""

from dataclasses import dataclass, field

from audit.database import Connection
from audit.entry import Leaf, Opening
from audit.errors import AuditError, EntryError, SealError
from audit.key_ring import KeyRing
from audit.seal import open_group
from audit.stored_log import StoredLog
from broker.domain.errors import LogUnavailableError, StorageError
from broker.store.connection import Reader

PAGE = 128
"""Entries that one page goes over at most, unless a single tick has more."""
TICKET_KINDS = frozenset({"signal", "check", "oproep", "consent"})
_GROUP = "actor"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry: its leaf, and the opening of `actor` where its kind uses tickets and the payload is still there."""

    leaf: bytes
    actor: Opening | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """The entries up to one checkpoint, which is the newest where there are none."""

    note: str
    entries: tuple[FeedEntry, ...]


class StoredFeed:
    """Reads pages of the log over a connection of its own."""

    def __init__(self, reader: Reader, *, keys: KeyRing) -> None:
        """Read with this; the caller closes it."""
        self._reader = reader
        self._keys = keys

    async def page(self, after: int) -> FeedPage:
        """Return the entries after the first so many, up to a checkpoint. Raises LogUnavailableError."""
        try:
            return await self._reader.run(lambda connection: self._page(connection, after))
        except (StorageError, AuditError) as error:
            raise LogUnavailableError from error

    def _page(self, connection: Connection, after: int) -> FeedPage:
        log = StoredLog(connection)
        within = "SELECT max(size) FROM log_checkpoints WHERE size > ? AND size <= ?"
        (end,) = connection.execute(within, (after, after + PAGE)).fetchone()
        if end is None:
            (end,) = connection.execute("SELECT min(size) FROM log_checkpoints WHERE size > ?", (after,)).fetchone()
        if end is None:
            return FeedPage(note=log.latest_note(), entries=())
        leaves = log.entries(after, end)
        entries = [FeedEntry(leaf=leaf, actor=self._actor(log, leaf, after + at)) for at, leaf in enumerate(leaves)]
        return FeedPage(note=log.note(end), entries=tuple(entries))

    def _actor(self, log: StoredLog, leaf: bytes, index: int) -> Opening | None:
        """Return the opening, None where it was erased or cannot be opened: the custodian says so, and we go on."""
        if Leaf.parse(leaf).kind not in TICKET_KINDS:
            return None
        row = log.sealed_row(index, _GROUP)
        if row is None:
            return None
        try:
            key = self._keys.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group=_GROUP)
            return open_group(group=_GROUP, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
        except (SealError, EntryError):
            return None
