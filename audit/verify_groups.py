"""Every stored group of every entry: ok, erased by the entry that says so, MISSING or MISMATCH.

`audit.verify` shows that the entries are the ones that were signed. This shows that their content is all there: what
is gone, is gone because an entry of kind `erasure` or `retention` says so, and not because somebody deleted a row.
"""

import bisect
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from audit.entry import GROUPS, Leaf, parse_payload
from audit.erasure import ERASING_KINDS, erased_ranges
from audit.errors import EntryError
from audit.key_ring import KeyRing
from audit.log import SealedRow
from audit.merkle import root_of
from audit.policy_file import Policy
from audit.stored_groups import ALARMS, GroupState, StoredGroup, stored_group
from audit.stored_log import StoredLog
from audit.verify import verify_checkpoint

LISTED = 100
"""Alarms and erasures that are listed one by one; all are counted."""
_AT_ONCE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReport:
    """How the groups stand. `alarms` are (entry, group, state); `erasures` say how many groups an entry erased."""

    size: int
    counts: Mapping[str, int]
    alarms: tuple[tuple[int, str, str], ...]
    erasures: Mapping[int, int]
    signed: bool

    @property
    def holds(self) -> bool:
        """Whether the newest checkpoint covers these entries and nothing is an alarm."""
        return self.signed and not any(self.counts[state] for state in ALARMS)


@dataclass(slots=True)
class _Erased:
    """Which entry says of which group that it was erased, as the entries say it."""

    starts: dict[str, list[int]] = field(default_factory=lambda: {group: [] for group in GROUPS})
    ends: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: {group: [] for group in GROUPS})

    def note(self, first: int, last: int, group: str, by: int) -> None:
        """An entry says this; each place is erased once, so ranges of one group never overlap."""
        at = bisect.bisect_left(self.starts[group], first)
        self.starts[group].insert(at, first)
        self.ends[group].insert(at, (last, by))

    def by(self, index: int, group: str) -> int | None:
        """Return the entry that says that this was erased."""
        at = bisect.bisect_right(self.starts[group], index) - 1
        last, by = self.ends[group][at] if at >= 0 else (-1, -1)
        return by if index <= last else None


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
    # (1) What entries say was erased; an entry whose own `meta` does not hold says nothing.
    erased = _Erased()
    broken = {index for index, leaf in leaves.items() if not _note(erased, log, keys, index, leaf)}
    # (2) Every group of every entry.
    counts: Counter[str] = Counter({state.value: 0 for state in GroupState})
    alarms: list[tuple[int, str, str]] = []
    erasures: Counter[int] = Counter()
    for index, leaf in leaves.items():
        for group in GROUPS:
            stored = _stored(log, keys, (index, group), leaf, erased.by(index, group))
            state = GroupState.MISMATCH if group == "meta" and index in broken else stored.state
            counts[state.value] += 1
            if state in ALARMS and len(alarms) < LISTED:
                alarms.append((index, group, state.value))
            if state is GroupState.ERASED and stored.erased_by is not None:
                erasures[stored.erased_by] += 1
    root = root_of([leaf.leaf_hash for leaf in leaves.values()])
    return GroupReport(
        size=size,
        counts=MappingProxyType(counts),
        alarms=tuple(alarms),
        erasures=MappingProxyType(erasures),
        signed=(checkpoint.head.size, checkpoint.head.root) == (size, root),
    )


def _leaves(log: StoredLog, size: int) -> Iterator[tuple[int, Leaf]]:
    for start in range(0, size, _AT_ONCE):
        end = min(start + _AT_ONCE, size)
        yield from enumerate((Leaf.parse(bytes(text)) for text in log.entries(start, end)), start=start)


def _note(erased: _Erased, log: StoredLog, keys: KeyRing, index: int, leaf: Leaf) -> bool:
    """Return whether what an entry says about erasing can be believed, and note it; most entries say nothing."""
    if leaf.kind not in ERASING_KINDS:
        return True
    opening = _stored(log, keys, (index, "meta"), leaf, None).opening
    if opening is None:
        return True  # (2) finds it, MISSING or MISMATCH
    try:
        ranges = erased_ranges(parse_payload(opening.payload))
    except EntryError:
        return False
    if any(one.last >= index for one in ranges):
        return False
    for one in ranges:
        erased.note(one.first, one.last, one.group, index)
    return True


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
        "groups": dict(report.counts),
        "erasures": [{"by": by, "groups": count} for by, count in sorted(report.erasures.items())[:LISTED]],
        "alarms": [{"index": index, "group": group, "state": state} for index, group, state in report.alarms],
    }
