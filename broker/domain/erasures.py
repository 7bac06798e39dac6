"""Erasing the content of own entries: what may be named, on which ground, and by which two people (AVG art. 17)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

GROUNDS = ("AVG-17.1.a", "AVG-17.1.b", "AVG-17.1.c", "AVG-17.1.d", "AVG-17.1.e")
"""AVG art. 17(1): no longer needed, consent withdrawn, objection, unlawful, a legal duty to erase."""
ALL_GROUPS = ("meta", "actor", "subject", "hits", "shielded")
"""In the order of an entry."""
GROUPS = ("meta", "actor", "subject")
"""What an organisation may erase of its own entries. `hits` and `shielded` are others', empty or not: by them
a holder's FG sees who looked at his families."""
MAX_RANGES = 24
"""Ranges that fit the `meta` of the entry that erases them."""
MAX_ENTRIES = 100
"""Entries of one decision: two people must be able to oversee it, and each is opened within a tick."""
KEPT_S = 5 * 366 * 86_400
"""Seconds the content of an entry is kept: the five years that the care sector asks (Stcrt. 2019, 38007) at least."""
MAX_EXPIRED = 1000
"""Entries whose content one sweep erases, so that no tick waits for it: 96,000 a day."""
VALID_S = 30 * 86_400
"""Seconds a proposal can be confirmed; after that it is proposed anew."""


class ErasureState(StrEnum):
    """How far an erasure is."""

    PROPOSED = "proposed"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRange:
    """Groups of the entries `first` up to and with `last`, of one organisation."""

    first: int
    last: int
    groups: tuple[str, ...]

    def document(self) -> dict[str, object]:
        """Return the range as it stands in an entry."""
        return {"from": self.first, "to": self.last, "groups": list(self.groups)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What one person of a controller proposed to erase; `id` is unique within the organisation.

    `decision_ref` is an HMAC under the organisation's own key: the decision itself stays with it.
    """

    id: str
    organisation: str
    controller: str
    proposed_by: str
    proposed_at: int
    ground: str
    decision_ref: str
    ranges: tuple[EntryRange, ...]
    state: ErasureState = ErasureState.PROPOSED
    decided_by: str | None = None
    entry_index: int | None = None

    def awaits_decision(self, now: int) -> bool:
        """Return whether somebody else can still confirm it."""
        return self.state is ErasureState.PROPOSED and now <= self.proposed_at + VALID_S


def range_fault(ranges: Sequence[EntryRange]) -> str | None:
    """Return which rule a list of ranges breaks, None when it breaks none: ascending, apart, and not too many."""
    if any(one.first > one.last for one in ranges):
        return "has a range that goes down"
    if any(before.last >= after.first for before, after in pairwise(ranges)):
        return "are not ascending and apart"
    if sum(one.last - one.first + 1 for one in ranges) > MAX_ENTRIES:
        return f"name more than {MAX_ENTRIES} entries"
    return None


def places(ranges: Sequence[EntryRange]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Give each entry of these ranges with the groups that are named of it."""
    for one in ranges:
        for index in range(one.first, one.last + 1):
            yield index, one.groups


def joined(stored: Iterable[tuple[int, str]]) -> tuple[EntryRange, ...]:
    """Return these places as ranges, neighbours with the same groups together, as many as one entry can list."""
    groups: dict[int, set[str]] = {}
    for index, group in stored:
        groups.setdefault(index, set()).add(group)
    ranges: list[EntryRange] = []
    for index in sorted(groups):
        named = tuple(group for group in ALL_GROUPS if group in groups[index])
        if ranges and (ranges[-1].last + 1, ranges[-1].groups) == (index, named):
            ranges[-1] = replace(ranges[-1], last=index)
        else:
            ranges.append(EntryRange(first=index, last=index, groups=named))
    return tuple(ranges[:MAX_RANGES])
