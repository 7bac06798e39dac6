"""Two teams that may not know of each other can each be named: both stand, nobody learns of the other by it (ADR 44).

Who comes to know both has the first in front of him, and the other beside; the later one is told so by the match that
shows him the first. The matchcoordinator who sees both matches sees that there are two.
"""

from pathlib import Path
from typing import Any, cast

import pytest

from broker.domain.matches import KeptMatch, MatchSide, TeamOf
from broker.flows.leading import leaders
from broker.flows.policy import PolicyInForce
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, a_world, exclude, log_size
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, SCHOOL, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.following_up import appointed, coordinated, matches_of_side, notices_of, who
from tests.unit.broker.flows.test_meeting_facts import BOTH
from tests.unit.broker.flows.test_seeing_facts import a_match

MEMORY_AND_FILE = pytest.mark.parametrize("world", ["memory", "sqlite"], indirect=True)
IN_MEMORY = pytest.mark.parametrize("world", ["memory"], indirect=True)
CHILD = household(subject="child", parents=["mother"])
BROTHER = household(subject="brother", parents=["mother"])


async def registers(world: World, oin: str) -> str:
    """An organisation registers the child; return the id of its signal."""
    answer = await world.register(who(world, oin), CHILD)
    return str(answer.result["signalId"])


async def match_of(world: World, oin: str, other: str) -> dict[str, Any]:
    """Return the newest match of an organisation with another, as it is shown it."""
    found = [one for one in await matches_of_side(world, oin) if one["involved"]["holder"]["oin"] == other]
    return found[-1]


async def leads_itself(world: World, oin: str, other: str) -> None:
    """An organisation says, in its match with another, that its own team leads; nobody does as far as it knows."""
    match = await match_of(world, oin, other)
    assert match["casusregisseur"] is None
    await appointed(world, who(world, oin), match["matchId"], oin)


async def shown(world: World, oin: str) -> set[tuple[str | None, str | None]]:
    """Return who leads and who was named too, as an organisation reads in each of its matches."""
    found = await matches_of_side(world, oin)
    keys = ("casusregisseur", "otherCasusregisseur")
    pairs = ([None if one[key] is None else one[key]["organisation"] for key in keys] for one in found)
    return {(pair[0], pair[1]) for pair in pairs}


async def two(world: World) -> str:
    """The wijkteam sees the GI and Veilig Thuis, which hides from the GI; both name themselves: the GI first."""
    await registers(world, WIJKTEAM)
    hidden = await registers(world, VEILIG_THUIS)
    await exclude(world, hidden, organisation=GI, worker="")
    theirs = await registers(world, GI)
    await exclude(world, theirs, organisation=VEILIG_THUIS, worker="")
    await leads_itself(world, GI, WIJKTEAM)
    await leads_itself(world, VEILIG_THUIS, WIJKTEAM)
    return theirs


@IN_MEMORY
async def test_both_keep_theirs_and_who_knows_both_reads_both(world: World) -> None:
    """Neither of the two reads of the other; the wijkteam has the one that was named first, and the other beside it."""
    await two(world)
    assert await shown(world, GI) == {(GI, None)}
    assert await shown(world, VEILIG_THUIS) == {(VEILIG_THUIS, None)}
    assert await shown(world, WIJKTEAM) == {(GI, VEILIG_THUIS)}


@MEMORY_AND_FILE
async def test_who_knows_both_can_make_it_one(world: World) -> None:
    """The wijkteam names itself in the place of the GI: as far as it may know, there is one again."""
    await two(world)
    match = await match_of(world, WIJKTEAM, GI)
    await appointed(world, who(world, WIJKTEAM), match["matchId"], WIJKTEAM, was=GI)
    assert await shown(world, WIJKTEAM) == {(WIJKTEAM, None)}
    assert await shown(world, GI) == {(WIJKTEAM, None)}
    assert await shown(world, VEILIG_THUIS) == {(VEILIG_THUIS, None)}


@IN_MEMORY
async def test_the_later_one_is_told_as_soon_as_a_match_shows_it_the_first(world: World) -> None:
    """A school comes, and names itself before it can know that the GI leads; a new signal of it then meets the GI."""
    await registers(world, WIJKTEAM)
    theirs = await registers(world, GI)
    await leads_itself(world, GI, WIJKTEAM)
    assert isinstance(world.ledger, MemoryBroker)
    kept = world.ledger.state.signals[theirs]
    await exclude(world, theirs, organisation=SCHOOL, worker="")
    await registers(world, SCHOOL)
    await leads_itself(world, SCHOOL, WIJKTEAM)
    assert await shown(world, SCHOOL) == {(SCHOOL, None)}
    # When: the GI hides from it no more, and the school has another signal on the household.
    world.ledger.state.signals[theirs] = kept
    before = await notices_of(world, GI)
    await world.register(who(world, SCHOOL), BROTHER)
    # Then: it reads that the GI led before, and is told so; the GI goes on, and hears of a match and nothing else.
    match = await match_of(world, SCHOOL, GI)
    assert match["casusregisseur"]["organisation"] == GI
    assert match["otherCasusregisseur"]["organisation"] == SCHOOL
    assert ("casusregisseur_other", match["matchId"]) in await notices_of(world, SCHOOL)
    assert {kind for kind, _ in set(await notices_of(world, GI)) - set(before)} == {"match"}


@IN_MEMORY
async def test_the_coordinator_who_sees_both_matches_sees_that_there_are_two(world: World) -> None:
    """One is meant to be it: he reads how many there are, of matches that he sees, and nothing of the household."""
    enrolled = Enrolled(names={**NAMES, GEMEENTE: ("Gemeente", "gemeente")})
    world.documents.in_force, world.documents.rosters = enrolled.register(), enrolled.rosters()
    theirs = await two(world)
    asker = who(world, GEMEENTE, role="matchcoordinator")
    found = cast("list[dict[str, Any]]", (await coordinated(world, asker)).result["found"])
    assert [one["casusregisseurs"] for one in found] == [2, 2]
    # Kept from the GI's signal, he sees one match, and that one team leads there.
    await exclude(world, theirs, organisation=GEMEENTE, worker="")
    again = who(world, GEMEENTE, role="matchcoordinator")
    found = cast("list[dict[str, Any]]", (await coordinated(world, again)).result["found"])
    assert [one["casusregisseurs"] for one in found] == [1]


async def observed(world: World, *, hidden: bool) -> list[Any]:
    """Return what the wijkteam and the coordinator read of two casusregisseurs, the later one kept from the first.

    Or else of two who never met at all: the first is involved with the child alone, the later with a brother.
    """
    enrolled = Enrolled(names={**NAMES, GEMEENTE: ("Gemeente", "gemeente")})
    world.documents.in_force, world.documents.rosters = enrolled.register(), enrolled.rosters()
    await registers(world, WIJKTEAM)
    alone = household(subject="child")
    first = await world.register(who(world, GI), CHILD if hidden else alone)
    if hidden:
        await exclude(world, str(first.result["signalId"]), organisation=VEILIG_THUIS, worker="")
    await leads_itself(world, GI, WIJKTEAM)
    # From here on both worlds draw the same randomness.
    world.randomness = type(world.randomness)(2)
    later = await world.register(who(world, VEILIG_THUIS), BROTHER)
    await leads_itself(world, VEILIG_THUIS, WIJKTEAM)
    asker = who(world, GEMEENTE, role="matchcoordinator")
    listed = cast("list[dict[str, Any]]", (await coordinated(world, asker)).result["found"])
    own = await matches_of_side(world, WIJKTEAM)
    return [
        _without_ids(listed), _without_ids(own), [kind for kind, _ in await notices_of(world, WIJKTEAM)],
        later.result["outcome"], [one["matches"] for one in [later.result]], await log_size(world),
    ]  # fmt: skip


def _without_ids(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return these matches in an order and form that no random id is part of."""
    kept = [{key: value for key, value in one.items() if key not in ("matchId", "signals")} for one in found]
    return sorted(kept, key=str)


async def test_two_names_do_not_tell_that_one_hides_from_the_other(policy: PolicyInForce, tmp_path: Path) -> None:
    """Who sees both reads the same where the later one is kept from the first, and where the two never met."""
    worlds = []
    for hidden in (True, False):
        async with a_world("memory", tmp_path, policy=policy) as world:
            worlds.append(await observed(world, hidden=hidden))
    assert worlds[0] == worlds[1]
    assert [one["casusregisseurs"] for one in worlds[0][0]] == [2, 2]
    assert {
        (one["casusregisseur"]["organisation"], one["otherCasusregisseur"]["organisation"]) for one in worlds[0][1]
    } == {(GI, VEILIG_THUIS)}


def named(team: str, entry: int | None, *, over: frozenset[int] | None = frozenset()) -> KeptMatch:
    """Return a match in which this team was named in this entry, in the place of those of these entries."""
    made: KeptMatch = a_match(BOTH)
    side: MatchSide = made.newer_side
    of = TeamOf(organisation=side.of.organisation, team=team)
    return type(made)(
        id=f"{team} {entry}", newer=made.newer, links=made.links, newer_side=side, older_side=made.older_side,
        made_on=made.made_on, due_on=made.due_on, casusregisseur=of, named_in=entry, named_over=over,
    )  # fmt: skip


def test_a_name_goes_by_what_replaced_it_knowing_of_it() -> None:
    """And by nothing else, whatever came later; a name of before the register of that replaced every earlier one."""

    def teams(*matches: KeptMatch) -> list[str]:
        return [one.team for one in leaders(matches)]

    first, unaware = named("first", 5), named("unaware", 9)
    assert teams(unaware, first) == ["first", "unaware"]
    assert teams(first, named("next", 9, over=frozenset({5}))) == ["next"]
    assert teams(first, unaware, named("last", 12, over=frozenset({9}))) == ["first", "last"]
    assert teams(first, unaware, named("last", 12, over=frozenset({5, 9}))) == ["last"]
    assert teams(first, named("of before", 7, over=None)) == ["of before"]
    assert teams(named("of before", None, over=None), unaware) == ["of before", "unaware"]
    assert teams(named("same", 5), named("same", 9)) == ["same"]
    assert teams(a_match(BOTH)) == []
    assert teams() == []
