"""What a custodian reads of the log: every entry, who asked with which tickets, and what was erased (D2)."""

from dataclasses import dataclass, field

from audit.database import Connection
from audit.entry import Leaf, Opening
from audit.erasure import ERASING_KINDS
from audit.errors import AuditError, EntryError, SealError
from audit.key_ring import KeyRing
from audit.seal import open_group
from audit.stored_log import StoredLog
from broker.domain.errors import LogUnavailableError, StorageError
from broker.store.connection import Reader

PAGE = 128
"""Entries that one page goes over at most, unless a single tick has more."""
TICKET_KINDS = frozenset({"signal", "check", "oproep", "consent", "exception"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry: its leaf, and, where the payload is still there, an opening.

    Of `actor` where its kind uses tickets, of `meta` where it says what was erased: no custodian takes that for hidden.
    """

    leaf: bytes
    actor: Opening | None = field(repr=False)
    meta: Opening | None = field(repr=False, default=None)


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
        entries = [self._entry(log, bytes(leaf), after + at) for at, leaf in enumerate(leaves)]
        return FeedPage(note=log.note(end), entries=tuple(entries))

    def _entry(self, log: StoredLog, leaf: bytes, index: int) -> FeedEntry:
        kind = Leaf.parse(leaf).kind
        return FeedEntry(
            leaf=leaf,
            actor=self._opening(log, index, "actor") if kind in TICKET_KINDS else None,
            meta=self._opening(log, index, "meta") if kind in ERASING_KINDS else None,
        )

    def _opening(self, log: StoredLog, index: int, group: str) -> Opening | None:
        """Return the opening, None where it was erased or cannot be opened: the custodian says so, and we go on."""
        row = log.sealed_row(index, group)
        if row is None:
            return None
        try:
            key = self._keys.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group=group)
            return open_group(group=group, key=key, nonce=row.nonce, ciphertext=row.ciphertext)
        except (SealError, EntryError):
            return None
