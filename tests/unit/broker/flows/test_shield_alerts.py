"""Who shielded a signal hears that its household was looked at, and who looked reads what he always reads (D8)."""

from typing import Any

import pytest

from tests.simulators.asking import household
from tests.simulators.broker_world import World, log_size, shield
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.importing import imports, takes_turn

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


async def _alerts(world: World, oin: str) -> list[tuple[str, str]]:
    """Return kind and subject of the notices that wait for an organisation."""
    notices: Any = (await world.inbox(world.asker(oin, seed="inbox"))).result["notices"]
    return [(one["kind"], one["about"]) for one in notices if one["kind"] == "shield_alert"]


@pytest.mark.parametrize("shielded", [True, False], ids=["shielded", "no signal of others"])
async def test_a_look_at_a_shielded_household_is_told_to_its_holder_alone(world: World, shielded: bool) -> None:  # noqa: FBT001 - the two worlds
    """No child is lost: the holder may call; the asker, his entry count and his own inbox are as in the other world."""
    signal = None
    if shielded:
        registered = await world.register(world.asker(WIJKTEAM), CHILD)
        signal = str(registered.result["signalId"])
        await shield(world, signal)
    await world.register(world.asker(GI), CHILD)
    before = await log_size(world)
    answer = await world.check(world.asker(GI, seed="look"), LOOK)
    assert answer.result["outcome"] == "nothing"
    assert await log_size(world) == before + 1
    assert await _alerts(world, WIJKTEAM) == ([("shield_alert", signal)] if shielded else [])
    assert await _alerts(world, GI) == []


async def test_a_registration_beside_a_shielded_signal_is_told_to_its_holder(world: World) -> None:
    """Registering is asking: a holder who is told of no match by it hears that somebody came, as from a check."""
    registered = await world.register(world.asker(WIJKTEAM), household(subject="neighbour", address="home"))
    signal = str(registered.result["signalId"])
    await shield(world, signal)
    answer = await world.register(world.asker(GI), household(subject="child", address="home"))
    assert answer.result["outcome"] == "nothing"
    assert await _alerts(world, WIJKTEAM) == [("shield_alert", signal)]
    assert await _alerts(world, GI) == []


async def test_who_is_told_of_a_match_needs_no_alert_besides(world: World) -> None:
    """A holder who may see the new signal has the match, which says who came; one notice is enough."""
    registered = await world.register(world.asker(WIJKTEAM), CHILD)
    await shield(world, str(registered.result["signalId"]))
    await world.register(world.asker(GI), CHILD)
    assert await _alerts(world, WIJKTEAM) == []


async def test_an_imported_signal_alerts_in_its_turn(world: World) -> None:
    """What an import meets is told to the holder of a shielded signal too, once it is looked up."""
    registered = await world.register(world.asker(WIJKTEAM), household(subject="neighbour", address="home"))
    signal = str(registered.result["signalId"])
    await shield(world, signal)
    await imports(world, GI, household(subject="child", address="home"))
    await takes_turn(world)
    assert await _alerts(world, WIJKTEAM) == [("shield_alert", signal)]
