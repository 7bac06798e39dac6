"""Ranges of entries: what may be named by people, and what a sweep names by itself."""

import pytest

from audit import believed
from broker.domain.erasures import GROUPS, KEPT_S, MAX_ENTRIES, MAX_RANGES, EntryRange, joined, places, range_fault


def _ranges(*pairs: tuple[int, int]) -> list[EntryRange]:
    return [EntryRange(first=first, last=last, groups=("hits",)) for first, last in pairs]


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ([(0, 0)], None),
        ([(0, MAX_ENTRIES - 1)], None),
        ([(0, 1), (2, 3)], None),
        ([(1, 0)], "goes down"),
        ([(0, 2), (2, 3)], "apart"),
        ([(4, 5), (2, 3)], "apart"),
        ([(0, MAX_ENTRIES)], "more than"),
        ([(0, 0), (2, MAX_ENTRIES + 1)], "more than"),
    ],
)
def test_a_list_goes_up_stands_apart_and_can_be_overseen(pairs: list[tuple[int, int]], fault: str | None) -> None:
    """The rule that is broken is named; neighbours are allowed, overlaps are not."""
    found = range_fault(_ranges(*pairs))
    assert found is None if fault is None else fault in str(found)


def test_neighbours_with_the_same_groups_are_one_range() -> None:
    """Places come back in order, each group in its order, and a gap or another set of groups begins a new range."""
    stored = [(3, "hits"), (1, "hits"), (1, "meta"), (0, "meta"), (0, "hits"), (2, "hits"), (7, "hits")]
    ranges = joined(stored)
    assert ranges == (
        EntryRange(first=0, last=1, groups=("meta", "hits")),
        EntryRange(first=2, last=3, groups=("hits",)),
        EntryRange(first=7, last=7, groups=("hits",)),
    )
    assert sorted((index, group) for index, groups in places(ranges) for group in groups) == sorted(stored)


def test_one_entry_lists_no_more_than_fits() -> None:
    """What does not fit waits for the next sweep."""
    assert len(joined((2 * index, "hits") for index in range(MAX_RANGES + 5))) == MAX_RANGES


def test_what_people_may_erase_is_what_a_verifier_believes() -> None:
    """Groups, number of entries and term are those of `sluis-audit verify`: nothing that is allowed is an alarm."""
    ours = (frozenset(GROUPS), MAX_ENTRIES, KEPT_S)
    assert ours == (believed.DECIDED_GROUPS, believed.MAX_DECIDED, believed.KEPT_S)
