"""The broker's log as this custodian has seen it: the tree, rebuilt from every entry, and every note it was shown.

Nothing of the broker is believed but its signature: each page's leaves, on top of the tree seen before, must give the
root that the page's checkpoint states. So a fork, a rollback or an altered entry cannot pass, and what is held here
survives a restart. Each page is one transaction: tree, note and matched tickets together, or none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.checkpoint import Checkpoint
from audit.entry import Leaf, Opening
from audit.errors import EntryError, NoteError
from audit.growing import new_nodes
from audit.merkle import EMPTY_TREE, Node, TreeHead, root_at
from audit.policy_file import Policy
from audit.verify import verify_checkpoint
from broker.custodian import citations, entry_times, issued, withheld
from broker.custodian.errors import LogDoubtError
from broker.custodian.store import Store

FOLLOWED_AT = "followed_at"
"""The number that says when, by our clock, the log was last followed to its end."""
WITNESSED_AT = "witnessed_at"
"""The number that says when enough witnesses last said that they saw the same log."""
LOG_TIME = "followed_log_time"
"""The number that holds the time of the newest entry seen, by the broker's clock."""
FORK = "fork"
ROLLED_BACK = "rolled-back"
HIDDEN = "hidden"
NOT_THE_LOG = "not-the-log"
"""What came is not signed by the log or is no page of it. Nothing is proven by that, so it only leaves us blind."""
STOPPING = frozenset({FORK, ROLLED_BACK, HIDDEN})
"""Alarms in which the log is not what it says: no ticket is handed out, but in an emergency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """One entry as the broker gave it; nothing of it is verified."""

    leaf: bytes
    actor: Opening | None = field(repr=False)
    meta: Opening | None = field(repr=False, default=None)


class FollowedTree:
    """The nodes of the tree as seen, for `audit.merkle`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a perfect subtree."""
        ((found,),) = self._store.rows("SELECT hash FROM followed_node WHERE level = ? AND idx = ?", level, index)
        return bytes(found)

    def size(self) -> int:
        """Return how many entries were seen."""
        ((size,),) = self._store.rows("SELECT coalesce(max(size), 0) FROM followed_note")
        return int(size)

    def head(self) -> TreeHead:
        """Return the tree that was seen last."""
        size = self.size()
        return TreeHead(size=size, root=root_at(self, size)) if size else EMPTY_TREE

    def insert(self, nodes: Sequence[Node]) -> None:
        """These subtrees are part of it."""
        for node in nodes:
            self._store.change(
                "INSERT INTO followed_node (level, idx, hash) VALUES (?, ?, ?)", node.level, node.index, node.hash
            )


def newest_note(store: Store) -> str | None:
    """Return the newest note that was seen, None before the first."""
    rows = store.rows("SELECT note FROM followed_note ORDER BY size DESC LIMIT 1")
    return str(rows[0][0]) if rows else None


def take_page(
    store: Store, note: str, entries: Sequence[PageEntry], *, policy: Policy, custodian: str, now: int
) -> bool:
    """Return whether the log has grown by this page, which is then taken over whole and durably.

    Args:
        store: of this custodian.
        note: the page's checkpoint, as it came.
        entries: what follows the tree seen before, up to that checkpoint.
        policy: names the log's key and its witnesses, as this custodian pinned them.
        custodian: our id, by which entries cite our tickets.
        now: unix seconds of our clock.

    Raises:
        LogDoubtError: the page does not continue what was seen; nothing of it was taken over.
        StoreError: nothing was taken over.
    """
    # (1) The log's own key signed the checkpoint, and no signature on it is bad.
    checkpoint = _verified(note, policy)
    new = checkpoint.head
    tree = FollowedTree(store)
    with store.transaction():
        old = tree.head()
        # (2) It is not smaller than what we saw, and one size has one root.
        if new.size < old.size:
            raise LogDoubtError(ROLLED_BACK, note)
        if new.size == old.size:
            if new.root != old.root:
                raise LogDoubtError(FORK, note)
            return False
        # (3) Every entry in between came, in a form that has one reading.
        leaves = _leaves(note, entries, expected=new.size - old.size)
        # (4) Together with what we saw they are the very tree that was signed.
        tree.insert(new_nodes(tree, size=old.size, leaf_hashes=[leaf.leaf_hash for leaf in leaves]))
        if root_at(tree, new.size) != new.root:
            raise LogDoubtError(FORK, note)
        # (5) Each ticket in it is matched.
        for index, (leaf, entry) in enumerate(zip(leaves, entries, strict=True), start=old.size):
            if leaf.kind in citations.OPERATIONS:
                cited = citations.read(leaf, index, entry.actor, custodian=custodian)
                citations.record(store, leaf, index, cited, now=now)
            withheld.let_go(store, leaf, index, entry.meta)
        # (6) Each is dated when it can have been written.
        entry_times.record(store, leaves, first=old.size, seen_at=store.number(FOLLOWED_AT) or 0, now=now)
        store.change("INSERT INTO followed_note (size, note, seen_at) VALUES (?, ?, ?)", new.size, note, now)
        store.set_number(LOG_TIME, max(leaves[-1].time, store.number(LOG_TIME) or 0))
    return True


def compare(store: Store, note: str, *, policy: Policy) -> bool:
    """Return whether everything a witness saw is in the tree seen here; False when it saw more.

    Raises:
        LogDoubtError: it saw another tree of a size that we have seen.
    """
    seen = _verified(note, policy).head
    tree = FollowedTree(store)
    if seen.size > tree.size():
        return False
    if seen.size and root_at(tree, seen.size) != seen.root:
        raise LogDoubtError(FORK, note)
    return True


def caught_up(store: Store, *, now: int, witnessed: bool) -> None:
    """The log was followed to its end at this second; `witnessed`: enough witnesses said that they saw the same."""
    with store.transaction():
        store.set_number(FOLLOWED_AT, now)
        if witnessed:
            store.set_number(WITNESSED_AT, now)
        withheld.tell(store, now=now)


def _verified(note: str, policy: Policy) -> Checkpoint:
    try:
        return verify_checkpoint(note, policy).checkpoint
    except NoteError:
        raise LogDoubtError(NOT_THE_LOG, note) from None


def _leaves(note: str, entries: Sequence[PageEntry], *, expected: int) -> list[Leaf]:
    if len(entries) != expected:
        raise LogDoubtError(NOT_THE_LOG, note)
    try:
        return [Leaf.parse(entry.leaf) for entry in entries]
    except EntryError:
        raise LogDoubtError(NOT_THE_LOG, note) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Why this custodian no longer believes the log; `evidence` holds the signed notes that contradict each other."""

    number: int
    kind: str
    raised_at: int
    evidence: str


def raise_alarm(store: Store, kind: str, evidence: str, *, now: int) -> None:
    """The alarm stands, with the last note seen beside the new one; one that stands is not raised twice."""
    with store.transaction():
        if any(alarm.kind == kind for alarm in standing_alarms(store)):
            return
        both = f"{newest_note(store) or ''}\n\n{evidence}"
        store.change("INSERT INTO alarm (kind, raised_at, evidence) VALUES (?, ?, ?)", kind, now, both)


def standing_alarms(store: Store) -> list[Alarm]:
    """Return the alarms that nobody has cleared."""
    rows = store.rows("SELECT number, kind, raised_at, evidence FROM alarm WHERE cleared_at IS NULL ORDER BY number")
    return [Alarm(number=number, kind=kind, raised_at=at, evidence=evidence) for number, kind, at, evidence in rows]


def clear_alarms(store: Store, *, because: str, now: int) -> int:
    """Return how many alarms stood; a person cleared them, and the log is followed anew from its first entry.

    Every ticket has to be found in it again: what a rollback took away is told as unspent once the log was seen whole.
    """
    with store.transaction():
        cleared = store.change("UPDATE alarm SET cleared_at = ?, because = ? WHERE cleared_at IS NULL", now, because)
        if cleared:
            store.change("DELETE FROM followed_node")
            store.change("DELETE FROM followed_note")
            issued.unmatch_all(store)
            withheld.forget(store)
            store.set_number(FOLLOWED_AT, 0)
            store.set_number(entry_times.NEWEST_TIME, 0)
    return cleared
