"""The report tells what differs, and a run counts as equal only where everything is."""

import dataclasses
from datetime import date
from typing import Any

import pytest

from tests.region.cast import team_of
from tests.region.counting import Count, Match, Plan, Told
from tests.region.playing import Found
from tests.region.report import difference, run_document

PLAN = Plan(purpose="proefregio", day=date(2026, 7, 1))
PERSON: Match = ("gi-noord", "a", "person", "gi-zuid", "a")
ADDRESS: Match = ("gi-noord", "a", "address", "gi-zuid", "b")
TOLD: Told = ("gi-noord", "a", "person", "gi-zuid", team_of("a"))
OTHER: Told = ("gi-noord", "a", "address", "gi-zuid", team_of("b"))
COUNT = Count(
    holders={"a": ["gi-noord", "gi-zuid"], "b": ["gi-zuid"]},
    expected=frozenset({PERSON, ADDRESS}),
    shown=frozenset({TOLD, OTHER}),
    rejected=frozenset({("gi-noord", "c", "deceased")}),
    doubled=[],
    addresses=[],
    counts={"persons": 3, "pairs_without_match": 1},
)
FOUND = Found(
    matches=COUNT.expected,
    told=COUNT.shown,
    told_at_registration=frozenset(),
    rejected=COUNT.rejected,
    reported=frozenset(),
    registered=3,
    checked=3,
    mute=0,
    entries=6,
    seconds={"register": 1.0, "check": 2.0},
)


def test_a_run_that_found_what_was_expected_is_equal() -> None:
    """Matches by the log, what was told, and the rejected rows: all three are those of the oracle."""
    document = run_document(PLAN, COUNT, FOUND)
    assert document["equal"]
    assert document["expected"] == document["found"]
    assert document["rates"] == {"recall": 1.0, "precision": 1.0, "registered_per_s": 3.0, "checked_per_s": 1.5}
    assert difference(COUNT, FOUND) == []


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"matches": frozenset({PERSON})}, "matches"),
        ({"matches": COUNT.expected | {("gi-noord", "a", "family", "gi-zuid", "b")}}, "matches"),
        ({"told": frozenset({TOLD})}, "told"),
        ({"told": COUNT.shown | {("gi-zuid", "b", "person", "gi-noord", "team-a")}}, "told"),
        ({"told_at_registration": frozenset({TOLD})}, "told_at_registration"),
        ({"rejected": frozenset()}, "rejected"),
        ({"rejected": COUNT.rejected | {("gi-zuid", "a", "age")}}, "rejected"),
    ],
)
def test_one_difference_anywhere_makes_a_run_unequal(changed: dict[str, Any], part: str) -> None:
    """One match too few or too many, one answer that says more, one row: each is a mismatch, and named."""
    document = run_document(PLAN, COUNT, dataclasses.replace(FOUND, **changed))
    assert not document["equal"]
    assert [name for name, equal in document["equal_parts"].items() if not equal] == [part]


def test_what_is_missing_and_what_is_too_much_is_told() -> None:
    """Who has to find out why reads the first of each kind."""
    found = dataclasses.replace(FOUND, matches=frozenset({("x", "a", "person", "y", "b"), ADDRESS}))
    lines = difference(COUNT, found)
    assert "missing match: gi-noord a person gi-zuid a" in lines
    assert "surplus match: x a person y b" in lines
    counts = run_document(PLAN, COUNT, found)["counts"]
    assert (counts["missing"], counts["surplus"]) == (1, 1)
