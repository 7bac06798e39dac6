"""One plan, one casusregisseur: a team of the match, told so, and never replaced by who did not see that it leads."""

import pytest

from broker.domain.errors import RefusedError
from tests.simulators.asking import household
from tests.simulators.broker_world import World, log_size, shield
from tests.simulators.enrolled import GI, NAMES, SCHOOL, WIJKTEAM
from tests.simulators.following_up import appointed, matches_of_side, notices_of, who

IN_MEMORY = pytest.mark.parametrize("world", ["memory"], indirect=True)
CHILD = household(subject="child")
TOLD, OTHER = "casusregisseur", "casusregisseur_other"


async def met(world: World) -> tuple[str, str]:
    """The GI and the wijkteam registered the same child; return the id of their match and of the GI's signal."""
    first = await world.register(who(world, GI), CHILD)
    await world.register(who(world, WIJKTEAM), CHILD)
    (match,) = await matches_of_side(world, GI)
    return str(match["matchId"]), str(first.result["signalId"])


async def told(world: World, oin: str) -> list[str]:
    """Return the notices of an organisation about who leads: that it does itself, or that another does."""
    return [kind for kind, _ in await notices_of(world, oin) if kind in (TOLD, OTHER)]


async def leads(world: World, oin: str) -> object:
    """Return who leads the plan, as this side is shown it."""
    (match,) = await matches_of_side(world, oin)
    return match["casusregisseur"]


async def test_either_side_names_a_team_and_both_see_it_by_name(world: World) -> None:
    """It is a team of the match, and its organisation stands there with its name; any other is refused."""
    match_id, _ = await met(world)
    was = None
    for oin, named in ((GI, WIJKTEAM), (WIJKTEAM, GI)):
        await appointed(world, who(world, oin), match_id, named, was=was)
        for side in (GI, WIJKTEAM):
            shown = {"organisation": named, "team": "team-1", "name": NAMES[named][0]}
            assert await leads(world, side) == shown
        was = named
    with pytest.raises(RefusedError) as refused:
        await appointed(world, who(world, GI), match_id, SCHOOL, was=was)
    assert refused.value.document["type"] == "urn:sluis:problem:casusregisseur-not-involved"


@IN_MEMORY
async def test_the_team_that_leads_is_told_and_so_is_the_one_it_replaces(world: World) -> None:
    """The other team has a notice of either, and whoever says it has none; naming the same again tells nobody."""
    match_id, _ = await met(world)
    await appointed(world, who(world, GI), match_id, WIJKTEAM)
    assert (await told(world, WIJKTEAM), await told(world, GI)) == ([TOLD], [])
    await appointed(world, who(world, GI), match_id, WIJKTEAM, was=WIJKTEAM)
    assert (await told(world, WIJKTEAM), await told(world, GI)) == ([TOLD], [])
    await appointed(world, who(world, GI), match_id, GI, was=WIJKTEAM)
    assert (await told(world, WIJKTEAM), await told(world, GI)) == ([TOLD, OTHER], [])
    assert {about for kind, about in await notices_of(world, WIJKTEAM) if kind in (TOLD, OTHER)} == {match_id}


@IN_MEMORY
async def test_who_names_itself_tells_the_other_team(world: World) -> None:
    """The usual case: one of the two says that it leads, and the other need not come across that by chance."""
    match_id, _ = await met(world)
    await appointed(world, who(world, WIJKTEAM), match_id, WIJKTEAM)
    assert (await told(world, WIJKTEAM), await told(world, GI)) == ([], [OTHER])


@IN_MEMORY
@pytest.mark.parametrize("stated", [None, GI])
async def test_nobody_replaces_a_team_unseen(world: World, stated: str | None) -> None:
    """Who states that nobody leads, or another team than does: refused openly, recorded, and nothing has changed."""
    match_id, _ = await met(world)
    await appointed(world, who(world, WIJKTEAM), match_id, WIJKTEAM)
    before = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await appointed(world, who(world, GI), match_id, GI, was=stated)
    assert refused.value.document["type"] == "urn:sluis:problem:casusregisseur-changed"
    assert await log_size(world) == before + 1
    assert await leads(world, GI) == {"organisation": WIJKTEAM, "team": "team-1", "name": NAMES[WIJKTEAM][0]}
    assert (await told(world, WIJKTEAM), await told(world, GI)) == ([], [OTHER])


@IN_MEMORY
async def test_a_side_that_does_not_see_the_match_is_not_told(world: World) -> None:
    """Named by who hid his own signal from it, a team has no notice, now or later, and its replacement is its own."""
    match_id, signal_id = await met(world)
    await shield(world, signal_id)
    await appointed(world, who(world, GI), match_id, WIJKTEAM)
    assert await told(world, WIJKTEAM) == []
    await appointed(world, who(world, GI), match_id, GI, was=WIJKTEAM)
    assert (await told(world, WIJKTEAM), await told(world, GI)) == ([], [])
