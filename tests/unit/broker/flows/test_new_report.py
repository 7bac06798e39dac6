"""A new police report: Veilig Thuis tells the casusregisseur by its own act, on a proof, and nobody else."""

import pytest

from broker.domain.errors import NotDoneError, RefusedError
from tests.simulators.asking import household
from tests.simulators.broker_world import World, log_size, shield
from tests.simulators.enrolled import GI, VEILIG_THUIS, WIJKTEAM
from tests.simulators.following_up import (
    appointed,
    followed_up,
    matches_of_side,
    notices_of,
    told_new_report,
    who,
)
from tests.unit.broker.flows.deciders import erring

CHILD = household(subject="child")


async def led(world: World, *, by: str = WIJKTEAM) -> str:
    """Veilig Thuis and the wijkteam met, and one of them leads the plan; return the id of the match."""
    await world.register(who(world, WIJKTEAM), CHILD)
    await world.register(who(world, VEILIG_THUIS), CHILD)
    (match,) = await matches_of_side(world, VEILIG_THUIS)
    await appointed(world, who(world, WIJKTEAM), match["matchId"], by)
    return str(match["matchId"])


async def test_the_casusregisseur_alone_is_told(world: World) -> None:
    """Scenario 15: his team has one notice about the match they share, and another team on the household has none."""
    await world.register(who(world, GI), CHILD)
    match_id = await led_beside_another(world)
    before = {oin: await notices_of(world, oin) for oin in (WIJKTEAM, GI, VEILIG_THUIS)}
    answer = await told_new_report(world, who(world, VEILIG_THUIS), match_id)
    assert answer.result["outcome"] == "done"
    assert (await notices_of(world, WIJKTEAM))[len(before[WIJKTEAM]) :] == [("new_report", match_id)]
    for oin in (GI, VEILIG_THUIS):
        assert await notices_of(world, oin) == before[oin]


async def led_beside_another(world: World) -> str:
    """As `led`, where another organisation is involved too."""
    await world.register(who(world, WIJKTEAM), CHILD)
    await world.register(who(world, VEILIG_THUIS), CHILD)
    for match in await matches_of_side(world, VEILIG_THUIS):
        if match["involved"]["holder"]["oin"] == WIJKTEAM:
            await appointed(world, who(world, WIJKTEAM), match["matchId"], WIJKTEAM)
            return str(match["matchId"])
    raise LookupError


async def test_a_muted_match_is_told_of_a_new_report_all_the_same(world: World) -> None:
    """That the teams work together already mutes matches, never a report."""
    match_id = await led(world)
    await followed_up(world, who(world, WIJKTEAM), match_id, "werken_al_samen")
    await told_new_report(world, who(world, VEILIG_THUIS), match_id)
    assert ("new_report", match_id) in await notices_of(world, WIJKTEAM)


async def test_without_another_team_that_leads_nobody_is_told(world: World) -> None:
    """No casusregisseur, or Veilig Thuis itself: refused openly, recorded, and no notice."""
    match_id = await led(world, by=VEILIG_THUIS)
    before = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await told_new_report(world, who(world, VEILIG_THUIS), match_id)
    assert refused.value.document["type"] == "urn:sluis:problem:casusregisseur-missing"
    assert await log_size(world) == before + 1
    assert "new_report" not in {kind for kind, _ in await notices_of(world, WIJKTEAM)}


async def test_who_may_not_know_of_the_match_is_not_told(world: World) -> None:
    """A casusregisseur from whom Veilig Thuis hid its signal since reads as one who is not there."""
    match_id = await led(world)
    (match,) = await matches_of_side(world, VEILIG_THUIS)
    await shield(world, match["signals"][0])
    with pytest.raises(RefusedError) as refused:
        await told_new_report(world, who(world, VEILIG_THUIS), match_id)
    assert refused.value.document["type"] == "urn:sluis:problem:casusregisseur-missing"


@pytest.mark.parametrize(
    ("oin", "changed"),
    [
        pytest.param(WIJKTEAM, {}, id="not-veilig-thuis"),
        pytest.param(VEILIG_THUIS, {"kind": "maatregel"}, id="another-proof"),
        pytest.param(VEILIG_THUIS, {"since": "2026-11-23"}, id="a-report-of-tomorrow"),
    ],
)
async def test_telling_needs_the_right_and_its_proof(world: World, oin: str, changed: dict[str, str]) -> None:
    """Another organisation, or another proof: refused by the policy, recorded, and nobody is told."""
    match_id = await led(world, by=VEILIG_THUIS if oin == WIJKTEAM else WIJKTEAM)
    before = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await told_new_report(world, who(world, oin), match_id, **changed)
    assert refused.value.document["type"] == "urn:sluis:problem:refused"
    assert await log_size(world) == before + 1
    for side in (WIJKTEAM, VEILIG_THUIS):
        assert "new_report" not in {kind for kind, _ in await notices_of(world, side)}


async def test_a_decision_that_fails_tells_nobody(world: World) -> None:
    """An engine that breaks on the question means not done, recorded, and no notice."""
    match_id = await led(world)
    world.policy = erring(world.policy, "may_ask")
    with pytest.raises(NotDoneError):
        await told_new_report(world, who(world, VEILIG_THUIS), match_id)
    assert "new_report" not in {kind for kind, _ in await notices_of(world, WIJKTEAM)}
