"""Whether entries are dated when they were written: one of long ago would be in no review, and soon erased.

A leaf's time is the broker's word. This custodian knows three things that bound it: the entries before it, when it saw
the log to its end, and its own clock. An honest broker never dates an entry before the newest one (ADR 35).
"""

from collections.abc import Sequence

from audit.entry import Leaf
from broker.custodian import findings
from broker.custodian.findings import Finding
from broker.custodian.store import Store

OFF_S = 900
"""Seconds that a time may be off: clocks, a slow commit, and a quarter of an hour as for tickets (D2)."""
NEWEST_TIME = "followed_newest_time"
"""The number that holds the latest time in the tree as followed; a tree that is followed anew begins without."""
KIND = "time"


def record(store: Store, leaves: Sequence[Leaf], *, first: int, seen_at: int, now: int) -> None:
    """Each entry whose time cannot be right is told to everybody; inside the caller's transaction.

    Args:
        store: of this custodian.
        leaves: the entries that were not seen before.
        first: the index of the first of them.
        seen_at: when, by our clock, the log was seen to its end and they were not there; 0 where it never was.
        now: unix seconds of our clock.
    """
    newest = store.number(NEWEST_TIME) or 0
    for index, leaf in enumerate(leaves, start=first):
        if _is_off(leaf.time, newest=newest, seen_at=seen_at, now=now):
            found = Finding(
                kind=KIND, organisation=findings.EVERYBODY, found_at=now, entry=index, entry_time=leaf.time
            )  # fmt: skip
            findings.add(store, found)
        newest = max(newest, leaf.time)
    store.set_number(NEWEST_TIME, newest)


def _is_off(time: int, *, newest: int, seen_at: int, now: int) -> bool:
    # (1) Before an entry that stands before it.
    # (2) Before the moment at which we saw the log to its end, and it was not there.
    # (3) In the future; of a clock that runs ahead only the first entry is told.
    return time < max(newest, seen_at) - OFF_S or (time > now + OFF_S >= newest)
