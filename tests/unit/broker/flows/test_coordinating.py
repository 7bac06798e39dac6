"""The matchcoordinator sees who is to contact whom and by when, only what both teams know, and no household."""

from dataclasses import replace
from datetime import date
from typing import Any, cast

import pytest

from broker.domain.errors import RoleNotAllowedError, StaleDecisionError
from broker.domain.signals import Exclusion
from broker.flows import list_coordinated as coordinated_listed
from broker.flows import sweep_overdue as overdue
from broker.match_ports import FoundMatches
from tests.simulators.asking import Asker, household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, log_size, shield
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, SCHOOL, WIJKTEAM, Enrolled
from tests.simulators.following_up import coordinated as coordinated_by
from tests.simulators.following_up import followed_up, matches_of_side, sweep_overdue_of, who

CHILD = household(subject="child", parents=["mother"])
DAY = 86_400
IN_MEMORY = pytest.mark.parametrize("world", ["memory"], indirect=True)


@pytest.fixture
def region(world: World) -> World:
    """A world in which the municipality that the test region's document names is registered too."""
    enrolled = Enrolled(names={**NAMES, GEMEENTE: ("Gemeente", "gemeente")})
    world.documents.in_force, world.documents.rosters = enrolled.register(), enrolled.rosters()
    return world


def coordinator(world: World) -> Asker:
    """Return the municipality's matchcoordinator."""
    return who(world, GEMEENTE, role="matchcoordinator")


async def coordinated(world: World, asker: Asker | None = None, *, after: str | None = None) -> list[dict[str, Any]]:
    """Return what a coordinator is shown."""
    asker = asker or coordinator(world)
    answer = await coordinated_by(world, asker, after=after)
    return list(cast("list[dict[str, Any]]", answer.result["found"]))


async def noticed(world: World) -> list[str]:
    """Return of what kinds the notices are that wait for the coordinator."""
    answer = await world.inbox(coordinator(world))
    return [one["kind"] for one in cast("list[dict[str, Any]]", answer.result["notices"])]


async def swept(world: World) -> int:
    """Return how many notices the sweep of what is overdue left."""
    return await sweep_overdue_of(world)


async def met(world: World) -> str:
    """Two organisations registered the same child; return the id of the newer signal."""
    await world.register(who(world, GI), CHILD)
    answer = await world.register(who(world, WIJKTEAM), CHILD)
    return str(answer.result["signalId"])


async def test_the_coordinator_is_told_of_teams_and_no_household(region: World) -> None:
    """A notice and a list: organisations, teams, how far they are and the last day; no signal, kind or phone."""
    await met(region)
    assert await noticed(region) == ["coordinated"]
    (match,) = await coordinated(region)
    assert set(match) == {"matchId", "sides", "madeOn", "dueOn", "contacted", "overdue", "casusregisseurs"}
    assert [set(side) for side in match["sides"]] == [{"organisation", "name", "team", "state"}] * 2
    assert {side["organisation"] for side in match["sides"]} == {GI, WIJKTEAM}
    assert (match["dueOn"], match["contacted"], match["overdue"]) == ("2026-11-27", False, False)


async def test_only_a_coordinator_whom_a_document_names_is_shown_anything(region: World) -> None:
    """A worker of that municipality is not, nor somebody who calls himself coordinator elsewhere."""
    await met(region)
    before = await log_size(region)
    for asker in (who(region, GEMEENTE), who(region, GI, role="matchcoordinator")):
        with pytest.raises(RoleNotAllowedError):
            await coordinated(region, asker)
    assert await log_size(region) == before


async def test_what_one_team_may_not_know_no_coordinator_knows(region: World) -> None:
    """A match with a shielded signal, of which its holder alone is told, stands on no list and is never overdue."""
    first = await region.register(who(region, GI), CHILD)
    await shield(region, str(first.result["signalId"]))
    await region.register(who(region, WIJKTEAM), CHILD)
    assert len(await matches_of_side(region, GI)) == 1
    region.clock.move(10 * DAY)
    assert await swept(region) == 0
    assert await coordinated(region) == []
    assert await noticed(region) == []


async def test_no_contact_in_time_is_told_once(region: World) -> None:
    """On the day itself nothing is overdue, on the next the coordinator is told, and not again the day after."""
    await met(region)
    region.clock.move(5 * DAY)
    assert region.clock.today() == date(2026, 11, 27)
    assert await swept(region) == 0
    region.clock.move(DAY)
    assert await swept(region) == 1
    assert [match["overdue"] for match in await coordinated(region)] == [True]
    assert await noticed(region) == ["coordinated", "match_overdue"]
    region.clock.move(DAY)
    assert await swept(region) == 0


@pytest.mark.parametrize("state", ["contact_gehad", "werken_al_samen", "afspraken_gemaakt", "klaar"])
async def test_one_side_that_had_contact_is_enough(region: World, state: str) -> None:
    """Whoever of the two says that they spoke, the coordinator need not ask; who is done had said so before."""
    await met(region)
    (match,) = await matches_of_side(region, GI)
    if state == "klaar":
        await followed_up(region, who(region, GI), match["matchId"], "contact_gehad")
    await followed_up(region, who(region, GI), match["matchId"], state)
    region.clock.move(10 * DAY)
    assert await swept(region) == 0
    assert [one["contacted"] for one in await coordinated(region)] == [True]


async def test_a_match_that_ended_is_not_overdue(region: World) -> None:
    """Past its day, but one of the signals was withdrawn or shielded since: nobody is told."""
    own = await met(region)
    await shield(region, own)
    region.clock.move(10 * DAY)
    assert await swept(region) == 0
    assert await noticed(region) == []
    assert await coordinated(region) == []


async def test_what_cannot_be_told_today_is_told_when_it_can(region: World) -> None:
    """A side that may not act for a day loses nothing: the coordinator hears of it at a later pace, once."""
    await met(region)
    region.clock.move(6 * DAY)
    enrolled = Enrolled(names={**NAMES, GEMEENTE: ("Gemeente", "gemeente")})
    region.documents.in_force = replace(enrolled, suspended=frozenset({GI}), number=2).register()
    assert await swept(region) == 0
    region.documents.in_force = replace(enrolled, number=3).register()
    assert [await swept(region), await swept(region)] == [1, 0]
    assert await noticed(region) == ["coordinated", "match_overdue"]


@IN_MEMORY
async def test_what_cannot_be_told_holds_up_no_other(region: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many matches wait for a side that may act again, those behind them are told; the others end some day."""
    monkeypatch.setattr(overdue, "MAX_MATCHES", 2)
    for name in ("one", "two", "three"):
        await region.register(who(region, SCHOOL), household(subject=name))
        await region.register(who(region, WIJKTEAM), household(subject=name))
    region.clock.move(DAY)
    await met(region)
    region.clock.move(8 * DAY)
    enrolled = Enrolled(names={**NAMES, GEMEENTE: ("Gemeente", "gemeente")})
    region.documents.in_force = replace(enrolled, suspended=frozenset({SCHOOL}), number=2).register()
    assert [await swept(region), await swept(region)] == [1, 0]
    region.clock.move(120 * DAY)
    await swept(region)
    region.documents.in_force = replace(enrolled, number=3).register()
    assert await swept(region) <= 1


async def kept_from(world: World, signal_id: str, worker: str | None) -> None:
    """The holder of a signal keeps it from the municipality, or from one worker of it."""
    assert isinstance(world.ledger, MemoryBroker)
    signals = world.ledger.state.signals
    excluded = frozenset({Exclusion(organisation=GEMEENTE, worker=worker)})
    signals[signal_id] = replace(signals[signal_id], exclusions=excluded)


@IN_MEMORY
@pytest.mark.parametrize("of", ["newer", "older"])
async def test_who_is_kept_from_a_signal_does_not_coordinate_it(region: World, of: str) -> None:
    """A match made before or after that: no notice, no line and nothing overdue for that organisation."""
    first = await region.register(who(region, GI), CHILD)
    if of == "newer":
        second = await region.register(who(region, WIJKTEAM), CHILD)
        await kept_from(region, str(second.result["signalId"]), None)
    else:
        await kept_from(region, str(first.result["signalId"]), None)
        await region.register(who(region, WIJKTEAM), CHILD)
    assert (await noticed(region), await coordinated(region)) == ([], [])
    region.clock.move(10 * DAY)
    assert await swept(region) == 0
    assert (await noticed(region), await coordinated(region)) == ([], [])


@IN_MEMORY
async def test_a_coordinator_who_is_kept_from_a_signal_is_not_told_of_its_match(region: World) -> None:
    """Kept from one worker by name: a colleague coordinates, he is shown and told nothing."""
    first = await region.register(who(region, GI), CHILD)
    await kept_from(region, str(first.result["signalId"]), "matchcoordinator-6000")
    await region.register(who(region, WIJKTEAM), CHILD)
    assert (await noticed(region), await coordinated(region)) == ([], [])
    region.clock.move(10 * DAY)
    assert await swept(region) == 1
    await kept_from(region, str(first.result["signalId"]), "somebody-else")
    assert [match["overdue"] for match in await coordinated(region)] == [True]


@IN_MEMORY
async def test_what_one_side_does_not_see_moves_nothing_the_coordinator_reads(region: World) -> None:
    """A shielded signal of the same team stands behind the match too: what becomes of it shows in no kept answer."""
    hidden = await region.register(who(region, GI), household(subject="sister", parents=["mother"]))
    await shield(region, str(hidden.result["signalId"]))
    await met(region)
    asker = coordinator(region)
    body = asker.command(had=[])
    first = await region.send_inbox(asker, body)
    await shield(region, str(hidden.result["signalId"]))
    again = await region.send_inbox(asker, body)
    assert again.replayed
    assert again.result == first.result
    await kept_from(region, str(hidden.result["signalId"]), None)
    assert len(await coordinated(region)) == 1


async def test_a_sweep_is_one_entry_whatever_is_overdue(region: World) -> None:
    """With and without an overdue match the log grows by one entry."""
    for days in (0, 10):
        await region.register(who(region, GI), household(subject=f"child {days}"))
        await region.register(who(region, WIJKTEAM), household(subject=f"child {days}"))
        region.clock.move(days * DAY)
        before = await log_size(region)
        await swept(region)
        assert await log_size(region) == before + 1


async def test_what_keeps_moving_is_left_for_the_next_time(region: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep whose every reading is stale by the commit does nothing, and says so."""
    await met(region)
    region.clock.move(10 * DAY)
    matches, day = region.following.matches, region.clock.today()
    stale = await matches.overdue(day=day, after=("", ""), at_most=24)
    assert await swept(region) == 1

    async def as_before(**_: object) -> FoundMatches:
        return stale

    monkeypatch.setattr(type(matches), "overdue", lambda _, **asked: as_before(**asked))
    with pytest.raises(StaleDecisionError):
        await swept(region)


@pytest.mark.parametrize("batch", [5, 40])
async def test_pages_of_the_coordinator_go_on(region: World, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Twenty-six matches come as twenty and six, however many are read at a time."""
    monkeypatch.setattr(coordinated_listed, "BATCH", batch)
    for number in range(26):
        child = household(subject=f"child {number}")
        await region.register(who(region, GI), child)
        await region.register(who(region, WIJKTEAM), child)
    first = await coordinated(region)
    rest = await coordinated(region, after=first[-1]["matchId"])
    assert (len(first), len(rest)) == (20, 6)
