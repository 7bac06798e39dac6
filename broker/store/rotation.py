"""Destroying key-encryption keys: what they still have to open is wrapped anew first, and a crash loses nothing.

    an erasure's transaction    rows deleted, their epochs doomed
    (1) renew                   a new key wraps from now on, if the newest is itself doomed
    (2) wrap anew               the surviving keys of doomed epochs, some in each transaction, beside the ticks
    (3) destroy                 the old key's bytes are overwritten, its name is gone
    (4) forget                  the epoch is doomed no more

Whatever ends the process, the next start or the next pace begins again at (1): each step does nothing when it was done.
Everything runs on the writer's thread, so no tick wraps with a key that is being destroyed.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from audit.database import DATABASE_ERRORS, SQLITE, Connection
from audit.errors import SealError
from audit.key_ring import KeyRing
from broker.domain.errors import LogUnavailableError
from broker.ports import Clock
from broker.store.ledger import StoredLedger

BATCH = 512
"""Keys wrapped anew in one transaction, so that no tick waits long for it."""
RENEWED_AFTER_S = 31 * 86_400
"""Seconds after which a new epoch begins, so that an erasure has one month's keys to wrap anew and no more."""


class Rotation:
    """`KeyDestruction` beside the ticks of a ledger, over the folder of keys that it wraps with."""

    def __init__(self, *, ledger: StoredLedger, keys: KeyRing, clock: Clock) -> None:
        """Rotate these keys; `finish` is called at start, after an erasure and at every pace."""
        self._ledger = ledger
        self._keys = keys
        self._clock = clock

    async def finish(self) -> int:
        """Return how many doomed keys were destroyed: all there were. See `KeyDestruction.finish`."""
        doomed = await self._ledger.beside(self._doomed)
        while await self._ledger.beside(lambda connection: self._wrap_some_anew(connection, doomed)):
            pass
        for epoch in doomed:
            await self._ledger.beside(partial(self._destroy, epoch))
        if doomed:
            await self._ledger.outside(_truncate)
        return len(doomed)

    async def renew_when_old(self) -> bool:
        """Return whether a new epoch began, because the newest key is a month old. See `KeyDestruction`."""
        return await self._ledger.beside(self._renew_when_old)

    def _renew_when_old(self, _: Connection) -> bool:
        if self._clock.now() - self._keys.current_since() < RENEWED_AFTER_S:
            return False
        self._keys.renew()
        return True

    def _doomed(self, connection: Connection) -> tuple[int, ...]:
        """Return the doomed epochs, none of which wraps any more."""
        self._keys.finish()
        rows = connection.execute("SELECT epoch FROM doomed_epochs ORDER BY epoch").fetchall()
        doomed = tuple(int(row[0]) for row in rows)
        # (1) A crash before this leaves the doomed key in use, and one after it a new key that nothing needs yet.
        if doomed and self._keys.current.epoch <= doomed[-1]:
            self._keys.renew()
        return doomed

    def _wrap_some_anew(self, connection: Connection, doomed: Sequence[int]) -> bool:
        """Return whether there was something left; then some of it is wrapped by the newest key."""
        if not doomed:
            return False
        condition, values = connection.dialect.among("epoch", doomed)
        query = f"SELECT idx, grp, epoch, wrapped FROM log_payload_keys WHERE {condition} LIMIT {BATCH}"  # noqa: S608 - a condition of ours
        rows = connection.execute(query, values).fetchall()
        # (2) The row that was read, and only as it was read.
        connection.executemany(
            "UPDATE log_payload_keys SET epoch = ?, wrapped = ? WHERE idx = ? AND grp = ? AND epoch = ?",
            [self._anew(*row) for row in rows],
        )
        return bool(rows)

    def _anew(self, index: int, group: str, epoch: int, wrapped: bytes) -> tuple[int, bytes, int, str, int]:
        current = self._keys.current
        try:
            key = self._keys.unwrap(bytes(wrapped), epoch=epoch, index=index, group=group)
        except SealError:
            # Altered past the log: no key opens it, now or later. It stays the alarm it is, and stops no erasure.
            return current.epoch, bytes(wrapped), index, group, epoch
        return current.epoch, current.wrap(key, index=index, group=group), index, group, epoch

    def _destroy(self, epoch: int, connection: Connection) -> None:
        # (3) Nothing is wrapped by it: what stands in old pages, logs and backups opens no more.
        if connection.execute("SELECT 1 FROM log_payload_keys WHERE epoch = ? LIMIT 1", (epoch,)).fetchone():
            raise LogUnavailableError
        self._keys.destroy(epoch)
        # (4) Only now is it forgotten.
        connection.execute("DELETE FROM doomed_epochs WHERE epoch = ?", (epoch,))


def _truncate(connection: Connection) -> None:
    """Free pages and the write-ahead log hold less of what was erased; a reader may be in the way of it."""
    if connection.dialect is not SQLITE:
        return
    # Nothing depends on it: what was erased opens no more, wherever its bytes lie.
    with suppress(*DATABASE_ERRORS):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
