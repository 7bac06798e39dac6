"""What takes away a process's trust in its disk, and what does not."""

import errno
import sqlite3

import pytest

from audit.durability import DISK_FAILED, Durability
from audit.errors import DatabaseError, LogStoreError, NotDurableError, SignerError
from tests.simulators.faulty_database import sqlite_error


def _behind(error: Exception) -> Exception:
    outer = LogStoreError("the database refused")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_IOERR_FSYNC),
        sqlite_error(sqlite3.SQLITE_CORRUPT),
        DatabaseError("58030", lost=False),
        NotDurableError("not durable"),
        _behind(_behind(sqlite_error(sqlite3.SQLITE_IOERR_DIR_FSYNC))),
    ],
)
def test_a_failed_sync_or_a_damaged_database_is_believed_for_good(error: Exception) -> None:
    """Nothing that comes later gives the trust back, and the process is told to end with a sentence."""
    durability = Durability()
    durability.check()
    assert durability.judge(error)
    assert durability.judge(SignerError("no room"))
    with pytest.raises(NotDurableError, match="start again"):
        durability.check()


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_FULL),
        sqlite_error(sqlite3.SQLITE_BUSY),
        sqlite3.ProgrammingError("no code"),
        DatabaseError(None, lost=True),
        DatabaseError("40001", lost=False),
        OSError(errno.ENOSPC, "No space left on device"),
        _behind(SignerError("no room")),
    ],
)
def test_what_was_undone_or_never_begun_costs_no_trust(error: Exception) -> None:
    """A full disk, a lock or a lost session is told as not done, and the same process goes on."""
    durability = Durability()
    assert not durability.judge(error)
    durability.check()
    assert "acknowledged" in DISK_FAILED
