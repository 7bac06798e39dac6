"""What entries say was erased, as far as it can be believed: decided by two people, or kept for its whole term.

Whoever holds the log's key can append whatever he likes. So an entry excuses a loss only within bounds that he cannot
stretch alone without it showing: `retention` names what is older than five years; `erasure` names a few entries of one
organisation, two different people of it, and nothing that another organisation relies on. `docs/audit-format.md`
section 9 says it for others.
"""

import bisect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from audit.entry import GROUPS, Leaf, parse_payload
from audit.erasure import ERASING_KINDS, ErasedRange, erased_ranges
from audit.errors import EntryError

KEPT_S = 5 * 366 * 86_400
"""Seconds an entry keeps its content, before `retention` can name it."""
DECIDED_GROUPS = frozenset({"meta", "actor", "subject"})
"""Groups that people can decide to erase; the others are relied on by other organisations."""
MAX_DECIDED = 100
"""Entries that one decision can name."""
Opened = Callable[[int, str], bytes | None]
"""Gives the payload of a stored group where it is there and true."""


@dataclass(slots=True)
class Erased:
    """Which entry says of which group that it was erased."""

    starts: dict[str, list[int]] = field(default_factory=lambda: {group: [] for group in GROUPS})
    ends: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: {group: [] for group in GROUPS})

    def note(self, one: ErasedRange, by: int) -> None:
        """An entry says this; each place is erased once, so ranges of one group never overlap."""
        at = bisect.bisect_left(self.starts[one.group], one.first)
        self.starts[one.group].insert(at, one.first)
        self.ends[one.group].insert(at, (one.last, by))

    def ranges(self) -> frozenset[tuple[str, int, int, int]]:
        """Return group, first, last and erasing entry of everything that was erased."""
        return frozenset(
            (group, first, last, by)
            for group, starts in self.starts.items()
            for first, (last, by) in zip(starts, self.ends[group], strict=True)
        )

    def by(self, index: int, group: str) -> int | None:
        """Return the entry that says that this was erased."""
        at = bisect.bisect_right(self.starts[group], index) - 1
        last, by = self.ends[group][at] if at >= 0 else (-1, -1)
        return by if index <= last else None


def believed_erasures(leaves: Mapping[int, Leaf], opened: Opened) -> tuple[Erased, frozenset[int]]:
    """Return what was erased by which entry, and the entries whose words about it are not to be believed.

    Args:
        leaves: every entry of the log by its index.
        opened: gives the payload of a stored group, None where it is gone or not what its leaf commits to.
    """
    erased, broken = Erased(), set[int]()
    # (1) What was kept for its term: the two people of an old erasure may have gone that way.
    # (2) Then what people decided.
    for kind, holds in (("retention", _term_is_over), ("erasure", _two_decided)):
        for index in [index for index, leaf in leaves.items() if leaf.kind == kind]:
            # Whose own words are gone is an alarm by itself, and excuses nothing.
            meta = opened(index, "meta")
            if meta is None:
                continue
            try:
                ranges = erased_ranges(parse_payload(meta))
                believed = all(one.last < index for one in ranges) and holds(index, ranges, leaves, opened, erased)
            except EntryError:
                ranges, believed = (), False
            if not believed:
                broken.add(index)
                continue
            for one in ranges:
                erased.note(one, index)
    return erased, frozenset(broken)


def _term_is_over(
    index: int, ranges: Iterable[ErasedRange], leaves: Mapping[int, Leaf], _opened: Opened, _erased: Erased
) -> bool:
    before = leaves[index].time - KEPT_S
    return all(leaves[at].time <= before for at in _places(ranges))


def _two_decided(
    index: int, ranges: tuple[ErasedRange, ...], leaves: Mapping[int, Leaf], opened: Opened, erased: Erased
) -> bool:
    if not ranges:
        return True
    named = _places(ranges)
    if len(named) > MAX_DECIDED or not {one.group for one in ranges} <= DECIDED_GROUPS:
        return False
    if any(leaves[at].kind in ERASING_KINDS for at in named):
        return False
    # Gone by its own term: five years ago it was there to be checked.
    if erased.by(index, "actor") is not None:
        return True
    organisation = _of_two_people(opened(index, "actor"))
    return organisation is not None and all(_is_of(organisation, opened(at, "actor")) for at in named)


def _of_two_people(actor: bytes | None) -> object:
    """Return the organisation of two different people, None where it is not said or there are not two."""
    said = {} if actor is None else parse_payload(actor)
    people = {said.get("worker"), said.get("proposer")}
    return said.get("organisation") if len(people - {None, ""}) == 2 else None  # noqa: PLR2004 - two people


def _is_of(organisation: object, actor: bytes | None) -> bool:
    """Return whether an entry is this organisation's, as far as its `actor` is still there."""
    return actor is None or parse_payload(actor).get("organisation") == organisation


def _places(ranges: Iterable[ErasedRange]) -> set[int]:
    return {at for one in ranges for at in range(one.first, one.last + 1)}
