"""When an entry says it was written: what lies outside what a custodian knows itself is told to everybody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.custodian import findings, followed
from broker.custodian.entry_times import OFF_S
from tests.simulators.watched_broker import WatchedWorld, watched_pair

YEARS_S = 6 * 366 * 86_400
HOUR_S = 3600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WatchedWorld]:
    """Hold two custodians that watch one log, which they have seen to its end."""
    with watched_pair(tmp_path) as made:
        made.broker.enter("policy", {})
        yield made


def enter(world: WatchedWorld, seconds: int) -> int:
    """Return the index of an entry that is dated so many seconds from now."""
    world.broker.dated = world.clock.now + seconds
    index = world.broker.enter("review", {})
    world.broker.dated = None
    return index


def told(world: WatchedWorld) -> list[int | None]:
    """Return of which entries the first custodian says that their time cannot be right; it says so to everybody."""
    found = findings.all_after(world.pair.custodians[0].store, 0)
    assert {(one.kind, one.organisation, one.worker, one.ticket) for one in found} <= {("time", "", None, None)}
    return [one.entry for one in found]


async def test_an_entry_dated_before_those_before_it_is_told(world: WatchedWorld) -> None:
    """One of six years ago, in the midst of today's, whatever its kind; those after it are as they should be."""
    backdated = enter(world, -YEARS_S)
    world.broker.enter("policy", {})
    await world.look()
    await world.look()
    assert told(world) == [backdated]


async def test_every_entry_of_a_backdated_run_is_told(world: WatchedWorld) -> None:
    """The second of two is dated after the first, and both before what precedes them."""
    run = [enter(world, -YEARS_S), enter(world, -YEARS_S + 1)]
    await world.look()
    assert told(world) == run


async def test_a_time_that_was_over_when_the_log_was_seen_to_its_end_is_told(world: WatchedWorld) -> None:
    """A log that is dated an hour late as a whole never goes back, but its entries were not there an hour ago."""
    await world.look()
    world.clock.pass_seconds(HOUR_S)
    await world.look()
    late = enter(world, -OFF_S - 1)
    await world.look()
    assert told(world) == [late]


async def test_a_clock_that_runs_ahead_is_told_once(world: WatchedWorld) -> None:
    """The first entry of the future is told; it goes on from there, and comes back when the time has come."""
    first = enter(world, OFF_S + 1)
    enter(world, OFF_S + 2)
    await world.look()
    world.clock.pass_seconds(OFF_S + 2)
    world.broker.enter("policy", {})
    await world.look()
    assert told(world) == [first]


@pytest.mark.parametrize("seconds", [-OFF_S, 0, OFF_S])
async def test_a_clock_that_is_a_little_off_is_not_told(world: WatchedWorld, seconds: int) -> None:
    """A quarter of an hour may pass between a tick's clock and ours."""
    await world.look()
    enter(world, seconds)
    await world.look()
    assert told(world) == []


async def test_a_log_that_is_followed_anew_accuses_nobody(world: WatchedWorld) -> None:
    """After an alarm was cleared every entry is old, and none of them is dated wrongly for that."""
    await world.look()
    world.clock.pass_seconds(YEARS_S)
    world.broker.enter("policy", {})
    await world.look()
    store = world.pair.custodians[0].store
    followed.raise_alarm(store, followed.FORK, "evidence", now=world.clock.now)
    assert followed.clear_alarms(store, because="looked at it", now=world.clock.now) == 1
    await world.look()
    assert told(world) == []
