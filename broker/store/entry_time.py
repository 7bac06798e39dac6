"""What time the next entries of the log state: never one before the newest entry's (ADR 35).

Review, samples and retention go by these times, and custodians and `sluis-audit verify` judge them. So a clock that was
set back is waited out at the time of the newest entry, and that is said.
"""

import logging

from audit.stored_log import StoredLog

MOST_BEHIND_S = 60
"""Seconds that the clock may be behind the newest entry before it is reported."""

_log = logging.getLogger("sluis.log")


def time_of_next(log: StoredLog, *, now: int) -> int:
    """Return the time of the next entries in unix seconds: now, or the newest entry's if later.

    Raises:
        LogStoreError, EntryError: the newest entry is not there, or is none.
    """
    time = log.next_time(now)
    if time - now > MOST_BEHIND_S:
        _log.error("the clock is %d s behind the newest entry: entries are dated as that one until then", time - now)
    return time
