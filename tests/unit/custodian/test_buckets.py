"""Exact token buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.custodian.buckets import DAY_US, Level, full, refilled, taken
from broker.protocol.register import Bucket

SIZES = st.builds(Bucket, capacity=st.integers(0, 10_000_000), per_day=st.integers(0, 10_000_000))


def test_a_new_bucket_is_full() -> None:
    """A bucket nobody has used holds its capacity."""
    assert full(Bucket(capacity=7, per_day=1), 5) == Level(units=7 * DAY_US, at_us=5)


@pytest.mark.parametrize(("points", "left"), [(0, 3), (3, 0), (4, None)])
def test_no_more_is_taken_than_there_is(points: int, left: int | None) -> None:
    """A bucket gives whole points down to zero and never below."""
    found = taken(Level(units=3 * DAY_US, at_us=0), points)
    assert (None if found is None else found.points) == left


@given(SIZES, st.lists(st.integers(0, DAY_US), max_size=20))
def test_refilling_in_steps_gives_what_refilling_at_once_gives(size: Bucket, steps: list[int]) -> None:
    """However often a bucket is looked at, no fraction of a point is won or lost."""
    empty = Level(units=0, at_us=0)
    level = empty
    at_us = 0
    for step in steps:
        at_us += step
        level = refilled(level, size, at_us)
    assert level == refilled(empty, size, at_us)
    assert level.units <= size.capacity * DAY_US


@given(SIZES, st.integers(0, 2**50), st.integers(0, 2**50))
def test_a_bucket_never_gives_more_than_capacity_and_refill(size: Bucket, units: int, passed_us: int) -> None:
    """Time gives at most `per_day` a day, and a level above a lowered capacity is cut to it."""
    level = refilled(Level(units=units, at_us=0), size, passed_us)
    assert level.units <= min(size.capacity * DAY_US, units + passed_us * size.per_day)


def test_time_that_runs_backward_refills_nothing() -> None:
    """A level counted later than now is left as it is, and keeps its time."""
    level = Level(units=5, at_us=100)
    assert refilled(level, Bucket(capacity=9, per_day=9), 50) == level
