"""Which entries of the log enough witnesses have seen."""

from collections.abc import Iterable, Mapping, Sequence

from audit.database import Connection
from audit.entry import Leaf
from audit.errors import ForkError
from audit.merkle import TreeHead, root_at
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
    page = "SELECT DISTINCT size FROM log_cosignatures WHERE size > ? AND size <= ? ORDER BY size DESC LIMIT ?"
    upto = _most_covered(connection, policy)
    # Newest first and a page at a time: nearly always it is the first, and a log of years has very many.
    while sizes := [size for (size,) in connection.execute(page, (above, upto, PAGE)).fetchall()]:
        by_size = cosigners(connection, first=sizes[-1], last=sizes[0])
        found = next((size for size in sizes if quorum_met(policy, by_size[size])), None)
        if found is not None:
            return int(found)
        upto = sizes[-1] - 1
    return None


def cosigners(connection: Connection, *, first: int, last: int) -> Mapping[int, Sequence[str]]:
    """Return the vkeys of those who cosigned each checkpoint of these sizes, both included; none has no member."""
    query = "SELECT size, witness FROM log_cosignatures WHERE size >= ? AND size <= ?"
    by_size: dict[int, list[str]] = {}
    for size, witness in connection.execute(query, (first, last)):
        by_size.setdefault(size, []).append(witness)
    return by_size


def _most_covered(connection: Connection, policy: Policy) -> int:
    """Return a size above which no checkpoint can have its quorum: too few witnesses have seen any larger one.

    So a day on which one of them is away is not walked over checkpoint by checkpoint, again and again.
    """
    log = StoredLog(connection)
    newest = {name: log.cosigned_size(party.key.encode()) for name, party in policy.witnesses.items()}
    sizes = sorted(newest.values(), reverse=True)
    return next((size for size in sizes if policy.quorum_met([n for n, seen in newest.items() if seen >= size])), 0)


def uncovered_from(connection: Connection, policy: Policy, *, heard: bool = True) -> int | None:
    """Return the time of the oldest entry that no quorum has covered, None when all are covered.

    Args:
        connection: to the log.
        policy: names the quorum.
        heard: whether a quorum has said since the start that this is its newest tree. Until then the cosignatures
            that stand here may be of a copy that was put back, so the newest entry counts as uncovered.
    """
    reader = StoredLog(connection)
    covered, size = covered_size(connection, policy) or 0, reader.size()
    if covered == size:
        if heard or not size:
            return None
        covered = size - 1
    return Leaf.parse(reader.entries(covered, covered + 1)[0]).time


def check_witnessed(connection: Connection, seen: TreeHead) -> None:
    """What a witness saw of this log is in the database.

    Raises:
        ForkError: it is not, so the database was put back from an older copy, or tells another history.
    """
    reader = StoredLog(connection)
    if seen.size > reader.size():
        raise ForkError(f"log: a witness holds its checkpoint of {seen.size} entries, and the database has fewer")
    if root_at(reader, seen.size) != seen.root:
        raise ForkError(f"log: a witness holds another checkpoint of {seen.size} entries, signed by the log's own key")
