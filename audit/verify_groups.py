"""Every stored group of every entry: ok, erased by the entry that says so, MISSING or MISMATCH.

`audit.verify` shows that the entries are the ones that were signed. This shows that their content is all there: what
is gone, is gone because an entry of kind `erasure` or `retention` says so, and not because somebody deleted a row.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from audit.believed import believed_erasures
from audit.checkpoint import MAX_SIZE
from audit.entry import GROUPS, Leaf
from audit.errors import AuditError
from audit.key_ring import KeyRing
from audit.log import SealedRow
from audit.merkle import root_of
from audit.policy_file import Policy
from audit.stored_groups import ALARMS, GroupState, StoredGroup, stored_group
from audit.stored_log import StoredLog
from audit.verify import VerifiedCheckpoint, verify_checkpoint

LISTED = 100
"""Alarms and erasures that are listed one by one; all are counted."""
_AT_ONCE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReport:
    """How the groups stand. `alarms` are (entry, group, state); `erasures` say how many groups an entry erased.

    `cosigned_size` is that of the newest checkpoint which a quorum cosigned, `cosigned_at` when the last of them did so
    in unix seconds; both None where there is none. `seen` says whether these entries give its root too: the log's key
    alone can sign another tree, witnesses that saw the first one do not. `noted` says whether the erasures noted beside
    the entries, which every reader of the log goes by, are the ones that entries state.
    """

    size: int
    counts: Mapping[str, int]
    alarms: tuple[tuple[int, str, str], ...]
    erasures: Mapping[int, int]
    signed: bool
    seen: bool
    noted: bool
    cosigned_size: int | None
    cosigned_at: int | None

    @property
    def holds(self) -> bool:
        """Whether the newest checkpoints, the log's and the witnesses', cover these entries and nothing is an alarm."""
        return self.signed and self.seen and self.noted and not any(self.counts[state] for state in ALARMS)


def verify_groups(log: StoredLog, keys: KeyRing, policy: Policy) -> GroupReport:
    """Return how every stored group stands, and whether the log's newest checkpoint covers these very entries.

    Args:
        log: in one snapshot.
        keys: those that exist; a group that none of them opens is MISMATCH.
        policy: names the log whose signature counts.

    Raises:
        AuditError: the log cannot be read, or its newest checkpoint is not the log's.
    """
    size = log.size()
    checkpoint = verify_checkpoint(log.latest_note(), policy).checkpoint
    leaves = dict(_leaves(log, size))

    def opened(index: int, group: str) -> bytes | None:
        opening = _stored(log, keys, (index, group), leaves[index], None).opening
        return None if opening is None else opening.payload

    # (1) What entries say was erased, and can be believed about it.
    erased, broken = believed_erasures(leaves, opened)
    # (2) Every group of every entry.
    tally = _Tally()
    for index, leaf in leaves.items():
        for group in GROUPS:
            stored = _stored(log, keys, (index, group), leaf, erased.by(index, group))
            tally.note(index, group, stored, broken=group == "meta" and index in broken)
    # (3) The tree is the one that was signed, and its beginning the one that witnesses saw.
    hashes = [leaf.leaf_hash for leaf in leaves.values()]
    cosigned = _newest_cosigned(log, policy)
    head = None if cosigned is None else cosigned.checkpoint.head
    seen = head is not None and head.size <= size and head.root == root_of(hashes[: head.size])
    return GroupReport(
        size=size,
        counts=MappingProxyType(tally.counts),
        alarms=tuple(tally.alarms),
        erasures=MappingProxyType(tally.erasures),
        signed=(checkpoint.head.size, checkpoint.head.root) == (size, root_of(hashes)),
        seen=seen or policy.quorum is None,
        noted=log.noted_erasures() == erased.ranges(),
        cosigned_size=None if head is None else head.size,
        cosigned_at=None if cosigned is None else max(cosigned.seen_by.values()),
    )


@dataclass(slots=True)
class _Tally:
    """How many groups stand how, and which of them are alarms."""

    counts: Counter[str] = field(default_factory=lambda: Counter({state.value: 0 for state in GroupState}))
    alarms: list[tuple[int, str, str]] = field(default_factory=list)
    erasures: Counter[int] = field(default_factory=Counter)

    def note(self, index: int, group: str, stored: StoredGroup, *, broken: bool) -> None:
        """Count one group; `broken` says that its own words are not to be believed."""
        state = GroupState.MISMATCH if broken else stored.state
        self.counts[state.value] += 1
        if state in ALARMS and len(self.alarms) < LISTED:
            self.alarms.append((index, group, state.value))
        if state is GroupState.ERASED and stored.erased_by is not None:
            self.erasures[stored.erased_by] += 1


def _newest_cosigned(log: StoredLog, policy: Policy) -> VerifiedCheckpoint | None:
    """Return the newest checkpoint that enough witnesses cosigned; None where there is none, or one is forged."""
    below = MAX_SIZE
    while sizes := log.cosigned_sizes(below, _AT_ONCE):
        for size in sizes:
            try:
                found = verify_checkpoint(log.note(size), policy)
            except AuditError:
                return None
            if found.seen_by and found.quorum_met:
                return found
        below = sizes[-1]
    return None


def _leaves(log: StoredLog, size: int) -> Iterator[tuple[int, Leaf]]:
    for start in range(0, size, _AT_ONCE):
        end = min(start + _AT_ONCE, size)
        yield from enumerate((Leaf.parse(bytes(text)) for text in log.entries(start, end)), start=start)


def _stored(
    log: StoredLog, keys: KeyRing, place: tuple[int, str], leaf: Leaf, erased_by: int | None
) -> StoredGroup:  # fmt: skip
    index, group = place

    def unwrap(row: SealedRow) -> bytes:
        return keys.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group=group)

    return stored_group(log.sealed_row(index, group), leaf=leaf, group=group, erased_by=erased_by, unwrap=unwrap)


def group_wire(report: GroupReport) -> dict[str, object]:
    """Return the report as a command prints it."""
    return {
        "holds": report.holds,
        "size": report.size,
        "signed": report.signed,
        "seen": report.seen,
        "noted": report.noted,
        "cosignedSize": report.cosigned_size,
        "cosignedAt": report.cosigned_at,
        "groups": dict(report.counts),
        "erasures": [{"by": by, "groups": count} for by, count in sorted(report.erasures.items())[:LISTED]],
        "alarms": [{"index": index, "group": group, "state": state} for index, group, state in report.alarms],
    }
