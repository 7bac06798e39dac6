"""When the disk does not keep what it was told to keep: noticed once, and the process that noticed must end.

After a failed fsync the kernel counts the pages as written. Whatever is synced later says nothing about them, so
nothing is tried again and nothing more is acknowledged. What was not acknowledged may stand there after the next start:
whoever opens it writes it anew, and syncs it, before it builds on it.
"""

import sqlite3

from audit.errors import DatabaseError, NotDurableError

DISK_FAILED = (
    "the disk did not make a write durable, or what it holds is damaged. Nothing of that write was acknowledged. "
    "Check the disk and the system's log, then start again: the start refuses what is not whole"
)
_CODES = frozenset(
    {
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
)
_STATES = frozenset({"58030", "XX001", "XX002"})
"""PostgreSQL, appendix A: io_error, data_corrupted, index_corrupted."""


class Durability:
    """Why one process can no longer trust what it wrote, once it cannot. Any thread may ask and tell."""

    __slots__ = ("lost",)

    def __init__(self) -> None:
        """Trust the disk."""
        self.lost: str | None = None

    def judge(self, error: BaseException | None) -> bool:
        """Return whether the disk can be trusted no more, by this failure, one behind it, or one before."""
        while error is not None and self.lost is None:
            if _is_of_the_disk(error):
                self.lost = DISK_FAILED
            error = error.__cause__
        return self.lost is not None

    def check(self) -> None:
        """Hold as long as the disk can be trusted. Raises NotDurableError: the process must end."""
        if self.lost is not None:
            raise NotDurableError(self.lost)


def _is_of_the_disk(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _CODES
    if isinstance(error, DatabaseError):
        return error.sqlstate in _STATES
    return isinstance(error, NotDurableError)
