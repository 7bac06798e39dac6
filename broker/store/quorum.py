"""Which entries of the log enough witnesses have seen."""

from collections.abc import Iterable

from audit.checkpoint import MAX_SIZE
from audit.database import Connection
from audit.entry import Leaf
from audit.policy_file import Policy
from audit.stored_log import StoredLog

PAGE = 256
"""Checkpoints looked at together."""


def names_of(policy: Policy, vkeys: Iterable[str]) -> frozenset[str]:
    """Return the names that the policy gives to witnesses with these vkeys."""
    by_vkey = {party.key.encode(): name for name, party in policy.witnesses.items()}
    return frozenset(by_vkey[vkey] for vkey in vkeys if vkey in by_vkey)


def quorum_met(policy: Policy, vkeys: Iterable[str]) -> bool:
    """Return whether witnesses with these vkeys are enough."""
    return policy.quorum_met(names_of(policy, vkeys))


def covered_size(connection: Connection, policy: Policy, *, above: int = 0) -> int | None:
    """Return the largest checkpoint that a quorum cosigned and that is larger than `above`, None for none.

    Without a quorum in the policy every checkpoint counts.
    """
    if policy.quorum is None:
        row = connection.execute("SELECT max(size) FROM log_checkpoints WHERE size > ?", (above,)).fetchone()
        return None if row[0] is None else int(row[0])
    page = "SELECT DISTINCT size FROM log_cosignatures WHERE size > ? AND size < ? ORDER BY size DESC LIMIT ?"
    query = "SELECT witness FROM log_cosignatures WHERE size = ?"
    below = MAX_SIZE
    # Newest first and a page at a time: nearly always it is the first, and a log of years has very many.
    while sizes := [size for (size,) in connection.execute(page, (above, below, PAGE)).fetchall()]:
        for size in sizes:
            if quorum_met(policy, [witness for (witness,) in connection.execute(query, (size,))]):
                return int(size)
        below = sizes[-1]
    return None


def uncovered_from(connection: Connection, policy: Policy) -> int | None:
    """Return the time of the oldest entry that no quorum has covered, None when all are covered."""
    reader = StoredLog(connection)
    covered = covered_size(connection, policy) or 0
    if covered == reader.size():
        return None
    return Leaf.parse(reader.entries(covered, covered + 1)[0]).time
