"""One household, one plan, one casusregisseur: named in one match, known in the others, and nobody learns who else is.

Three organisations are involved with one child. A name counts for who sees both teams of the match it was given in,
where these two see each other; a report that comes in reaches that one team, from whatever match it is told in.
"""

from typing import Any

import pytest

from broker.domain.errors import RefusedError, StaleDecisionError
from broker.domain.matches import NameCasusregisseur, TeamOf
from broker.ports import Proposal
from tests.simulators.asking import household
from tests.simulators.broker_world import World, exclude, shield
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM
from tests.simulators.following_up import (
    appointed,
    found_in,
    matches_of_side,
    notices_of,
    opened,
    told_new_report,
    who,
)
from tests.simulators.team_tasks import listed as tasks_listed

IN_MEMORY = pytest.mark.parametrize("world", ["memory"], indirect=True)
CHILD = household(subject="child")
TRIO = (GI, WIJKTEAM, VEILIG_THUIS)


async def met(world: World, *oins: str) -> dict[str, str]:
    """These organisations register one child; return the id of each one's signal."""
    registered = {oin: await world.register(who(world, oin), CHILD) for oin in oins or TRIO}
    return {oin: str(answer.result["signalId"]) for oin, answer in registered.items()}


async def match_of(world: World, oin: str, other: str) -> dict[str, Any]:
    """Return the match of an organisation with another, as it is shown it."""
    (found,) = [one for one in await matches_of_side(world, oin) if one["involved"]["holder"]["oin"] == other]
    return found


async def leading(world: World, oin: str, other: str) -> str | None:
    """Return which organisation leads, as one is shown in its match with another; opened, it is the same."""
    match = await match_of(world, oin, other)
    (shown,) = found_in(await opened(world, who(world, oin), match["matchId"]))
    assert shown["casusregisseur"] == match["casusregisseur"]
    return None if match["casusregisseur"] is None else str(match["casusregisseur"]["organisation"])


async def name(world: World, oin: str, other: str, named: str, *, was: str | None = None) -> None:
    """An organisation names who leads, in its match with another."""
    match = await match_of(world, oin, other)
    await appointed(world, who(world, oin), match["matchId"], named, was=was)


async def told(world: World, oin: str, kind: str) -> list[str]:
    """Return about which matches an organisation has notices of this kind."""
    return [about for of, about in await notices_of(world, oin) if of == kind]


async def test_who_leads_is_known_in_every_match_of_the_household(world: World) -> None:
    """The GI and the wijkteam agree who leads; Veilig Thuis, which sees both, reads it in its own matches with each."""
    await met(world)
    await name(world, GI, WIJKTEAM, WIJKTEAM)
    assert await leading(world, VEILIG_THUIS, GI) == WIJKTEAM
    assert await leading(world, VEILIG_THUIS, WIJKTEAM) == WIJKTEAM
    assert await leading(world, GI, VEILIG_THUIS) == WIJKTEAM
    assert await leading(world, WIJKTEAM, VEILIG_THUIS) == WIJKTEAM


async def test_the_button_reaches_the_one_who_leads(world: World) -> None:
    """Veilig Thuis presses it in its match with the GI: the wijkteam has it, about its own match, and answers there."""
    await met(world)
    await name(world, GI, WIJKTEAM, WIJKTEAM)
    pressed = await match_of(world, VEILIG_THUIS, GI)
    await told_new_report(world, who(world, VEILIG_THUIS), pressed["matchId"])
    reached = await match_of(world, VEILIG_THUIS, WIJKTEAM)
    assert await told(world, WIJKTEAM, "new_report") == [reached["matchId"]]
    assert await told(world, GI, "new_report") == []
    (task,) = found_in(await tasks_listed(world, who(world, WIJKTEAM)))
    assert (task["kind"], task["matchId"]) == ("reactie", reached["matchId"])


@IN_MEMORY
async def test_the_last_name_counts_and_who_leads_no_more_is_told(world: World) -> None:
    """Named in another match: it says whom it replaces, and the team that led has a notice about a match of its own."""
    await met(world)
    await name(world, GI, WIJKTEAM, WIJKTEAM)
    with pytest.raises(RefusedError) as refused:
        await name(world, GI, VEILIG_THUIS, GI)
    assert refused.value.document["type"] == "urn:sluis:problem:casusregisseur-changed"
    await name(world, GI, VEILIG_THUIS, GI, was=WIJKTEAM)
    for oin, other in ((GI, WIJKTEAM), (WIJKTEAM, GI), (VEILIG_THUIS, WIJKTEAM)):
        assert await leading(world, oin, other) == GI
    with_gi = await match_of(world, WIJKTEAM, GI)
    assert await told(world, WIJKTEAM, "casusregisseur") == [with_gi["matchId"]]
    assert await told(world, WIJKTEAM, "casusregisseur_other") == [with_gi["matchId"]]


@IN_MEMORY
async def test_a_team_that_may_not_know_the_other_keeps_what_it_knew(world: World) -> None:
    """The wijkteam led; the GI names itself with Veilig Thuis, which hides from the wijkteam: it notices nothing."""
    signals = await met(world)
    await name(world, GI, WIJKTEAM, WIJKTEAM)
    await exclude(world, signals[VEILIG_THUIS], organisation=WIJKTEAM, worker="")
    before = await notices_of(world, WIJKTEAM)
    await name(world, GI, VEILIG_THUIS, GI, was=WIJKTEAM)
    assert await notices_of(world, WIJKTEAM) == before
    assert await leading(world, WIJKTEAM, GI) == WIJKTEAM
    assert await leading(world, GI, WIJKTEAM) == GI


@IN_MEMORY
async def test_a_name_by_whom_nobody_sees_counts_for_himself_alone(world: World) -> None:
    """The GI shields its signal, and names the wijkteam: neither that team nor Veilig Thuis reads of it anywhere."""
    signals = await met(world)
    await shield(world, signals[GI])
    await name(world, GI, WIJKTEAM, WIJKTEAM)
    assert await leading(world, GI, VEILIG_THUIS) == WIJKTEAM
    assert await leading(world, WIJKTEAM, VEILIG_THUIS) is None
    assert await leading(world, VEILIG_THUIS, WIJKTEAM) is None
    pressed = await match_of(world, VEILIG_THUIS, WIJKTEAM)
    with pytest.raises(RefusedError) as refused:
        await told_new_report(world, who(world, VEILIG_THUIS), pressed["matchId"])
    assert refused.value.document["type"] == "urn:sluis:problem:casusregisseur-missing"


@IN_MEMORY
async def test_a_team_that_may_not_see_one_of_the_two_reads_of_neither(world: World) -> None:
    """The GI is kept from Veilig Thuis: that the wijkteam leads, as these two agreed, stands in none of its matches."""
    signals = await met(world)
    await exclude(world, signals[GI], organisation=VEILIG_THUIS, worker="")
    await name(world, GI, WIJKTEAM, WIJKTEAM)
    assert await leading(world, GI, WIJKTEAM) == WIJKTEAM
    assert await leading(world, VEILIG_THUIS, WIJKTEAM) is None


@IN_MEMORY
async def test_two_who_do_not_both_see_each_other_say_nothing_to_a_third(world: World) -> None:
    """The wijkteam is kept from the GI's signal: what the GI names there is its own, though Veilig Thuis sees both."""
    signals = await met(world)
    await exclude(world, signals[GI], organisation=WIJKTEAM, worker="")
    await name(world, GI, WIJKTEAM, GI)
    assert await leading(world, GI, VEILIG_THUIS) == GI
    assert await leading(world, VEILIG_THUIS, GI) is None


@IN_MEMORY
async def test_another_household_of_the_same_teams_has_its_own_plan(world: World) -> None:
    """Who leads for one child leads for no other child of the same organisations."""
    await met(world)
    await name(world, GI, WIJKTEAM, WIJKTEAM)
    for oin in (GI, WIJKTEAM):
        await world.register(who(world, oin), household(subject="stranger"))
    led = [one["casusregisseur"] for one in await matches_of_side(world, GI)]
    assert sum(one is None for one in led) == 1


async def test_who_names_after_another_did_at_the_same_time_decides_again(world: World) -> None:
    """What was seen in another match on the household has moved: the name is stale, and nothing is written."""
    await met(world)
    one, other = await match_of(world, GI, WIJKTEAM), await match_of(world, GI, VEILIG_THUIS)
    change = NameCasusregisseur(
        match_id=one["matchId"],
        was=None,
        now=TeamOf(organisation=GI, team="team-1"),
        beside=((other["matchId"], None),),
    )
    await name(world, GI, VEILIG_THUIS, VEILIG_THUIS)
    async with world.log.turn() as turn:
        with pytest.raises(StaleDecisionError):
            await turn.commit(Proposal(kind="match", payloads={"meta": {}}, changes=(change,)))
    assert await leading(world, GI, WIJKTEAM) == VEILIG_THUIS
